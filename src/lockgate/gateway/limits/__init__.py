"""How much callers may use: requests, tokens, spend, concurrency, different prompts and the gateway's time."""

from lockgate.gateway.limits.admission import Admission, Estimate, estimate_tokens
from lockgate.gateway.limits.limiter import Limiter
from lockgate.gateway.limits.patience import patient
from lockgate.gateway.limits.plan import GUARD_MODEL, check_models, check_prices
from lockgate.gateway.limits.refusals import LimitError
from lockgate.gateway.limits.standing import Shape

__all__ = [
    "GUARD_MODEL",
    "Admission",
    "Estimate",
    "LimitError",
    "Limiter",
    "Shape",
    "check_models",
    "check_prices",
    "estimate_tokens",
    "patient",
]
