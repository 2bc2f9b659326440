"""Symbolic values of the pickle machine: enough to know what a call receives, never the objects themselves."""

from dataclasses import dataclass, field

MAX_DEPTH = 200
MAX_WEIGHT = 50_000_000


class Opaque:
    """A value whose content does not matter: a float, a large number, long bytes, the result of an allowed call."""


@dataclass(slots=True, eq=False)
class Blob:
    """Bytes or a text that is not kept.

    Attributes:
        size: Its length in bytes.
    """

    size: int


@dataclass(slots=True, eq=False)
class Global:
    """A name that the pickle imports.

    Attributes:
        name: `module.name`, with Python 2 names mapped; empty if the name is not a plain literal.
    """

    name: str


@dataclass(slots=True, eq=False)
class Tuple:
    """A tuple.

    Attributes:
        items: What it holds.
        weight: How many values it holds when every shared reference is written out.
        depth: How deep it nests.
    """

    items: tuple["Value", ...]
    weight: int
    depth: int


@dataclass(slots=True, eq=False)
class Collection:
    """A list, dict, set or frozenset.

    Attributes:
        kind: Which of them.
        fields: Values of a dict's short text keys.
        texts: Texts of a list.
        hooks: Whether a dict has a key that changes how Python treats the object, such as `__setstate__`.
        weight: As in `Tuple`.
        depth: As in `Tuple`.
    """

    kind: str
    fields: dict[str, "Value"] = field(default_factory=dict["str", "Value"])
    texts: list[str] = field(default_factory=list[str])
    hooks: bool = False
    weight: int = 1
    depth: int = 1


@dataclass(slots=True, eq=False)
class Instance:
    """An object that an allowed call or class made.

    Attributes:
        name: Its class, or the callable that made it.
        arguments: What it was made from.
    """

    name: str
    arguments: tuple["Value", ...] = ()


@dataclass(slots=True, eq=False)
class Persistent:
    """A tensor storage that PyTorch keeps outside the pickle.

    Attributes:
        kind: Name of the storage class.
        key: Its key in the archive.
        count: How many elements it has.
    """

    kind: str
    key: str
    count: int


Value = str | int | float | None | Opaque | Blob | Global | Tuple | Collection | Instance | Persistent

OPAQUE = Opaque()


def weight_of(value: Value) -> int:
    """How many values it holds when every shared reference is written out."""
    return value.weight if isinstance(value, Tuple | Collection) else 1


def depth_of(value: Value) -> int:
    """How deep it nests."""
    return value.depth if isinstance(value, Tuple | Collection) else 0


def tuple_of(items: list[Value]) -> Tuple:
    """A tuple of `items`."""
    return Tuple(tuple(items), 1 + sum(map(weight_of, items)), 1 + max(map(depth_of, items), default=0))


def is_storage(value: Value) -> Persistent | None:
    """PyTorch's persistent id of a storage: `("storage", <storage class>, key, device, count)`, else None."""
    if not isinstance(value, Tuple) or len(value.items) not in {5, 6} or value.items[0] != "storage":
        return None
    _, kind, key, device, count, *view = value.items
    if not isinstance(kind, Global) or not isinstance(key, str) or not isinstance(device, str):
        return None
    if not isinstance(count, int) or count < 0 or any(item is not None for item in view):
        return None
    return Persistent(kind.name, key, count)
