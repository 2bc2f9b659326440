"""Every check of code."""

from lockgate.core import Check
from lockgate.supply.code.classic_risk import ClassicRisk
from lockgate.supply.code.executed_answer import ExecutedAnswer
from lockgate.supply.code.logged_prompt import LoggedPrompt
from lockgate.supply.code.mixed_prompt import MixedPrompt
from lockgate.supply.code.open_endpoint import OpenEndpoint
from lockgate.supply.code.queried_answer import QueriedAnswer
from lockgate.supply.code.rendered_answer import RenderedAnswer
from lockgate.supply.code.secret_in_code import SecretInCode
from lockgate.supply.code.subject import CodeFile
from lockgate.supply.code.trusted_remote_code import TrustedRemoteCode
from lockgate.supply.code.unbounded_answer import UnboundedAnswer
from lockgate.supply.code.unpinned_download import UnpinnedDownload
from lockgate.supply.code.unpinned_server import UnpinnedServer
from lockgate.supply.code.unrestricted_tool import UnrestrictedTool
from lockgate.supply.code.unsafe_load import UnsafeLoad
from lockgate.supply.code.unverified_tls import UnverifiedTls

CHECKS: tuple[type[Check[CodeFile]], ...] = (
    UnsafeLoad,
    TrustedRemoteCode,
    UnpinnedDownload,
    ExecutedAnswer,
    QueriedAnswer,
    RenderedAnswer,
    MixedPrompt,
    SecretInCode,
    UnverifiedTls,
    UnrestrictedTool,
    UnpinnedServer,
    LoggedPrompt,
    OpenEndpoint,
    UnboundedAnswer,
    ClassicRisk,
)
