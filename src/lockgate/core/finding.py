"""What a check reports."""

import msgspec

from lockgate.core.levels import Confidence, Severity
from lockgate.core.subject import sha256_hex


class Location(msgspec.Struct, frozen=True):
    """Where a finding lies.

    Attributes:
        uri: The subject's URI.
        path: Structural place inside it that survives unrelated edits: a JSON pointer, a record id with a field, an
            archive member, a heading. Part of the fingerprint, so it never holds a line number or a matched value.
        line: Line for display only, 1-based.
    """

    uri: str
    path: str = ""
    line: int | None = None

    def __str__(self) -> str:
        place = f"{self.uri}:{self.line}" if self.line else self.uri
        return f"{place} ({self.path})" if self.path else place


class Finding(msgspec.Struct, frozen=True):
    """One thing a check found. Build it with `Check.finding`, which computes the fingerprint."""

    check: str
    severity: Severity
    confidence: Confidence
    message: str
    location: Location
    fingerprint: str


def fingerprint(check: str, location: Location) -> str:
    """Stable name of a finding: check id, URI and structural path, hashed to 32 hex digits.

    Line numbers and matched values stay out, so that a waiver survives an edit above the finding and reveals nothing.
    """
    return sha256_hex(f"{check}\x00{location.uri}\x00{location.path}".encode("utf-8", "surrogatepass"))[:32]
