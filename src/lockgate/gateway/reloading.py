"""Reading settings again while the endpoint answers: what is bad changes nothing and says so."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

from lockgate.core.errors import LockgateError
from lockgate.core.project import Project
from lockgate.gateway.application import Application
from lockgate.gateway.embedded import Models
from lockgate.gateway.live import Spec
from lockgate.gateway.telemetry.names import METRICS
from lockgate.gateway.telemetry.registry import Counter, Family, exposition
from lockgate.gateway.upstreams.endpoint import Endpoint
from lockgate.gateway.upstreams.server import UpstreamState

ReadAgain = Callable[[], tuple[Project, Application]]
_log = logging.getLogger(__name__)


class Site(Protocol):
    """Whatever answers: this process, or several workers."""

    async def load(self, spec: Spec, endpoints: Mapping[str, Endpoint]) -> None:
        """Put other settings in force, everywhere or nowhere.

        Raises:
            GatewayError: They cannot be used; the ones before stay in force.
        """
        ...

    async def families(self) -> list[Family]:
        """Every metric, all workers together."""
        ...

    async def states(self) -> list[tuple[UpstreamState, ...]]:
        """How upstreams are doing, for each worker."""
        ...


class Reloader:
    """Replaces the settings of a site, and is what the admin plane sees of it.

    Args:
        site: Whatever answers.
        models: The embedded models that run.
        spec: What is in force.
        read_again: Reads and admits the project as it lies there now.
        told: Told after each reload: nothing where it worked, else why the old settings stay.
        drain_s: Seconds after which a model that is no longer named is stopped.
    """

    def __init__(
        self,
        site: Site,
        models: Models,
        spec: Spec,
        *,
        read_again: ReadAgain | None,
        told: Callable[[str], None] | None,
        drain_s: float,
    ) -> None:
        self._site = site
        self._models = models
        self._spec = spec
        self._read_again = read_again
        self._told = told
        self._drain_s = drain_s
        self._one_at_a_time = asyncio.Lock()
        self._cleaning: asyncio.Task[None] | None = None
        self._count = Counter(*METRICS["reloads"], ("result",))

    async def reload(self) -> str:
        """Read settings again; empty when they are in force, else why the old ones stay."""
        async with self._one_at_a_time:
            try:
                await self._reload()
                problem = ""
            except LockgateError as error:
                problem = str(error)
                _log.warning("The settings were not taken over: %s", problem)
        self._count.add(("refused" if problem else "accepted",))
        if self._told:
            self._told(problem)
        return problem

    async def metrics(self) -> bytes:
        """Every metric in Prometheus' text format."""
        return exposition([*await self._site.families(), self._count.family()])

    async def upstreams(self) -> list[tuple[UpstreamState, ...]]:
        """How upstreams are doing, for each worker."""
        return await self._site.states()

    def close(self) -> None:
        """Forget what was planned."""
        if self._cleaning:
            self._cleaning.cancel()

    async def _reload(self) -> None:
        if self._read_again is None:
            raise LockgateError("This endpoint cannot read its settings again.", remedy="Start it anew.")
        project, application = await asyncio.to_thread(self._read_again)
        spec = Spec.of(project, application, self._spec.source)
        endpoints = await self._models.endpoints(Path(spec.root), spec.config)
        await self._site.load(spec, endpoints)
        self._spec = spec
        self.close()
        self._cleaning = asyncio.create_task(self._stop_others(endpoints))

    async def _stop_others(self, endpoints: Mapping[str, Endpoint]) -> None:
        await asyncio.sleep(self._drain_s)  # requests that began with the old settings may still need its model
        await self._models.keep(endpoints.values())
