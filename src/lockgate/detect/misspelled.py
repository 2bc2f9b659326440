"""Reads English words whose letters changed places or became others.

Best-of-n searches draw such noise until a filter lets a text pass that a model still reads (Hughes et al., "Best-of-N
Jailbreaking", 2024, arXiv 2412.03556). Whoever types in haste writes the same, so that a text is only read anew, not
suspected: what it says then is judged beside it.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from string import ascii_lowercase
from typing import TYPE_CHECKING, TypeAlias

from lockgate.detect.piece import Decoder, Page, Piece
from lockgate.detect.rewriting import Hit, rewritten

# Not part of a word with a digit or with a letter that English has not. The signs are what becomes of an `a`.
_TOKEN = re.compile(rb"(?<![a-z0-9_\x1a])[a-z]{2,16}(?![a-z0-9_\x1a])")
_ODD_TOKEN = re.compile(rb"(?<![a-z0-9_\x1a`@])[a-z`@]{2,16}(?![a-z0-9_\x1a`@])")
_LONG, _LONGEST = 4, 16
_MOST_SWAPPED = 3
"""Pairs of neighbours of a word that may have changed places."""

_LEAST_READ = 2
_COMMON, _COMMON_SHORT = 400, 60
"""Short words are read as one of so many, the most frequent; of one length, where a letter became another."""

_SEARCHED, _SEARCHED_SHARE = 64, 0.01
"""Words of a text that are compared with everything one letter away: so many, or one in a hundred characters."""

_LONG_ENOUGH_FOR_TWO = 6
_READ_SHARE, _ENGLISH_SHARE, _LEAST_SHARE, _KNOWN_SHARE = 0.5, 0.7, 0.12, 0.25
"""Of a sentence's words that are not known, how many must be read; of the others, how many must be known; how many of
all must be misspelled, for in haste one word is; how many of all must be known."""

_ENGLISH = frozenset(
    b"the and you your that with this what are have from were which they would should could about when who how not been"
    b" will must our my any all every each has had was is it then than here only them their its whatever".split()
)
"""Small words that few other languages have; of those, a text holds words of another meaning that look English."""

_LEAST_ENGLISH, _FEW, _FEWEST = 2, 8, 4
"""Of those, how many a sentence must hold, if it is of more words than a few; how many words make a sentence."""

_ODD_CAPITALS = re.compile("[a-z][A-Z]")
_LEAST_ODD, _ODD_SHARE = 3, 0.25
"""Capitals inside of words that show that chance put them there: so many, and for so many of the different words."""

# The same for words alone: what is part of none is a blank, and a digit makes a word one that means nothing.
_APART = bytes(
    byte if chr(byte) in ascii_lowercase else ord("0" if chr(byte).isalnum() or byte in b"_\x1a" else " ")
    for byte in range(256)
)
_END = re.compile(rb"[.!?:](?![a-z0-9])|\n")
_SIGNS = bytes.maketrans(b"`@", b"aa")

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_Token: TypeAlias = tuple[int, int, bytes]


@cache
def _ranks() -> Mapping[bytes, int]:
    """Every word that is known, with its place by frequency."""
    listed = (Path(__file__).parent / "english.txt").read_text(encoding="ascii").split()
    return {word.encode(): rank for rank, word in enumerate(listed)}


@cache
def _by_letters() -> Mapping[bytes, tuple[bytes, ...]]:
    """Known words by their letters in the order of the alphabet, the most frequent first."""
    found: dict[bytes, tuple[bytes, ...]] = {}
    for word in _ranks():
        if len(word) <= _LONGEST:
            letters = bytes(sorted(word))
            found[letters] = (*found.get(letters, ()), word)
    return found


def _read(page: Page) -> Iterator[Piece]:
    words = set(page.lower.translate(_APART).split())
    unknown = words.difference(_ranks())
    if len(unknown) < _LEAST_READ:
        return
    odd = len(_ODD_CAPITALS.findall(page.text)) >= max(_LEAST_ODD, _ODD_SHARE * len(words))
    if not odd and words.isdisjoint(_ENGLISH):
        return
    # Names and other languages are full of words that are one letter away from an English one.
    moved = {word: known for word in unknown if _LONG <= len(word) <= _LONGEST and (known := _in_order(word))}
    if odd or moved:
        tokens = [(*match.span(), match.group()) for match in (_ODD_TOKEN if odd else _TOKEN).finditer(page.lower)]
        meant = _Meant(moved, max(_SEARCHED, int(_SEARCHED_SHARE * len(page.lower))))
        hits = [hit for sentence in _sentences(page, tokens) for hit in _hits(sentence, moved, meant, odd=odd)]
        yield from rewritten(page, hits, "misspelled", least=_LEAST_READ)


class _Meant(dict[bytes, bytes]):
    """What words mean that are not known, worked out when it is asked for; only so many of a text."""

    def __init__(self, moved: Mapping[bytes, bytes], searched: int) -> None:
        super().__init__(moved)
        self._left = searched

    def __missing__(self, word: bytes) -> bytes:
        known = b""
        if self._left:
            self._left -= 1
            known = _in_order(word) or _mended(word)
        self[word] = known
        return known


def _hits(
    sentence: Sequence[_Token], moved: Mapping[bytes, bytes], meant: Mapping[bytes, bytes], *, odd: bool
) -> list[Hit]:
    """What misspelled words mean; nothing where they are not English, or mean too little.

    Args:
        sentence: Its words.
        moved: Words of the text whose letters changed places.
        meant: What each word means that is not known.
        odd: Whether capitals stand where chance put them, so that letters may have become others, too.
    """
    if not (odd or any(word in moved for _, _, word in sentence)):
        return []
    ranks = _ranks()
    known = [word for _, _, word in sentence if word in ranks]
    unknown = [(start, end, word) for start, end, word in sentence if word not in ranks]
    if len(known) < _KNOWN_SHARE * len(sentence):
        return []
    hits = [Hit(start, end, told.decode()) for start, end, word in unknown if (told := meant[word])]
    most = max(_READ_SHARE * len(unknown), _LEAST_SHARE * len(sentence))
    if len(hits) < most or len(known) < _ENGLISH_SHARE * (len(sentence) - len(hits)):
        return []
    said = [*known, *(hit.text.encode() for hit in hits if odd)]
    return hits if len(_ENGLISH.intersection(said)) >= (_LEAST_ENGLISH if len(sentence) > _FEW else 1) else []


def _sentences(page: Page, tokens: Sequence[_Token]) -> Iterator[list[_Token]]:
    begun = 0
    for place in range(1, len(tokens) + 1):
        if place == len(tokens) or (
            place - begun >= _FEWEST and _END.search(page.lower, tokens[place - 1][1], tokens[place][0] + 1)
        ):
            yield list(tokens[begun:place])
            begun = place


def _in_order(word: bytes) -> bytes:
    """The known word whose letters these are, its inner ones or neighbours having changed places; empty if none."""
    for known in _by_letters().get(bytes(sorted(word)), ()):
        if len(word) < _LONG and _ranks()[known] >= _COMMON:
            break
        if (word[0] == known[0] and word[-1] == known[-1]) or _is_swapped(word, known):
            return known
    return b""


def _is_swapped(word: bytes, known: bytes) -> bool:
    """Whether neighbours that changed places make one word of the other of the same length."""
    place = swaps = 0
    while place < len(word):
        if word[place] != known[place]:
            if word[place : place + 2] != known[place : place + 2][::-1]:
                return False
            swaps += 1
            place += 1
        place += 1
    return swaps <= _MOST_SWAPPED


def _mended(word: bytes) -> bytes:
    """The most frequent word that is one letter away; of a long one also after neighbours changed places."""
    plain = word.translate(_SIGNS)
    if plain in _ranks():
        return plain
    found = _one_other(plain)
    if not found and len(plain) >= _LONG:
        without = (plain[:place] + plain[place + 1 :] for place in range(len(plain)))
        found = min(filter(_ranks().__contains__, without), key=_ranks().__getitem__, default=b"")
        found = found or _one_more(plain)
    if not found and len(plain) >= _LONG_ENOUGH_FOR_TWO:
        found = _one_other_and_swapped(plain)
    return found


# All three look at a whole table at once, letter by letter over all its words: summed the other way round, in runs of a
# few, the same takes ten times as long.


def _one_other(word: bytes) -> bytes:
    """The most frequent known word that differs in one letter."""
    known, letters = _table(len(word)), _letters(word)
    if len(word) < _LONG:
        known = known[:, :_COMMON_SHORT]
    return _first(known, (known != letters).sum(axis=0, dtype="u1") == 1)


def _one_more(word: bytes) -> bytes:
    """The most frequent known word that has a letter more, neither the first nor the last."""
    import numpy as np  # noqa: PLC0415 - takes 40 ms, which commands without a guard should not pay

    known, letters = _table(len(word) + 1), _letters(word)
    before = np.minimum.accumulate(known[:-1] == letters).sum(axis=0, dtype="u1")
    behind = np.minimum.accumulate((known[1:] == letters)[::-1]).sum(axis=0, dtype="u1")
    return _first(known, (before >= 1) & (behind >= 1) & (before + behind >= len(word)))


def _one_other_and_swapped(word: bytes) -> bytes:
    """The most frequent known word that differs in one letter once two neighbours have changed places."""
    known, letters = _table(len(word)), _letters(word)
    differs = (known != letters).view("i1")
    swapped = (known[:-1] != letters[1:]).view("i1") + (known[1:] != letters[:-1]).view("i1")
    number = differs.sum(axis=0, dtype="i1") - differs[:-1] - differs[1:] + swapped
    return _first(known, (number == 1).any(axis=0))


def _letters(word: bytes) -> "NDArray[np.uint8]":
    import numpy as np  # noqa: PLC0415 - as above

    return np.frombuffer(word, dtype=np.uint8)[:, None]


def _first(known: "NDArray[np.uint8]", near: "NDArray[np.bool_]") -> bytes:
    """The first word of a table that is near enough; empty if none."""
    place = int(near.argmax()) if near.size else 0
    return known[:, place].tobytes() if near.size and near[place] else b""


@cache
def _table(length: int) -> "NDArray[np.uint8]":
    """Known words of one length, the most frequent first [length, words]."""
    import numpy as np  # noqa: PLC0415 - as above

    words = [word for word in _ranks() if len(word) == length]
    letters = np.frombuffer(b"".join(words), dtype=np.uint8).reshape(-1, length)
    return np.ascontiguousarray(letters.T)


MISSPELLED: tuple[Decoder, ...] = (_read,)
"""The decoder of misspelled English."""
