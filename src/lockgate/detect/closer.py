"""The parts of a window, for the second look at one that the encoder is unsure about.

An attack in a long document shares its window with the end of one paragraph and the beginning of another, which say
nothing of it.
"""

import re

_PARAGRAPHS = re.compile(r"\n\s*\n")
_SENTENCES = re.compile(r"(?<=[.!?])\s+|(?<=[。！？])\s*")  # noqa: RUF001 - real punctuation
_LEAST = 6
"""Characters below which a part says too little by itself."""


def paragraphs_of(window: str) -> list[str]:
    """The paragraphs of a window, where it has more than one."""
    return _told(_PARAGRAPHS.split(window))


def sayings_of(window: str) -> list[str]:
    """Its paragraphs, or its lines, or its sentences, whichever it has more than one of.

    For what a user says: of a document, most lines are broken anywhere, and a sentence may be quoted.
    """
    return paragraphs_of(window) or _told(window.splitlines()) or _told(_SENTENCES.split(window))


def _told(parts: list[str]) -> list[str]:
    told = [part for part in parts if len(part.strip()) >= _LEAST]
    return told if len(told) > 1 else []
