"""Keeps what was computed for words, since texts use few words over and over."""

from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")

MOST_WORDS = 1 << 14
"""Words that are kept; some 4 MB."""

LONGEST_WORD = 24
"""Characters of the longest word that is kept: what is longer hardly comes again, and may be somebody's key."""


class Remembered(dict[str, T], Generic[T]):
    """What a function gives for words, by word; asked for with `[word]`, it is computed where it is not known.

    Thread-safe, as a dictionary is, for a function without effects. Holds at most `MOST_WORDS` words and begins anew
    when there would be more, so that nobody can fill it for good. How long one word takes says at most once, and by a
    microsecond, whether it was seen lately.

    Args:
        compute: The function.
    """

    def __init__(self, compute: Callable[[str], T]) -> None:
        super().__init__()
        self._compute = compute

    def __missing__(self, word: str) -> T:
        found = self._compute(word)
        if len(word) <= LONGEST_WORD:
            if len(self) >= MOST_WORDS:
                self.clear()
            self[word] = found
        return found
