"""Finds private keys that span lines: PEM (RFC 7468), OpenSSH, PGP, PuTTY, SSH2 and OpenVPN."""

from bisect import bisect_left
from collections.abc import Iterator
from itertools import pairwise

from lockgate.core import Span
from lockgate.detect.linear import pattern

_KINDS = r"(?:[A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?|OpenVPN Static key V1)"
_BEGIN = pattern(rf"-----?[ ]?BEGIN {_KINDS}[ ]?-----?|PuTTY-User-Key-File-[0-9]:")
_END = pattern(rf"-----?[ ]?END {_KINDS}[ ]?-----?|Private-MAC: ?[a-f0-9]{{40,64}}")
_BODY = pattern(r"[A-Za-z0-9+/=]{16,}")
_BODY_WITHIN = 300
_LONGEST = 8192


def find_private_keys(data: bytes) -> Iterator[Span]:
    """Find private keys from their first dash to their last; one without an end is taken to reach 8 KiB far."""
    if b"PRIVATE KEY" not in data and b"PuTTY" not in data and b"OpenVPN Static" not in data:
        return
    begins = [match.span() for match in _BEGIN.finditer(data)]
    ends = [match.span() for match in _END.finditer(data)] if begins else []
    for (start, inside), (following, _) in pairwise([*begins, (len(data), 0)]):
        limit = min(following, inside + _LONGEST)
        position = bisect_left(ends, (inside, 0))
        # A key that was cut off is still a key, and nothing says where it stops.
        whole = position < len(ends) and ends[position][0] < limit
        body_ends = min(ends[position][0] if whole else limit, inside + _BODY_WITHIN)
        if not _BODY.search(data, inside, body_ends):
            continue
        yield Span(start, ends[position][1] if whole else limit, "secret.private-key")
