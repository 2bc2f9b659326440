"""Every check of the supply stage."""

from typing import Never

from lockgate.core import Check
from lockgate.supply.bundled_code import BundledCode
from lockgate.supply.changed_model import ChangedModel
from lockgate.supply.code.catalog import CHECKS as CODE
from lockgate.supply.deps.catalog import CHECKS as DEPENDENCIES
from lockgate.supply.escaping_path import EscapingPath
from lockgate.supply.external.catalog import CHECKS as EXTERNAL
from lockgate.supply.malformed_part import MalformedPart
from lockgate.supply.malformed_safetensors import MalformedSafetensors
from lockgate.supply.opaque_model import OpaqueModel
from lockgate.supply.pickle_code import PickleCode
from lockgate.supply.remote_code import RemoteCode
from lockgate.supply.secrets.catalog import CHECKS as SECRETS
from lockgate.supply.unlisted_class import UnlistedClass
from lockgate.supply.unlisted_operator import UnlistedOperator
from lockgate.supply.unpinned_model import UnpinnedModel
from lockgate.supply.unsafe_gguf import UnsafeGguf
from lockgate.supply.wrong_suffix import WrongSuffix

CHECKS: tuple[type[Check[Never]], ...] = (
    ChangedModel,
    UnpinnedModel,
    PickleCode,
    UnsafeGguf,
    MalformedSafetensors,
    OpaqueModel,
    RemoteCode,
    EscapingPath,
    UnlistedOperator,
    UnlistedClass,
    BundledCode,
    MalformedPart,
    WrongSuffix,
    *EXTERNAL,
    *CODE,
    *DEPENDENCIES,
    *SECRETS,
)
