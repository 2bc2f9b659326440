"""Every family, in the order of the manual."""

from lockgate.redteam.errors import RedteamError
from lockgate.redteam.families.crescendo import CRESCENDO
from lockgate.redteam.families.denial_of_service import DENIAL_OF_SERVICE
from lockgate.redteam.families.direct_override import DIRECT_OVERRIDE
from lockgate.redteam.families.encoding_obfuscation import ENCODING_OBFUSCATION
from lockgate.redteam.families.excessive_agency import EXCESSIVE_AGENCY
from lockgate.redteam.families.exfiltration_link import EXFILTRATION_LINK
from lockgate.redteam.families.family import Family
from lockgate.redteam.families.harmful_content import HARMFUL_CONTENT
from lockgate.redteam.families.indirect_document import INDIRECT_DOCUMENT
from lockgate.redteam.families.indirect_mail import INDIRECT_MAIL
from lockgate.redteam.families.indirect_page import INDIRECT_PAGE
from lockgate.redteam.families.indirect_tool import INDIRECT_TOOL
from lockgate.redteam.families.insecure_output import INSECURE_OUTPUT
from lockgate.redteam.families.many_shot import MANY_SHOT
from lockgate.redteam.families.memorisation import MEMORISATION
from lockgate.redteam.families.model_extraction import MODEL_EXTRACTION
from lockgate.redteam.families.multi_turn import MULTI_TURN
from lockgate.redteam.families.persona_jailbreak import PERSONA_JAILBREAK
from lockgate.redteam.families.personal_data import PERSONAL_DATA
from lockgate.redteam.families.prompt_extraction import PROMPT_EXTRACTION
from lockgate.redteam.families.retrieval_poisoning import RETRIEVAL_POISONING
from lockgate.redteam.families.tool_abuse import TOOL_ABUSE
from lockgate.redteam.families.training_data import CANARIES, ROWS

FAMILIES: tuple[Family, ...] = (
    DIRECT_OVERRIDE,
    PROMPT_EXTRACTION,
    PERSONA_JAILBREAK,
    MANY_SHOT,
    CRESCENDO,
    MULTI_TURN,
    ENCODING_OBFUSCATION,
    INDIRECT_DOCUMENT,
    INDIRECT_MAIL,
    INDIRECT_PAGE,
    INDIRECT_TOOL,
    TOOL_ABUSE,
    EXCESSIVE_AGENCY,
    EXFILTRATION_LINK,
    PERSONAL_DATA,
    MEMORISATION,
    INSECURE_OUTPUT,
    DENIAL_OF_SERVICE,
    MODEL_EXTRACTION,
    HARMFUL_CONTENT,
    RETRIEVAL_POISONING,
)

NEEDS_FILES = (CANARIES, ROWS)
"""Families that have attacks only where files say what a model was trained on."""


def family_named(name: str) -> Family:
    """The family of a name.

    Raises:
        RedteamError: There is none.
    """
    for family in (*FAMILIES, *NEEDS_FILES):
        if family.id == name:
            return family
    raise RedteamError(f"There is no family {name!r}.", remedy="'lockgate redteam --list' names all of them.")
