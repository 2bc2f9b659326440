# ruff: noqa: E501, PLR2004 - the numbers are those of the standards, one row a length
"""Check digits of payment cards, bank accounts and national identity numbers."""

from collections.abc import Callable

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
_DNI_LETTERS = "TRWAGMYFPDXBNJZSQVHLCKE"
_FISCALE_ODD = (1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23)
_VERHOEFF_D = (
    "0123456789", "1234067895", "2340178956", "3401289567", "4012395678",
    "5987604321", "6598710432", "7659821043", "8765932104", "9876543210",
)  # fmt: skip
_VERHOEFF_P = (
    "0123456789", "1576283094", "5803796142", "8916043527", "9453126870", "4286573901", "2793806415", "7046913258",
)  # fmt: skip


def luhn(number: str) -> bool:
    """Whether decimal digits pass the Luhn test (ISO/IEC 7812-1, annex B)."""
    doubled = (int(digit) * (1 + index % 2) for index, digit in enumerate(reversed(number)))
    return sum(value - 9 if value > 9 else value for value in doubled) % 10 == 0


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


def social_security(number: str) -> bool:
    """Whether nine digits can be a US social security number: no area 000, 666 or 9xx, no zero group."""
    return number[:3] not in {"000", "666"} and number[0] != "9" and number[3:5] != "00" and number[5:] != "0000"


def dni(number: str) -> bool:
    """Whether a Spanish DNI or NIE has the right control letter."""
    digits = number[:-1].upper()
    digits = str("XYZ".index(digits[0])) + digits[1:] if digits[0] in "XYZ" else digits
    return _DNI_LETTERS[int(digits) % 23] == number[-1].upper()


def nir(number: str) -> bool:
    """Whether a French social security number (15 characters, 2A and 2B for Corsica) has the right key."""
    body = number[:13].upper().replace("2A", "19").replace("2B", "18")
    return body.isdigit() and 97 - int(body) % 97 == int(number[13:])


def steuer_id(number: str) -> bool:
    """Whether a German tax id (11 digits) has a repeated digit and the right check digit (ISO 7064, mod 11,10)."""
    product = 10
    for digit in number[:10]:
        product = ((int(digit) + product) % 10 or 10) * 2 % 11
    return number[0] != "0" and len(set(number[:10])) in {8, 9} and (11 - product) % 10 == int(number[10])


def codice_fiscale(number: str) -> bool:
    """Whether an Italian tax code (16 characters) has the right control letter."""
    values = [int(character) if character.isdigit() else ord(character) - 65 for character in number.upper()]
    total = sum(_FISCALE_ODD[value] if index % 2 == 0 else value for index, value in enumerate(values[:15]))
    return total % 26 == values[15]


def cpf(number: str) -> bool:
    """Whether a Brazilian CPF (11 digits) has the right two check digits."""
    if len(set(number)) == 1:
        return False
    return all(
        sum(int(number[index]) * (size + 1 - index) for index in range(size)) * 10 % 11 % 10 == int(number[size])
        for size in (9, 10)
    )


def aadhaar(number: str) -> bool:
    """Whether an Indian Aadhaar number (12 digits) passes Verhoeff's test."""
    check = 0
    for index, digit in enumerate(reversed(number)):
        check = int(_VERHOEFF_D[check][int(_VERHOEFF_P[index % 8][int(digit)])])
    return number[0] not in "01" and check == 0


def bsn(number: str) -> bool:
    """Whether a Dutch citizen number (9 digits) passes the eleven test."""
    weights = (9, 8, 7, 6, 5, 4, 3, 2, -1)
    total = sum(int(digit) * weight for digit, weight in zip(number, weights, strict=True))
    return total > 0 and total % 11 == 0


def pesel(number: str) -> bool:
    """Whether a Polish PESEL (11 digits) holds a possible date and the right check digit."""
    month, day = int(number[2:4]) % 20, int(number[4:6])
    total = sum(int(digit) * weight for digit, weight in zip(number, (1, 3, 7, 9, 1, 3, 7, 9, 1, 3), strict=False))
    return 1 <= month <= 12 and 1 <= day <= 31 and (10 - total % 10) % 10 == int(number[10])


CHECKS: dict[str, Callable[[str], bool]] = {
    "pii.card": payment_card,
    "pii.us-ssn": social_security,
    "pii.es-dni": dni,
    "pii.fr-nir": nir,
    "pii.de-tax-id": steuer_id,
    "pii.it-fiscal-code": codice_fiscale,
    "pii.br-cpf": cpf,
    "pii.in-aadhaar": aadhaar,
    "pii.nl-bsn": bsn,
    "pii.pl-pesel": pesel,
}
"""The check of each number, by the label of its span; the argument holds letters and digits only."""
