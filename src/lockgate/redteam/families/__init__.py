"""The families of attacks: what is tried, why it matters, and what counts as success."""

from lockgate.redteam.families.catalog import FAMILIES, NEEDS_FILES, family_named
from lockgate.redteam.families.family import Family, Seed

__all__ = ["FAMILIES", "NEEDS_FILES", "Family", "Seed", "family_named"]
