"""Addresses of crypto wallets: Bitcoin, Ethereum, Tron, Monero."""

import hashlib
from collections.abc import Iterator

from lockgate.core import Span
from lockgate.detect.linear import pattern

LABEL = "pii.wallet"
_WALLET = pattern(
    r"\b(?:0x[0-9a-fA-F]{40}|bc1[ac-hj-np-z02-9]{11,71}|[48][0-9AB][1-9A-HJ-NP-Za-km-z]{93}"
    r"|[13][1-9A-HJ-NP-Za-km-z]{25,34}|T[1-9A-HJ-NP-Za-km-z]{33})\b"
)
_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_BYTES = 25


def find_wallets(data: bytes) -> Iterator[Span]:
    """Wallet addresses in folded text, those in base 58 only with a right checksum."""
    for match in _WALLET.finditer(data):
        start, end = match.span()
        address = data[start:end].decode("ascii")
        if not address.startswith(("1", "3", "T")) or base58_check(address):
            yield Span(start, end, LABEL)


def base58_check(address: str) -> bool:
    """Whether an address is 25 bytes in base 58 that end in their own checksum (the first bytes of sha256 twice)."""
    number = 0
    for character in address:
        number = number * 58 + _BASE58.index(character)
    if number.bit_length() > 8 * _BYTES:
        return False
    raw = number.to_bytes(_BYTES, "big")
    return hashlib.sha256(hashlib.sha256(raw[:21]).digest()).digest()[:4] == raw[21:]
