"""Which trace a request belongs to, as W3C Trace Context (level 1) has callers say it."""

import re
from collections.abc import Iterable

_HEADER = b"traceparent"
_VERSION_0 = re.compile(rb"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")


def trace_parent(headers: Iterable[tuple[bytes, bytes]]) -> str:
    """The `traceparent` of a request; empty where there is none, more than one, or one that is not well-formed.

    Later versions of the format are not followed, since what they may hold is not known.
    """
    found = [value for name, value in headers if name == _HEADER]
    return found[0].decode("ascii") if len(found) == 1 and _VERSION_0.fullmatch(found[0]) else ""
