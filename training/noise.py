"""Garbles a text as people do, or as they do who try until something passes.

Other case, typing errors, digits for letters, a word in front; letters shuffled within words and moved by one (Hughes
et al., "Best-of-N Jailbreaking", 2024, arXiv 2412.03556); fillers between words, letters doubled, vowels left out.
"""

import random
from collections.abc import Callable
from typing import TypeAlias

_Noise: TypeAlias = Callable[[str, random.Random], str]

_DIGITS = str.maketrans("aeiost", "431057")
_MARKS = str.maketrans("", "", ".,;:!?'\"")
_BLANKS = ("_", "-", "  ", " . ", "/")
_OPENINGS = ("Hi! ", "ok so ", "Question: ", "hey, ", "Thanks. ", "### ", "\n> ", "1. ", "**", "[", '"')
_ERROR_EVERY = 25
_FILLERS = ("um", "like", "you know", "please", "...", "-", "*", "|", "hmm", "so", "//", "~")
_VOWELS = frozenset("aeiouAEIOU")
_SHUFFLED_FROM = 4
_LEAST_MOVED, _MOST_MOVED = 33, 0x3000


def noised(text: str, draw: random.Random) -> str:
    """`text` garbled in one of thirteen ways; as it was where nothing would be left of it."""
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


def _shuffled(text: str, draw: random.Random) -> str:
    """Words whose inner letters change places."""
    share = draw.choice((0.3, 0.6, 1.0))

    def shuffled(word: str) -> str:
        if len(word) < _SHUFFLED_FROM or draw.random() >= share:
            return word
        inner = list(word[1:-1])
        draw.shuffle(inner)
        return word[0] + "".join(inner) + word[-1]

    return " ".join(map(shuffled, text.split(" ")))


def _moved(text: str, draw: random.Random) -> str:
    """Some letters become their neighbours in the code."""
    return _moved_by(text, draw, draw.choice((0.03, 0.06, 0.1)))


def _moved_by(text: str, draw: random.Random, share: float) -> str:
    return "".join(
        chr(ord(letter) + draw.choice((-1, 1)))
        if _LEAST_MOVED < ord(letter) < _MOST_MOVED and draw.random() < share
        else letter
        for letter in text
    )


def _tried(text: str, draw: random.Random) -> str:
    """Capitals at random, neighbours swapped and letters moved all at once, as in a search for what passes."""
    share = draw.choice((0.03, 0.06, 0.09))
    letters = [letter.swapcase() if draw.random() < 6 * share else letter for letter in text]
    for place in range(1, len(letters) - 2):
        if letters[place].isalpha() and letters[place + 1].isalpha() and draw.random() < share:
            letters[place], letters[place + 1] = letters[place + 1], letters[place]
    return _moved_by("".join(letters), draw, share / 3)


def _filled(text: str, draw: random.Random) -> str:
    """Fillers between words, of one kind or of any."""
    some = draw.sample(_FILLERS, draw.choice((1, 1, 4)))
    share = draw.choice((0.1, 0.25, 0.5))
    return " ".join(f"{word} {draw.choice(some)}" if draw.random() < share else word for word in text.split(" "))


def _doubled(text: str, draw: random.Random) -> str:
    share = draw.choice((0.05, 0.15, 0.3))
    return "".join(
        letter * draw.choice((2, 2, 3)) if letter.isalpha() and draw.random() < share else letter for letter in text
    )


def _thinned(text: str, draw: random.Random) -> str:
    """Some vowels are left out."""
    share = draw.choice((0.15, 0.4, 0.8))
    return "".join(letter for letter in text if letter not in _VOWELS or draw.random() >= share)


_NOISES: tuple[tuple[float, _Noise], ...] = (
    (0.12, _recased),
    (0.24, _mistyped),
    (0.32, _with_digits),
    (0.36, _without_marks),
    (0.41, _with_capitals),
    (0.46, _without_blanks),
    (0.51, _opened),
    (0.59, _shuffled),
    (0.64, _moved),
    (0.69, _filled),
    (0.73, _doubled),
    (0.77, _thinned),
    (1.00, _tried),
)
