"""What is looked at."""

import hashlib
from typing import Protocol

import msgspec


class SubjectRef(msgspec.Struct, frozen=True, order=True):
    """A subject by name and content, as evidence records it.

    Attributes:
        uri: Path inside the project in POSIX form, or an absolute URI.
        sha256: Digest of the exact bytes that were examined, 64 lower-case hex digits. Empty if they could not be read.
    """

    uri: str
    sha256: str = ""


class Subject(Protocol):
    """What a check receives: frozen facts about bytes that a reader has read once."""

    @property
    def ref(self) -> SubjectRef:
        """Name and digest of the bytes behind the facts."""
        ...


def sha256_hex(content: bytes) -> str:
    """The SHA-256 digest of `content` as 64 lower-case hex digits (FIPS 180-4)."""
    return hashlib.sha256(content).hexdigest()
