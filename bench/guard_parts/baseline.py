"""The six patterns that many guides print as a guard."""

import re2

PATTERNS = tuple(
    re2.compile(pattern)
    for pattern in (
        r"(?is)\[INST\].*\[/INST\]",
        r'(?i)"role"\s*:\s*"system"',
        r"(?i)ignore the above|act as|you are now",
        r"(?i)data:[a-z0-9.+/-]*;base64,",
        r"(?i)https?://",
        r"(?i)file://",
    )
)


def matches(text: str) -> int:
    """How many of the six match."""
    plain = text.encode("utf-8", "replace").decode("utf-8")
    return sum(bool(pattern.search(plain)) for pattern in PATTERNS)
