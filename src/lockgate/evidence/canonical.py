"""The one way in which evidence is written as JSON, so that the same facts always have the same bytes."""

from typing import TypeVar

import msgspec

from lockgate.evidence.errors import EvidenceError

T = TypeVar("T")


def encode(value: object) -> bytes:
    """Compact UTF-8 JSON with sorted keys.

    Raises:
        EvidenceError: The value holds something that JSON cannot say.
    """
    try:
        return msgspec.json.encode(value, order="sorted")
    except (msgspec.MsgspecError, TypeError, ValueError, RecursionError) as error:
        raise EvidenceError(
            "The evidence holds a value that cannot be written as JSON.",
            remedy="Use text, numbers, lists and mappings.",
        ) from error


def decode(body: bytes, kind: type[T], *, what: str) -> T:
    """Read bytes that `encode` has written, and no others.

    Decoding and encoding again must give the same bytes. That refuses duplicate and unknown keys, spaces, escapes and
    number formats that two readers could understand differently.

    Args:
        body: The bytes.
        kind: The type that they must have.
        what: What to call them in an error.

    Raises:
        EvidenceError: They are not of that type or not in canonical form.
    """
    try:
        value = msgspec.json.decode(body, type=kind)
        again = msgspec.json.encode(value, order="sorted")
    except msgspec.ValidationError as error:
        raise EvidenceError(f"The {what} has an unexpected shape: {error}.") from error
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise EvidenceError(f"The {what} is not valid JSON.") from error
    if again != body:
        raise EvidenceError(f"The {what} is not in canonical form.")
    return value
