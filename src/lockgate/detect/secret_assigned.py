# ruff: noqa: E501 - one row a language or a kind of name
"""Finds values that are assigned to a name such as `password`, in code, settings, command lines and sentences."""

import re
from collections.abc import Iterator

from lockgate.core import Span
from lockgate.detect.linear import Match, pattern
from lockgate.detect.secret_values import is_assigned_key, is_assigned_password, is_key
from lockgate.detect.secret_vendors import issued

FOREIGN_CUE = "\x10"
"""Stands for each letter of a word for "password" that ASCII cannot write."""

_LOGIN = (
    r"_?(?:pass(?:word|wd|phrase|code)|pwd|passwort|kennwort|contrase(?:\x1a|n)a|mot de passe|senha|wachtwoord|has\x1ao|l\x1asenord"
    r"|adgangskode|passord|salasana|heslo|jelsz\x1a|parol[ae]|kata sandi|m\x1at kh\x1au|\x10{1,24})|(?:\b|_)(?:pass|pw|mdp|clave)"
)
_KEY = (
    r"_?(?:secret|token|(?:api|acc(?:ess|ount)|auth|app(?:lication)?|private|sign(?:ing|ature)|encrypt(?:ion)?|secret|master|admin"
    r"|service|license|shared|storage|subscription|webhook|root|client|consumer|server|deploy|write|read|session|hmac|jwt|cookie"
    r"|cipher|aes|ssh|ssl|registry|integration|security|bot|user|project|routing|ingest|upload|hash|psk|crypto)[_. -]?(?:key|pat)"
    r"|apikey|credential|api[ -]schl\x1assel|cl\x1a (?:api|secr\x1ate)|clave (?:api|secreta)|chiave (?:api|segreta)"
    r"|chave (?:api|de api|secreta)|klucz api)|(?:\b|_)psk"
)
_WEAK = r"_?key|(?:\b|_)(?:auth|pat|sid|dsn)"
_QUOTE = r"(?:\\{0,3}[\"'`]|&quot;|&#3[49];|%2[27]|\\u002[27])"
_FOR = (
    r"(?:\s(?:for|of|to|on|in|from|at|f\x1ar|zu[mr]?|der|des|von|de|del|da|do|du|pour|para|per|van|voor|till|dla|do|k)\s"
    r"[^\n=:;,\"'`]{1,40}|\s?\([^)\n]{1,30}\))?"
)
_TYPED = r":\s{0,2}(?:&'static )?&?(?:secret)?str(?:ing)?\s{0,2}="
_OPERATOR = rf"{_TYPED}|:=|=>|->|={{1,3}}|:{{1,2}}|%3[ad]|\\u003[ad]|\||>|,|\("
_ASSIGNED = rf"{_QUOTE}?[\])*_ \t]{{0,4}}\s{{0,3}}({_OPERATOR})\s{{0,3}}[*_ ]{{0,3}}"
_LISTED = (
    rf"{_QUOTE}?[,}}]?\s{{0,40}}\{{?\s{{0,40}}(?:type\s{{0,9}}=\s{{0,9}}string\s{{1,40}})?{_QUOTE}?(?:value|default){_QUOTE}?"
    r"\s{0,12}[:=]\s{0,3}"
)
_SPOKEN = (
    r"[\"'`*]{0,2}\s(?:is|was|ist|lautet|es|est|\x1a|e|are|to|as|will be|now|jest|er|\x1ar|on|je|l\x1a)\s"
    r"(?:now |set to |changed to |still |also )?:?\s?"
)
_BESIDE = r"(?:[\x1a \t:=]{1,30}|[\x1a \t:=]{0,10}\n[ \t]{0,10})"
_VALUE = (
    r"(?:(?:[A-Za-z_.]{1,30}\((?:[\"'][A-Za-z0-9_.]{1,40}[\"'],\s?)?|[bruf@$]{1,2})?(?:\\{1,3}\"([^\"\\\n]{4,})|\"((?:[^\"\\\n]|\\[^\n]){4,})\"|'([^'\n]{4,})')|\\?`([^`\n]{4,})`"
    r"|(?:&quot;|&#3[49];|%2[27]|\\u002[27])([^&%\s\"'\\]{4,})|\\{0,3}[\"'`\(]?([^\s\"'`]{4,}))"
)
_SOURCE = rf"(?i)(?:({_LOGIN})|({_KEY})|({_WEAK}))s?([a-z0-9_-]{{0,24}})(?:{_FOR}(?:{_ASSIGNED}|({_LISTED})|({_SPOKEN}))|({_BESIDE})){_VALUE}"
_ASSIGNMENT = pattern(_SOURCE)
# Without groups RE2 need not follow which of them took part, which is most of the cost of a match.
_CANDIDATE = pattern(re.sub(r"(?<!\\)\((?!\?)", "(?:", _SOURCE))
_TELLING = bytes(set(range(256)) - set(b"0123456789!@#$%^&*+?~\\"))
_GROUPS = range(9, 15)
_BARE = 14
_CUE = pattern(r"(?i)p(?:ass|wd|w\b|at\b|sk|arol)|secret|token|key|auth|cred|kennwort|contrase|senha|wachtw|has\x1ao|l\x1asen|adgangsk|salasana|heslo|jelsz|sandi|kh\x1au|\x10|mdp|clave|schl\x1as|cl\x1a |chiave|chave|klucz|dsn|sid")  # fmt: skip
_NO_VALUE = pattern(
    r"(?i)(?:id|ids|names?|arn|ur[il]|path|file|filename|dir|types?|version|len|length|size|count|limit|expir[a-z_]*|expires|ttl|age|field"
    r"|label|hint|policy|class|prefix|digest|alg|algorithm|ref|regex|pattern|index|_at|date|time|enabled|required|min|max|reset|rotation"
    r"|manager|store|provider|scope|usage|budget|hash|izer|izers|ization|ized|ize|ary|less|board|word|stone|frame|note|pair|ring|map|code|event)$"
)
_NO_SECRET = pattern(
    r"(?i)(?:(?:^|[^a-z])(?:public|publishable|pub|site|next|page|continuation|sync|eos|bos|pad|unk|mask|cls|sep|special|stop|num|max|min|prompt"
    r"|completion|total|input|output|csrf|xsrf|cancel[a-z]*|design|theme|lex|parse[rd]?|syntax|first|last|primary|foreign|cache|idempotency"
    r"|encrypted|hashed|partition|sort|object|trusted|refs?|host|known|gpg|pgp|author)|(?-i:[a-z](?:Page|Public|Next|Max|Min)))[_ .-]?$"
)
_NAMES_KEY = pattern(r"(?i)pass|pwd|secret|token|[_-]key|Key$")
_NAMES_PASSWORD = pattern(r"pass|pwd")
_CUT = pattern(r"[&;][A-Za-z][A-Za-z0-9_ .-]{0,30}=|%26|%22|%0[AaDd]|&quot;|&#3|&amp;|\\[nrt]|\\u0026|\\u0022|</|\\$")
_CLOSERS = {ord(")"): b"(", ord("]"): b"[", ord("}"): b"{"}
_SHORT = frozenset((b"pass", b"pw", b"mdp", b"clave", b"key", b"auth", b"pat", b"sid", b"dsn", b"psk"))
_NESTED = 2
_LONGEST_NAME = 64
_LEAST_NESTED = 12
_NAMED_WITHIN = 48
_LEAST_BESIDE_PASSWORD = 8
_LEAST_BESIDE_KEY = 24
_BEYOND_ASCII = frozenset(b"\x10\x1a")


def has_cue(data: bytes) -> bool:
    """Whether a projected text holds any word that a value may be assigned to."""
    return _CUE.search(data) is not None


def find_assigned(data: bytes) -> Iterator[Span]:
    """Find assigned values in a projected text."""
    judged: dict[tuple[bytes, bytes], tuple[Span, ...]] = {}
    position = 0
    while candidate := _CANDIDATE.search(data, position):
        start, end = candidate.span()
        text = data[start:end]
        before = data[max(0, start - _NAMED_WITHIN) : start]
        found: tuple[Span, ...] | None = ()
        # No value of letters alone is taken for a secret, and most candidates are words.
        if text.translate(None, _TELLING):
            found = judged.get((before, text))
            if found is None:
                found = judged[before, text] = tuple(_judged(before, text))
            for span in found:
                yield Span(span.start + start, span.end + start, span.label, span.score)
        position = end if found else _resume(text, start, end)


def _resume(text: bytes, start: int, end: int) -> int:
    """Where to look on behind a candidate that is none: the word taken for its value may itself name a secret."""
    blank = max(text.rfind(b" "), text.rfind(b"\n"))
    return start + blank + 1 if blank > 0 and len(text) - blank <= _LONGEST_NAME else end


def _judged(before: bytes, text: bytes, depth: int = 0) -> Iterator[Span]:
    """The secrets in a candidate; a value that is none is searched itself, two levels deep."""
    match = _ASSIGNMENT.search(text)
    if match is None:
        return
    group = next(number for number in _GROUPS if match.start(number) >= 0)
    first, last = match.span(group)
    if group == _BARE:
        last = _trimmed(text, first, last)
    label = _label(before, match, text[first:last], quoted=group != _BARE)
    if label:
        yield Span(first, last, label, 0.8)
    elif depth < _NESTED and len(text) > first + _LEAST_NESTED and has_cue(text[first:]):
        for span in _judged(text[:first][-_NAMED_WITHIN:], text[first:], depth + 1):
            yield Span(span.start + first, span.end + first, span.label, span.score)


def _label(before: bytes, match: Match, value: bytes, *, quoted: bool) -> str | None:
    """What the value is, None if it is no secret."""
    cue, suffix = _cue(match)
    if not value or _NO_VALUE.search(suffix) or _NO_SECRET.search(before):
        return None
    vendor = issued((before + cue + suffix).lower(), value)
    if vendor and is_key(value):
        return vendor
    if not _is_separated(match, before, value, quoted=quoted):
        return None
    name = (cue + suffix).lower()
    if _NAMES_PASSWORD.search(name) or match.group(1):
        spoken = match.start(5) < 0 and match.start(6) < 0
        return "secret.assigned" if is_assigned_password(value, quoted=quoted, spoken=spoken) else None
    if not match.group(2) and not _NAMES_KEY.search(suffix):
        return None
    strong = b"key" in name or before[-7:].lower() in {b"client_", b"access_"}
    return "secret.assigned" if is_assigned_key(value, strong=strong, quoted=quoted) else None


def _cue(match: Match) -> tuple[bytes, bytes]:
    """The word that names a secret, and what follows it in the name."""
    cue = match.group(1) or match.group(2) or match.group(3) or b""
    suffix = match.group(4) or b""
    if cue.strip(b"_").lower() in _SHORT and suffix[:1].isalpha() and not _NAMES_KEY.search(suffix):
        # The beginning of another word: `passenger`, `keyboard`.
        return cue, suffix + b"-type"
    return cue, suffix


def _is_separated(match: Match, before: bytes, value: bytes, *, quoted: bool) -> bool:
    """Whether what stands between name and value can mean an assignment."""
    operator = match.group(5)
    if operator == b",":
        return quoted and not match.group(4) and before[-1:] in {b'"', b"'"}
    if operator == b"|":
        return b"| " in (match.group() or b"")
    if operator or match.start(8) < 0:
        return operator != b"(" or (quoted and not match.group(4))
    # Only a blank between: a flag of a command line, or a secret that is written beside the word.
    if before.endswith(b"-") or _BEYOND_ASCII.intersection((match.group(1) or b"") + (match.group(8) or b"")):
        return True
    return is_assigned_key(value, strong=False) and _is_long_enough(match, value)


def _is_long_enough(match: Match, value: bytes) -> bool:
    """Whether a value beside a name is too long to be a word; digits to base 16 may also be a digest."""
    if match.group(1):
        return len(value) >= _LEAST_BESIDE_PASSWORD
    hexadecimal = not value.strip(b"0123456789abcdefABCDEF")
    return len(value) >= _LEAST_BESIDE_KEY and (not hexadecimal or b"api" in (match.group(2) or b"").lower())


def _trimmed(data: bytes, first: int, last: int) -> int:
    """Where a value without quotes ends: before the next field, and without the punctuation around it."""
    cut = _CUT.search(data, first, last)
    last = cut.start() if cut else last
    while last > first:
        closing = data[last - 1]
        opening = _CLOSERS.get(closing)
        if closing not in b",;|\\" and (opening is None or opening in data[first:last]):
            break
        last -= 1
    return last
