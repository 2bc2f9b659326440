"""Finds credentials: keys in a known format, private key blocks, and assigned values that look random."""

import math
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise

from lockgate.core import Span
from lockgate.detect.linear import pattern, project
from lockgate.detect.secret_formats import FORMATS, SecretFormat

_CUE = pattern(
    r"(?i)(?:password|passwd|passphrase|passcode|pwd|secret|token|api[_ -]?key|access[_ -]?key|auth[_ -]?key"
    r"|private[_ -]?key|signing[_ -]?key|credentials?|passwort|kennwort|contrase\x1aa|mot de passe|senha)"
    r"[a-z0-9_]{0,20}[\"'`]?\s{0,3}(?::=|=>|=|:|\bis\b|\bist\b|\bes\b|\best\b)\s{0,3}"
)
_VALUE = pattern(r"\"([^\"\n]{8,})\"|'([^'\n]{8,})'|`([^`\n]{8,})`|([^\s\"'`]{8,})")
_REST = pattern(r"[^\s\"'`]*")
_MAX_JUDGED = 128
# No format matches a text without one of these, and most texts have none.
_LONG_WORD = pattern(r"[A-Za-z0-9_%+/=~.-]{16,}|://")
_CUES = (b"pass", b"pwd", b"secret", b"token", b"key", b"credential", b"kennwort", b"contrase", b"senha")
_PEM_BEGIN = pattern(r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
_PEM_END = pattern(r"-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
_PEM_BODY = pattern(r"[A-Za-z0-9+/=]{16,}")
_PEM_BODY_WITHIN = 200
_PEM_LONGEST = 8192
_PLACEHOLDER = pattern(
    r"(?i)example|sample|placeholder|changeme|change[_-]me|dummy|redacted|your[_-]|my[_-]?(?:key|secret|token|password)"
    r"|x{4,}|\*{3,}|\.{3,}|1234567|abcdef[^0-9]|not[_-]?real|<[^>]+>|\$\{|\$\(|\{\{|%\(|process\.env|os\.environ|getenv"
)
_STRICT_PLACEHOLDER = pattern(r"(?i)example|x{8,}|\*{3,}|<[^>]+>|\$\{|\{\{|redacted")
_STARTS_PLACEHOLDER = b"<${[%*("
_CODE = pattern(r"^[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*[(\[].*$|^https?://|^[./~]")
_MIXED = pattern(r"[A-Za-z].*[0-9]|[0-9].*[A-Za-z]")
_LEAST_ENTROPY = 2.8
_LEAST_VARIETY = 5


def find_secrets(text: str) -> tuple[Span, ...]:
    """Find credentials in `text`.

    Documented example values, masked values and references to a variable are left out.

    Returns:
        Spans with labels `secret.<kind>`, each over the whole secret, sorted, none inside another.
    """
    data = project(text)
    lowered = data.lower()
    found = list(_private_keys(data))
    if _LONG_WORD.search(data):
        for known in FORMATS:
            if any(trigger in lowered for trigger in known.triggers):
                found.extend(_known(known, data))
    if any(cue in lowered for cue in _CUES):
        found.extend(_assigned(data))
    return outermost(found)


def outermost(spans: list[Span]) -> tuple[Span, ...]:
    """`spans` sorted, without those that lie inside another one."""
    kept: list[Span] = []
    for span in sorted(spans, key=lambda item: (item.start, -item.end, item.label)):
        if not kept or span.end > kept[-1].end:
            kept.append(span)
    return tuple(kept)


def _known(known: SecretFormat, data: bytes) -> Iterator[Span]:
    for match in known.pattern.finditer(data):
        start, end = match.span(known.pattern.groups)
        value = data[start:end]
        if known.entropy and (entropy(value) < known.entropy or len(set(value)) < _LEAST_VARIETY):
            continue
        if not _is_masked(known, value):
            yield Span(start, end, known.label)


def _is_masked(known: SecretFormat, value: bytes) -> bool:
    if known.entropy:
        return _STRICT_PLACEHOLDER.search(value) is not None
    return value[0] in _STARTS_PLACEHOLDER or value.lower() in {b"password", b"pass", b"pwd", b"secret"}


def _assigned(data: bytes) -> Iterator[Span]:
    for cue in _CUE.finditer(data):
        match = _VALUE.match(data, cue.end(), cue.end() + _MAX_JUDGED)
        if match is None:
            continue
        start, end = next(match.span(group) for group in range(1, 5) if match.group(group) is not None)
        if _looks_random(data[start:end]):
            rest = _REST.match(data, end) if end == cue.end() + _MAX_JUDGED else None
            yield Span(start, rest.end() if rest else end, "secret.assigned", 0.8)


def _looks_random(value: bytes) -> bool:
    bare = value.rstrip(b".,;:!?)")
    if value[0] in _STARTS_PLACEHOLDER or b" " in bare or not _MIXED.search(bare) or entropy(bare) < _LEAST_ENTROPY:
        return False
    return not (_PLACEHOLDER.search(value) or _CODE.search(value))


def _private_keys(data: bytes) -> Iterator[Span]:
    begins = [match.span() for match in _PEM_BEGIN.finditer(data)]
    ends = [match.span() for match in _PEM_END.finditer(data)] if begins else []
    for (start, inside), (following, _) in pairwise([*begins, (len(data), 0)]):
        if not _PEM_BODY.search(data, inside, min(following, inside + _PEM_BODY_WITHIN)):
            continue
        limit = min(following, inside + _PEM_LONGEST)
        position = bisect_left(ends, (inside, 0))
        # A key that was cut off is still a key, and nothing says where it stops.
        whole = position < len(ends) and ends[position][0] < limit
        yield Span(start, ends[position][1] if whole else limit, "secret.private-key")


def entropy(value: bytes) -> float:
    """Shannon entropy of `value` in bits a byte; 0 for nothing."""
    total = len(value)
    return -sum(count / total * math.log2(count / total) for count in Counter(value).values())
