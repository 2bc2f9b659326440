"""Settings of `serve` that say how much callers may use (`limits`) and what they may ask for (`rules`)."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from lockgate.core.config_auth import SecretRef

_Text = Annotated[str, Meta(min_length=1, max_length=200)]
_Amount = Annotated[float, Meta(gt=0, le=1e15)]
_Price = Annotated[float, Meta(ge=0, le=1e9)]
_Seconds = Annotated[float, Meta(gt=0, le=86_400)]
_Count = Annotated[int, Meta(ge=1, le=1_000_000)]
_Tokens = Annotated[int, Meta(ge=1, le=100_000_000)]

Scope = Literal["key", "tenant", "model", "key+model", "tenant+model", "total"]
Measure = Literal["requests", "tokens", "spend"]


class _Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A mapping of the settings file that refuses keys it does not know."""


class RateLimit(_Section, frozen=True, kw_only=True):
    """So much in so many seconds. Every limit that fits a request must have room for it.

    Attributes:
        per: Whose use is counted together.
        what: What is counted: requests, tokens (of prompts and answers) or spend by `prices`.
        limit: How much flows back in `every_s` seconds, in the unit of `what`.
        every_s: The seconds of `limit`.
        burst: How much may be used at once; by default `limit`. In any span of t seconds at most `burst` plus
            t / `every_s` times `limit` is let through.
        keys: Ids of the keys that it counts for; empty for all.
        tenants: Tenants that it counts for; empty for all.
        models: Models that it counts for, by the names that callers use; empty for all.
    """

    per: Scope
    what: Measure = "requests"
    limit: _Amount
    every_s: Annotated[float, Meta(gt=0, le=366 * 86_400)] = 60.0
    burst: _Amount | None = None
    keys: tuple[_Text, ...] = ()
    tenants: tuple[str, ...] = ()
    models: tuple[_Text, ...] = ()

    def __post_init__(self) -> None:
        if self.what == "requests" and (self.limit if self.burst is None else self.burst) < 1:
            raise ValueError("A limit of requests needs a burst of at least 1")


class Price(_Section, frozen=True, kw_only=True):
    """What a million tokens cost, in the currency of the limits of spend.

    Attributes:
        input: A million tokens of the prompt.
        output: A million tokens of the answer.
    """

    input: _Price
    output: _Price


class Concurrency(_Section, frozen=True, kw_only=True):
    """Requests in progress at the same time in one gateway, of which each worker has its share (and at least one).

    Attributes:
        per_key: Of one key.
        total: Of everybody.
    """

    per_key: _Count = 32
    total: _Count = 128


class Patience(_Section, frozen=True, kw_only=True):
    """How long a caller may keep the gateway busy.

    Attributes:
        body_s: Seconds in which a request's body must arrive.
        write_s: Seconds in which a caller must take what it was sent; a slower one is cut off.
        stream_s: Seconds that one answer may take from its first byte to its last.
    """

    body_s: _Seconds = 30.0
    write_s: _Seconds = 30.0
    stream_s: _Seconds = 900.0


class DistinctPrompts(_Section, frozen=True, kw_only=True):
    """A brake on copying a model by asking it everything: how many different prompts one key may send.

    Attributes:
        limit: Different prompts in `every_s` seconds; counted with a sketch, to within some percent.
        every_s: The seconds of `limit`.
    """

    limit: Annotated[int, Meta(ge=10, le=10_000_000)]
    every_s: Annotated[float, Meta(ge=4, le=30 * 86_400)] = 3600.0


class MemoryStore(_Section, frozen=True, kw_only=True, tag_field="kind", tag="memory"):
    """Use is counted in the gateway itself; with several workers each gets its share of every limit.

    Attributes:
        max_entries: Counters that are kept. A counter that is still in use is never dropped to make room.
    """

    max_entries: Annotated[int, Meta(ge=100, le=10_000_000)] = 100_000


class RedisStore(_Section, frozen=True, kw_only=True, tag_field="kind", tag="redis"):
    """Use is counted in Redis, for several workers or gateways together.

    Attributes:
        url: `redis://HOST:PORT/DB`, `rediss://` for TLS, or `unix:///path/of/socket`; no user and no password in it.
        username: Name of the Redis user; empty for the default one.
        password: Where its password lies: `env:NAME`, `file:PATH` outside the project, `vault:PATH#FIELD` or
            `aws-secretsmanager:NAME`. It is read anew for every connection.
        ca_file: PEM file of the authorities that may vouch for its certificate, in place of the system's,
            relative to the project or from `~`.
        timeout_ms: Milliseconds in which it must answer.
        prefix: Begins the name of every key. Gateways that share a prefix share their limits.
        when_down: `refuse` answers 503 while Redis cannot be asked; `memory` counts in each worker instead, which is
            logged and told in a header.
    """

    url: Annotated[str, Meta(pattern="^(rediss?://[A-Za-z0-9.:\\[\\]_-]+(/[0-9]{1,4})?|unix:///[!-~]+)$(?!\\n)")]
    username: str = ""
    password: SecretRef | None = None
    ca_file: str = ""
    timeout_ms: Annotated[int, Meta(ge=10, le=60_000)] = 500
    prefix: Annotated[str, Meta(pattern="^[A-Za-z0-9:._-]{1,64}$(?!\\n)")] = "lockgate"
    when_down: Literal["refuse", "memory"] = "refuse"


class LimitsConfig(_Section, frozen=True, kw_only=True):
    """How much callers may use.

    Attributes:
        rates: Limits of requests, tokens and spend.
        prices: Price of each model, by the name that callers use; `*` stands for every other model.
        concurrency: Requests in progress at the same time.
        patience: How long a caller may keep the gateway busy.
        max_input_tokens: Longest prompt, by estimate.
        max_output_tokens: Longest answer that may be asked for.
        distinct_prompts: A brake on copying the model.
        store: Where use is counted.
    """

    rates: Annotated[tuple[RateLimit, ...], Meta(max_length=64)] = ()
    prices: dict[_Text, Price] = {}
    concurrency: Concurrency = Concurrency()
    patience: Patience = Patience()
    max_input_tokens: _Tokens = 1_000_000
    max_output_tokens: _Tokens = 1_000_000
    distinct_prompts: DistinctPrompts | None = None
    store: MemoryStore | RedisStore = MemoryStore()

    def __post_init__(self) -> None:
        if not self.prices and any(rate.what == "spend" for rate in self.rates):
            raise ValueError("A limit of spend needs `prices`")


class RuleConfig(_Section, frozen=True, kw_only=True):
    """One rule. A deny counts more than an ask, an ask more than an allow, and what no rule allows is denied.

    Attributes:
        id: Its name, as refusals and events give it.
        effect: What follows when it applies.
        actions: What it applies to, such as `chat` or `embeddings`; empty for everything.
        when: Condition in the Common Expression Language; empty for always.
        reason: What a caller is told.
    """

    id: Annotated[str, Meta(pattern="^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$(?!\\n)")]
    effect: Literal["allow", "ask", "deny"]
    actions: tuple[_Text, ...] = ()
    when: Annotated[str, Meta(max_length=2_000)] = ""
    reason: Annotated[str, Meta(max_length=300)] = ""


Rules = Annotated[tuple[RuleConfig, ...], Meta(max_length=500)]

SECTIONS: tuple[type[msgspec.Struct], ...] = (
    RateLimit,
    Price,
    Concurrency,
    Patience,
    DistinctPrompts,
    MemoryStore,
    RedisStore,
    LimitsConfig,
    RuleConfig,
)
