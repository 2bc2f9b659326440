"""What the gateway tells its operator (`GatewayError`) and its callers (`ApiError`)."""

from http import HTTPStatus

import msgspec

from lockgate.core import LockgateError

GUARD_ERROR = "guard.error"
FAIL_OPEN = "guard.fail-open"


class GatewayError(LockgateError):
    """The gateway cannot start or go on: a key, a port, a prompt file, the model or its server."""


class ApiError(Exception):
    """A refusal, in the shapes that OpenAI's and Anthropic's clients understand.

    Args:
        status: HTTP status.
        code: Stable word for programs, as docs list them.
        message: One sentence for the caller. Never quotes a prompt, an answer or a key.
        param: The request field that is at fault, as a path.
        retry_after_s: Seconds after which a retry makes sense; 0 where none does.
        allow: The method that this address answers to, where another one was used.
        labels: What the event records; by default `error.<code>`.
        score: The guard's injection score, where it gave one.

    Attributes:
        unused: Whether it is known that no model did any work for the request.
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        param: str | None = None,
        retry_after_s: int = 0,
        allow: str = "",
        labels: tuple[str, ...] = (),
        score: float = 0.0,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.param = param
        self.retry_after_s = retry_after_s
        self.allow = allow
        self.labels = labels or (f"error.{code}",)
        self.score = score
        self.unused = False

    @property
    def unjudged(self) -> bool:
        """Whether this is a refusal because the guard could not judge."""
        return self.code == _UNAVAILABLE

    @property
    def blocked(self) -> bool:
        """Whether the guard decided this, rather than a fault."""
        return self.code == "content_filter"

    def headers(self) -> list[tuple[bytes, bytes]]:
        """What HTTP wants beside the body (RFC 9110, sections 10.2 and 15.5)."""
        found: list[tuple[bytes, bytes]] = []
        if self.status == HTTPStatus.UNAUTHORIZED:
            found.append((b"www-authenticate", b"Bearer"))
        if self.status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
            found.append((b"connection", b"close"))
        if self.allow:
            found.append((b"allow", self.allow.encode()))
        if self.retry_after_s:
            found.append((b"retry-after", str(self.retry_after_s).encode()))
        return found

    def body(self) -> bytes:
        """The JSON document `{"error": {"message", "type", "param", "code"}}`."""
        kind = _TYPES.get(self.status, "server_error" if self.status >= _OURS else "invalid_request_error")
        return msgspec.json.encode(
            {"error": {"message": self.message, "type": kind, "param": self.param, "code": self.code}}
        )

    def anthropic_body(self, request_id: str) -> bytes:
        """The JSON document `{"type": "error", "error": {"type", "message", "code"}, "request_id"}`."""
        kind = _ANTHROPIC_TYPES.get(self.status, "api_error" if self.status >= _OURS else "invalid_request_error")
        error = {"type": kind, "message": self.message, "code": self.code, "param": self.param}
        return msgspec.json.encode({"type": "error", "error": error, "request_id": request_id})


_OURS = 500
_UNAVAILABLE = "guard_unavailable"
_TYPES = {429: "rate_limit_error"}
_ANTHROPIC_TYPES = {
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    503: "overloaded_error",
    504: "timeout_error",
}


def invalid(code: str, message: str, *, param: str | None = None) -> ApiError:
    """A request that is malformed: 400."""
    return ApiError(400, code, message, param=param)


def content_filtered(labels: tuple[str, ...], score: float, *, what: str) -> ApiError:
    """The guard blocked the request or the answer: 400 with the code that OpenAI's clients know."""
    return ApiError(
        400, "content_filter", f"The guard blocked this {what}.", labels=labels or ("guard.blocked",), score=score
    )


def guard_failed(label: str) -> ApiError:
    """The guard could not judge, so nothing is sent: 503."""
    return ApiError(
        503,
        _UNAVAILABLE,
        "The guard could not judge this text, so it was not sent. Try again.",
        retry_after_s=1,
        labels=(GUARD_ERROR, label) if label != GUARD_ERROR else (GUARD_ERROR,),
    )


def bad_upstream(why: str) -> ApiError:
    """The model server answered with something that is no answer: 502."""
    return ApiError(502, "bad_upstream", f"The model server {why}.")


def slow_upstream() -> ApiError:
    """The model server did not answer in time: 504."""
    return ApiError(504, "upstream_timeout", "The model server did not answer in time.")
