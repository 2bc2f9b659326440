# ruff: noqa: PLR2004 - the numbers are those of the countries' rules
"""Check digits of European identity, tax and health numbers. Arguments hold letters and digits only."""

from lockgate.detect.id_numbers_base import day_and_month, luhn, mod_11_10, weighted

_DNI_LETTERS = "TRWAGMYFPDXBNJZSQVHLCKE"
_FISCALE_ODD = (1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23)
_HETU_LETTERS = "0123456789ABCDEFHJKLMNPRSTUVWXY"
_PPS_LETTERS = "WABCDEFGHIJKLMNOPQRSTUV"
_NINO_REFUSED = frozenset(("BG", "GB", "KN", "NK", "NT", "TN", "ZZ"))


def nino(number: str) -> bool:
    """Whether a British national insurance number has an allowed prefix and suffix; it has no check digit."""
    number = number.upper()
    letters = number[0] not in "DFIQUV" and number[1] not in "DFIQUVO" and number[:2] not in _NINO_REFUSED
    return letters and number[-1] in "ABCD"


def nhs(number: str) -> bool:
    """Whether a British NHS number (10 digits) has the right check digit (mod 11)."""
    return len(set(number)) > 1 and weighted(number, range(10, 0, -1)) % 11 == 0


def pps(number: str) -> bool:
    """Whether an Irish personal public service number (7 digits, 1 or 2 letters) has the right letter (mod 23)."""
    number = number.upper()
    second = "ABCDEFGHI".find(number[8]) + 1 if len(number) == 9 else 0
    return (weighted(number[:7], range(8, 1, -1)) + 9 * second) % 23 == _PPS_LETTERS.find(number[7])


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
    """Whether a German tax id (11 digits) repeats one digit only and has the right check (ISO 7064, mod 11,10)."""
    repeats = [count for digit in set(number[:10]) if (count := number[:10].count(digit)) > 1]
    return number[0] != "0" and len(repeats) == 1 and repeats[0] <= 3 and mod_11_10(number)


def codice_fiscale(number: str) -> bool:
    """Whether an Italian tax code (16 characters) has the right control letter."""
    values = [int(character) if character.isdigit() else ord(character) - 65 for character in number.upper()]
    total = sum(_FISCALE_ODD[value] if index % 2 == 0 else value for index, value in enumerate(values[:15]))
    return total % 26 == values[15]


def portuguese_nif(number: str) -> bool:
    """Whether a Portuguese tax number (9 digits) of a person has the right check digit (mod 11)."""
    return number[0] in "1234" and (11 - weighted(number[:8], range(9, 1, -1))) % 11 % 10 == int(number[8])


def bsn(number: str) -> bool:
    """Whether a Dutch citizen number (9 digits) passes the eleven test."""
    total = weighted(number, (9, 8, 7, 6, 5, 4, 3, 2, -1))
    return total > 0 and total % 11 == 0


def belgian(number: str) -> bool:
    """Whether a Belgian national number (11 digits) has the right check (97 minus mod 97; a 2 in front from 2000)."""
    check = int(number[9:])
    return any(97 - int(prefix + number[:9]) % 97 == check for prefix in ("", "2")) and int(number[2:4]) % 20 <= 12


def pesel(number: str) -> bool:
    """Whether a Polish PESEL (11 digits) holds a possible date and the right check digit."""
    possible = day_and_month(number[4:6], f"{int(number[2:4]) % 20:02}")
    return possible and (10 - weighted(number[:10], (1, 3, 7, 9, 1, 3, 7, 9, 1, 3)) % 10) % 10 == int(number[10])


def rodne_cislo(number: str) -> bool:
    """Whether a Czech or Slovak birth number (10 digits) holds a possible date and the right check digit (mod 11)."""
    month = int(number[2:4]) % 50
    possible = day_and_month(number[4:6], f"{month - 20 if month > 20 else month:02}")
    return possible and int(number[:9]) % 11 % 10 == int(number[9])


def personnummer(number: str) -> bool:
    """Whether a Swedish personal or coordination number (10 or 12 digits) holds a date and passes Luhn."""
    number = number[-10:]
    return day_and_month(f"{int(number[4:6]) % 60:02}", number[2:4]) and luhn(number)


def hetu(number: str) -> bool:
    """Whether a Finnish identity code without its century sign (10 characters) has the right control character."""
    number = number.upper()
    number = number[:6] + number[-4:]
    right = _HETU_LETTERS[int(number[:9]) % 31] == number[9]
    return right and day_and_month(number[:2], number[2:4]) and number[6:9] >= "002"


def fodselsnummer(number: str) -> bool:
    """Whether a Norwegian birth or D-number (11 digits) holds a date and both check digits (mod 11)."""
    first = (11 - weighted(number, (3, 7, 6, 1, 8, 9, 4, 5, 2))) % 11
    second = (11 - weighted(number, (5, 4, 3, 2, 7, 6, 5, 4, 3, 2))) % 11
    possible = day_and_month(f"{int(number[:2]) % 40:02}", f"{int(number[2:4]) % 40:02}")
    return possible and (first, second) == (int(number[9]), int(number[10]))


def cpr(number: str) -> bool:
    """Whether a Danish CPR number (10 digits) begins with a date; its old check digit is no longer given out."""
    return day_and_month(number[:2], number[2:4])


def ahv(number: str) -> bool:
    """Whether a Swiss AHV number (13 digits from 756) has the right check digit (EAN-13)."""
    return (10 - weighted(number[:12], (1, 3) * 6) % 10) % 10 == int(number[12])


def austrian(number: str) -> bool:
    """Whether an Austrian social insurance number (10 digits) has the right check digit in fourth place (mod 11)."""
    right = weighted(number, (3, 7, 9, 0, 5, 8, 4, 2, 1, 6)) % 11 == int(number[3])
    return right and number[0] != "0" and day_and_month(number[4:6], number[6:8])


def cnp(number: str) -> bool:
    """Whether a Romanian personal code (13 digits) holds a date and the right check digit (mod 11)."""
    check = weighted(number[:12], (2, 7, 9, 1, 4, 6, 3, 5, 8, 2, 7, 9)) % 11
    possible = number[0] not in "09" and day_and_month(number[5:7], number[3:5])
    return possible and (1 if check == 10 else check) == int(number[12])


def oib(number: str) -> bool:
    """Whether a Croatian OIB (11 digits) has the right check digit (ISO 7064, mod 11,10)."""
    return mod_11_10(number)


def egn(number: str) -> bool:
    """Whether a Bulgarian EGN (10 digits) holds a date and the right check digit (mod 11)."""
    possible = day_and_month(number[4:6], f"{int(number[2:4]) % 20:02}")
    return possible and weighted(number[:9], (2, 4, 8, 5, 10, 9, 7, 3, 6)) % 11 % 10 == int(number[9])


def baltic(number: str) -> bool:
    """Whether an Estonian or Lithuanian personal code (11 digits) holds a date and the right check digit (mod 11)."""
    check = weighted(number[:10], (1, 2, 3, 4, 5, 6, 7, 8, 9, 1)) % 11
    check = weighted(number[:10], (3, 4, 5, 6, 7, 8, 9, 1, 2, 3)) % 11 % 10 if check == 10 else check
    return number[0] in "12345678" and day_and_month(number[5:7], number[3:5]) and check == int(number[10])


def amka(number: str) -> bool:
    """Whether a Greek AMKA (11 digits) holds a date and passes Luhn."""
    return day_and_month(number[:2], number[2:4]) and luhn(number)
