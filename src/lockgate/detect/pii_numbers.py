# ruff: noqa: E501 - one row a number
"""Numbers with a form of their own: identity and tax numbers, cards, accounts.

A number whose form and check leave little to chance stands alone; the others need one of their words shortly before.
"""

import functools
from collections.abc import Iterator

import msgspec

from lockgate.core import Span
from lockgate.detect.id_numbers import CHECKS, iban, iban_length
from lockgate.detect.linear import Pattern, pattern


class Number(msgspec.Struct, frozen=True, dict=True):
    """A form of a number that `CHECKS[label]` judges.

    Attributes:
        label: Its kind.
        source: Its form, at most 40 characters.
        words: Words that announce it, folded, blanks optional in the text. Without any it is recognised alone.
    """

    label: str
    source: str
    words: str = ""

    @functools.cached_property
    def pattern(self) -> Pattern:
        """The form, compiled when it is first looked for."""
        return pattern(self.source)


def _number(label: str, source: str, words: str = "") -> Number:
    return Number(label, rf"\b(?i:{source})\b", words)


# Day and month, in this order or the other, as two digits each.
_DM = r"(?:0[1-9]|[12][0-9]|3[01])(?:0[1-9]|1[0-2])"
_MD = r"(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])"
ALONE = (
    (  # digits, blanks between them
        _number("pii.card", r"[2-6](?:[ -]?[0-9]){12,18}"),
        _number("pii.card", r"[2-6][0-9]{3}(?:[ -][0-9]{4}){3}"),
        _number("pii.fr-nir", r"[12] ?[0-9]{2} ?(?:0[1-9]|1[0-2]|[2-9][0-9]) ?(?:[0-9]{2}|2[AB]) ?[0-9]{3} ?[0-9]{3} ?[0-9]{2}"),
        _number("pii.ch-ahv", r"756\.?[0-9]{4}\.?[0-9]{4}\.?[0-9]{2}"),
        _number("pii.no-fnr", r"[0-7][0-9]{5} ?[0-9]{5}"),
        _number("pii.cn-ric", r"[1-9][0-9]{5}(?:19|20)[0-9]{9}[0-9x]"),
    ),
    (  # signs between digits
        _number("pii.us-ssn", r"[0-8][0-9]{2}-[0-9]{2}-[0-9]{4}"),
        _number("pii.br-cpf", r"[0-9]{3}\.[0-9]{3}\.[0-9]{3}-[0-9]{2}"),
        _number("pii.br-cnpj", r"[0-9]{2}\.[0-9]{3}\.[0-9]{3}/[0-9]{4}-[0-9]{2}"),
        _number("pii.cl-rut", r"[0-9]{1,2}\.[0-9]{3}\.[0-9]{3}-[0-9k]"),
        _number("pii.ar-cuit", r"2[03457]-[0-9]{8}-[0-9]"),
        _number("pii.be-nn", r"[0-9]{2}\.[0-9]{2}\.[0-9]{2}[ -][0-9]{3}[.-][0-9]{2}"),
        _number("pii.cz-rc", r"[0-9]{6}/[0-9]{4}"),
        _number("pii.se-personnummer", rf"(?:19|20)?[0-9]{{2}}{_MD}[-+][0-9]{{4}}"),
        _number("pii.fi-hetu", rf"{_DM}[0-9]{{2}}[-+A-FU-Y][0-9]{{3}}[0-9A-FHJ-NPR-Y]"),
        _number("pii.kr-rrn", rf"[0-9]{{2}}{_MD}-[1-8][0-9]{{6}}"),
    ),
    (  # letters too
        _number("pii.es-dni", r"(?:[0-9]{8}|[xyz][ -]?[0-9]{7})[ -]?[a-hj-np-tv-z]"),
        _number("pii.es-dni", r"[0-9]{2}\.[0-9]{3}\.[0-9]{3}[ -]?[a-hj-np-tv-z]"),
        _number("pii.mx-curp", rf"[a-z]{{4}}[0-9]{{2}}{_MD}[hmx][a-z]{{5}}[0-9a-z][0-9]"),
        _number("pii.it-fiscal-code", r"[a-z]{6}[0-9]{2}[a-ehlmprst][0-9]{2}[a-z][0-9]{3}[a-z]"),
        Number("pii.gb-nino", r"\b[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?[0-9]{2} ?[0-9]{2} ?[0-9]{2} ?[A-D]\b"),
        Number("pii.in-pan", r"\b[A-Z]{3}P[A-Z][0-9]{4}[A-Z]\b"),
        Number("pii.sg-nric", r"\b[STFG][0-9]{7}[A-Z]\b"),
    ),
)  # fmt: skip
"""Numbers that are recognised alone, in groups of a kind."""
_SHORT = r"[0-9](?:[ .-]?[0-9])"
ANNOUNCED = (
    _number("pii.us-ssn", rf"{_SHORT}{{8}}", "ssn|social security|social security number|social security no|his social|her social|my social"),
    _number("pii.ca-sin", rf"{_SHORT}{{8}}", "sin|social insurance|social insurance number|numero d'assurance sociale|nas"),
    _number("pii.br-cpf", rf"{_SHORT}{{10}}", "cpf"),
    _number("pii.br-cnpj", rf"{_SHORT}{{7}}[/ ]?{_SHORT}{{5}}", "cnpj"),
    _number("pii.cl-rut", r"[0-9]{7,8}-?[0-9k]", "rut|run|rol unico tributario"),
    _number("pii.ar-cuit", rf"{_SHORT}{{10}}", "cuit|cuil"),
    _number("pii.gb-nhs", rf"{_SHORT}{{9}}", "nhs|nhs number|nhs no"),
    _number("pii.gb-nino", r"[a-z]{2}(?:[ -]?[0-9]){6}[ -]?[a-d]", "nino|national insurance|ni number|ni no"),
    _number("pii.ie-pps", r"[0-9]{7}[ -]?[a-w][a-i]?", "pps|ppsn|pps no|pps number"),
    _number("pii.de-tax-id", rf"{_SHORT}{{10}}", "steuer id|steueridnr|steueridentifikationsnummer|steuerliche identifikationsnummer|steuernummer|idnr|tax id|tin|steuer identifikationsnummer|identifikationsnummer"),
    _number("pii.at-svnr", r"[0-9]{4}[ -]?[0-9]{6}", "svnr|sv nummer|sozialversicherungsnummer|versicherungsnummer"),
    _number("pii.ch-ahv", rf"{_SHORT}{{12}}", "ahv|avs|ahv nr"),
    _number("pii.pt-nif", rf"{_SHORT}{{8}}", "nif|contribuinte|numero fiscal|numero de contribuinte"),
    _number("pii.nl-bsn", rf"{_SHORT}{{8}}", "bsn|burgerservicenummer|burgerservice|sofi|sofinummer"),
    _number("pii.be-nn", rf"{_SHORT}{{10}}", "rijksregisternummer|rijksregister|registre national|numero national|insz|niss"),
    _number("pii.pl-pesel", rf"{_SHORT}{{10}}", "pesel"),
    _number("pii.cz-rc", r"[0-9]{6} ?/? ?[0-9]{4}", "rodne cislo|rc"),
    _number("pii.ro-cnp", rf"{_SHORT}{{12}}", "cnp|cod numeric personal"),
    _number("pii.bg-egn", r"[0-9]{10}", "egn"),
    _number("pii.hr-oib", r"[0-9]{11}", "oib"),
    _number("pii.gr-amka", r"[0-9]{11}", "amka"),
    _number("pii.ee-lt-code", r"[0-9]{11}", "isikukood|asmens kodas"),
    _number("pii.se-personnummer", r"(?:[0-9]{2})?[0-9]{6}[ -]?[0-9]{4}", "personnummer|personnr|pnr|samordningsnummer"),
    _number("pii.no-fnr", rf"{_SHORT}{{10}}", "fodselsnummer|fnr|personnummer"),
    _number("pii.fi-hetu", r"[0-9]{6}[-+A-FU-Y]?[0-9]{3}[0-9a-y]", "hetu|henkilotunnus|personbeteckning"),
    _number("pii.dk-cpr", r"[0-9]{6}[ -]?[0-9]{4}", "cpr|cpr nr|cpr nummer|personnummer"),
    _number("pii.tr-tckn", r"[1-9][0-9]{10}", "tc kimlik|t.c. kimlik|tc kimlik no|t.c. kimlik no|tckn|kimlik no|kimlik numarasi"),
    _number("pii.il-id", r"[0-9]{8}-?[0-9]", "teudat zehut|israeli id|mispar zehut|tz"),
    _number("pii.in-aadhaar", r"[2-9][0-9]{3}[ -]?[0-9]{4}[ -]?[0-9]{4}", "aadhaar|aadhar|uid|uidai"),
    _number("pii.in-pan", r"[a-z]{5}[0-9]{4}[a-z]", "pan|pan card|permanent account number"),
    _number("pii.kr-rrn", rf"{_SHORT}{{12}}", "rrn|resident registration number|resident registration"),
    _number("pii.jp-my-number", rf"{_SHORT}{{11}}", "my number|mynumber|individual number|kojin bango"),
    _number("pii.sg-nric", r"[stfg][0-9]{7}[a-z]", "nric|fin"),
    _number("pii.my-nric", r"[0-9]{6}-?[0-9]{2}-?[0-9]{4}", "mykad|nric|ic no|ic number|kad pengenalan"),
    _number("pii.th-id", r"[1-8](?:[ -]?[0-9]){12}", "thai id|thai national id"),
    _number("pii.au-tfn", rf"{_SHORT}{{8}}", "tfn|tax file number"),
    _number("pii.au-medicare", r"[2-6][0-9]{3}[ -]?[0-9]{5}[ -]?[0-9](?:[/ -]?[0-9])?", "medicare|medicare number|medicare no|medicare card"),
    _number("pii.za-id", rf"{_SHORT}{{12}}", "sa id|id number|identity number|south african id|id no"),
)  # fmt: skip
_IBAN = pattern(r"(?i)\b[a-z]{2}[0-9]{2}(?:[ -]?[a-z0-9]){11,30}")


def compact(value: bytes) -> str:
    """The letters and digits of `value`."""
    return "".join(chr(byte) for byte in value if chr(byte).isalnum())


def find_alone(data: bytes) -> Iterator[Span]:
    """Numbers that are recognised without a word beside them, and bank accounts."""
    yield from _ibans(data)
    for gate, numbers in _gates():
        if gate.search(data):
            for number in numbers:
                yield from _checked(number, data)


@functools.cache
def _gates() -> tuple[tuple[Pattern, tuple[Number, ...]], ...]:
    """Groups of numbers, each with a pattern that any of them matches: most texts hold none, and one look tells."""
    return tuple((pattern("|".join(f"(?:{number.source})" for number in group)), group) for group in ALONE)


def _checked(number: Number, data: bytes) -> Iterator[Span]:
    """Places where the number's check is right."""
    position = 0
    while match := number.pattern.search(data, position):
        start, end = match.span()
        value = data[start:end]
        if CHECKS[number.label](compact(value)) and (number.label != "pii.card" or _evenly_grouped(value)):
            yield Span(start, end, number.label)
            position = end
            continue
        # A number that fails may begin with digits that do not belong to it: "2024 4111 1111 1111 1111".
        position = start
        while position < end and chr(data[position]).isalnum():
            position += 1


def _evenly_grouped(value: bytes) -> bool:
    """Whether digits stand in groups as people write them, unlike a row of measurements: 4-4-4-4, 4-6-5, one by one."""
    sizes = [len(group) for group in value.replace(b"-", b" ").split(b" ")]
    return min(sizes[:-1], default=4) >= 3 or len(set(sizes)) == 1  # noqa: PLR2004 - groups of three or more


def _ibans(data: bytes) -> Iterator[Span]:
    for match in _IBAN.finditer(data):
        start, end = match.span()
        wanted = iban_length(chr(data[start]) + chr(data[start + 1]))
        letters = compact(data[start:end])
        if not wanted or len(letters) < wanted or not iban(letters[:wanted]):
            continue
        # The pattern also swallows a word that follows, so the span stops at the country's length.
        while len(compact(data[start:end])) > wanted or data[end - 1] in b" -":
            end -= 1
        yield Span(start, end, "pii.iban")
