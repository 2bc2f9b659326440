"""Which trace a request belongs to, as W3C Trace Context (level 1) has callers say it, and what upstreams are told."""

import random
import re
from collections.abc import Iterable

_HEADER = b"traceparent"
_VERSION_0 = re.compile(rb"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
_TRACE_ID, _SPAN_ID, _FLAGS = slice(3, 35), slice(36, 52), slice(53, 55)
_SAMPLED = 1
# The upper 53 of a trace id's lower 64 bits: as many as a float holds, so that the greatest stays below 1.
_BELOW, _DRAWN_BITS = 11, (1 << 53) - 1
_DRAW = random.SystemRandom()


def trace_parent(headers: Iterable[tuple[bytes, bytes]]) -> str:
    """The `traceparent` of a request; empty where there is none, more than one, or one that is not well-formed.

    Later versions of the format are not followed, since what they may hold is not known.
    """
    found = [value for name, value in headers if name == _HEADER]
    return found[0].decode("ascii") if len(found) == 1 and _VERSION_0.fullmatch(found[0]) else ""


def own_span(parent: str, share: float) -> str:
    """The `traceparent` of a new span of ours: of the caller's trace if there is one, else of a new trace.

    Args:
        parent: The caller's, checked; empty for none.
        share: Share of requests that are traced. One that is not says so.
    """
    trace_id = parent[_TRACE_ID] or f"{_DRAW.randrange(1, 1 << 128):032x}"
    sampled = (not parent or is_sampled(parent)) and drawn(int(trace_id, 16)) < share
    return f"00-{trace_id}-{_DRAW.randrange(1, 1 << 64):016x}-{int(sampled):02x}"


def is_sampled(parent: str) -> bool:
    """Whether a checked `traceparent` asks that its trace be kept."""
    return bool(int(parent[_FLAGS], 16) & _SAMPLED)


def ids(parent: str) -> tuple[int, int]:
    """The ids of the trace and of the span in a checked `traceparent`."""
    return int(parent[_TRACE_ID], 16), int(parent[_SPAN_ID], 16)


def drawn(trace_id: int) -> float:
    """A number below 1, a trace's own, so that services agree which ones are kept; any for 0, which is no trace."""
    return (trace_id >> _BELOW & _DRAWN_BITS) / (_DRAWN_BITS + 1) if trace_id else _DRAW.random()
