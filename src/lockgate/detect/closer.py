"""The parts of a window, for the second look at one that the encoder is unsure about.

An attack in a long document shares its window with the end of one paragraph and the beginning of another, which say
nothing of it.
"""

import re

_PARAGRAPHS = re.compile(r"\n\s*\n")
_LEAST = 6
"""Characters below which a part says too little by itself."""


def paragraphs_of(window: str) -> list[str]:
    """The paragraphs of a window, where it has more than one."""
    return _told(_PARAGRAPHS.split(window))


def lines_of(window: str) -> list[str]:
    """Its lines, where it has more than one: of a document, most are broken anywhere and mean little by themselves."""
    return _told(window.splitlines())


def _told(parts: list[str]) -> list[str]:
    told = [part for part in parts if len(part.strip()) >= _LEAST]
    return told if len(told) > 1 else []
