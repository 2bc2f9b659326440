"""Examines what an application is built from: reads files of dependencies and matches them with advisories.

Files are read and never resolved or executed; advisories lie in a local database in OSV's format, so nothing is asked
of the network. What cannot be read or looked up is ERRORED.
"""

from lockgate.supply.deps.catalog import CHECKS
from lockgate.supply.deps.database import Database, DatabaseInfo, default_folder, update
from lockgate.supply.deps.dependency import Dependency, DependencyFacts, Listing, Weakness
from lockgate.supply.deps.in_project import examine_listings
from lockgate.supply.deps.results import (
    DependencyResult,
    DependencyResults,
    ListingResult,
    results_of,
    statistics_of,
)
from lockgate.supply.deps.scan import DependencyScan, ScanOptions, scan_dependencies
from lockgate.supply.deps.watch import BillWatch, Watched

__all__ = [
    "CHECKS",
    "BillWatch",
    "Database",
    "DatabaseInfo",
    "Dependency",
    "DependencyFacts",
    "DependencyResult",
    "DependencyResults",
    "DependencyScan",
    "Listing",
    "ListingResult",
    "ScanOptions",
    "Watched",
    "Weakness",
    "default_folder",
    "examine_listings",
    "results_of",
    "scan_dependencies",
    "statistics_of",
    "update",
]
