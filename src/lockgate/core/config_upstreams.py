"""Settings of `serve` that say where models answer, and how calls to them are bounded, retried and observed."""

from collections.abc import Mapping
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

_Text = Annotated[str, Meta(min_length=1)]
_Seconds = Annotated[float, Meta(gt=0, le=86_400)]
_Share = Annotated[float, Meta(ge=0, le=1)]
_Url = Annotated[str, Meta(pattern="^https?://[^\\s]+$")]


class _Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A mapping of the settings file that refuses keys it does not know."""


class TimeoutConfig(_Section, frozen=True, kw_only=True):
    """How long a call may take.

    Attributes:
        connect_s: Seconds to connect, TLS included.
        read_s: Seconds without a byte; 0 takes `serve.timeout_s`.
        total_s: Seconds from the first byte sent to the last byte read.
    """

    connect_s: _Seconds = 10.0
    read_s: Annotated[float, Meta(ge=0, le=86_400)] = 0.0
    total_s: _Seconds = 900.0


class TlsConfig(_Section, frozen=True, kw_only=True):
    """How an `https` upstream is recognised, and how we present ourselves.

    Attributes:
        ca_file: PEM file of the authorities that may vouch for it, in place of the system's.
        certificate: PEM file of our client certificate, for mutual TLS.
        key: PEM file of its private key, readable by its owner alone; where empty, `certificate` holds it.
        verify: Whether its certificate is checked. It can be switched off for a loopback address only.
    """

    ca_file: str = ""
    certificate: str = ""
    key: str = ""
    verify: bool = True


class BreakerConfig(_Section, frozen=True, kw_only=True):
    """When an upstream is left alone for a while.

    Attributes:
        failures: Failures in a row that open the circuit.
        share: Share of failures among the last `window` calls that opens it.
        window: Calls that are remembered for `share`.
        open_s: Seconds until one call may try again.
    """

    failures: Annotated[int, Meta(ge=1, le=10_000)] = 5
    share: Annotated[float, Meta(gt=0, le=1)] = 0.5
    window: Annotated[int, Meta(ge=2, le=10_000)] = 20
    open_s: _Seconds = 10.0


class RetryConfig(_Section, frozen=True, kw_only=True):
    """Second tries, all upstreams together. Only what failed before its first byte, and did no work, is tried again.

    Attributes:
        attempts: Second tries a request may have at the same upstream.
        share: Second tries (fallbacks included) that all requests earn: 0.2 means one for every five requests.
        burst: Second tries that may be saved up.
        max_wait_s: Longest `retry-after` that is waited for; a longer one counts as a failure at once.
        backoff_s: Pause before a second try where the upstream names none, doubled each time and spread at random.
    """

    attempts: Annotated[int, Meta(ge=0, le=10)] = 1
    share: _Share = 0.2
    burst: Annotated[int, Meta(ge=0, le=10_000)] = 10
    max_wait_s: Annotated[float, Meta(ge=0, le=60)] = 2.0
    backoff_s: Annotated[float, Meta(ge=0, le=60)] = 0.1


class EmbeddedUpstream(_Section, frozen=True, kw_only=True, tag_field="kind", tag="embedded"):
    """A GGUF model that runs in a process of its own on this machine.

    Attributes:
        model: Path of one of the pinned `models`.
        context: Tokens of context.
    """

    model: _Text
    context: Annotated[int, Meta(ge=256, le=1 << 20)] = 2048


class RemoteUpstream(_Section, frozen=True, kw_only=True):
    """What every upstream over HTTP has.

    Attributes:
        base_url: Its address.
        model: Name of the model there (for Azure: the deployment); an alias may name another.
        api_key_env: Environment variable that holds its key.
        api_key_file: File outside the project that holds its key.
        api_key_ref: Where a secret store keeps its key, in that store's own notation.
        connections: Calls at a time; more wait, as many again at most, and what comes then is refused with 503.
        timeouts: How long a call may take.
        tls: Certificates.
        breaker: When it is left alone.
        allow_addresses: Addresses that are refused otherwise, because cloud machines keep their credentials there:
            link-local and metadata services.
        pass_trace: Tell it which trace a request belongs to (W3C `traceparent`). An id that links the requests of one
            caller is nothing that every provider should have.
    """

    base_url: _Url
    model: _Text
    api_key_env: str = ""
    api_key_file: str = ""
    api_key_ref: str = ""
    connections: Annotated[int, Meta(ge=1, le=10_000)] = 1024
    timeouts: TimeoutConfig = TimeoutConfig()
    tls: TlsConfig = TlsConfig()
    breaker: BreakerConfig = BreakerConfig()
    allow_addresses: tuple[_Text, ...] = ()
    pass_trace: bool = False


class OpenAIUpstream(RemoteUpstream, frozen=True, kw_only=True, tag_field="kind", tag="openai"):
    """Any OpenAI-compatible endpoint: OpenAI, vLLM, Ollama, llama.cpp, LiteLLM, Bedrock's own.

    Attributes:
        base_url: Address up to and including `/v1`.
    """


class AzureUpstream(RemoteUpstream, frozen=True, kw_only=True, tag_field="kind", tag="azure"):
    """A deployment of Azure OpenAI, addressed by its name in the path.

    Attributes:
        base_url: Address of the resource, for instance `https://NAME.openai.azure.com`.
        api_version: The `api-version` of every call.
    """

    api_version: Annotated[str, Meta(pattern="^[0-9A-Za-z.-]{1,40}$")] = "2024-10-21"


class AnthropicUpstream(RemoteUpstream, frozen=True, kw_only=True, tag_field="kind", tag="anthropic"):
    """Anthropic's messages interface; conversations are translated to it and back.

    Attributes:
        base_url: Address up to and including `/v1`.
        version: The `anthropic-version` of every call.
    """

    base_url: _Url = "https://api.anthropic.com/v1"
    version: Annotated[str, Meta(pattern="^[0-9-]{1,20}$")] = "2023-06-01"


AnyUpstream = EmbeddedUpstream | OpenAIUpstream | AzureUpstream | AnthropicUpstream


class TargetConfig(_Section, frozen=True, kw_only=True):
    """One place where an alias is answered.

    Attributes:
        upstream: Name of one of the `upstreams`.
        model: Name of the model there; by default the upstream's own.
    """

    upstream: _Text
    model: str = ""


class TelemetryConfig(_Section, frozen=True, kw_only=True):
    """What the endpoint says about itself. None of it ever holds a prompt, an answer or a key.

    Attributes:
        access_log: `text` or `json` lines on the error stream, or `off`.
        otel: Send OpenTelemetry traces and metrics (extra `otel`; the usual `OTEL_*` variables say where).
        trace_share: Share of requests that are traced.
    """

    access_log: Annotated[str, Meta(pattern="^(off|text|json)$")] = "off"
    otel: bool = False
    trace_share: _Share = 1.0


class ModerationConfig(_Section, frozen=True, kw_only=True):
    """A moderation endpoint of OpenAI's shape (`POST /moderations`) that must agree to what travels.

    Without an opinion nothing travels: an endpoint that is down, slow or answers with something else refuses.

    Attributes:
        base_url: Address up to and including `/v1`.
        model: Name of the model there; empty leaves the choice to the endpoint.
        api_key_env: Environment variable that holds its key.
        api_key_file: File outside the project that holds its key.
        api_key_ref: Where a secret store keeps its key, in that store's own notation.
        of: What it is asked about. A stream whose answer it judges is sent when the answer is complete.
        thresholds: Score from which a category blocks, by category; above 1 never. Every category named here must be
            in the reply.
        others: Score from which any other category blocks.
        timeout_s: Seconds for the whole call.
        max_chars: Longest text that it is asked about; a longer one is blocked.
    """

    base_url: _Url = "https://api.openai.com/v1"
    model: str = ""
    api_key_env: str = ""
    api_key_file: str = ""
    api_key_ref: str = ""
    of: Annotated[tuple[Literal["requests", "answers"], ...], Meta(min_length=1)] = ("requests",)
    thresholds: dict[str, Annotated[float, Meta(gt=0, le=2)]] = {}
    others: Annotated[float, Meta(gt=0, le=2)] = 0.5
    timeout_s: Annotated[float, Meta(gt=0, le=120)] = 5.0
    max_chars: Annotated[int, Meta(gt=0, le=10_000_000)] = 100_000


Targets = Annotated[tuple[TargetConfig, ...], Meta(min_length=1, max_length=16)]


def check_routes(
    upstream: AnyUpstream | None,
    upstreams: Mapping[str, AnyUpstream],
    models: Mapping[str, tuple[TargetConfig, ...]],
    default: str,
) -> None:
    """Refuse settings in which an alias leads nowhere.

    Args:
        upstream: The one upstream of simple settings.
        upstreams: Upstreams by name.
        models: Targets by alias, in the order in which they are tried.
        default: The alias that `model_name` names.

    Raises:
        ValueError: What is missing or too much.
    """
    if upstream is not None:
        if upstreams or models:
            raise ValueError("Use either `upstream`, or `upstreams` with `models`")
        return
    if default not in models:
        raise ValueError("Name an `upstream`, or give `upstreams` and `models` in which `model_name` is an alias")
    for alias, targets in models.items():
        for target in targets:
            if target.upstream not in upstreams:
                raise ValueError(f"The alias {alias!r} names the upstream {target.upstream!r}, which is not declared")


SECTIONS: tuple[type[msgspec.Struct], ...] = (
    TimeoutConfig,
    TlsConfig,
    BreakerConfig,
    RetryConfig,
    AzureUpstream,
    AnthropicUpstream,
    TargetConfig,
    TelemetryConfig,
    ModerationConfig,
)
