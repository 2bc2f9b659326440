"""Finds personal data: names, addresses, telephone numbers, accounts, cards, identity numbers, dates of birth.

Precision over recall: a number counts only with a valid check digit, in a format of its own, or behind a cue; a name
only in full, or beside a word that announces one. An IP or MAC address counts where a word ties it to a person
("client ip"): alone it mostly names a machine, and an operator's text without its addresses is worth little.
"""

from lockgate.core import Span
from lockgate.detect.linear import pattern
from lockgate.detect.pii_addresses import find_addresses
from lockgate.detect.pii_cues import find_cued
from lockgate.detect.pii_names import find_names
from lockgate.detect.pii_numbers import find_alone
from lockgate.detect.pii_phones import LEAST_PHONE, find_phones
from lockgate.detect.pii_tables import find_cells
from lockgate.detect.pii_text import folded
from lockgate.detect.pii_wallets import find_wallets
from lockgate.detect.secrets import outermost

LONGEST = 256
"""No match, with the cue that it is recognised by, spans more code points; only an unbroken e-mail address may."""

_WORD = r"A-Za-z0-9._%+'\x1a-"
_EMAIL = pattern(
    rf"[{_WORD}]{{1,64}}@(?:[A-Za-z0-9\x1a](?:[A-Za-z0-9\x1a-]{{0,61}}[A-Za-z0-9\x1a])?\.){{1,6}}[A-Za-z\x1a]{{2,24}}"
)
_PLACEHOLDER = pattern(r"\[[A-Z]{2,12}(?:-[A-Z]{1,12}){0,2}\]")
_LEAST_DIGITS = 7


def find_pii(text: str, *, tables: bool = True) -> tuple[Span, ...]:
    """Find personal data in `text`.

    Args:
        text: What is searched.
        tables: Whether to go by the headings of tables too, which stand anywhere before what they announce.

    Returns:
        Spans with labels `pii.<kind>`, each over the whole value, sorted, none inside another.
    """
    data = folded(text)
    if b"[" in data:
        # "[PHONE]" stands for a number that was replaced: it is no value and announces none.
        data = _without(data, [match.span() for match in _PLACEHOLDER.finditer(data)])
    found: list[Span] = []
    if b"@" in data:
        found.extend(Span(*_trimmed(data, *match.span()), "pii.email") for match in _EMAIL.finditer(data))
    digits = len(data) - len(data.translate(None, b"0123456789"))
    if digits >= _LEAST_DIGITS:
        found.extend(find_alone(data))
        found.extend(find_wallets(data))
    cued = list(find_cued(data))
    found.extend(span for span in cued if span.score >= 1)
    certain = outermost(found)
    # A number with a check digit beats the format of a phone number, also where one follows the other.
    rest = _without(data, [(span.start, span.end) for span in certain])
    found.extend(span for span in cued if span.score < 1 and rest[span.start : span.end] == data[span.start : span.end])
    if digits >= LEAST_PHONE:
        found.extend(find_phones(rest))
    if digits:
        found.extend(find_addresses(rest))
    found.extend(find_names(rest))
    if tables and b"\n" in data:
        found.extend(find_cells(data))
    return outermost(found)


def _trimmed(data: bytes, start: int, end: int) -> tuple[int, int]:
    while data[start] in b".'%-":
        start += 1
    return start, end


def _without(data: bytes, places: list[tuple[int, int]]) -> bytes:
    """`data` with a byte that is part of no number and no name in `places`."""
    if not places:
        return data
    masked = bytearray(data)
    for start, end in places:
        masked[start:end] = b"|" * (end - start)
    return bytes(masked)
