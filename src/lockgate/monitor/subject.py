"""What the monitor's checks examine."""

from pathlib import Path

import msgspec

from lockgate.core import SubjectRef, sha256_hex
from lockgate.monitor.database import DATABASE_NAME
from lockgate.monitor.store import read_summary
from lockgate.monitor.summary import Summary


class MonitorFacts(msgspec.Struct, frozen=True):
    """A summary of the event store as a subject.

    Attributes:
        ref: `events.db`, with the SHA-256 of the summary's canonical JSON (keys sorted): the digest of what was judged,
            because the file itself grows with every request.
        summary: Counts and latencies.
    """

    ref: SubjectRef
    summary: Summary


def facts_from(summary: Summary) -> MonitorFacts:
    """Name and digest a summary."""
    return MonitorFacts(SubjectRef(DATABASE_NAME, sha256_hex(canonical_json(summary))), summary)


def canonical_json(summary: Summary) -> bytes:
    """The summary as JSON with sorted keys and no spaces, the bytes behind the subject's digest."""
    return msgspec.json.encode(summary, order="sorted")


def read_facts(folder: Path, since: str = "") -> MonitorFacts:
    """Summarise the event store in `folder` since the ISO 8601 moment `since`.

    Raises:
        MonitorError: There is no event store, or it cannot be read.
    """
    return facts_from(read_summary(folder, since))
