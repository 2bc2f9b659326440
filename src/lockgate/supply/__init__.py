"""The supply stage: examines what a project is made of, without loading any of it, and holds what was not reviewed.

Pickles are followed symbolically, GGUF and safetensors headers are checked byte by byte, archives are read so strictly
that no two readers can disagree, and all of it happens in a process with little memory and time.
"""

from lockgate.supply.catalog import CHECKS
from lockgate.supply.chat_template import TemplateFacts
from lockgate.supply.errors import SupplyError
from lockgate.supply.examine import examine
from lockgate.supply.examine_project import Supplied, examine_project
from lockgate.supply.facts_cache import FactsCache
from lockgate.supply.object_store import SCHEME, fetched
from lockgate.supply.reader import Reader
from lockgate.supply.scan import ScannedFile, scan_entries, scan_files
from lockgate.supply.subject import Format, ModelFacts, ModelFile, Place

__all__ = [
    "CHECKS",
    "SCHEME",
    "FactsCache",
    "Format",
    "ModelFacts",
    "ModelFile",
    "Place",
    "Reader",
    "ScannedFile",
    "Supplied",
    "SupplyError",
    "TemplateFacts",
    "examine",
    "examine_project",
    "fetched",
    "scan_entries",
    "scan_files",
]
