"""The one credential of a request, out of the headers in which clients send it."""

from collections.abc import Iterable

from lockgate.gateway.auth.refusal import Reason, Refusal

MAX_CREDENTIAL = 16_384
# OpenAI's clients send `authorization`, Anthropic's `x-api-key`, Azure's `api-key`.
_BARE = frozenset({b"x-api-key", b"api-key"})
_VISIBLE = frozenset(range(0x21, 0x7F))


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
    if len(credential) > MAX_CREDENTIAL or not _VISIBLE.issuperset(credential):
        return Refusal(Reason.MALFORMED)
    return credential.decode("ascii")
