"""Garbles a text as people do: other case, typing errors, digits for letters, a word in front."""

import random
from collections.abc import Callable
from typing import TypeAlias

_Noise: TypeAlias = Callable[[str, random.Random], str]

_DIGITS = str.maketrans("aeiost", "431057")
_MARKS = str.maketrans("", "", ".,;:!?'\"")
_BLANKS = ("_", "-", "  ", " . ", "/")
_OPENINGS = ("Hi! ", "ok so ", "Question: ", "hey, ", "Thanks. ", "### ", "\n> ", "1. ", "**", "[", '"')
_ERROR_EVERY = 25


def noised(text: str, draw: random.Random) -> str:
    """`text` garbled in one of seven ways; as it was where nothing would be left of it."""
    which = draw.random()
    noise = next(noise for bound, noise in _NOISES if which < bound)
    return noise(text, draw) or text


def _recased(text: str, draw: random.Random) -> str:
    return text.upper() if draw.random() < 0.5 else text.lower()


def _mistyped(text: str, draw: random.Random) -> str:
    letters = list(text)
    for _ in range(max(1, len(letters) // _ERROR_EVERY)):
        index = draw.randrange(len(letters))
        error = draw.random()
        if error < 0.3:
            letters[index] = ""
        elif error < 0.6 and index + 1 < len(letters):
            letters[index], letters[index + 1] = letters[index + 1], letters[index]
        else:
            letters[index] *= 2
    return "".join(letters)


def _with_digits(text: str, draw: random.Random) -> str:
    return "".join(letter.translate(_DIGITS) if draw.random() < 0.6 else letter for letter in text)


def _without_marks(text: str, _: random.Random) -> str:
    return text.translate(_MARKS)


def _with_capitals(text: str, draw: random.Random) -> str:
    return "".join(letter.upper() if draw.random() < 0.5 else letter for letter in text)


def _without_blanks(text: str, draw: random.Random) -> str:
    return text.replace(" ", draw.choice(_BLANKS))


def _opened(text: str, draw: random.Random) -> str:
    return draw.choice(_OPENINGS) + text


_NOISES: tuple[tuple[float, _Noise], ...] = (
    (0.25, _recased),
    (0.50, _mistyped),
    (0.65, _with_digits),
    (0.75, _without_marks),
    (0.85, _with_capitals),
    (0.92, _without_blanks),
    (1.00, _opened),
)
