"""Tells whether a name is made to be taken for that of an AI package: one slip of the finger, a look-alike, an affix.

The names are committed lists, so the answer is the same on every machine: `names_ai.txt` holds those that are
imitated, `names_known.txt` the most used packages of PyPI in November 2026, which are never taken for imitations.
"""

import unicodedata
from functools import cache
from importlib.resources import files
from typing import Literal

import msgspec

Kind = Literal["look-alike", "slip", "spelling", "order", "affix", "digit", "mistaken"]

MIN_LENGTH = 5
MIN_LENGTH_FOR_TWO = 11
_AFFIXES = frozenset({"py", "python", "lib", "official", "sdk", "api", "core", "dev", "pkg", "package", "latest"})
_MISTAKEN = {"pytorch": "torch", "sklearn": "scikit-learn", "opencv": "opencv-python", "faiss": "faiss-cpu"}
# Signs that look like others in common typefaces, and letters of other scripts that look Latin.
_PAIRS = (("rn", "m"), ("vv", "w"), ("cl", "d"))
_FOLDED = str.maketrans(
    "01358|!\u0430\u0435\u043e\u0440\u0441\u0443\u0445\u0455\u0458\u0501\u04bb\u0456\u03b1\u03bf\u03b9\u03bd",
    "oiesbiiaeopcyxsjdhiaoiv",
)
_ROWS = ("1234567890", "qwertyuiop", "asdfghjkl", "zxcvbnm")


class Imitated(msgspec.Struct, frozen=True):
    """What a name imitates.

    Attributes:
        name: The package that it may be taken for.
        kind: In what way.
        sure: Whether that way is hardly ever chosen by accident.
    """

    name: str
    kind: Kind
    sure: bool


class _Index(msgspec.Struct, frozen=True):
    """The imitated names by what they have in common with their imitations."""

    names: dict[str, int]
    folded: dict[str, str]
    plain: dict[str, str]
    parts: dict[tuple[str, ...], str]


@cache
def known_names() -> frozenset[str]:
    """Names of packages that are no imitations."""
    return frozenset(_lines("names_known.txt"))


@cache
def _index() -> _Index:
    names = _lines("names_ai.txt")
    return _Index(
        names={name: _letters(name) for name in names},
        folded={_fold(name): name for name in names},
        plain={name.replace("-", ""): name for name in names},
        parts={tuple(sorted(name.split("-"))): name for name in names if "-" in name},
    )


def _lines(name: str) -> tuple[str, ...]:
    return tuple(files("lockgate.supply.deps").joinpath(name).read_text("utf-8").split())


def imitated(name: str, known: frozenset[str] | None = None) -> Imitated | None:
    """The AI package that a name of PyPI imitates, or None.

    Args:
        name: A normal name, or text that is no name.
        known: Names that are no imitations; those of the committed list if not given.
    """
    if name in _MISTAKEN:
        return Imitated(_MISTAKEN[name], "mistaken", sure=True)
    if name in (known_names() if known is None else known) or len(name) > 100:  # noqa: PLR2004 - no name is longer
        return None
    index = _index()
    folded, plain = index.folded.get(_fold(name)), index.plain.get(name.replace("-", ""))
    if folded is not None and folded != name:
        return Imitated(folded, "look-alike", sure=True)
    if plain is not None and plain != name:
        return Imitated(plain, "spelling", sure=True)
    ordered = index.parts.get(tuple(sorted(name.split("-"))))
    if ordered is not None and ordered != name:
        return Imitated(ordered, "order", sure=True)
    return _numbered(name, index) or _affixed(name, index) or _slipped(name, index)


def _numbered(name: str, index: _Index) -> Imitated | None:
    start = name.rstrip("0123456789").rstrip("-")
    return Imitated(start, "digit", sure=False) if start != name and start in index.names else None


def _affixed(name: str, index: _Index) -> Imitated | None:
    head, _, rest = name.partition("-")
    start, _, tail = name.rpartition("-")
    candidates = [rest if head in _AFFIXES else "", start if tail in _AFFIXES else ""]
    candidates += [name.removeprefix("py"), name.removeprefix("python"), name.removesuffix("py")]
    for candidate in candidates:
        if candidate != name and len(candidate) >= MIN_LENGTH and candidate in index.names:
            return Imitated(candidate, "affix", sure=False)
    return None


def _slipped(name: str, index: _Index) -> Imitated | None:
    letters, best = _letters(name), None
    for target, others in index.names.items():
        allowed = _allowed(target)
        if target == name or abs(len(target) - len(name)) > allowed or (letters ^ others).bit_count() > 2 * allowed:
            continue
        steps = distance(name, target, allowed)
        if 0 < steps <= allowed and (best is None or steps < best[0]):
            best = steps, target
    if best is None:
        return None
    return Imitated(best[1], "slip", sure=best[0] == 1 and (len(name) > MIN_LENGTH or _is_slip(name, best[1])))


def _allowed(target: str) -> int:
    """How many slips of the finger a name may have: short names have many honest neighbours."""
    if len(target) < MIN_LENGTH:
        return 0
    return 1 if len(target) < MIN_LENGTH_FOR_TWO else 2


def distance(one: str, other: str, limit: int) -> int:
    """Steps between two names (optimal string alignment: insert, delete, replace, swap); at most `limit` + 1."""
    one, other = _differing(one, other)
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, left in enumerate(one, start=1):
        current = [i]
        for j, right in enumerate(other, start=1):
            best = min(row[j] + 1, current[j - 1] + 1, row[j - 1] + (left != right))
            if i > 1 and j > 1 and left == other[j - 2] and one[i - 2] == right:
                best = min(best, before[j - 2] + 1)
            current.append(best)
        if min(current) > limit:
            return limit + 1
        before, row = row, current
    return row[-1]


def _differing(one: str, other: str) -> tuple[str, str]:
    """Two names without what they begin and end with alike: the distance is the same, and found sooner."""
    start = 0
    while start < min(len(one), len(other)) and one[start] == other[start]:
        start += 1
    end = 0
    while end < min(len(one), len(other)) - start and one[-1 - end] == other[-1 - end]:
        end += 1
    return one[start : len(one) - end], other[start : len(other) - end]


def _is_slip(name: str, target: str) -> bool:
    """Whether one step between two names is one that fingers make: a doubled, lost, swapped or neighbouring key."""
    if len(name) != len(target) or sorted(name) == sorted(target):
        return True
    pair = next(((one, other) for one, other in zip(name, target, strict=True) if one != other), ("", ""))
    return _are_neighbours(*pair)


def _are_neighbours(one: str, other: str) -> bool:
    places = {key: (row, at) for row, keys in enumerate(_ROWS) for at, key in enumerate(keys)}
    if one not in places or other not in places:
        return False
    (row, at), (other_row, other_at) = places[one], places[other]
    return abs(row - other_row) <= 1 and abs(at - other_at) <= 1


def _letters(name: str) -> int:
    """The signs of a name as a set of bits."""
    mask = 0
    for char in name:
        mask |= 1 << (ord(char) & 63)
    return mask


def _fold(name: str) -> str:
    """A form in which names that look alike are the same."""
    folded = unicodedata.normalize("NFKC", name).lower().translate(_FOLDED)
    for pair, single in _PAIRS:
        folded = folded.replace(pair, single)
    return folded.replace("l", "i")
