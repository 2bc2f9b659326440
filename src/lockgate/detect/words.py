"""Turns normalised text into the string of word classes that signals are matched against."""

import re
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING

import msgspec

from lockgate.detect.lexicon import CLASSES, FIRST_WIDE, LONGEST_WIDE, OTHER, QUOTE, SCRAMBLED, STOP, scramble_key
from lockgate.detect.remembered import Remembered

if TYPE_CHECKING:
    from lockgate.detect.codepoints import CodePoints

# One character class each, nothing that could backtrack: the standard library's engine is linear here, and ten times
# faster than a loop over RE2's matches.
_TOKEN = re.compile(r"[\w$@|]+(?:['’!][\w$@]+)*|[.!?;:。！？；：\n।{}<>\[\]|]|[\"“”„«»「」`]")  # noqa: RUF001 - real marks
_STOPS = frozenset(".!?;:。！？；：\n।{}<>[]|")  # noqa: RUF001 - real punctuation
_QUOTES = frozenset('"“”„«»「」`')
# Within a word they belong to it; elsewhere one of them ends a sentence and the others are nothing.
_BETWEEN = "'’!"  # noqa: RUF001 - real apostrophe
_LOOSE = re.compile(rf"[{_BETWEEN}](?:(?<![\w$@][{_BETWEEN}])|(?![\w$@]))")
_BAR, _KEPT = "|", frozenset(f"_$@{_BETWEEN}")
_PLAIN = {**CLASSES, **dict.fromkeys(_STOPS, STOP), **dict.fromkeys(_QUOTES, QUOTE)}
_LEET = str.maketrans("013457@$!|8", "oieastasiib")
_APOSTROPHES = str.maketrans("", "", "'’_")  # noqa: RUF001 - real apostrophe
_MIN_SCRAMBLED, _MAX_SCRAMBLED = 6, 16
_MIN_JOINED, _MAX_JOINED = 14, 200
_JOINED_SHARE = 0.75
_ENDS: dict[str, set[int]] = {}
"""Lengths of the words that may be shuffled, by first and last letter: by these alone most others are told apart."""
for _key in SCRAMBLED:
    _ENDS.setdefault(_key[0] + _key[-1], set()).add(len(_key))


class Words(msgspec.Struct, frozen=True):
    """Words of a text by class.

    Attributes:
        classes: One letter a word or mark (see `lexicon`).
        starts: For each letter the offset of its first character in the normalised text.
        ends: For each letter the offset behind its last character.
        disguised: Indexes of the words that were only recognised after undoing leetspeak, shuffling or joining.
    """

    classes: bytes
    starts: list[int]
    ends: list[int]
    disguised: list[int]


class _Reader:
    """Collects the words of one text."""

    def __init__(self) -> None:
        self.letters: list[str] = []
        self.starts: list[int] = []
        self.ends: list[int] = []
        self.disguised: list[int] = []

    def add(self, letter: str, start: int, end: int) -> None:
        self.letters.append(letter)
        self.starts.append(start)
        self.ends.append(end)

    def read(self, token: str, start: int) -> None:
        """Classify one token of lower-case text."""
        letter = CLASSES.get(token)
        if letter is None and not token.isalpha():
            letter = self._undo_leet(token)
        if letter is None and len(token) >= _MIN_SCRAMBLED:
            if not token.isascii():
                self._split_wide(token, start)
                return
            letter = self._undo_shuffle(token)
            if letter is None and self._split_joined(token, start):
                return
        elif letter is None and not token.isascii():
            self._split_wide(token, start)
            return
        self.add(letter or OTHER, start, start + len(token))

    def _undo_leet(self, token: str) -> str | None:
        bare = token.translate(_APOSTROPHES)
        if (letter := CLASSES.get(bare)) or not any(character.isalpha() for character in bare):
            return letter
        letter = CLASSES.get(bare.translate(_LEET)) or CLASSES.get(bare.replace("1", "l").translate(_LEET))
        if letter:
            self.disguised.append(len(self.letters))
        return letter

    def _undo_shuffle(self, token: str) -> str | None:
        if len(token) > _MAX_SCRAMBLED or not _may_be_shuffled(token):
            return None
        letter = SCRAMBLED.get(scramble_key(token))
        if letter:
            self.disguised.append(len(self.letters))
        return letter

    def _split_joined(self, token: str, start: int) -> bool:
        if not _MIN_JOINED <= len(token) <= _MAX_JOINED:
            return False
        parts = tuple(_greedy(token, longest=14, shortest=2))
        known = sum(end - begin for begin, end, letter in parts if letter != OTHER)
        if known < _JOINED_SHARE * len(token):
            return False
        for begin, end, letter in parts:
            self.disguised.append(len(self.letters))
            self.add(letter, start + begin, start + end)
        return True

    def _split_wide(self, token: str, start: int) -> None:
        if max(token) < FIRST_WIDE:
            self.add(OTHER, start, start + len(token))
            return
        for begin, end, letter in _greedy(token, longest=LONGEST_WIDE, shortest=1):
            self.add(letter, start + begin, start + end)


def _greedy(token: str, *, longest: int, shortest: int) -> Iterator[tuple[int, int, str]]:
    """Split a token into words of the vocabulary, longest first, and the stretches between them."""
    position = unknown = 0
    while position < len(token):
        for size in range(min(longest, len(token) - position), shortest - 1, -1):
            letter = CLASSES.get(token[position : position + size])
            if letter:
                if unknown < position:
                    yield unknown, position, OTHER
                yield position, position + size, letter
                position = unknown = position + size
                break
        else:
            position += 1
    if unknown < position:
        yield unknown, position, OTHER


def word_classes(text: str) -> bytes:
    """The classes of `read_words` without the rest, in a fraction of the time."""
    return "".join(map(_SEEN.__getitem__, _tokens(_lowered(text)))).encode("ascii")


def _tokens(lowered: str) -> list[str]:
    """What `_TOKEN` finds, with one mark for all ends and one for all quotes, in a fraction of the time."""
    if _BAR in lowered:
        return _TOKEN.findall(lowered)
    if lowered.isascii():
        plain = lowered.translate(_PLAIN_ASCII)
    else:
        from lockgate.detect.codepoints import codes_of, text_of  # noqa: PLC0415 - takes long, and plain text does without

        plain = text_of(_plain_codes().of(codes_of(lowered)))
    if any(sign in plain for sign in _BETWEEN):
        plain = _LOOSE.sub(lambda match: STOP if match.group() == "!" else " ", plain)
    return plain.replace(STOP, f" {STOP} ").replace(QUOTE, f" {QUOTE} ").split()


def _plain(character: str) -> str:
    if character in _STOPS:
        return character if character in _BETWEEN else STOP
    if character in _QUOTES:
        return QUOTE
    return character if character.isalnum() or character in _KEPT else " "


@cache
def _plain_codes() -> "CodePoints":
    from lockgate.detect.codepoints import CodePoints  # noqa: PLC0415 - see above

    return CodePoints(lambda character: ord(_plain(character)), "uint32")


def _classes_of(token: str) -> str:
    """The classes of one token of lower-case text."""
    if letter := _letter(token):
        return letter
    reader = _Reader()
    reader.read(token, 0)
    return "".join(reader.letters)


_SEEN = Remembered(_classes_of)
_PLAIN_ASCII = str.maketrans({character: _plain(character) for character in map(chr, range(128))})


def read_words(text: str) -> Words:
    """Classify the words of normalised `text`. Time is linear in its length."""
    reader = _Reader()
    letters, starts, ends, lowered = reader.letters, reader.starts, reader.ends, _lowered(text)
    for match in _TOKEN.finditer(lowered):
        start, end = match.span()
        token = lowered[start:end]
        if letter := _letter(token):
            letters.append(letter)
            starts.append(start)
            ends.append(end)
        else:
            reader.read(token, start)
    return Words("".join(reader.letters).encode("ascii"), reader.starts, reader.ends, reader.disguised)


def _letter(token: str) -> str | None:
    """The class of a token that is plain to see; None where it may be a word in disguise, or several."""
    if letter := _PLAIN.get(token):
        return letter
    if not token.isalpha():
        return None
    if token.isascii():
        plain = len(token) < _MIN_SCRAMBLED or (len(token) < _MIN_JOINED and not _may_be_shuffled(token))
    else:
        plain = max(token) < FIRST_WIDE
    return OTHER if plain else None


def _may_be_shuffled(token: str) -> bool:
    return len(token) in _ENDS.get(token[0] + token[-1], ())


def _lowered(text: str) -> str:
    # An underscore joins words in identifiers: REVEAL_PROMPT.
    lowered = text.lower().replace("_", " ")
    if len(lowered) != len(text):
        # A few capital letters have a longer lower case; offsets matter more than those letters.
        return "".join(character.lower() if len(character.lower()) == 1 else character for character in text)
    return lowered
