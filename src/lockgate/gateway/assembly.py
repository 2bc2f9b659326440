"""An endpoint's application from its facts, in whichever process it runs."""

import asyncio
import hashlib
import ssl
import sys
from collections.abc import AsyncGenerator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import msgspec

from lockgate.core.config import ServeConfig
from lockgate.core.config_upstreams import RemoteUpstream
from lockgate.core.files import named_path
from lockgate.gateway.app import Gateway
from lockgate.gateway.application import build_guard
from lockgate.gateway.auth.authenticator import Authenticator
from lockgate.gateway.auth.certificate import fingerprint, server_context
from lockgate.gateway.auth.pepper import read_pepper
from lockgate.gateway.guarding import GuardPool
from lockgate.gateway.keys import Verifier
from lockgate.gateway.limits.limiter import Limiter
from lockgate.gateway.limits.plan import check_models, check_prices
from lockgate.gateway.live import App, Live, Spec
from lockgate.gateway.moderating import open_moderation
from lockgate.gateway.secrets.book import Secrets
from lockgate.gateway.telemetry.recorder import Telemetry
from lockgate.gateway.upstreams.credentials import Resolve
from lockgate.gateway.upstreams.endpoint import Endpoint
from lockgate.gateway.upstreams.opening import build_router, declared
from lockgate.gateway.upstreams.router import Router
from lockgate.guard import Guard
from lockgate.monitor import EventStore

# Seconds that one thread may compute while others want to. A guard gives way at each of its many searches, and would
# wait this long each time to go on beside the guard of a long text; so would the event loop.
_TURN_S = 0.0005


class _Shared:
    """An authenticator that versions with the same settings use together: what it knows of issuers stays known.

    Args:
        facts: What it was opened from.
        value: It.
        opened: Closed when its last version ends.
    """

    def __init__(self, facts: bytes, value: Authenticator, opened: AsyncExitStack) -> None:
        self.facts = facts
        self.value = value
        self.users = 0
        self._opened = opened

    def join(self, version: AsyncExitStack) -> Authenticator:
        """Use it until that version ends."""
        self.users += 1
        version.push_async_callback(self._leave)
        return self.value

    async def _leave(self) -> None:
        self.users -= 1
        if not self.users:
            await self._opened.aclose()


class _Assembly:
    """Makes an application from a version of the settings and what stays open for as long as the process runs."""

    def __init__(
        self,
        *,
        store: EventStore | None,
        telemetry: Telemetry,
        verifier: Verifier | None,
        limiter: Limiter,
        pool: GuardPool,
        guard: Guard | None,
    ) -> None:
        self._store = store
        self._telemetry = telemetry
        self._verifier = verifier
        self._limiter = limiter
        self._pool = pool
        self._guard = guard
        self._built: tuple[bytes, Guard] | None = None
        self._shared: _Shared | None = None

    async def build(
        self, version: Spec, endpoints: Mapping[str, Endpoint], opened: AsyncExitStack
    ) -> tuple[App, Router]:
        """The application and the router of a version; what they need is closed with `opened`.

        Raises:
            GatewayError: It cannot be used, or changes what cannot change.
        """
        serve, root = version.serve, version.project.root
        secrets = await opened.enter_async_context(Secrets.open(serve.secrets, project_root=root))
        resolve = await _fetch(secrets, serve)
        router = build_router(
            serve,
            project_root=root,
            endpoints=endpoints,
            resolve=resolve,
            observer=self._telemetry,
            secrets=secrets,
        )
        opened.push_async_callback(router.close)
        check_models(serve.limits, router.aliases)
        check_prices(serve.limits, router.aliases)
        moderation = None
        if serve.moderation is not None:
            opening = open_moderation(serve.moderation, project_root=root, resolve=resolve, secrets=secrets)
            moderation = await opened.enter_async_context(opening)
        gateway = Gateway(
            serve=serve,
            system_prompt=version.application.system_prompt,
            guard=self._guard_of(version),
            pool=self._pool,
            upstream=router,
            store=self._store,
            source=version.source,
            authenticator=await self._authenticator(version, opened),
            limiter=self._limiter,
            telemetry=self._telemetry,
            moderation=moderation,
            cedar=version.application.cedar,
        )
        self._limiter.reload(serve.limits)  # last, since it is what takes effect at once
        return gateway, router

    async def _authenticator(self, version: Spec, opened: AsyncExitStack) -> Authenticator:
        serve, project = version.serve, version.project
        pepper = None
        if self._verifier is None or serve.auth.issuers:
            pepper = await asyncio.to_thread(read_pepper, project)
        authorities = [_content(project.root, issuer.ca_file) for issuer in serve.auth.issuers]
        facts = hashlib.sha256(msgspec.json.encode((serve.auth, serve.tls, pepper, authorities))).digest()
        if self._shared is None or self._shared.facts != facts or not self._shared.users:
            own = AsyncExitStack()
            opening = Authenticator.open(project, keys=self._verifier, pepper=pepper)
            self._shared = _Shared(facts, await own.enter_async_context(opening), own)
        return self._shared.join(opened)

    def _guard_of(self, version: Spec) -> Guard:
        """Loading the models of a guard takes a while: settings that leave it as it was keep it."""
        known = version.application
        facts = msgspec.json.encode((version.config.guard, known.system_prompt, known.protected))
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
    ):
        pool = GuardPool()
        assembly = _Assembly(
            store=store, telemetry=telemetry, verifier=verifier, limiter=limiter, pool=pool, guard=guard
        )
        live = Live(assembly.build)
        turn_s = sys.getswitchinterval()
        sys.setswitchinterval(_TURN_S)
        try:
            await live.load(spec, endpoints)
            yield live
        finally:
            sys.setswitchinterval(turn_s)
            await live.close()
            pool.close()


async def _fetch(secrets: Secrets, serve: ServeConfig) -> Resolve:
    """Fetch what keys refer to, now, so that a bad reference is told before anything changes."""
    references = [up.api_key_ref for up in declared(serve).values() if isinstance(up, RemoteUpstream)]
    references += [] if serve.moderation is None else [serve.moderation.api_key_ref]
    found = {reference: (await secrets.get(reference)).reveal() for reference in references if reference}
    return found.__getitem__


def server_tls(spec: Spec) -> ssl.SSLContext | None:
    """TLS of the endpoint itself; None where settings ask for none.

    Raises:
        GatewayError: A certificate or key cannot be used.
    """
    tls = spec.serve.tls
    return None if tls is None else server_context(tls, project_root=spec.project.root)


def tls_fingerprint(spec: Spec) -> bytes:
    """Changes when the certificates of the endpoint do; empty where settings ask for none.

    Raises:
        GatewayError: A file cannot be read.
    """
    tls = spec.serve.tls
    return b"" if tls is None else fingerprint(tls, project_root=spec.project.root)


def _content(root: Path, name: str | None) -> bytes:
    try:
        return named_path(root, name).read_bytes() if name else b""
    except OSError:
        return b""  # whoever opens it says what is wrong
