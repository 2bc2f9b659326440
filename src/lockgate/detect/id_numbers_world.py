"""Check digits of identity and tax numbers outside Europe. Arguments hold letters and digits only."""

from lockgate.detect.id_numbers_base import day_and_month, luhn, verhoeff, weighted

_CURP_VALUES = "0123456789ABCDEFGHIJKLMN\N{LATIN CAPITAL LETTER N WITH TILDE}OPQRSTUVWXYZ"
_NRIC_LETTERS = {"S": "JZIHGFEDCBA", "T": "JZIHGFEDCBA", "F": "XWUTRQPNMLK", "G": "XWUTRQPNMLK"}


def social_security(number: str) -> bool:
    """Whether nine digits can be a US social security number: no area 000, 666 or 9xx, no zero group."""
    return number[:3] not in {"000", "666"} and number[0] != "9" and number[3:5] != "00" and number[5:] != "0000"


def sin(number: str) -> bool:
    """Whether a Canadian social insurance number (9 digits) passes Luhn; 8 begins business numbers, 0 is not given."""
    return number[0] not in "08" and luhn(number)


def curp(number: str) -> bool:
    """Whether a Mexican CURP (18 characters) has the right check digit."""
    number = number.upper()
    total = sum(_CURP_VALUES.index(character) * (18 - index) for index, character in enumerate(number[:17]))
    return (10 - total % 10) % 10 == int(number[17])


def cpf(number: str) -> bool:
    """Whether a Brazilian CPF (11 digits) has the right two check digits."""
    return len(set(number)) > 1 and all(
        weighted(number[:size], range(size + 1, 1, -1)) * 10 % 11 % 10 == int(number[size]) for size in (9, 10)
    )


def cnpj(number: str) -> bool:
    """Whether a Brazilian CNPJ (14 digits), which sole traders have too, has the right two check digits."""
    weights = (6, 5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2)
    return len(set(number)) > 1 and all(
        (11 - weighted(number[:size], weights[13 - size :])) % 11 % 10 == int(number[size]) for size in (12, 13)
    )


def rut(number: str) -> bool:
    """Whether a Chilean RUT (7 or 8 digits and a check character) is right (mod 11)."""
    total = weighted(number[-2::-1], (2, 3, 4, 5, 6, 7, 2, 3))
    return "0123456789K"[-total % 11] == number[-1].upper()


def cuit(number: str) -> bool:
    """Whether an Argentine CUIT or CUIL (11 digits) of a person has the right check digit (mod 11)."""
    check = 11 - weighted(number[:10], (5, 4, 3, 2, 7, 6, 5, 4, 3, 2)) % 11
    return {11: 0, 10: 9}.get(check, check) == int(number[10])


def kimlik(number: str) -> bool:
    """Whether a Turkish identity number (11 digits) has the right two check digits."""
    values = [int(digit) for digit in number]
    tenth = (7 * sum(values[0:9:2]) - sum(values[1:8:2])) % 10
    return values[0] != 0 and tenth == values[9] and sum(values[:10]) % 10 == values[10]


def israeli(number: str) -> bool:
    """Whether an Israeli identity number (9 digits) passes Luhn."""
    return len(set(number)) > 1 and luhn(number)


def aadhaar(number: str) -> bool:
    """Whether an Indian Aadhaar number (12 digits) passes Verhoeff's test."""
    return number[0] not in "01" and verhoeff(number)


def pan(number: str) -> bool:
    """Whether an Indian PAN (10 characters) is a person's; its last letter's rule is not published."""
    return number[3].upper() == "P"


def resident_id(number: str) -> bool:
    """Whether a Chinese resident number (18 characters) holds a date and the right check (ISO 7064, mod 11-2)."""
    total = sum(int(digit) * pow(2, 17 - index, 11) for index, digit in enumerate(number[:17]))
    return day_and_month(number[12:14], number[10:12]) and "10X98765432"[total % 11] == number[17].upper()


def rrn(number: str) -> bool:
    """Whether a South Korean resident number (13 digits) holds a date and the check digit given until 2020."""
    check = (11 - weighted(number[:12], (2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5)) % 11) % 10
    return day_and_month(number[4:6], number[2:4]) and check == int(number[12])


def my_number(number: str) -> bool:
    """Whether a Japanese individual number (12 digits) has the right check digit (mod 11)."""
    rest = weighted(number[:11], (6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2)) % 11
    return (0 if rest <= 1 else 11 - rest) == int(number[11])


def nric(number: str) -> bool:
    """Whether a Singaporean NRIC or FIN (9 characters) has the right check letter (mod 11)."""
    number = number.upper()
    total = weighted(number[1:8], (2, 7, 6, 5, 4, 3, 2)) + (4 if number[0] in "TG" else 0)
    return _NRIC_LETTERS[number[0]][total % 11] == number[8]


def mykad(number: str) -> bool:
    """Whether a Malaysian identity card number (12 digits) begins with a date; it has no check digit."""
    return day_and_month(number[4:6], number[2:4])


def thai(number: str) -> bool:
    """Whether a Thai identity number (13 digits) has the right check digit (mod 11)."""
    return (11 - weighted(number[:12], range(13, 1, -1)) % 11) % 10 == int(number[12])


def tfn(number: str) -> bool:
    """Whether an Australian tax file number (9 digits) passes its test (mod 11)."""
    return int(number) > 0 and weighted(number, (1, 4, 3, 7, 5, 8, 6, 9, 10)) % 11 == 0


def medicare(number: str) -> bool:
    """Whether an Australian Medicare number (10 digits and, perhaps, a person's place) has the right check digit."""
    return number[0] in "23456" and weighted(number[:8], (1, 3, 7, 9, 1, 3, 7, 9)) % 10 == int(number[8])


def south_african(number: str) -> bool:
    """Whether a South African identity number (13 digits) holds a date and passes Luhn."""
    return day_and_month(number[4:6], number[2:4]) and number[10] in "012" and luhn(number)
