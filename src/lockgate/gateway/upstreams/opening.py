"""From settings to a router with open pools."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

from lockgate.core.config import ServeConfig
from lockgate.core.config_upstreams import (
    AnthropicUpstream,
    AnyUpstream,
    AzureUpstream,
    BreakerConfig,
    EmbeddedUpstream,
    OpenAIUpstream,
    RemoteUpstream,
    TimeoutConfig,
)
from lockgate.gateway.errors import GatewayError
from lockgate.gateway.secrets.book import Secrets
from lockgate.gateway.upstreams.addresses import check_url, named
from lockgate.gateway.upstreams.aiohttp_transport import AiohttpTransport
from lockgate.gateway.upstreams.anthropic_dialect import AnthropicDialect
from lockgate.gateway.upstreams.breaker import Breaker
from lockgate.gateway.upstreams.credentials import Resolve, read_api_key, tls_context
from lockgate.gateway.upstreams.dialect import Dialect
from lockgate.gateway.upstreams.endpoint import Endpoint
from lockgate.gateway.upstreams.live_key import LiveKey
from lockgate.gateway.upstreams.openai_dialect import AzureDialect, OpenAIDialect
from lockgate.gateway.upstreams.router import Router, Target
from lockgate.gateway.upstreams.server import CallObserver, Server

SINGLE = "upstream"
_EMBEDDED_CONNECTIONS = 64

Endpoints = Mapping[str, Endpoint]


def declared(serve: ServeConfig) -> dict[str, AnyUpstream]:
    """Every upstream of the settings by name; the one of simple settings is called `upstream`."""
    return {SINGLE: serve.upstream} if serve.upstream is not None else dict(serve.upstreams)


def check_upstreams(serve: ServeConfig, *, project_root: Path, resolve: Resolve | None = None) -> None:
    """Read every key and certificate and judge every address, without opening anything.

    Raises:
        GatewayError: One cannot be used.
    """
    for name, upstream in declared(serve).items():
        if isinstance(upstream, RemoteUpstream):
            check_url(upstream.base_url, named(upstream.allow_addresses, upstream=name), upstream=name)
            tls_context(upstream.tls, upstream.base_url, project_root=project_root)
            read_api_key(upstream, project_root=project_root, resolve=resolve)


@asynccontextmanager
async def open_router(
    serve: ServeConfig,
    *,
    project_root: Path,
    endpoints: Endpoints,
    resolve: Resolve | None = None,
    observer: CallObserver | None = None,
) -> AsyncGenerator[Router]:
    """Open a pool to every upstream, for as long as the block runs.

    Args:
        serve: The settings.
        project_root: Where relative paths of keys start.
        endpoints: Where upstreams answer that run in a process of ours, and any that a program around this replaces.
        resolve: Looks references to secrets up.
        observer: Is told how calls end.

    Raises:
        GatewayError: An address, a key or a certificate cannot be used.
    """
    router = build_router(serve, project_root=project_root, endpoints=endpoints, resolve=resolve, observer=observer)
    try:
        yield router
    finally:
        await router.close()


def build_router(
    serve: ServeConfig,
    *,
    project_root: Path,
    endpoints: Endpoints,
    resolve: Resolve | None = None,
    observer: CallObserver | None = None,
    secrets: Secrets | None = None,
) -> Router:
    """As `open_router`, for a caller that closes the router itself.

    With `secrets`, a key that `api_key_ref` names is looked up there for every request, so that it counts no longer
    than there.
    """
    check_upstreams(serve, project_root=project_root, resolve=resolve)
    upstreams = declared(serve)
    servers: dict[str, Server] = {}
    for name, upstream in upstreams.items():
        if name in endpoints:
            servers[name] = _local(name, endpoints[name], serve.timeout_s, observer)
        elif isinstance(upstream, EmbeddedUpstream):
            raise GatewayError(f"The embedded model of the upstream {name!r} is not running.")
        else:
            speak = partial(_dialect, upstream)
            transport = _transport(name, upstream, serve.timeout_s, project_root)
            servers[name] = Server(
                name,
                dialect=speak(read_api_key(upstream, project_root=project_root, resolve=resolve)),
                transport=transport,
                breaker=Breaker(upstream.breaker),
                connections=upstream.connections,
                observer=observer,
                key=LiveKey(upstream.api_key_ref, secrets, speak) if secrets and upstream.api_key_ref else None,
                pass_trace=upstream.pass_trace,
            )

    def target(name: str, model: str = "") -> Target:
        known = endpoints[name].model if name in endpoints else upstreams[name].model
        return Target(servers[name], model or known)

    if serve.upstream is not None:
        return Router({serve.model_name: [target(SINGLE)]}, serve.model_name, serve.retries)
    routes = {alias: [target(item.upstream, item.model) for item in chosen] for alias, chosen in serve.models.items()}
    return Router(routes, serve.model_name, serve.retries)


def _transport(name: str, upstream: RemoteUpstream, read_s: float, project_root: Path) -> AiohttpTransport:
    return AiohttpTransport(
        limits=upstream.timeouts,
        read_s=upstream.timeouts.read_s or read_s,
        connections=upstream.connections,
        allowed=named(upstream.allow_addresses, upstream=name),
        tls=tls_context(upstream.tls, upstream.base_url, project_root=project_root),
    )


def _local(name: str, endpoint: Endpoint, read_s: float, observer: CallObserver | None) -> Server:
    transport = AiohttpTransport(
        limits=TimeoutConfig(), read_s=read_s, connections=_EMBEDDED_CONNECTIONS, allowed=frozenset(), tls=None
    )
    return Server(
        name,
        dialect=OpenAIDialect(endpoint.base_url, endpoint.api_key, provider="lockgate.embedded"),
        transport=transport,
        breaker=Breaker(BreakerConfig()),
        connections=_EMBEDDED_CONNECTIONS,
        observer=observer,
    )


def _dialect(upstream: RemoteUpstream, key: str) -> Dialect:
    match upstream:
        case AzureUpstream():
            return AzureDialect(upstream.base_url, key, api_version=upstream.api_version, deployment=upstream.model)
        case AnthropicUpstream():
            return AnthropicDialect(upstream.base_url, key, version=upstream.version)
        case OpenAIUpstream():
            return OpenAIDialect(upstream.base_url, key)
        case _:
            raise GatewayError("This kind of upstream is not known.")
