"""How a caller stands, in the headers that OpenAI's and Anthropic's clients read."""

import datetime as dt
import math
from collections.abc import Sequence
from typing import Literal

from lockgate.gateway.asgi import Headers
from lockgate.gateway.limits.gcra import REQUESTS, TOKENS, Entry

Shape = Literal["openai", "anthropic"]

_NAMES = {REQUESTS: b"requests", TOKENS: b"tokens"}
_MINUTE, _HOUR = 60, 3600


def standing(entries: Sequence[Entry], levels: Sequence[float], shape: Shape) -> Headers:
    """Headers that say what is left, for the limit of each kind that has least left.

    Args:
        entries: The limits that apply.
        levels: For each the seconds that use runs ahead.
        shape: Whose names to use. OpenAI writes durations such as `6m0s`, Anthropic points in time (RFC 3339).
    """
    found: Headers = []
    for kind, name in _NAMES.items():
        rows = [
            (int(entry.limit.remaining(level)), int(entry.limit.capacity), level)
            for entry, level in zip(entries, levels, strict=True)
            if entry.kind == kind
        ]
        if rows:
            found += _row(name, *min(rows), shape)
    return found


def _row(name: bytes, remaining: int, capacity: int, level: float, shape: Shape) -> Headers:
    if shape == "openai":
        return [
            (b"x-ratelimit-limit-" + name, b"%d" % capacity),
            (b"x-ratelimit-remaining-" + name, b"%d" % remaining),
            (b"x-ratelimit-reset-" + name, duration(level).encode()),
        ]
    full_at = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=max(0.0, level))
    return [
        (b"anthropic-ratelimit-" + name + b"-limit", b"%d" % capacity),
        (b"anthropic-ratelimit-" + name + b"-remaining", b"%d" % remaining),
        (b"anthropic-ratelimit-" + name + b"-reset", full_at.strftime("%Y-%m-%dT%H:%M:%SZ").encode()),
    ]


def duration(seconds: float) -> str:
    """A duration as Go writes it, rounded up: `250ms`, `4s`, `6m0s`, `1h0m5s`."""
    if seconds <= 0:
        return "0s"
    if seconds < 1:
        return f"{math.ceil(seconds * 1000)}ms"
    whole = math.ceil(seconds)
    minutes, rest = divmod(whole, _MINUTE)
    if whole < _MINUTE:
        return f"{rest}s"
    return f"{minutes}m{rest}s" if whole < _HOUR else f"{minutes // _MINUTE}h{minutes % _MINUTE}m{rest}s"


def retry_after(wait_s: float) -> Headers:
    """When a retry makes sense: whole seconds as RFC 9110 has them, and milliseconds for clients that read them."""
    return [
        (b"retry-after", b"%d" % max(1, math.ceil(wait_s))),
        (b"retry-after-ms", b"%d" % max(1, math.ceil(wait_s * 1000))),
    ]
