# ruff: noqa: E501, PLR2004 - the numbers are those of the standards, one row a length
"""Check digits of payment cards, bank accounts and national identity numbers."""

from collections.abc import Callable

from lockgate.detect import id_numbers_europe as europe
from lockgate.detect import id_numbers_world as world
from lockgate.detect.id_numbers_base import luhn

_IBAN_LENGTHS = {
    code: int(length)
    for length, codes in {
        "15": "NO", "16": "BE", "18": "DK FI FO GL NL", "19": "MK SI", "20": "AT BA EE KZ LT LU XK",
        "21": "CH HR LI LV", "22": "BG BH DE GB GE IE ME RS VA", "23": "AE GI IL TL", "24": "AD CZ ES MD PK RO SA SE SK TN VG",
        "25": "PT", "26": "IS TR", "27": "FR GR IT MC SM", "28": "AL AZ BY CY DO GT HU LB PL SV", "29": "BR EG PS QA UA",
        "30": "JO KW MU", "31": "MT SC", "32": "LC",
    }.items()
    for code in codes.split()
}  # fmt: skip


def payment_card(number: str) -> bool:
    """Whether 13 to 19 digits lie in an issuer's range, have its length and pass Luhn."""
    return _issuer_fits(number) and len(set(number)) > 1 and luhn(number)


def _issuer_fits(number: str) -> bool:
    length, two, four, six = len(number), int(number[:2]), int(number[:4]), int(number[:6])
    ranges = (
        (number[0] == "4", (13, 16, 19)),
        (51 <= two <= 55 or 222100 <= six <= 272099, (16,)),
        (two in {34, 37}, (15,)),
        (four == 6011 or two == 65 or 644 <= int(number[:3]) <= 649 or two == 62, (16, 17, 18, 19)),
        (3528 <= four <= 3589, (16, 17, 18, 19)),
        (300 <= int(number[:3]) <= 305 or two in {36, 38, 39}, (14, 16, 17, 18, 19)),
    )
    return any(inside and length in lengths for inside, lengths in ranges)


def iban_length(country: str) -> int:
    """Characters of an IBAN of `country` (SWIFT IBAN registry), 0 where the country has none."""
    return _IBAN_LENGTHS.get(country.upper(), 0)


def iban(number: str) -> bool:
    """Whether an IBAN without spaces has its country's length and a valid check (ISO 13616, mod 97)."""
    compact = number.upper()
    if not compact.isalnum() or len(compact) != iban_length(compact[:2]):
        return False
    return int("".join(str(int(character, 36)) for character in compact[4:] + compact[:4])) % 97 == 1


CHECKS: dict[str, Callable[[str], bool]] = {
    "pii.card": payment_card,
    "pii.us-ssn": world.social_security,
    "pii.ca-sin": world.sin,
    "pii.mx-curp": world.curp,
    "pii.br-cpf": world.cpf,
    "pii.br-cnpj": world.cnpj,
    "pii.cl-rut": world.rut,
    "pii.ar-cuit": world.cuit,
    "pii.gb-nino": europe.nino,
    "pii.gb-nhs": europe.nhs,
    "pii.ie-pps": europe.pps,
    "pii.de-tax-id": europe.steuer_id,
    "pii.at-svnr": europe.austrian,
    "pii.ch-ahv": europe.ahv,
    "pii.fr-nir": europe.nir,
    "pii.es-dni": europe.dni,
    "pii.pt-nif": europe.portuguese_nif,
    "pii.it-fiscal-code": europe.codice_fiscale,
    "pii.nl-bsn": europe.bsn,
    "pii.be-nn": europe.belgian,
    "pii.pl-pesel": europe.pesel,
    "pii.cz-rc": europe.rodne_cislo,
    "pii.ro-cnp": europe.cnp,
    "pii.bg-egn": europe.egn,
    "pii.hr-oib": europe.oib,
    "pii.gr-amka": europe.amka,
    "pii.ee-lt-code": europe.baltic,
    "pii.se-personnummer": europe.personnummer,
    "pii.no-fnr": europe.fodselsnummer,
    "pii.dk-cpr": europe.cpr,
    "pii.fi-hetu": europe.hetu,
    "pii.tr-tckn": world.kimlik,
    "pii.il-id": world.israeli,
    "pii.in-aadhaar": world.aadhaar,
    "pii.in-pan": world.pan,
    "pii.cn-ric": world.resident_id,
    "pii.kr-rrn": world.rrn,
    "pii.jp-my-number": world.my_number,
    "pii.sg-nric": world.nric,
    "pii.my-nric": world.mykad,
    "pii.th-id": world.thai,
    "pii.au-tfn": world.tfn,
    "pii.au-medicare": world.medicare,
    "pii.za-id": world.south_african,
}
"""The check of each number, by the label of its span; the argument holds letters and digits only."""
