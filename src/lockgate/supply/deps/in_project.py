"""Examines every file of dependencies of a project."""

from pathlib import PurePosixPath

from lockgate.core import Examination, SubjectRef, errored
from lockgate.supply.deps.database import DatabaseInfo
from lockgate.supply.deps.dependency import Listing
from lockgate.supply.deps.imports import imports_in, strangers
from lockgate.supply.deps.known_vulnerability import KnownVulnerability
from lockgate.supply.deps.read import is_known, lists_python, read_listing
from lockgate.supply.deps.scan import INSTALLED, ScanOptions, merged, scan_listings
from lockgate.supply.listing import Entry
from lockgate.supply.remembered import Remembered
from lockgate.supply.taken import Taken

_NAMED = 5
_UNREAD = (
    "Some of the code cannot be parsed, or changed since the run began, so what it imports is not known, and no file "
    "says which libraries are installed."
)


def examine_listings(files: Taken, policy: SubjectRef, options: ScanOptions) -> tuple[Examination, DatabaseInfo | None]:
    """Examine the files of dependencies of a project, and whether there should be one.

    Args:
        files: The project's files.
        policy: Its settings, which answer for what no file lists.
        options: What to go by; the code is taken from `files`.

    Returns:
        What came of it, and what the database says about itself if one was used.
    """
    listings = tuple(_read(entry) for entry in files.entries if _is_listing(entry))
    code = [uri for uri in files.digests if uri.endswith(".py") and INSTALLED.isdisjoint(PurePosixPath(uri).parts)]
    with Remembered("imports") as cache:
        imports = imports_in(files.root, code, cache, expected=files.digests)
    scan = scan_listings(listings, options, imports)
    outcomes = [
        item
        for scanned in scan.listings
        for item in files.judged(scanned.listing.ref, merged(scanned), scanned.listing.included)
    ]
    subjects = {ref for listing in listings for ref in (listing.ref, *listing.included) if ref.sha256}
    foreign = strangers(imports.modules, code)
    if not any(lists_python(listing) for listing in listings):
        if foreign:
            outcomes.append(errored(KnownVulnerability, policy, _unlisted(foreign)))
        elif not imports.complete:
            outcomes.append(errored(KnownVulnerability, policy, _UNREAD))
    return Examination(tuple(sorted(subjects)), tuple(outcomes)), scan.database if listings else None


def _is_listing(entry: Entry) -> bool:
    return is_known(entry.shown) and INSTALLED.isdisjoint(PurePosixPath(entry.shown).parts)


def _read(entry: Entry) -> Listing:
    if entry.unreadable:
        return Listing(ref=SubjectRef(entry.shown), role="lock", unread=(entry.unreadable,))
    return read_listing(entry.root, entry.uri, name=entry.shown)


def _unlisted(modules: tuple[str, ...]) -> str:
    more = f" and {len(modules) - _NAMED:,} more" if len(modules) > _NAMED else ""
    return (
        f"The code imports {', '.join(modules[:_NAMED])}{more}, but no file says which libraries are installed. Add a "
        "lock file or requirements.txt, or say why there is none under 'supply: {absent: {dependencies: ...}}'."
    )
