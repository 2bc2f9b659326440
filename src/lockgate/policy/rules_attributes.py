"""What rules can speak of: names and types of attributes, and the bounds within which they are judged."""

from collections.abc import Mapping
from typing import Literal, cast

Kind = Literal["text", "number", "flag", "texts"]
Vocabulary = Mapping[str, Kind]

MAX_ITEMS = 1_000
MAX_CHARS = 65_536


def fault(vocabulary: Vocabulary, attributes: Mapping[str, object]) -> str:
    """Why `attributes` cannot be judged, or nothing.

    A caller chooses some of them, so their size is bounded here: with it the cost of every condition is. A missing
    attribute or one of another type would let a deny rule pass as if it did not apply.
    """
    chars = 0
    for name, kind in vocabulary.items():
        value = attributes.get(name)
        size = _size(kind, value)
        if size < 0:
            return f"The attribute {name} is missing." if value is None else f"The attribute {name} is of another type."
        chars += size
    return "The attributes are too large to be judged." if chars > MAX_CHARS else ""


def _size(kind: Kind, value: object) -> int:
    if kind == "text":
        return len(value) if type(value) is str else -1
    if kind == "number":
        return 0 if type(value) is int and -(2**63) <= value < 2**63 else -1
    if kind == "flag":
        return 0 if type(value) is bool else -1
    return _texts_size(value)


def _texts_size(value: object) -> int:
    if not isinstance(value, list | tuple):
        return -1
    items = cast("list[object] | tuple[object, ...]", value)
    if len(items) > MAX_ITEMS:
        return MAX_CHARS + 1
    sizes = [_size("text", item) for item in items]
    return -1 if -1 in sizes else sum(sizes)
