"""An endpoint's application from its facts, in whichever process it runs."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager

import msgspec

from lockgate.gateway.app import Gateway
from lockgate.gateway.application import build_guard
from lockgate.gateway.guarding import GuardPool
from lockgate.gateway.keys import KeyStore, Verifier
from lockgate.gateway.live import App, Live, Spec
from lockgate.gateway.telemetry.recorder import Telemetry
from lockgate.gateway.upstreams.credentials import Resolve
from lockgate.gateway.upstreams.endpoint import Endpoint
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
    resolve: Resolve | None = None,
) -> AsyncGenerator[Live]:
    """The application of an endpoint, with pools to its upstreams, for as long as the block runs.

    Args:
        spec: What it is made from.
        endpoints: Where the upstreams answer that run in processes of ours.
        store: Takes an event for every request; None for none.
        telemetry: Is told what happens.
        verifier: Knows the callers' keys; by default the project's key store.
        guard: By default the guard that the settings describe.
        resolve: Looks references to secrets up.

    Raises:
        GatewayError: A key, an address or a certificate cannot be used.
    """
    pool = GuardPool()
    known = verifier or KeyStore.open(spec.project)
    guards: dict[bytes, Guard] = {}

    def build(version: Spec, router: Router) -> App:
        # Loading the models of a guard takes a while: settings that leave it as it was keep it.
        facts = msgspec.json.encode((version.config.guard, version.application))
        judge = guard or guards.get(facts) or build_guard(version.project, version.application)
        guards.clear()
        guards[facts] = judge
        return Gateway(
            serve=version.serve,
            system_prompt=version.application.system_prompt,
            guard=judge,
            pool=pool,
            upstream=router,
            verifier=known,
            store=store,
            source=version.source,
        )

    live = Live(build, telemetry, resolve)
    try:
        live.load(spec, endpoints)
        yield live
    finally:
        await live.close()
        pool.close()
