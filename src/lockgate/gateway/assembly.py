"""An endpoint's application from its facts, in whichever process it runs."""

import ssl
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from functools import partial

import msgspec

from lockgate.core.config import ServeConfig
from lockgate.core.config_upstreams import RemoteUpstream
from lockgate.gateway.app import Gateway
from lockgate.gateway.application import build_guard
from lockgate.gateway.auth.authenticator import Authenticator
from lockgate.gateway.auth.certificate import server_context
from lockgate.gateway.errors import GatewayError
from lockgate.gateway.guarding import GuardPool
from lockgate.gateway.keys import Verifier
from lockgate.gateway.limits.limiter import Limiter
from lockgate.gateway.limits.plan import check_prices
from lockgate.gateway.live import App, Live, Spec
from lockgate.gateway.secrets.book import Secrets
from lockgate.gateway.telemetry.recorder import Telemetry
from lockgate.gateway.upstreams.credentials import Resolve
from lockgate.gateway.upstreams.endpoint import Endpoint
from lockgate.gateway.upstreams.opening import declared
from lockgate.gateway.upstreams.router import Router
from lockgate.guard import Guard
from lockgate.monitor import EventStore

_FIXED = ("auth", "tls", "secrets", "telemetry")
"""What is opened once, for as long as the process runs."""


class _Assembly:
    """Makes an application from a version of the settings and what stays open for as long as the process runs."""

    def __init__(
        self,
        first: ServeConfig,
        *,
        store: EventStore | None,
        telemetry: Telemetry,
        authenticator: Authenticator,
        limiter: Limiter,
        pool: GuardPool,
        guard: Guard | None,
    ) -> None:
        self._first = first
        self._store = store
        self._telemetry = telemetry
        self._authenticator = authenticator
        self._limiter = limiter
        self._pool = pool
        self._guard = guard
        self._built: tuple[bytes, Guard] | None = None

    def build(self, version: Spec, router: Router) -> App:
        """The application of a version.

        Raises:
            GatewayError: It cannot be used, or changes what cannot change.
        """
        serve = version.serve
        for name in _FIXED:
            if getattr(serve, name) != getattr(self._first, name):
                raise GatewayError(f"serve.{name} cannot change while the gateway runs.", remedy="Restart the gateway.")
        check_prices(serve.limits, router.aliases)
        gateway = Gateway(
            serve=serve,
            system_prompt=version.application.system_prompt,
            guard=self._guard_of(version),
            pool=self._pool,
            upstream=router,
            store=self._store,
            source=version.source,
            authenticator=self._authenticator,
            limiter=self._limiter,
            telemetry=self._telemetry,
        )
        self._limiter.reload(serve.limits)  # last, since it is what takes effect at once
        return gateway

    def _guard_of(self, version: Spec) -> Guard:
        """Loading the models of a guard takes a while: settings that leave it as it was keep it."""
        facts = msgspec.json.encode((version.config.guard, version.application))
        if self._guard is not None:
            return self._guard
        if self._built is None or self._built[0] != facts:
            self._built = facts, build_guard(version.project, version.application)
        return self._built[1]


@asynccontextmanager
async def open_live(
    spec: Spec,
    endpoints: Mapping[str, Endpoint],
    *,
    store: EventStore | None,
    telemetry: Telemetry,
    verifier: Verifier | None = None,
    guard: Guard | None = None,
    workers: int = 1,
) -> AsyncGenerator[Live]:
    """The application of an endpoint, with pools to its upstreams, for as long as the block runs.

    Args:
        spec: What it is made from.
        endpoints: Where the upstreams answer that run in processes of ours.
        store: Takes an event for every request; None for none.
        telemetry: Is told what happens.
        verifier: Knows the callers' keys; by default the project's key store.
        guard: By default the guard that the settings describe.
        workers: Processes that serve together.

    Raises:
        GatewayError: A key, an address or a certificate cannot be used.
    """
    root = spec.project.root
    async with (
        Secrets.open(spec.serve.secrets, project_root=root) as secrets,
        Limiter.open(spec.serve.limits, project_root=root, secrets=secrets, workers=workers) as limiter,
        Authenticator.open(spec.project, keys=verifier) as authenticator,
    ):
        pool = GuardPool()
        first = _Assembly(
            spec.serve,
            store=store,
            telemetry=telemetry,
            authenticator=authenticator,
            limiter=limiter,
            pool=pool,
            guard=guard,
        )
        live = Live(first.build, telemetry, partial(_fetch, secrets))
        try:
            await live.load(spec, endpoints)
            yield live
        finally:
            await live.close()
            pool.close()


async def _fetch(secrets: Secrets, spec: Spec) -> Resolve:
    """Fetch what the upstreams' keys refer to, now, so that a bad reference is told before anything changes."""
    references = [up.api_key_ref for up in declared(spec.serve).values() if isinstance(up, RemoteUpstream)]
    found = {reference: (await secrets.get(reference)).reveal() for reference in references if reference}
    return found.__getitem__


def server_tls(spec: Spec) -> ssl.SSLContext | None:
    """TLS of the endpoint itself; None where settings ask for none.

    Raises:
        GatewayError: A certificate or key cannot be used.
    """
    tls = spec.serve.tls
    return None if tls is None else server_context(tls, project_root=spec.project.root)
