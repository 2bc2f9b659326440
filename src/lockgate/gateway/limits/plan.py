"""Which limits apply to a caller and a model, and what a request costs in each."""

import hashlib
from collections.abc import Iterable

import msgspec

from lockgate.core.config_limits import LimitsConfig, Price, RateLimit
from lockgate.gateway.caller import Caller
from lockgate.gateway.errors import GatewayError
from lockgate.gateway.limits.gcra import REQUESTS, SPEND, Costs, Entry, Limit

_MAX_PLANS = 20_000
_LONGEST_NAME = 128
_PER_MILLION = 1e-6
_ANY_MODEL = "*"
_FREE = Price(input=0, output=0)

GUARD_MODEL = "lockgate-guard"
"""What asking the guard itself counts as. It costs nothing unless the settings give it a price."""


class Plan(msgspec.Struct, frozen=True):
    """What applies to one caller and model.

    Attributes:
        entries: The limits, each with the name of its meter.
        price: The model's price; None where it has none, and then no limit of spend applies.
        unpriced: Whether a limit of spend applies to a model without a price, which is then refused.
    """

    entries: tuple[Entry, ...]
    price: Price | None
    unpriced: bool

    def costs(self, input_tokens: int, output_tokens: int) -> Costs:
        """What a request costs."""
        price = self.price
        spend = (input_tokens * price.input + output_tokens * price.output) * _PER_MILLION if price else 0.0
        return 1.0, float(input_tokens + output_tokens), spend


class Planner:
    """The limits of the settings, by caller and model.

    Args:
        settings: The limits.
        share: Into how many equal parts they are cut, of which this is one.

    Raises:
        GatewayError: A part of a limit of requests is too small for a single request.
    """

    def __init__(self, settings: LimitsConfig, *, share: int = 1) -> None:
        self._prices = settings.prices
        self._plans: dict[tuple[str, str, str], Plan] = {}
        self._limits: list[tuple[RateLimit, Limit]] = []
        names: dict[str, int] = {}
        for rate in settings.rates:
            name = _name(rate)
            names[name] = names.get(name, 0) + 1
            limit = Limit.of(rate, limit_id=name if names[name] == 1 else f"{name}#{names[name]}", share=share)
            if limit.kind == REQUESTS and limit.capacity < 1:
                raise GatewayError(
                    f"A limit of {rate.limit:g} requests per {rate.per} cannot be divided among {share} workers.",
                    remedy="Count in Redis (limits.store), use fewer workers or a larger burst.",
                )
            self._limits.append((rate, limit))

    def plan(self, caller: Caller, model: str) -> Plan:
        """What applies to this caller and model. The model is a served one, never a caller's own word."""
        key = (caller.key_id, caller.tenant, model)
        found = self._plans.get(key)
        if found is None:
            if len(self._plans) >= _MAX_PLANS:
                self._plans.clear()
            found = self._plans[key] = self._make(caller, model)
        return found

    def _make(self, caller: Caller, model: str) -> Plan:
        entries = tuple(
            Entry(f"{limit.id}:{_who(rate, caller, model)}", limit.kind, limit.interval, limit.tolerance, limit)
            for rate, limit in self._limits
            if _applies(rate, caller, model)
        )
        price = self._prices.get(model) or self._prices.get(_ANY_MODEL) or (_FREE if model == GUARD_MODEL else None)
        return Plan(entries, price, price is None and any(entry.kind == SPEND for entry in entries))


def check_models(settings: LimitsConfig, models: Iterable[str]) -> None:
    """Make sure that no limit is about a model that is not served, since it would never apply.

    Raises:
        GatewayError: One is.
    """
    known = {*models, GUARD_MODEL}
    for rate in settings.rates:
        for name in rate.models:
            if name not in known:
                raise GatewayError(
                    f"A limit of {rate.what} per {rate.per} is about the model {name!r}, which is not served.",
                    remedy=f"Use {', '.join(sorted(known))}.",
                )


def check_prices(settings: LimitsConfig, models: Iterable[str]) -> None:
    """Make sure that every served model has a price where one is needed.

    Raises:
        GatewayError: A limit of spend applies to a model without a price.
    """
    spends = [rate for rate in settings.rates if rate.what == "spend"]
    for model in models:
        needed = any(not rate.models or model in rate.models for rate in spends)
        if needed and model not in settings.prices and _ANY_MODEL not in settings.prices:
            raise GatewayError(
                f"A limit of spend applies to the model {model!r}, which has no price.",
                remedy="Add it to serve.limits.prices.",
            )


def _applies(rate: RateLimit, caller: Caller, model: str) -> bool:
    return (
        (not rate.keys or caller.key_id in rate.keys)
        and (not rate.tenants or caller.tenant in rate.tenants)
        and (not rate.models or model in rate.models)
    )


def _who(rate: RateLimit, caller: Caller, model: str) -> str:
    words = {"key": caller.key_id, "tenant": caller.tenant, "model": model, "total": ""}
    # With its length before each, no two lists of names read alike.
    return ",".join(f"{len(words[word])}.{short(words[word])}" for word in rate.per.split("+"))


def short(name: str) -> str:
    """A name, or the hash of one that is long."""
    if len(name) <= _LONGEST_NAME:
        return name
    return hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()


def _name(rate: RateLimit) -> str:
    name = f"{rate.per}/{rate.what}/{rate.every_s:g}"
    chosen = (rate.keys, rate.tenants, rate.models)
    if not any(chosen):
        return name
    return f"{name}/{hashlib.sha256(msgspec.json.encode(chosen)).hexdigest()[:12]}"
