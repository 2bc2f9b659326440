"""Windows of figures: tables of measurements, dumps of memory, keys, which say nothing that a model could follow."""

import re

# In scripts from Devanagari on, vowel signs, which are no letters, part words, or nothing does: there a sign counts.
_WORDS = re.compile("[\u0900-\U0010ffff]|" + r"(?<!\w)[^\W\d_]{2,}(?!\w)")
_LEAST = 12
"""Letters in different words below which nothing is told to do; "ignore above" has eleven."""


def says_nothing(text: str) -> bool:
    """Whether a text holds hardly any word: letters beside digits, as in hexadecimal numbers, are none.

    What is written so that a model still reads it is read by the decoders, and judged as what they read.
    """
    return sum(map(len, set(_WORDS.findall(text)))) < _LEAST
