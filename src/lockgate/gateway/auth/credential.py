"""The one credential of a request, out of the headers in which clients send it."""

from collections.abc import Iterable

from lockgate.gateway.auth.refusal import Reason, Refusal

MAX_CREDENTIAL = 16_384
# OpenAI's clients send `authorization`, Anthropic's `x-api-key`, Azure's `api-key`.
_BARE = frozenset({b"x-api-key", b"api-key"})


def find_credential(headers: Iterable[tuple[bytes, bytes]]) -> str | Refusal:
    """The credential in `Authorization: Bearer ...`, `x-api-key` or `api-key`.

    Two different ones are refused, because a proxy before us may have judged the other.

    Args:
        headers: Names in lower case, and values, as ASGI gives them.
    """
    found: set[bytes] = set()
    for name, value in headers:
        if name == b"authorization":
            scheme, _, rest = value.strip().partition(b" ")
            if scheme.lower() != b"bearer":
                return Refusal(Reason.MALFORMED)
            found.add(rest.strip())
        elif name in _BARE:
            found.add(value.strip())
    found.discard(b"")
    if len(found) != 1:
        return Refusal(Reason.AMBIGUOUS if found else Reason.MISSING)
    credential = found.pop()
    # Latin-1 gives any bytes a text, which is then looked at as one.
    text = credential.decode("latin-1")
    if len(text) > MAX_CREDENTIAL or not text.isascii() or not text.isprintable() or " " in text:
        return Refusal(Reason.MALFORMED)
    return text
