"""The subject of checks on answers."""

import msgspec

from lockgate.core import SubjectRef, sha256_hex


class Completion(msgspec.Struct, frozen=True):
    """One answer of a model.

    Attributes:
        ref: Its name, and the digest of its text.
        text: What the model said.
        protected: Values that it must not contain, in any simple encoding.
    """

    ref: SubjectRef
    text: str
    protected: tuple[str, ...] = ()


def completion(uri: str, text: str, protected: tuple[str, ...] = ()) -> Completion:
    """A completion named `uri`, with the digest of its UTF-8 bytes (lone surrogates included)."""
    return Completion(SubjectRef(uri, sha256_hex(text.encode("utf-8", "surrogatepass"))), text, protected)
