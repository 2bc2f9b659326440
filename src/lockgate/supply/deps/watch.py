"""Matches deployed bills of materials again after the database has changed, and tells what is new."""

import datetime as dt
import os
import secrets
from pathlib import Path

import msgspec

from lockgate.core import Event, EventKind
from lockgate.core.home import write_private
from lockgate.supply.deps.dependency import PURL_TYPES, Dependency, Weakness
from lockgate.supply.deps.scan import DependencyScan, ScanOptions, scan_dependencies
from lockgate.supply.errors import SupplyError

LABEL = "dependency-vulnerability"
MAX_STATE = 64 << 20
_TYPES = {ecosystem: kind for kind, ecosystem in PURL_TYPES.items()}


class Watched(msgspec.Struct, frozen=True, kw_only=True):
    """What came of watching some bills.

    Attributes:
        events: One alert for each vulnerability of a dependency that was not there the last time. Its labels are
            `dependency-vulnerability`, the vulnerability's id, the package URL, the level and the bill's digest.
        known: How many vulnerabilities were there before.
        unexamined: Why something could not be examined. It is never a pass.
        scan: The scan behind it.
    """

    events: tuple[Event, ...]
    known: int
    unexamined: tuple[str, ...]
    scan: DependencyScan


class BillWatch:
    """Watches bills against one database, and remembers what was told.

    Args:
        options: What to go by. What was told lies beside the database, by the bill's digest.
    """

    def __init__(self, options: ScanOptions) -> None:
        self._options = options
        self._found: dict[str, set[str]] = {}

    def look(self, bills: tuple[Path, ...]) -> Watched:
        """Match the bills now.

        Raises:
            SupplyError: The database is missing or too old, or what was told cannot be read.
        """
        scan = scan_dependencies(bills, self._options, role="bill")
        if scan.database_problem:
            raise SupplyError(scan.database_problem)
        events: list[Event] = []
        known = 0
        reasons: list[str] = []
        for listing in scan.listings:
            reasons += listing.listing.unread
            if not listing.dependencies and not listing.listing.unread:
                reasons.append(f"{listing.listing.ref.uri} lists no library, so nothing of it can be matched.")
            digest = listing.listing.ref.sha256
            told = self._told(digest) if digest else set[str]()
            found: set[str] = set()
            for item in listing.dependencies:
                stated = item.facts.dependency
                reasons += [item.facts.why_unknown] if item.facts.weaknesses is None else []
                for weakness in item.facts.weaknesses or ():
                    key = f"{purl(stated)} {weakness.id}"
                    if key in found:
                        continue
                    found.add(key)
                    if key in told or any(f"{purl(stated)} {name}" in told for name in weakness.ids):
                        known += 1
                    else:
                        events.append(self._event(stated, weakness, digest))
            if digest:
                self._found[digest] = found | told
        return Watched(events=tuple(events), known=known, unexamined=tuple(dict.fromkeys(reasons)), scan=scan)

    def remember(self) -> None:
        """Keep what was told. Call it after the events were handed on: what was not handed on is told again."""
        for digest, found in self._found.items():
            write_private(self._place(digest), msgspec.json.encode(sorted(found)))

    def _event(self, stated: Dependency, weakness: Weakness, digest: str) -> Event:
        return Event(
            id=secrets.token_hex(8),
            at=self._options.now.astimezone(dt.UTC).isoformat(timespec="milliseconds"),
            kind=EventKind.ALERT,
            labels=(LABEL, weakness.id, purl(stated), weakness.level or "unrated", digest),
            source="watch",
        )

    def _told(self, digest: str) -> set[str]:
        try:
            descriptor = os.open(self._place(digest), os.O_RDONLY | os.O_NOFOLLOW)
        except FileNotFoundError:
            return set()
        except OSError as error:
            raise _unreadable() from error
        with os.fdopen(descriptor, "rb") as stream:
            body = stream.read(MAX_STATE + 1)
        try:
            return set(msgspec.json.decode(body, type=list[str]))
        except msgspec.MsgspecError as error:
            raise _unreadable() from error

    def _place(self, digest: str) -> Path:
        return self._options.database / "watched" / f"{digest}.json"


def _unreadable() -> SupplyError:
    return SupplyError(
        "What was told about this bill before cannot be read.",
        remedy="Remove the folder 'watched' beside the database; everything is told again then.",
    )


def purl(item: Dependency) -> str:
    """The package URL of a dependency (github.com/package-url/purl-spec)."""
    name = item.name.replace("@", "%40")
    version = item.version.replace("+", "%2B").replace("!", "%21")
    return f"pkg:{_TYPES[item.ecosystem]}/{name}" + (f"@{version}" if version else "")
