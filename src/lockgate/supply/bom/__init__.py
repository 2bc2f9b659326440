"""Bills of materials for AI applications (CycloneDX ML-BOM, SPDX): models with cards, data, prompts, libraries."""

from lockgate.supply.bom.card import ModelCard
from lockgate.supply.bom.code import Found, read_code, read_mcp_settings
from lockgate.supply.bom.dependencies import Library, is_dependency_file, read_dependencies
from lockgate.supply.bom.document import to_cyclonedx
from lockgate.supply.bom.inventory import Inventory, Model, take_inventory
from lockgate.supply.bom.spdx import to_spdx
from lockgate.supply.bom.structure import problems_of

__all__ = [
    "Found",
    "Inventory",
    "Library",
    "Model",
    "ModelCard",
    "is_dependency_file",
    "problems_of",
    "read_code",
    "read_dependencies",
    "read_mcp_settings",
    "take_inventory",
    "to_cyclonedx",
    "to_spdx",
]
