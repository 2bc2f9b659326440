"""Checks the sums that some issuers build into their credentials."""

import binascii
import json
from base64 import b32decode, urlsafe_b64decode
from collections.abc import Callable

_BASE62 = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_CRC_DIGITS = 6
_ACCOUNTS = 10**12


def certain(label: str, value: bytes) -> bool:
    """Whether a credential's own checksum holds, True where it has none.

    A sum that does not hold lowers confidence and no more: keys are also leaked with a typing error or a character
    lost, and whoever invents a key to test a guard seldom computes its sum.
    """
    check = _CHECKS.get(label.removeprefix("secret."))
    try:
        return check is None or check(value)
    except ValueError:
        return False


def aws_account(value: bytes) -> str:
    """The 12-digit account that an AWS access key id names.

    Bits 1 to 40 of what the base32 letters behind the four-letter prefix decode to.

    Raises:
        ValueError: It is not base32, or no account has such a number.
    """
    number = int.from_bytes(b32decode(value[4:14] + b"=" * 6)[:6], "big") >> 7 & (2**40 - 1)
    if number >= _ACCOUNTS:
        raise ValueError("No account has more than 12 digits.")
    return f"{number:012}"


def crc_base62(body: bytes) -> bytes:
    """The CRC-32 of `body` in six base-62 digits, as GitHub and npm append it."""
    number, digits = binascii.crc32(body), b""
    for _ in range(_CRC_DIGITS):
        number, digit = divmod(number, 62)
        digits = _BASE62[digit : digit + 1] + digits
    return digits


def _crc_behind_prefix(value: bytes) -> bool:
    body = value[value.index(b"_") + 1 :]
    return crc_base62(body[:-_CRC_DIGITS]) == body[-_CRC_DIGITS:]


def _aws(value: bytes) -> bool:
    return bool(aws_account(value))


def _jwt(value: bytes) -> bool:
    head = value.partition(b".")[0]
    found: object = json.loads(urlsafe_b64decode(head + b"=" * (-len(head) % 4)))
    return isinstance(found, dict) and "alg" in found


def _pypi(value: bytes) -> bool:
    body = value.removeprefix(b"pypi-")
    # A macaroon: version 2, then field 1 with its length and the location.
    return urlsafe_b64decode(body + b"=" * (-len(body) % 4)).startswith(
        (b"\x02\x01\x08pypi.org", b"\x02\x01\x0dtest.pypi.org")
    )


_CHECKS: dict[str, Callable[[bytes], bool]] = {
    "aws-access-key": _aws,
    "github-token": _crc_behind_prefix,
    "npm-token": _crc_behind_prefix,
    "jwt": _jwt,
    "pypi-token": _pypi,
    "testpypi-token": _pypi,
}
