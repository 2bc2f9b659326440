# ruff: noqa: E501 - one row a script
"""Finds credentials: keys in a known format, private key blocks, and assigned values that look random."""

from collections.abc import Callable, Iterator

from lockgate.core import Span
from lockgate.detect.linear import pattern, project
from lockgate.detect.secret_assigned import FOREIGN_CUE, find_assigned, has_cue
from lockgate.detect.secret_blocks import find_private_keys
from lockgate.detect.secret_checksums import certain
from lockgate.detect.secret_formats import SecretFormat, possible
from lockgate.detect.secret_joined import joined
from lockgate.detect.secret_values import holds_credentials, is_assigned_key, is_key, is_password, is_session

_DOUBTFUL = 0.7
_ALNUM = frozenset(b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
_ESCAPE = pattern(r"(?:\\[nrtbf]|%[0-9A-Fa-f]{2}|\\u[0-9A-Fa-f]{4}|\x1b\[[0-9;]{0,10}m)$")
_ESCAPE_LONGEST = 13
_FOREIGN = (
    "пароль", "Пароль", "ПАРОЛЬ", "парола", "лозинка", "секретный ключ", "ключ API", "API-ключ", "κωδικός", "Κωδικός", "κωδικό", "סיסמה", "סיסמא",
    "كلمة المرور", "كلمة السر", "رمز عبور", "गुप्तशब्द", "पासवर्ड", "পাসওয়ার্ড", "รหัสผ่าน", "密码", "密碼", "口令", "密钥", "密鑰", "金鑰", "令牌",
    "パスワード", "暗証番号", "キー", "비밀번호", "암호", "비번", "şifre", "Şifre", "contraseña", "Contraseña", "mật khẩu", "Mật khẩu",
)  # fmt: skip
_FULL_WIDTH = str.maketrans("\uff1a\uff1d", ":=")


def find_secrets(text: str) -> tuple[Span, ...]:
    """Find credentials in `text`.

    Documented example values, masked values and references to a variable are left out.

    Returns:
        Spans with labels `secret.<kind>`, each over the whole secret, sorted, none inside another.
    """
    data = project(text if text.isascii() else _with_foreign_cues(text))
    found = list(find_private_keys(data))
    for known in possible(data):
        found.extend(_known(known, data))
    if has_cue(data):
        found.extend(find_assigned(data))
    return outermost([*found, *_across_joins(data)])


def outermost(spans: list[Span]) -> tuple[Span, ...]:
    """`spans` sorted, without those that lie inside another one."""
    kept: list[Span] = []
    for span in sorted(spans, key=lambda item: (item.start, -item.end, -item.score, item.label)):
        if not kept or span.end > kept[-1].end:
            kept.append(span)
    return tuple(kept)


def _with_foreign_cues(text: str) -> str:
    """`text` with words for "password" that ASCII cannot write replaced by as many marks."""
    for word in _FOREIGN:
        if word in text:
            text = text.replace(word, FOREIGN_CUE * len(word))
    return text.translate(_FULL_WIDTH) if "\uff1a" in text or "\uff1d" in text else text


def _known(known: SecretFormat, data: bytes) -> Iterator[Span]:
    searched = known.pattern
    judge = _JUDGES[known.judge]
    judged: dict[bytes, float] = {}
    for match in searched.finditer(data):
        group = next((number for number in range(searched.groups, 0, -1) if match.start(number) >= 0), 0)
        start, end = match.span(group)
        if known.word and not _begins(data, start):
            continue
        value = data[start:end]
        score = judged.get(value)
        if score is None:
            score = judged[value] = judge(known, value) and (1.0 if certain(known.label, value) else _DOUBTFUL)
        if score:
            yield Span(start, end, known.label, score)


def _begins(data: bytes, start: int) -> bool:
    """Whether a word begins at `start`, also behind an escape sequence that ends in a letter or digit."""
    return (
        start == 0
        or data[start - 1] not in _ALNUM
        or bool(_ESCAPE.search(data[max(0, start - _ESCAPE_LONGEST) : start]))
    )


def _across_joins(data: bytes) -> Iterator[Span]:
    """Keys that are written over several lines or strings."""
    whole = joined(data)
    if whole is None:
        return
    for known in possible(whole.data):
        if known.word or known.judge in {"key", "proof"}:
            for span in _known(known, whole.data):
                place = whole.original(span.start, span.end)
                if place:
                    yield Span(*place, span.label, span.score)


def _is_key(known: SecretFormat, value: bytes) -> bool:
    return is_key(value, both_cases=known.both_cases, weak=known.weak)


_JUDGES: dict[str, Callable[[SecretFormat, bytes], bool]] = {
    "key": _is_key,
    "password": lambda _, value: is_password(value),
    "value": lambda _, value: is_session(value, in_cookie=False),
    "cookie": lambda _, value: is_session(value, in_cookie=True),
    "basic": lambda _, value: holds_credentials(value),
    "auth": lambda _, value: holds_credentials(value) or is_assigned_key(value, strong=True),
    "proof": lambda _, value: len(set(value)) > 4,  # noqa: PLR2004 - a mask has one or two
}
