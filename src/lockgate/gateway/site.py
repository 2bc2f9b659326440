"""One process that answers: its settings, its certificates and where it reports, replaced together or not at all."""

import asyncio
from collections.abc import Callable, Mapping

import msgspec

from lockgate.gateway.assembly import server_tls, tls_fingerprint
from lockgate.gateway.live import Live, Spec
from lockgate.gateway.process import Listening
from lockgate.gateway.telemetry.recorder import Telemetry
from lockgate.gateway.telemetry.registry import Family
from lockgate.gateway.telemetry.starting import open_sinks
from lockgate.gateway.upstreams.endpoint import Endpoint
from lockgate.gateway.upstreams.server import UpstreamState


class LocalSite:
    """A `Site` that is this process.

    Args:
        live: Answers requests.
        telemetry: Is told what happens.
        listening: Where callers connect.
        spec: What is in force.
    """

    def __init__(self, live: Live, telemetry: Telemetry, listening: Listening, spec: Spec) -> None:
        self._live = live
        self._telemetry = telemetry
        self._listening = listening
        self._reporting = msgspec.json.encode(spec.serve.telemetry)
        self._certificates = tls_fingerprint(spec)
        self._closing: set[asyncio.Task[None]] = set()

    async def load(self, spec: Spec, endpoints: Mapping[str, Endpoint]) -> None:
        """Put other settings in force, all of them or none.

        Raises:
            GatewayError: They cannot be used; the ones before stay in force.
        """
        certificates, tls = tls_fingerprint(spec), server_tls(spec)
        reporting = msgspec.json.encode(spec.serve.telemetry)
        sinks = open_sinks(spec.serve.telemetry) if reporting != self._reporting else None
        try:
            await self._live.load(spec, endpoints)
        except BaseException:
            if sinks is not None:
                self._later(Telemetry(*sinks).close)
            raise
        if sinks is not None:
            self._reporting = reporting
            self._later(self._telemetry.exchange(*sinks))
        if certificates != self._certificates:
            self._certificates = certificates
            await self._listening.secure(tls)

    async def families(self) -> list[Family]:
        """Every metric."""
        return self._telemetry.families(self._live.upstreams)

    async def states(self) -> list[tuple[UpstreamState, ...]]:
        """How upstreams are doing."""
        return [self._live.upstreams]

    async def settle(self) -> None:
        """Wait until what was reported before a change is written and sent."""
        await asyncio.gather(*self._closing)

    def _later(self, close: Callable[[], None]) -> None:
        task = asyncio.ensure_future(asyncio.to_thread(close))
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)
