"""An endpoint's application from its facts, in whichever process it runs."""

import ssl
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from functools import partial

import msgspec

from lockgate.core.config_upstreams import RemoteUpstream
from lockgate.gateway.app import Gateway
from lockgate.gateway.application import build_guard
from lockgate.gateway.auth.authenticator import Authenticator
from lockgate.gateway.auth.certificate import server_context
from lockgate.gateway.guarding import GuardPool
from lockgate.gateway.keys import KeyStore, Verifier
from lockgate.gateway.limits.limiter import Limiter
from lockgate.gateway.live import App, Live, Spec
from lockgate.gateway.secrets.book import Secrets
from lockgate.gateway.telemetry.recorder import Telemetry
from lockgate.gateway.upstreams.credentials import Resolve
from lockgate.gateway.upstreams.endpoint import Endpoint
from lockgate.gateway.upstreams.opening import declared
from lockgate.gateway.upstreams.router import Router
from lockgate.guard import Guard
from lockgate.monitor import EventStore


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
        guards: dict[bytes, Guard] = {}

        def build(version: Spec, router: Router) -> App:
            # Loading the models of a guard takes a while: settings that leave it as it was keep it.
            facts = msgspec.json.encode((version.config.guard, version.application))
            judge = guard or guards.get(facts) or build_guard(version.project, version.application)
            limiter.reload(version.serve.limits)
            guards.clear()
            guards[facts] = judge
            return Gateway(
                serve=version.serve,
                system_prompt=version.application.system_prompt,
                guard=judge,
                pool=pool,
                upstream=router,
                verifier=verifier or KeyStore.open(version.project),
                store=store,
                source=version.source,
                authenticator=authenticator,
                limiter=limiter,
                telemetry=telemetry,
            )

        live = Live(build, telemetry, partial(_fetch, secrets))
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
