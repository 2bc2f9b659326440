"""Symbolic values of the pickle machine: enough to know what a call receives, never the objects themselves."""

from collections.abc import Iterable
from dataclasses import dataclass

MAX_DEPTH = 200
MAX_WEIGHT = 50_000_000


class Opaque:
    """A value whose content does not matter: a float, a large number, long bytes, the result of an allowed call."""


@dataclass(slots=True, eq=False)
class Blob:
    """Bytes or a text that is not kept.

    Attributes:
        size: Its length in the pickle, in bytes.
        start: Where it begins in the file; -1 where it lies nowhere as it is.
        coding: How the file writes it: empty for bytes, else the codec of a text that stands for bytes.
        body: The bytes themselves, where they were made from a short text.
    """

    size: int
    start: int = -1
    coding: str = ""
    body: bytes | None = None


@dataclass(slots=True, eq=False)
class Global:
    """A name that the pickle imports.

    Attributes:
        name: `module.name`, with Python 2 names mapped; `module:name` if it has dots of its own; empty if it cannot be
            one.
    """

    name: str


@dataclass(slots=True, eq=False)
class Tuple:
    """A tuple.

    Attributes:
        items: What it holds.
        weight: How many values it holds when every shared reference is written out.
        depth: How deep it nests.
        held: Whether another value holds it.
    """

    items: tuple["Value", ...]
    weight: int
    depth: int
    held: bool = False


@dataclass(slots=True, eq=False)
class Collection:
    """A list, dict, set or frozenset.

    Attributes:
        kind: Which of them.
        fields: Values of a dict's first short text keys.
        texts: Texts of a list.
        children: What it holds that holds something itself.
        hooks: Whether a dict has a key that changes how Python treats the object, such as `__setstate__`.
        odd: Whether a dict has a key that is no literal text.
        spent: Whether an object has taken it as its state.
        weight: As in `Tuple`.
        depth: As in `Tuple`.
        held: As in `Tuple`.
    """

    kind: str
    fields: dict[str, "Value"] | None = None
    texts: list[str] | None = None
    children: list["Holder"] | None = None
    hooks: bool = False
    odd: bool = False
    spent: bool = False
    weight: int = 1
    depth: int = 1
    held: bool = False


@dataclass(slots=True, eq=False)
class Instance:
    """An object that a call or class made.

    Attributes:
        name: Its class, or the callable that made it.
        arguments: What it was made from.
        refused: Whether its making was refused already, so that what is done with it needs no second refusal.
        filled: Whether its state was set.
        objects: Whether it is an element type whose items are objects.
        children: As in `Collection`.
        weight: As in `Tuple`.
        depth: As in `Tuple`.
        held: As in `Tuple`.
    """

    name: str
    arguments: tuple["Value", ...] = ()
    refused: bool = False
    filled: bool = False
    objects: bool = False
    children: list["Holder"] | None = None
    weight: int = 1
    depth: int = 1
    held: bool = False


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


Holder = Tuple | Collection | Instance
Value = str | int | float | None | Opaque | Blob | Global | Tuple | Collection | Instance | Persistent

OPAQUE = Opaque()


def measure(items: Iterable[Value]) -> tuple[int, int, list[Holder]]:
    """How many values `items` hold when every shared reference is written out, how deep they nest, and which hold more.

    From now on those count as held.
    """
    weight, depth = 0, 0
    holders: list[Holder] = []
    for item in items:
        if isinstance(item, Tuple | Collection | Instance):
            item.held = True
            weight += item.weight
            depth = max(depth, item.depth)
            holders.append(item)
        else:
            weight += 1
    return weight, depth, holders


def tuple_of(items: list[Value]) -> Tuple:
    """A tuple of `items`."""
    weight, depth, _ = measure(items)
    return Tuple(tuple(items), 1 + weight, 1 + depth)


def expanded(root: Value) -> int:
    """How many values `root` holds when every shared reference is written out, counting a cycle once; at most a bound.

    The weights that containers keep are exact as long as nothing grows after another value holds it. This walks all of
    them once more and needs no such luck.
    """
    weights: dict[int, int] = {}
    waiting: list[tuple[Value, bool]] = [(root, False)]
    while waiting:
        value, is_done = waiting.pop()
        if not isinstance(value, Tuple | Collection | Instance) or (id(value) in weights and not is_done):
            continue
        inner = value.items if isinstance(value, Tuple) else value.children or ()
        if is_done:
            leaves = 1 if isinstance(value, Tuple) else value.weight if not inner else 1
            weights[id(value)] = min(leaves + sum(weights.get(id(item), 1) for item in inner), MAX_WEIGHT + 1)
        else:
            weights[id(value)] = 1
            waiting.append((value, True))
            waiting += [(item, False) for item in inner]
    return weights.get(id(root), 1)


def is_storage(value: Value) -> Persistent | None:
    """PyTorch's persistent id of a storage: `("storage", <storage class>, key, device, count)`, else None."""
    if not isinstance(value, Tuple) or len(value.items) not in {5, 6} or value.items[0] != "storage":
        return None
    _, kind, key, device, count, *view = value.items
    if not isinstance(kind, Global) or not isinstance(key, str) or not isinstance(device, str):
        return None
    if not isinstance(count, int) or count < 0 or not all(map(_is_view, view)):
        return None
    return Persistent(kind.name, key, count)


def is_module(value: Value) -> Global | None:
    """PyTorch's legacy persistent id of a layer's class, `("module", <class>, source file, source)`, else None."""
    if not isinstance(value, Tuple) or len(value.items) != 4 or value.items[0] != "module":  # noqa: PLR2004 - see above
        return None
    kind = value.items[1]
    return kind if isinstance(kind, Global) else None


def _is_view(value: Value) -> bool:
    return value is None or (isinstance(value, Tuple) and all(isinstance(item, str | int) for item in value.items))
