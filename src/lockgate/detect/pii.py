# ruff: noqa: E501 - one row a number
"""Finds personal data: addresses, phone numbers, accounts, cards, identity numbers, dates of birth.

Precision over recall: a number counts only with a valid check digit, in a format of its own, or behind a cue.
"""

from collections.abc import Iterator

import msgspec

from lockgate.core import Span
from lockgate.detect.id_numbers import CHECKS, iban, iban_length
from lockgate.detect.linear import Pattern, pattern, project
from lockgate.detect.secrets import outermost


class _Number(msgspec.Struct, frozen=True):
    """A number whose check digit is computed. With a cue, one of its words must stand shortly before."""

    label: str
    pattern: Pattern
    cue: Pattern | None = None


_WORD = r"A-Za-z0-9._%+'\x1a-"
_EMAIL = pattern(
    rf"[{_WORD}]{{1,64}}@(?:[A-Za-z0-9\x1a](?:[A-Za-z0-9\x1a-]{{0,61}}[A-Za-z0-9\x1a])?\.){{1,6}}[A-Za-z\x1a]{{2,24}}"
)
_PHONE_WORLD = pattern(r"(?:\+|\b00)[1-9][0-9]{0,2}(?:[ .\-/]{0,2}\(?[0-9]{1,5}\)?){2,6}\b")
_PHONE_NATIONAL = pattern(
    r"(?:\(?\b[2-9][0-9]{2}\)?[ .-]{1,2}[2-9][0-9]{2}[ .-][0-9]{4}\b"
    r"|\b0[1-9](?:[ .-][0-9]{2}){4}\b|\b07[0-9]{3}[ -]?[0-9]{3}[ -]?[0-9]{3}\b|\b01[5-7][0-9][ /-]?[0-9]{7,8}\b)"
)
_PHONE_CUED = pattern(
    r"(?i)\b(?:phone|telephone|tel|mobile|cell|whatsapp|fax|telefon|handy|telefono|tel\x1afono|t\x1al\x1aphone|telefone|celular"
    r"|call me (?:at|on)|text me (?:at|on)|reach me (?:at|on))(?: number| nr| no)?[.:]{0,2}(?: is)?\s{0,2}"
    r"(\(?[0-9](?:[ .\-/()]{0,3}[0-9]){6,13})\b"
)
_IBAN = pattern(r"(?i)\b[a-z]{2}[0-9]{2}(?:[ -]?[a-z0-9]){11,30}")
_BIRTH = pattern(
    r"(?i)\b(?:born(?: on)?|date of birth|birth ?date|birthday|dob|geboren(?: am)?|geburtsdatum|n\x1ae? le|date de naissance"
    r"|nacid[oa] el|fecha de nacimiento|nat[oa] il|data di nascita|nascid[oa] em|data de nascimento)\b[ :=]{0,3}(?:is |was )?"
    r"([0-9]{1,2}[./ -][0-9]{1,2}[./ -](?:19|20)[0-9]{2}|(?:19|20)[0-9]{2}[./-][0-9]{1,2}[./-][0-9]{1,2}"
    r"|[0-9]{1,2}(?:st|nd|rd|th|\.)? ?(?:of |de )?[a-z\x1a]{3,10},? (?:de )?(?:19|20)[0-9]{2}|[a-z]{3,9} [0-9]{1,2}(?:st|nd|rd|th)?,? (?:19|20)[0-9]{2})"
)
_NUMBERS = (
    _Number("pii.card", pattern(r"\b[2-6](?:[ -]?[0-9]){12,18}\b")),
    _Number("pii.card", pattern(r"\b[2-6][0-9]{3}(?:[ -][0-9]{4}){3}\b")),
    _Number("pii.us-ssn", pattern(r"\b[0-8][0-9]{2}-[0-9]{2}-[0-9]{4}\b")),
    _Number("pii.us-ssn", pattern(r"\b[0-8][0-9]{2}[ -]?[0-9]{2}[ -]?[0-9]{4}\b"), pattern(r"(?i)\bssn\b|social security")),
    _Number("pii.es-dni", pattern(r"(?i)\b(?:[0-9]{8}|[xyz][ -]?[0-9]{7})[ -]?[a-hj-np-tv-z]\b")),
    _Number("pii.fr-nir", pattern(r"\b[12] ?[0-9]{2} ?(?:0[1-9]|1[0-2]|[2-9][0-9]) ?(?:[0-9]{2}|2[AB]) ?[0-9]{3} ?[0-9]{3} ?[0-9]{2}\b")),
    _Number("pii.de-tax-id", pattern(r"\b[1-9][0-9](?: ?[0-9]{3}){3}\b"), pattern(r"(?i)steuer|\bidnr|\btax|\btin\b")),
    _Number("pii.it-fiscal-code", pattern(r"(?i)\b[a-z]{6}[0-9]{2}[a-ehlmprst][0-9]{2}[a-z][0-9]{3}[a-z]\b")),
    _Number("pii.br-cpf", pattern(r"\b[0-9]{3}\.[0-9]{3}\.[0-9]{3}-[0-9]{2}\b")),
    _Number("pii.br-cpf", pattern(r"\b[0-9]{11}\b"), pattern(r"(?i)\bcpf\b")),
    _Number("pii.in-aadhaar", pattern(r"\b[2-9][0-9]{3}[ -]?[0-9]{4}[ -]?[0-9]{4}\b"), pattern(r"(?i)aadha?ar|\buid(?:ai)?\b")),
    _Number("pii.nl-bsn", pattern(r"\b[0-9]{4}[ .]?[0-9]{2}[ .]?[0-9]{3}\b"), pattern(r"(?i)\bbsn\b|burgerservice|sofi")),
    _Number("pii.pl-pesel", pattern(r"\b[0-9]{11}\b"), pattern(r"(?i)pesel")),
)  # fmt: skip
_CUE_REACH = 40
_MIN_PHONE_DIGITS, _MAX_PHONE_DIGITS = 8, 15


def find_pii(text: str) -> tuple[Span, ...]:
    """Find personal data in `text`.

    Returns:
        Spans with labels `pii.<kind>`, each over the whole value, sorted, none inside another.
    """
    data = project(text)
    found: list[Span] = []
    if b"@" in data:
        found.extend(Span(*_trimmed(data, *match.span()), "pii.email") for match in _EMAIL.finditer(data))
    # Every other kind holds digits; texts without any are common and need no further look.
    if not any(digit in data for digit in _DIGITS):
        return outermost(found)
    found.extend(_ibans(data))
    found.extend(span for number in _NUMBERS for span in _checked(number, data))
    found.extend(Span(*match.span(1), "pii.birth-date") for match in _BIRTH.finditer(data))
    certain = outermost(found)
    # A number with a check digit beats the format of a phone number, also where one follows the other.
    return outermost([*certain, *_phones(_without(data, certain))])


_DIGITS = tuple(bytes([digit]) for digit in b"0123456789")


def _trimmed(data: bytes, start: int, end: int) -> tuple[int, int]:
    while data[start] in b".'%-":
        start += 1
    return start, end


def _compact(value: bytes) -> str:
    return "".join(chr(byte) for byte in value if chr(byte).isalnum())


def _checked(number: _Number, data: bytes) -> Iterator[Span]:
    if number.cue and not number.cue.search(data):
        return
    position = 0
    while match := number.pattern.search(data, position):
        start, end = position, _ = match.span()
        near = number.cue is None or number.cue.search(data, max(0, start - _CUE_REACH), start)
        if near and CHECKS[number.label](_compact(data[start:end])):
            yield Span(start, end, number.label)
            position = end
            continue
        # A number that fails may begin with digits that do not belong to it: "2024 4111 1111 1111 1111".
        while position < end and chr(data[position]).isalnum():
            position += 1


def _ibans(data: bytes) -> Iterator[Span]:
    for match in _IBAN.finditer(data):
        start, end = match.span()
        wanted = iban_length(chr(data[start]) + chr(data[start + 1]))
        compact = _compact(data[start:end])
        if not wanted or len(compact) < wanted or not iban(compact[:wanted]):
            continue
        # The pattern also swallows a word that follows, so the span stops at the country's length.
        while len(_compact(data[start:end])) > wanted or data[end - 1] in b" -":
            end -= 1
        yield Span(start, end, "pii.iban")


def _phones(data: bytes) -> Iterator[Span]:
    for match in _PHONE_WORLD.finditer(data):
        if _MIN_PHONE_DIGITS <= _digits(match.group() or b"") <= _MAX_PHONE_DIGITS:
            yield Span(*match.span(), "pii.phone")
    for match in _PHONE_NATIONAL.finditer(data):
        yield Span(*match.span(), "pii.phone", 0.8)
    for match in _PHONE_CUED.finditer(data):
        yield Span(*match.span(1), "pii.phone", 0.9)


def _digits(value: bytes) -> int:
    return sum(byte in b"0123456789" for byte in value)


def _without(data: bytes, spans: tuple[Span, ...]) -> bytes:
    """`data` with a byte that is part of no number in place of `spans`."""
    masked = bytearray(data)
    for span in spans:
        masked[span.start : span.end] = b"\x1a" * (span.end - span.start)
    return bytes(masked)
