"""Facts about a file, a version of a file in the history, or a message in it: which secrets it holds."""

import msgspec

from lockgate.core import SubjectRef


class Mark(msgspec.Struct, frozen=True):
    """A secret, without its value.

    Attributes:
        kind: What it is, for instance `aws-access-key`.
        place: Structural place: a cell and output of a notebook, and the how-manieth of its kind.
        line: Line, 1-based; 0 where there are no lines.
        score: How sure the detector is, 0 to 1.
        tag: Keyed digest (HMAC-SHA-256, FIPS 198-1) of kind and value: the same secret has the same tag.
        known: Whether the baseline lists it.
    """

    kind: str
    place: str
    line: int
    score: float
    tag: str
    known: bool = False


class SecretText(msgspec.Struct, frozen=True):
    """A text that was searched.

    Attributes:
        ref: Name and digest; for the history `PATH@COMMIT`.
        marks: What was found.
    """

    ref: SubjectRef
    marks: tuple[Mark, ...] = ()
