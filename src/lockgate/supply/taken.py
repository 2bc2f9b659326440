"""The files of a project as they were when a run began, for the scans that also take paths from the command line."""

from collections.abc import Iterable
from pathlib import Path

import msgspec

from lockgate.core import Outcome, Status, SubjectRef
from lockgate.core.files import Snapshot
from lockgate.supply.listing import Entry

_CHANGED = "It changed since the run began. Let its writer finish, then run again."


class Taken(msgspec.Struct, frozen=True):
    """Every file of a project and of its training job's products.

    Attributes:
        root: Folder of the project.
        digests: The digest that each readable file had, by its URI.
        entries: One for every file, sorted; what cannot be read says why.
    """

    root: Path
    digests: dict[str, str]
    entries: tuple[Entry, ...]

    def changed(self, *refs: SubjectRef) -> bool:
        """Whether a file that was read has other bytes than when the run began, or was not there then."""
        return any(ref.sha256 and self.digests.get(ref.uri) != ref.sha256 for ref in refs)

    def judged(
        self, ref: SubjectRef, outcomes: Iterable[Outcome], included: Iterable[SubjectRef] = ()
    ) -> tuple[Outcome, ...]:
        """The outcomes about a file, all ERRORED where it, or a file that it includes, changed since the run began."""
        if not self.changed(ref, *included):
            return tuple(outcomes)
        checks = dict.fromkeys(outcome.check for outcome in outcomes)
        return tuple(Outcome(check, Status.ERRORED, ref, reason=_CHANGED) for check in checks)


def taken_files(root: Path, *snapshots: Snapshot) -> Taken:
    """Put the snapshots of one project together."""
    digests = {ref.uri: ref.sha256 for snapshot in snapshots for ref in snapshot.files}
    entries = {uri: Entry(uri, root, uri) for uri in digests}
    for snapshot in snapshots:
        for item in snapshot.unreadable:
            entries[item.ref.uri] = Entry(item.ref.uri, root, unreadable=item.reason)
    return Taken(root, digests, tuple(entries[uri] for uri in sorted(entries)))
