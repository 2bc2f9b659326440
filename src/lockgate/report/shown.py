"""Foreign text made safe to show: names and messages may try to drive a terminal, reorder a line or flood a page."""

import datetime as dt
from typing import Final

MAX_MESSAGE: Final = 600
MAX_NAME: Final = 200


def shown(text: str, limit: int = MAX_MESSAGE) -> str:
    """Return `text` on one line, bounded, with everything invisible spelled out.

    Line breaks and tabs become spaces. Every other character that Unicode does not class as printable (control
    sequences, bidirectional overrides, zero-width characters, tags, lone surrogates) is written as `<U+202E>`.

    Args:
        text: Anything.
        limit: Most characters of `text` to show; what is cut off is counted at the end.
    """
    kept = text[:limit]
    if not kept.isprintable():
        kept = "".join(_visible(character) for character in kept)
    return f"{kept} [... {len(text) - limit:,} more characters]" if len(text) > limit else kept


def _visible(character: str) -> str:
    if character.isprintable():
        return character
    return " " if character in "\n\r\t" else f"<U+{ord(character):04X}>"


def name(text: str) -> str:
    """Return a short `shown` text for names, places and identifiers."""
    return shown(text, MAX_NAME)


def plain(text: str) -> str:
    """Return `text` as it is, but encodable: the lone surrogates of undecodable file names become escapes."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def percent(share: float | None) -> str:
    """Return a share between 0 and 1 as a percentage with the digits it deserves; `n/a` when there is none."""
    if share is None:
        return "n/a"
    value = 100 * share
    return f"{value:.1f} %" if 0 < value < 10 or 99 < value < 100 else f"{value:.0f} %"  # noqa: PLR2004 - near the ends


def interval(wilson95: tuple[float, float]) -> str:
    """Return an interval as `33 to 54 %`; digits after the point only where both ends are small."""
    low, high = (100 * end for end in wilson95)
    digits = 1 if high < 10 else 0  # noqa: PLR2004 - 10 %
    return f"{low:.{digits}f} to {high:.{digits}f} %"


def chance(probability: float) -> str:
    """Return a probability in words that fit a sentence: `with probability 0.03`, `in fewer than 1 of 10,000 cases`."""
    return "in fewer than 1 of 10,000 cases" if probability < 1e-4 else f"with probability {probability:.2g}"  # noqa: PLR2004 - the same number


def duration(seconds: float) -> str:
    """Return a duration as `0.4 s`, `12 s` or `3 min 5 s`."""
    if seconds < 10:  # noqa: PLR2004 - ten seconds
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def elapsed(started: str, finished: str) -> str:
    """Return how long a run took, or an empty text when its times are not ISO 8601."""
    try:
        span = dt.datetime.fromisoformat(finished) - dt.datetime.fromisoformat(started)
    except (TypeError, ValueError):
        return ""
    return duration(max(0.0, span.total_seconds()))


def counted(number: int, noun: str) -> str:
    """Return `1 gate`, `2 gates`; the plural takes an `s`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
