"""The pickle allow-lists: names that files of weights, arrays and fitted models need, by framework.

They are data (`allow/*.json`), written by `tools/make_allowlists.py` from the frameworks' wheels together with their
digests (`pickle_pins`). What is installed beside Lockgate never changes a verdict, and a list that was changed is an
error on import.
"""

import hashlib
from pathlib import Path

import msgspec

from lockgate.detect.pickle_pins import PINNED
from lockgate.detect.pinned import read_pinned

_FOLDER = Path(__file__).with_name("allow")


class AllowList(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the pickles of one framework may mention.

    Attributes:
        framework: Its name.
        versions: The versions whose wheels the list was made from.
        classes: Classes that may be made without their initialiser and filled with state, by module.
        references: Names that may be mentioned but never called, by module.
        callables: Names that may be called, each with the contract for its arguments and the class of its result.
        mappings: Classes whose objects take items like a dict.
    """

    framework: str
    versions: tuple[str, ...]
    classes: dict[str, tuple[str, ...]]
    references: dict[str, tuple[str, ...]]
    callables: dict[str, tuple[str, str]]
    mappings: tuple[str, ...]


def _full(groups: list[dict[str, tuple[str, ...]]]) -> frozenset[str]:
    return frozenset(f"{module}.{name}" for group in groups for module, names in group.items() for name in names)


def _bodies(folder: Path) -> list[bytes]:
    names = sorted({*PINNED, *(path.name for path in folder.glob("*.json"))})
    return list(read_pinned(folder, names, PINNED).values())


_BODIES = _bodies(_FOLDER)

LISTS: tuple[AllowList, ...] = tuple(msgspec.json.decode(body, type=AllowList) for body in _BODIES)
"""Every list that ships with Lockgate."""

DIGEST: str = hashlib.sha256(b"\x00".join(_BODIES)).hexdigest()
"""Digest of all lists, so that evidence can say which ones a verdict rests on."""

CLASSES: frozenset[str] = _full([item.classes for item in LISTS])
REFERENCES: frozenset[str] = _full([item.references for item in LISTS])
CONTRACTS: dict[str, tuple[str, str]] = {name: rule for item in LISTS for name, rule in item.callables.items()}
MAPPINGS: frozenset[str] = frozenset(name for item in LISTS for name in item.mappings)

STORAGES: dict[str, int] = {
    "torch.FloatStorage": 4,
    "torch.DoubleStorage": 8,
    "torch.HalfStorage": 2,
    "torch.BFloat16Storage": 2,
    "torch.LongStorage": 8,
    "torch.IntStorage": 4,
    "torch.ShortStorage": 2,
    "torch.CharStorage": 1,
    "torch.ByteStorage": 1,
    "torch.BoolStorage": 1,
    "torch.ComplexFloatStorage": 8,
    "torch.ComplexDoubleStorage": 16,
    "torch.QInt8Storage": 1,
    "torch.QUInt8Storage": 1,
    "torch.QInt32Storage": 4,
    "torch.QUInt4x2Storage": 1,
    "torch.storage.UntypedStorage": 1,
    "torch.storage.TypedStorage": 1,
}
"""PyTorch's storage classes with the bytes of one element."""
