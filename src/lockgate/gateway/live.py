"""What answers now, and how other settings take its place without a request noticing."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from pathlib import Path

import msgspec

from lockgate.core.config import Config, ServeConfig
from lockgate.core.project import Project
from lockgate.core.subject import SubjectRef
from lockgate.gateway.application import Application
from lockgate.gateway.asgi import Receive, Scope, Send
from lockgate.gateway.errors import GatewayError
from lockgate.gateway.upstreams.endpoint import Endpoint
from lockgate.gateway.upstreams.router import Router
from lockgate.gateway.upstreams.server import UpstreamState

App = Callable[[Scope, Receive, Send], Awaitable[None]]
Build = Callable[["Spec", Mapping[str, Endpoint], AsyncExitStack], Awaitable[tuple[App, Router]]]


class Spec(msgspec.Struct, frozen=True):
    """Everything that one version of an endpoint is made from, as it was read and admitted.

    It crosses to worker processes in these very bytes, so that no worker reads a file that changed in between.

    Attributes:
        root: The project folder.
        config: The settings.
        policy: Digest of the settings file.
        application: The prompt and the protected values.
        source: What events say about who causes the traffic.
    """

    root: str
    config: Config
    policy: SubjectRef
    application: Application
    source: str

    def __repr__(self) -> str:
        return f"Spec({self.root!r}, {self.policy!r}, {self.source!r})"

    @classmethod
    def of(cls, project: Project, application: Application, source: str) -> "Spec":
        """What an opened project says."""
        return cls(str(project.root), project.config, project.policy, application, source)

    @property
    def project(self) -> Project:
        """The project that it was taken from."""
        return Project(Path(self.root), self.config, self.policy)

    @property
    def serve(self) -> ServeConfig:
        """The `serve` section.

        Raises:
            GatewayError: There is none.
        """
        return serve_settings(self.project)


def serve_settings(project: Project) -> ServeConfig:
    """The `serve` section of a project.

    Raises:
        GatewayError: There is none.
    """
    if project.config.serve is None:
        raise GatewayError("lockgate.yaml has no 'serve' section.", remedy="Add one: it names the upstream.")
    return project.config.serve


class _Version:
    """One version of the endpoint and the requests that it still answers."""

    def __init__(self, app: App, router: Router, opened: AsyncExitStack) -> None:
        self.app = app
        self.router = router
        self.opened = opened
        self.active = 0
        self.idle = asyncio.Event()


class Live:
    """The ASGI application whose settings can be replaced while it answers.

    A request stays with the version that it began with, streams included; a version that was replaced is closed when
    its last request has ended.

    Args:
        build: Opens what a version needs, on the stack that is closed with it, and makes its application and router.
    """

    def __init__(self, build: Build) -> None:
        self._build = build
        self._version: _Version | None = None
        self._retiring: set[asyncio.Task[None]] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request with the version that is in force now."""
        version = self._version
        if version is None:
            raise GatewayError("The endpoint has no settings yet.")
        version.active += 1
        try:
            await version.app(scope, receive, send)
        finally:
            version.active -= 1
            if not version.active:
                version.idle.set()

    @property
    def upstreams(self) -> tuple[UpstreamState, ...]:
        """How the upstreams are doing."""
        return self._version.router.states if self._version else ()

    async def load(self, spec: Spec, endpoints: Mapping[str, Endpoint]) -> None:
        """Put another version in force, whole or not at all.

        Args:
            spec: What it is made from.
            endpoints: Where the upstreams answer that run in processes of ours.

        Raises:
            GatewayError: It cannot be used; the one before stays in force.
        """
        opened = AsyncExitStack()
        try:
            app, router = await self._build(spec, endpoints, opened)
        except BaseException:
            await opened.aclose()
            raise
        before, self._version = self._version, _Version(app, router, opened)
        if before is not None:
            task = asyncio.ensure_future(_retire(before))
            self._retiring.add(task)
            task.add_done_callback(self._retiring.discard)

    async def close(self) -> None:
        """Close every version; requests that still run lose their upstream."""
        for task in self._retiring:
            task.cancel()
        await asyncio.gather(*self._retiring, return_exceptions=True)
        if self._version is not None:
            await self._version.opened.aclose()


async def _retire(version: _Version) -> None:
    try:
        while version.active:
            version.idle.clear()
            await version.idle.wait()
    finally:
        await version.opened.aclose()
