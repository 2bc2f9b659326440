# ruff: noqa: E501 - one row a kind of placeholder
"""Tells a secret from what stands in its place: placeholders, references, words, published examples."""

import base64
import binascii
import hashlib
import math
from collections import Counter
from itertools import pairwise

from lockgate.detect.linear import pattern

_HEAD = 512
_LEAST_VARIETY = 5
_LEAST_KEY_ENTROPY = 2.5
_LEAST_ENTROPY = 2.8
_LEAST_LENGTH = 6
_LEAST_KEY_LENGTH = 8
_RUN_SHARE = 0.5

_MASKED = pattern(
    r"(?i)example|x{6,}|\*{3,}|\.{3,}|<[^>]+>|\$\{|\$\(|\{\{|redacted|placeholder|your[_-]?[a-z]{2}|[_-]your|changeme|change[_-]me"
    r"|insert|replace[_-]|dummy|(?:^|[_-])fake|goes[_-]?here|(?:key|token|secret|value)[_-]?here|0{12,}|not[_-]?real"
)
_PLACEHOLDER = pattern(
    r"(?i)example|sample|placeholder|change[_-]?(?:me|it|this)|dummy|redacted|masked|hidden|your[_-]|[_-]your|<[^>]*>|not[_-]?real"
    r"|\bmy[_-]?(?:key|secret|token|password|api)|x{4,}|\*{3,}|\.{3,}|_{4,}|-{4,}|\$\{|\$\(|\{\{|%\(|\bprocess[.]env|\bos[.]environ|getenv|import[.]meta"
    r"|insert|replace[_-]|to[_-]?be[_-]|\btodo|\btbd\b|(?:key|token|secret|password|value)[_-]?here|\bfake|\bfoo|foobar|\bnone\b|\bnull\b|undefined"
    r"|vault[:/]|secretref|keyvault|secretsmanager|arn:aws|op://|ref[+]|enc\[|data:|sha(?:1|256|384|512)[-:]"
)
_PLACE = pattern(
    r"^(?:(?:https?|s3|gs|file|ftp)://|[.~]{0,2}/[A-Za-z0-9._-]+/|[$%@&][A-Za-z_{(]|!(?:Ref|Sub|vault)|--?[a-z]|[A-Z][A-Z0-9]*_[A-Z0-9_]*$)"
)
_NAME = r"[A-Za-z_]?[a-z_]+(?:[A-Z][a-z]+)*[0-9]{0,2}"
_CODE = pattern(
    r"^[A-Za-z_$@][A-Za-z0-9_]*(?:(?:[.]|->|::)[A-Za-z_][A-Za-z0-9_]*)*[(\[]"
    rf"|^(?:{_NAME}(?:[.]|->|::))+{_NAME}[;,)]*$"
)
_STARTS_PLACEHOLDER = b"<${[(%|"
_WORD = r"(?:[A-Za-z]?[a-z]+(?:[A-Z][a-z]+)*[0-9]{0,3}|[A-Z]{2,}[0-9]{0,3}|[0-9]{1,4}|[vV][0-9]{1,3}|[A-Z])"
_WORDS = pattern(rf"^{_WORD}(?:[-_./:+ ]{_WORD})*$")
_TECHNICAL = pattern(
    r"(?i)^(?:[a-z]+[-_])*(?:base(?:32|58|62|64)|sha-?[0-9]{1,3}|md5|utf-?(?:8|16|32)|oauth-?[12]|rsa-?[0-9]+|aes-?[0-9]+|x509|ed25519|argon2[id]*"
    r"|[hrep]s(?:256|384|512)|[0-9]+-?(?:bits?|bytes?|chars?|characters?|days?|hours?|minutes?|seconds?|digits?|letters?|x|px|ms|kb|mb|th|nd|rd|st))"
    r"(?:[-_][a-z]+)*$"
)
_UUID = pattern(r"^[A-Fa-f0-9]{8}-(?:[A-Fa-f0-9]{4}-){3}[A-Fa-f0-9]{12}$")
_HEX = pattern(r"^(?:0x)?[A-Fa-f0-9]+$")
_DIGITS = pattern(r"^[0-9]+$")
_LETTER = pattern(r"[A-Za-z]")
_LOWER = pattern(r"[a-z]")
_UPPER = pattern(r"[A-Z]")
_DIGIT = pattern(r"[0-9]")
_SYMBOL = pattern(r"[!@#$%^&*+=?~|\\]")
_DATE = pattern(r"^[0-9]{1,4}[-/.][0-9]{1,2}[-/.][0-9]{1,4}(?:T[0-9:.Z+-]*)?$|^[0-9.,:]+$")

_WEAK_PASSWORDS = frozenset(
    b"password passwd pass pwd secret secrets user username guest root admin postgres mysql test testing token key hunter2 "
    b"login letmein default changeme none null true false string required optional empty value passphrase credentials "
    b"password1 password123 pass123 secret123 admin123 test123 test1234 1234 12345 123456 12345678 123456789 1234567890 "
    b"qwerty qwerty123 abc123 p@ssw0rd p@ssword passw0rd foobar foo bar baz xxx pw mypassword my-password yourpassword "
    b"my_password your_password secretpassword supersecret mysecretpassword s3cr3t".split()
) - {b"hunter2", b"s3cr3t", b"supersecret"}  # fmt: skip

# SHA-256 of sample credentials that their issuers print in their own documentation, so that they are no secret of
# anybody: two tokens of jwt.io, three test keys of Stripe, the account key of Azure's storage emulator.
_PUBLISHED = frozenset(
    {
        "7f75367e7881255134e1375e723d1dea8ad5f6a4fdb79d938df1f1754a830606",
        "da816f9f2c16e6c5390e7636cadc40c43551bf0bbcf8f36c65539e6633a9c5e8",
        "2cafc0970149a84f3b9e62eaf169f36f59907a3b3e31f7b82e68c69cd27f7326",
        "f2d6ca16515033e5dce14eba840b979d27b5cbae24bb3e5bf484339667f86397",
        "7e8de44ea9ecf6d53415c90f5b249a8591f7abafbf7d65a2c0d855afeca3ec09",
        "0011cc25eb4320717494d2703e8cba85743e71b500283c21c8b88147992f9059",
    }
)


def is_key(value: bytes, *, both_cases: bool = False, weak: bool = False) -> bool:
    """Whether a value in a known format is a key rather than a mask or an example.

    Args:
        value: The whole value.
        both_cases: Its alphabet has small and capital letters, so that a random value has both.
        weak: The format proves little, so that it must not be made of words either.
    """
    head = value[:_HEAD]
    if entropy(head) < _LEAST_KEY_ENTROPY or len(set(head)) < _LEAST_VARIETY:
        return False
    if _MASKED.search(head) or _counts_up(head) or hashlib.sha256(value).hexdigest() in _PUBLISHED:
        return False
    if weak and _WORDS.search(head):
        return False
    return not both_cases or bool(_UPPER.search(head) and _LOWER.search(head)) or sum(map(_is_digit, head)) > 3  # noqa: PLR2004 - four digits are no word


def is_password(value: bytes, user: bytes = b"") -> bool:
    """Whether the password of an address or a command line is one rather than a placeholder for it."""
    bare = value.strip(b".,;")
    if not bare or bare[0] in _STARTS_PLACEHOLDER or bare.lower() in _WEAK_PASSWORDS or bare == user:
        return False
    return not (_PLACEHOLDER.search(bare[:_HEAD]) or len(set(bare)) == 1 or _PLACE.search(bare[:_HEAD]))


def is_assigned_password(value: bytes, *, quoted: bool, spoken: bool) -> bool:
    """Whether what is assigned to a password is one.

    Args:
        value: The value.
        quoted: It stands in quotes, so it is no code.
        spoken: It stands in a sentence, where a word without digits is a word.
    """
    head = value.rstrip(b".,;:!?)")[:_HEAD]
    if len(head) < _LEAST_LENGTH or not is_password(head) or b" " in head or len(set(head)) < _LEAST_VARIETY - 1:
        return False
    if (
        (not quoted and _CODE.search(head))
        or _TECHNICAL.search(head)
        or (_DATE.search(head) and not _DIGITS.search(head))
        or _counts_up(head)
    ):
        return False
    if _DIGITS.search(head):
        return not spoken and len(set(head)) > _LEAST_VARIETY - 1
    if not _LETTER.search(head):
        return bool(_SYMBOL.search(head) and _DIGIT.search(head))
    return bool(_DIGIT.search(head)) or bool(_SYMBOL.search(head) and _UPPER.search(head))


def is_assigned_key(value: bytes, *, strong: bool, quoted: bool = True) -> bool:
    """Whether what is assigned to a key, a token or a secret is random.

    Args:
        value: The value.
        quoted: It stands in quotes, so it is no code.
        strong: The name says that it is a key of a service, which may also be a UUID.
    """
    head = value.rstrip(b".,;:!?)")[:_HEAD]
    if len(head) < _LEAST_KEY_LENGTH or head[0] in _STARTS_PLACEHOLDER or b" " in head:
        return False
    if not (_LETTER.search(head) and _DIGIT.search(head)) or entropy(head) < _LEAST_ENTROPY:
        return False
    if _UUID.search(head):
        return strong and not _counts_up(head)
    if (_WORDS.search(head) and not _HEX.search(head)) or (not quoted and _CODE.search(head)):
        return False
    return not (_PLACEHOLDER.search(head) or _PLACE.search(head) or _TECHNICAL.search(head) or _counts_up(head))


def is_session(value: bytes, *, in_cookie: bool) -> bool:
    """Whether a value is a session's id; a digest or a UUID is one only in a cookie."""
    bare = value.rstrip(b".,;:)")[:_HEAD]
    if not in_cookie and (_HEX.search(bare) or _UUID.search(bare)):
        return False
    return is_assigned_key(bare, strong=in_cookie)


def holds_credentials(value: bytes) -> bool:
    """Whether base64 (RFC 7617) says `user:password`, and the password is no placeholder."""
    plain = value.replace(b"\\/", b"/")
    try:
        decoded = base64.b64decode(plain + b"=" * (-len(plain) % 4), validate=True)
    except (binascii.Error, ValueError):
        return False
    user, colon, password = decoded.partition(b":")
    printable = all(32 <= byte < 127 or byte > 127 for byte in decoded)  # noqa: PLR2004 - printable ASCII or UTF-8
    return bool(colon and password) and printable and is_password(password, user) and password != b"open sesame"


def entropy(value: bytes) -> float:
    """Shannon entropy of `value` in bits a byte; 0 for nothing."""
    total = len(value)
    return -sum(count / total * math.log2(count / total) for count in Counter(value).values())


def _counts_up(value: bytes) -> bool:
    """Whether most of it is a row such as `abcdef` or `123456`, as nobody's key is."""
    steps = sum(after - before in {1, -9} for before, after in pairwise(value))
    return steps > _RUN_SHARE * len(value)


def _is_digit(byte: int) -> bool:
    return 48 <= byte <= 57  # noqa: PLR2004 - ASCII
