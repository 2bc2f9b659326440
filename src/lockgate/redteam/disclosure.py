"""Whether a text gives a protected value away, judged more sternly than the guard may."""

from collections.abc import Sequence
from functools import lru_cache

from lockgate.core.verdict import Span
from lockgate.detect.leak import find_leaks

SHORTEST_SQUEEZED = 8
_REMEMBERED = 512


@lru_cache(maxsize=_REMEMBERED)
def leaks(text: str, values: tuple[str, ...]) -> tuple[Span, ...]:
    """What `find_leaks` finds. A reply is judged and then redacted, which asks the same several times."""
    return find_leaks(text, values)


def discloses(text: str, values: Sequence[str]) -> bool:
    """Whether `text` holds one of `values` in an encoding that the leak detector knows, or as bare letters and digits.

    The guard asks the same detector, so what that misses would be missed twice: once when it is let through and once
    when it is counted. Therefore a value of eight letters and digits or more is also looked for, forwards and
    backwards, with everything else squeezed out and without regard to where words begin and end.
    """
    if leaks(text, tuple(values)):
        return True
    squeezed = _squeeze(text)
    needles = [bare for value in values if len(bare := _squeeze(value)) >= SHORTEST_SQUEEZED]
    return any(needle in squeezed or needle[::-1] in squeezed for needle in needles)


def _squeeze(text: str) -> str:
    return "".join(filter(str.isalnum, text.casefold()))
