"""Every check of the supply stage."""

from typing import Never

from lockgate.core import Check
from lockgate.supply.changed_model import ChangedModel
from lockgate.supply.malformed_safetensors import MalformedSafetensors
from lockgate.supply.opaque_model import OpaqueModel
from lockgate.supply.pickle_code import PickleCode
from lockgate.supply.unpinned_model import UnpinnedModel
from lockgate.supply.unsafe_gguf import UnsafeGguf

CHECKS: tuple[type[Check[Never]], ...] = (
    ChangedModel,
    UnpinnedModel,
    PickleCode,
    UnsafeGguf,
    MalformedSafetensors,
    OpaqueModel,
)
