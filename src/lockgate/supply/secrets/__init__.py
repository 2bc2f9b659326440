"""Finds credentials in files and in the history of git repositories, with the detectors that the guard uses.

Values are never kept, printed or written: a secret is known by its place, its kind, and a keyed fingerprint.
"""

from lockgate.supply.secrets.baseline import Baseline, baseline_key, empty_baseline, read_baseline, write_baseline
from lockgate.supply.secrets.catalog import CHECKS
from lockgate.supply.secrets.scan import (
    Repository,
    SearchedText,
    Searcher,
    SecretSearch,
    search_entries,
    search_secrets,
)
from lockgate.supply.secrets.search import search
from lockgate.supply.secrets.subject import Mark, SecretText

__all__ = [
    "CHECKS",
    "Baseline",
    "Mark",
    "Repository",
    "SearchedText",
    "Searcher",
    "SecretSearch",
    "SecretText",
    "baseline_key",
    "empty_baseline",
    "read_baseline",
    "search",
    "search_entries",
    "search_secrets",
    "write_baseline",
]
