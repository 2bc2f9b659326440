# ruff: noqa: PLR2004 - the numbers are those of the standards
"""What check digits have in common: Luhn, Verhoeff, weighted sums, and dates inside numbers."""

from collections.abc import Iterable

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


def verhoeff(number: str) -> bool:
    """Whether decimal digits pass Verhoeff's dihedral test."""
    check = 0
    for index, digit in enumerate(reversed(number)):
        check = int(_VERHOEFF_D[check][int(_VERHOEFF_P[index % 8][int(digit)])])
    return check == 0


def mod_11_10(number: str) -> bool:
    """Whether the last digit is the check digit of ISO 7064, mod 11,10."""
    product = 10
    for digit in number[:-1]:
        product = ((int(digit) + product) % 10 or 10) * 2 % 11
    return (11 - product) % 10 == int(number[-1])


def weighted(number: str, weights: Iterable[int]) -> int:
    """The sum of each digit times its weight; digits without a weight do not count."""
    return sum(int(digit) * weight for digit, weight in zip(number, weights, strict=False))


def day_and_month(day: str, month: str) -> bool:
    """Whether two digits each can be a day and a month."""
    return 1 <= int(day) <= 31 and 1 <= int(month) <= 12
