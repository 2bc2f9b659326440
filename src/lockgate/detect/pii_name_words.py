"""Known names in a text: a given and a family name together, in either order, as words and as cells of a table."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from lockgate.core import Span
from lockgate.detect.pii_words import PARTICLES, words

LABEL = "pii.name"
LONGEST_NAME = 160
"""No name is longer, in code points."""

_ENDINGS = tuple(b"ski ska cki cka wicz czyk sson ssen enko yan ovic opoulos idis oglu".split())
# The standard library is safe here, since one class repeated has nothing to backtrack to, and cheaper for each word.
_CAPITALISED = re.compile(rb"[A-Z][A-Za-z\x1a'-]*")
_CAPITALS = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ")
_CELLS = frozenset((b",", b";", b"\t"))
_OF = frozenset(b"de du di da del dei la".split())
_MOST_WORDS, _LONGEST_WORD, _LONGEST_GAP = 5, 30, 13
_LEAST_UNKNOWN = 3
_HYPHEN = ord("-")


class Word(NamedTuple):
    """A capitalised word: its place, its letters in lower case, and whether its last letter is a capital too."""

    start: int
    end: int
    key: bytes
    capitals: bool


def capitalised(data: bytes, start: int, end: int) -> Iterator[Word]:
    """The capitalised words of `data[start:end]`."""
    for match in _CAPITALISED.finditer(data, start, end):
        first, last = match.span()
        piece = match.group()
        word = piece.rstrip(b"'-").removesuffix(b"'s") if b"'" in piece or piece[-1] == _HYPHEN else piece
        if last - first <= _LONGEST_WORD:
            yield Word(first, first + len(word), word.lower().replace(b"\x1a", b""), word[-1] in _CAPITALS)


def is_known(key: bytes) -> bool:
    """Whether a word is in the lists of names or ends like a family name."""
    listed = words()
    known = key in listed.given or key in listed.family or key.partition(b"-")[0] in listed.given
    return known or key.endswith(_ENDINGS)


def leading(data: bytes, start: int) -> list[Word]:
    """The words of a name that begins at `start`, on one line, up to the first that can be none."""
    listed = words()
    name: list[Word] = []
    line_end = data.find(b"\n", start, start + LONGEST_NAME)
    for word in capitalised(data, start, line_end if line_end >= 0 else min(len(data), start + LONGEST_NAME)):
        gap = data[name[-1].end : word.start] if name else data[start : word.start]
        if word.key in listed.common or not (_is_next(name, gap, word) if name else _opens(gap)):
            break
        name.append(word)
    while len(name) > 1 and len(name[-1].key) == 1:
        name.pop()
    return [] if name and (len(name[0].key) == 1 or name[0].key in listed.after) else name


def _opens(gap: bytes) -> bool:
    """Whether nothing but particles stands between a cue and the first capitalised word: "Herr van der Berg"."""
    return not gap or (gap[:1] != b" " and _joins(b" " + gap))


def _is_next(name: list[Word], gap: bytes, word: Word) -> bool:
    shouted = word.capitals and not name[0].capitals and len(word.key) > 1
    # What follows a comma is a given name, "De Luca, Ugo", or no longer the name.
    reversed_ = gap == b", " and len(name) <= 2 and word.key in words().given  # noqa: PLR2004 - "De Luca" is two
    initial = len(name[-1].key) == 1 and gap in {b". ", b"."}
    return len(name) < _MOST_WORDS and not shouted and (reversed_ or initial or _joins(gap))


def known_places(data: bytes) -> list[tuple[int, bytes]]:
    """Where known names stand as capitalised words, each with its lower-case letters.

    Most texts hold dozens of capitalised words and few names, so all that is done for each word is done at once.
    """
    listed = words().listed
    if listed.isdisjoint(map(bytes.lower, _CAPITALISED.findall(data))):
        return []
    matches = _CAPITALISED.finditer(data)
    found = [(match.start(), key) for match in matches if (key := match.group().lower()) in listed]
    return [(start, key) for start, key in found if not data[start - 1 : start].isalnum()]


def in_full(data: bytes, places: list[tuple[int, bytes]]) -> Iterator[Span]:
    """Given and family names that stand together; `places` are those of known names."""
    given = words().given
    reached = 0
    for start, key in places:
        if start < reached:
            continue
        found = _run(data, start)
        if len(found) == 1:
            continue
        gap = data[found[0].end : found[1].start]
        last, score = 0, 0.85
        if key in given and _joins(gap):
            last = _reaches(data, found)
        elif _are_neighbours(key, gap, found[1].key):
            last, score = 1, 0.8
        if last and _is_a_person(data, found[: last + 1]):
            reached = found[last].end
            yield Span(start, reached, LABEL, score)


def _run(data: bytes, start: int) -> list[Word]:
    """The capitalised words from `start` on, as far as they may be one name."""
    run: list[Word] = []
    for word in capitalised(data, start, min(len(data), start + LONGEST_NAME)):
        if run and (len(run) == _MOST_WORDS or not _continues(data[run[-1].end : word.start], run[-1])):
            break
        run.append(word)
    return run


def _continues(gap: bytes, before: Word) -> bool:
    return _joins(gap) or gap in _CELLS or gap == b", " or (len(before.key) == 1 and gap in {b". ", b"."})


def _are_neighbours(first: bytes, gap: bytes, second: bytes) -> bool:
    """Whether two words are a family name before a given name, or two cells of a table in either order."""
    listed = words()
    if first in listed.common or second in listed.common or first in listed.before:
        return False
    if gap in _CELLS and first in listed.given and second in listed.family:
        return True
    return (gap in _CELLS or gap in {b", ", b" "}) and first in listed.family and second in listed.sure


def _reaches(data: bytes, found: list[Word]) -> int:
    """The index of the last word of the name whose first is a given name, or 0 if it ends with that."""
    listed = words()
    sure = found[0].key in listed.sure
    last, complete = 0, False
    for index in range(1, min(_MOST_WORDS, len(found))):
        word = found[index]
        gap = data[found[last].end : word.start]
        if not _goes_on(found[0], found[last], gap, word):
            break
        initial, another = len(word.key) == 1, word.key in listed.given
        family = word.key in listed.family or word.key.endswith(_ENDINGS) or bool(gap.strip(b" ."))
        # A word that no list holds is a family name once, behind a given name that is nothing else.
        unknown = sure and not complete and len(word.key) >= _LEAST_UNKNOWN and not found[0].capitals
        if not (initial or another or family or unknown):
            break
        complete = complete or family or not (initial or another) or (another and sure)
        last = index
    while last and len(found[last].key) == 1:
        last -= 1
    return last if complete else 0


def _goes_on(first: Word, before: Word, gap: bytes, word: Word) -> bool:
    """Whether a word may belong to the name that `first` begins, by what stands between and by what it is."""
    listed = words()
    initial = len(word.key) == 1
    joined = _joins(gap) or (len(before.key) == 1 and gap in {b". ", b"."})
    ends = word.key in listed.after or (word.key in listed.common and not initial)
    return joined and not ends and (initial or first.capitals or not word.capitals)


def _is_a_person(data: bytes, name: list[Word]) -> bool:
    """Whether a name is neither part of a place's or a firm's name nor a firm's itself."""
    listed = words()
    if (name[0].key, name[-1].key) in listed.firms:
        return False
    start, end = name[0].start, name[-1].end
    if data[start - 1 : start] in {b" ", b"."}:
        before = [part.strip(b"(\"'.,/") for part in data[max(0, start - 24) : start].lower().split()]
        near = [part for part in before if part][-2:]
        if near and (near[-1] in listed.before or (near[-1] in _OF and near[0] in listed.before)):
            return False
    after = data[end : end + 20].lower()
    if after.startswith((b" & ", b" + ")):
        return False
    following = after[1:].split(b" ")[0].split(b"\n")[0].rstrip(b".,;:)")
    return after[:1] not in {b" ", b"-"} or following not in listed.after


def _joins(gap: bytes) -> bool:
    """Whether what stands between two words may stand inside a name: a blank, or particles between blanks."""
    if gap == b" ":
        return True
    if len(gap) > _LONGEST_GAP or gap[:1] != b" " or gap[-1:] not in {b" ", b"'"}:
        return False
    return all(part.rstrip(b"'") in PARTICLES for part in gap.split())
