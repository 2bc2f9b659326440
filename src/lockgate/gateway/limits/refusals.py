"""What a caller is told when a limit does not let a request through."""

import math

from lockgate.gateway.asgi import Headers
from lockgate.gateway.errors import ApiError
from lockgate.gateway.limits.gcra import KINDS, Limit
from lockgate.gateway.limits.standing import retry_after


class LimitError(ApiError):
    """A refusal with the headers of the limit.

    Args:
        status: HTTP status.
        code: Stable word for programs.
        message: One sentence for the caller.
        wait_s: Seconds after which a retry makes sense.
        standing: Headers that say how the caller stands.
    """

    def __init__(self, status: int, code: str, message: str, *, wait_s: float, standing: Headers | None = None) -> None:
        super().__init__(status, code, message, retry_after_s=max(1, math.ceil(wait_s)))
        self._headers = [*(standing or []), *retry_after(wait_s)]

    def headers(self) -> Headers:
        """The limit's headers and when to try again."""
        return list(self._headers)


def over_limit(limit: Limit, wait_s: float, standing: Headers) -> LimitError:
    """A limit is used up for now: 429."""
    what = f"{KINDS[limit.kind]} per {limit.per.replace('+', ' and ')}"
    message = f"The limit of {what} is reached. Try again in {max(1, math.ceil(wait_s))} s."
    return LimitError(429, "rate_limit_exceeded", message, wait_s=wait_s, standing=standing)


def never_fits(limit: Limit) -> ApiError:
    """One request asks for more than the limit ever has: 400, since a retry is in vain."""
    what = f"{KINDS[limit.kind]} per {limit.per.replace('+', ' and ')}"
    return ApiError(
        400,
        "request_exceeds_limit",
        f"This request alone needs more than the limit of {what} allows at once. Shorten it or lower max_tokens.",
        labels=("error.rate_limit_exceeded",),
    )


def too_many_at_once(*, mine: bool) -> LimitError:
    """Too many requests are in progress: 429 when they are the caller's own, else 503."""
    if mine:
        return LimitError(429, "rate_limit_exceeded", "Too many of your requests are in progress.", wait_s=1)
    return LimitError(503, "overloaded", "Too many requests are in progress.", wait_s=1)


def too_many_prompts(wait_s: float) -> LimitError:
    """The key sent too many different prompts: 429."""
    message = "This key sent too many different prompts. Try again later."
    return LimitError(429, "rate_limit_exceeded", message, wait_s=wait_s)


def unavailable() -> LimitError:
    """Use cannot be counted, so nothing is let through: 503."""
    return LimitError(503, "limits_unavailable", "Limits cannot be checked at the moment. Try again.", wait_s=1)


def too_long(*, output: bool) -> ApiError:
    """The prompt or the answer asked for is longer than allowed: 400."""
    if output:
        return ApiError(400, "max_tokens_too_large", "max_tokens is larger than allowed here.", param="max_tokens")
    return ApiError(400, "context_length_exceeded", "The prompt is longer than allowed here.", param="messages")


def unpriced() -> ApiError:
    """A limit of spend applies, and the model has no price: 503."""
    return ApiError(503, "limits_unavailable", "This model has no price, so the limit of spend cannot be kept.")
