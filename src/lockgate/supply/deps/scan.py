"""Examines files of dependencies: reads them, matches them with the local database, and runs every check."""

import datetime as dt
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from lockgate.core import Check, Outcome, Severity, Status, SubjectRef, errored, run
from lockgate.supply.deps.added_index import AddedIndex
from lockgate.supply.deps.confusable_name import ConfusableName
from lockgate.supply.deps.database import Database, DatabaseInfo
from lockgate.supply.deps.dependency import Dependency, DependencyFacts, Listing, Role, Use, Weakness
from lockgate.supply.deps.fixed_versions import FixedVersions, fixed_versions
from lockgate.supply.deps.imports import Imports, find_imports, uses
from lockgate.supply.deps.install_time_code import InstallTimeCode
from lockgate.supply.deps.known_vulnerability import KnownVulnerability
from lockgate.supply.deps.match import weaknesses
from lockgate.supply.deps.read import is_known, read_listing, require_known
from lockgate.supply.deps.refused_licence import RefusedLicence
from lockgate.supply.deps.unfixed_reference import UnfixedReference
from lockgate.supply.deps.unhashed_dependency import UnhashedDependency
from lockgate.supply.deps.unpinned_dependency import UnpinnedDependency
from lockgate.supply.deps.versions import UnknownVersionError
from lockgate.supply.deps.yanked_release import YankedRelease
from lockgate.supply.errors import SupplyError
from lockgate.supply.listing import list_files

_NEAREST: dict[Use, int] = {"imported": 0, "through another": 1, "unknown": 2, "not seen": 3}

INSTALLED = frozenset({"node_modules", "site-packages", ".git", ".venv"})

Lookup = Callable[[Dependency], tuple[tuple[Weakness, ...] | None, str]]


class ScanOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What a scan goes by.

    Attributes:
        database: Folder of the database.
        now: The time of the scan, UTC.
        max_age: How long ago the database may have been updated.
        max_data_age: How long ago the newest advisory in it may have been changed; None for any time.
        licences: SPDX ids of allowed licences; empty for any.
        code: Folder of the application's code, to tell what it imports; None to leave that out.
        unmatched: Why a library from elsewhere than a registry may stay without a match, by its normal name.
        absent: Why no advisories are looked up, where somebody declared so; the database is not opened then.
    """

    database: Path
    now: dt.datetime
    max_age: dt.timedelta = dt.timedelta(days=7)
    max_data_age: dt.timedelta | None = None
    licences: frozenset[str] = frozenset()
    code: Path | None = None
    unmatched: dict[str, str] = {}
    absent: str = ""


class ScannedDependency(msgspec.Struct, frozen=True):
    """A dependency and what came of it.

    Attributes:
        facts: What is known about it.
        outcomes: One for every check.
    """

    facts: DependencyFacts
    outcomes: tuple[Outcome, ...]

    @property
    def urgency(self) -> tuple[int, int, str]:
        """What comes first: what the application reaches, then what is worst."""
        worst = max((found.severity.rank for item in self.outcomes for found in item.findings), default=-1)
        return (
            _NEAREST[self.facts.use] if worst > Severity.LOW.rank else len(_NEAREST),
            -worst,
            self.facts.dependency.name,
        )


class ScannedListing(msgspec.Struct, frozen=True):
    """A file of dependencies and what came of it.

    Attributes:
        listing: What it lists.
        dependencies: Its dependencies, the most urgent first.
        outcomes: Those about the file itself. What could not be read is ERRORED.
    """

    listing: Listing
    dependencies: tuple[ScannedDependency, ...]
    outcomes: tuple[Outcome, ...]


class DependencyScan(msgspec.Struct, frozen=True):
    """What came of a scan.

    Attributes:
        listings: One for every file.
        database: What the database says about itself; None if there is none to go by.
        database_problem: Why the database does not count; empty if it does.
    """

    listings: tuple[ScannedListing, ...]
    database: DatabaseInfo | None
    database_problem: str


def scan_dependencies(paths: tuple[Path, ...], options: ScanOptions, *, role: Role | None = None) -> DependencyScan:
    """Examine files of dependencies, and every such file below a folder.

    Args:
        paths: Files and folders.
        options: What to go by.
        role: `bill` where the files are bills of materials.

    Raises:
        SupplyError: A file that is named is no file of dependencies by its name.
    """
    listings = tuple(_listings(paths, role))
    return scan_listings(listings, options, find_imports(options.code.resolve()) if options.code else None)


def scan_listings(listings: tuple[Listing, ...], options: ScanOptions, imports: Imports | None) -> DependencyScan:
    """Examine files of dependencies that were read before; `imports` are those of the application's code."""
    use = uses({item for listing in listings for item in listing.dependencies}, imports)
    fixed = fixed_versions(listings)

    def scanned(lookup: Lookup) -> tuple[ScannedListing, ...]:
        return tuple(_scan(listing, use, options, fixed, lookup) for listing in listings)

    if options.absent:
        return DependencyScan(scanned(lambda _: (None, options.absent)), None, "")
    try:
        database = Database(options.database)
    except SupplyError as error:
        problem = str(error)
        return DependencyScan(scanned(lambda _: (None, problem)), None, problem)
    with database:
        problem = _too_old(database.info, options)
        return DependencyScan(scanned(_lookup(database, problem)), database.info, problem)


def _listings(paths: tuple[Path, ...], role: Role | None) -> Iterator[Listing]:
    for path in paths:
        if path.is_dir():
            for entry in list_files((path,)):
                if is_known(entry.shown) and INSTALLED.isdisjoint(Path(entry.shown).parts):
                    yield (
                        _unreadable(entry.shown, entry.unreadable)
                        if entry.unreadable
                        else read_listing(entry.root, entry.uri, name=entry.shown)
                    )
            continue
        if not path.exists():
            raise SupplyError(f"{path} does not exist.", remedy="Correct the path.")
        if role is None:
            require_known(path.name)
        place, here = path.absolute(), Path.cwd()
        root = here if place.is_relative_to(here) and ".." not in place.parts else place.parent
        yield read_listing(root, place.relative_to(root).as_posix(), name=str(path), role=role)


def _unreadable(name: str, reason: str) -> Listing:
    return Listing(ref=SubjectRef(name), role="lock", unread=(reason,))


def _too_old(info: DatabaseInfo, options: ScanOptions) -> str:
    remedy = "Run 'lockgate db update --from SOURCE'."
    if options.now - info.updated_at > options.max_age:
        last = f"{info.updated_at:%Y-%m-%d}"
        return f"The vulnerability database was last updated on {last}, which is too long ago. {remedy}"
    if options.max_data_age is not None and info.age(options.now) > options.max_data_age:
        return f"The newest advisory in the database is of {info.data_at:%Y-%m-%d}, which is too long ago. {remedy}"
    return ""


def _lookup(database: Database, problem: str) -> Lookup:
    def look(item: Dependency) -> tuple[tuple[Weakness, ...] | None, str]:
        if reason := _incomparable(item):
            return None, reason
        try:
            found = weaknesses(item.ecosystem, item.version, database.affected(item.ecosystem, item.name))
        except UnknownVersionError:
            return None, f"{item.name} has a version that {item.ecosystem} does not know, so it cannot be compared."
        except SupplyError as error:
            return None, str(error)
        # What is known is still true; what old data, or a name that no registry vouches for, does not tell is no pass.
        unknown = problem or _elsewhere(item)
        return (None, unknown) if unknown and not found else (found, "")

    return look


def _incomparable(item: Dependency) -> str:
    if item.problem:
        return item.problem
    if item.version:
        return ""
    if item.origin != "registry":
        return _elsewhere(item)
    return f"{item.name} has no exact version, so it cannot be compared. Scan the lock file instead."


def _elsewhere(item: Dependency) -> str:
    if item.origin == "registry":
        return ""
    return f"{item.name} does not come from a registry, so its version cannot be compared with advisories."


def _unmatched(item: Dependency, options: ScanOptions) -> str:
    elsewhere = item.origin != "registry" and not item.problem
    return options.unmatched.get(item.name, "") if elsewhere else ""


def _scan(
    listing: Listing, use: dict[str, Use], options: ScanOptions, fixed: FixedVersions, lookup: Lookup
) -> ScannedListing:
    any_hashed = any(item.hashes for item in listing.dependencies)
    scanned: list[ScannedDependency] = []
    for item in listing.dependencies:
        found, why_unknown = lookup(item)
        declared = _unmatched(item, options) if found is None else ""
        facts = DependencyFacts(
            ref=listing.ref,
            role=listing.role,
            dependency=item,
            weaknesses=found,
            why_unknown=declared or why_unknown,
            absent=bool(declared or options.absent),
            any_hashed=any_hashed,
            use=use.get(item.name, "unknown") if item.ecosystem == "PyPI" else "unknown",
        )
        checks = _checks(facts, options, locked_elsewhere=fixed.elsewhere(listing, item))
        scanned.append(ScannedDependency(facts, tuple(run(check, facts) for check in checks)))
    scanned.sort(key=lambda done: done.urgency)
    unread = tuple(errored(KnownVulnerability(), listing.ref, reason) for reason in listing.unread)
    about_file = (run(AddedIndex(), listing),) if listing.role != "bill" else ()
    return ScannedListing(listing, tuple(scanned), (*about_file, *unread))


def _checks(
    facts: DependencyFacts, options: ScanOptions, *, locked_elsewhere: bool
) -> Iterator[Check[DependencyFacts]]:
    """The checks that have something to look at, so that a pass means that something was examined."""
    if not locked_elsewhere:
        yield KnownVulnerability()
        yield UnpinnedDependency()
    if facts.role not in {"declaration", "bill"}:
        yield UnhashedDependency()
    if facts.dependency.ecosystem == "PyPI":
        yield ConfusableName()
    if not locked_elsewhere or facts.dependency.origin == "registry":
        yield UnfixedReference()
    if options.licences and not locked_elsewhere:
        yield RefusedLicence(allowed=options.licences)
    yield YankedRelease()
    yield InstallTimeCode()


def merged(listing: ScannedListing) -> tuple[Outcome, ...]:
    """All outcomes about a file, at most one of each status for a check: with 300 dependencies there are thousands."""
    outcomes = [*listing.outcomes, *(outcome for item in listing.dependencies for outcome in item.outcomes)]
    groups: dict[tuple[str, Status], list[Outcome]] = {}
    for outcome in outcomes:
        groups.setdefault((outcome.check, outcome.status), []).append(outcome)
    unclean = {check for check, status in groups if status in {Status.FAILED, Status.ERRORED}}
    return tuple(
        _together(listing.listing.ref, group)
        for (check, status), group in sorted(groups.items())
        if check not in unclean or status in {Status.FAILED, Status.ERRORED}
    )


def _together(ref: SubjectRef, group: list[Outcome]) -> Outcome:
    first = group[0]
    findings = tuple(finding for outcome in group for finding in outcome.findings)
    reasons = list(dict.fromkeys(outcome.reason for outcome in group if outcome.reason))
    more = f" And {len(reasons) - 3:,} more." if len(reasons) > 3 else ""  # noqa: PLR2004 - enough to see what kind
    return Outcome(first.check, first.status, ref, findings, " ".join(reasons[:3]) + more)
