"""The data stage: an integrity manifest, and checks of training rows, documents and prompts."""

from lockgate.data.catalog import CHECKS
from lockgate.data.errors import DataError
from lockgate.data.examine import examine
from lockgate.data.manifest import ManifestFacts, parse_manifest, render_manifest

__all__ = ["CHECKS", "DataError", "ManifestFacts", "examine", "parse_manifest", "render_manifest"]
