"""Starting and stopping the endpoint, inside another program or as the program itself."""

import asyncio
import signal
import socket
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager

import msgspec
import uvloop

from lockgate.core.config import OpenAIUpstream
from lockgate.core.project import Project
from lockgate.gateway.application import Application, read_application
from lockgate.gateway.assembly import open_live, server_tls
from lockgate.gateway.embedded import Models
from lockgate.gateway.errors import GatewayError
from lockgate.gateway.keys import Verifier
from lockgate.gateway.live import Spec, serve_settings
from lockgate.gateway.process import HOST, listen, port_of, running
from lockgate.gateway.record import unreadable
from lockgate.gateway.reloading import ReadAgain, Reloader, Site
from lockgate.gateway.site import LocalSite
from lockgate.gateway.telemetry.admin import AdminApp, admin_token
from lockgate.gateway.telemetry.recorder import Telemetry
from lockgate.gateway.telemetry.starting import start_telemetry
from lockgate.gateway.upstreams.credentials import Resolve, read_api_key
from lockgate.gateway.upstreams.endpoint import Endpoint
from lockgate.gateway.upstreams.opening import declared
from lockgate.gateway.workers import Workers
from lockgate.guard import Guard
from lockgate.monitor import EventStore

__all__ = ["Running", "open_endpoint", "run_server", "serve_app", "serve_settings"]


class Running(msgspec.Struct, frozen=True):
    """An endpoint that answers.

    Attributes:
        base_url: What a client is given, up to and including `/v1`.
        port: Its port on 127.0.0.1.
        model: The model name that callers use.
        admin_url: Address of the admin plane; empty where there is none.
    """

    base_url: str
    port: int
    model: str
    admin_url: str = ""


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """How `run_server` runs an endpoint.

    Attributes:
        port: The port; 0 for a free one.
        on_ready: Called once the endpoint answers.
        workers: Processes that answer; 1 answers in this one.
        admin_port: Port of the admin plane; 0 for a free one, None for no admin plane.
        read_again: Reads and admits the project as it lies there now; without it there is no reload.
        on_reload: Told after each reload: nothing where it worked, else why the old settings stay.
    """

    port: int
    on_ready: Callable[[Running], None]
    workers: int = 1
    admin_port: int | None = None
    read_again: ReadAgain | None = None
    on_reload: Callable[[str], None] | None = None


@asynccontextmanager
async def serve_app(
    project: Project,
    *,
    port: int = 0,
    source: str = "serve",
    store: EventStore | None = None,
    endpoint: Endpoint | None = None,
    verifier: Verifier | None = None,
    application: Application | None = None,
    guard: Guard | None = None,
    telemetry: Telemetry | None = None,
) -> AsyncGenerator[Running]:
    """Serve a project on 127.0.0.1 until the block ends.

    Args:
        project: The project; its `serve` section says where and how.
        port: The port; 0 for a free one.
        source: What events say about who causes the traffic: `serve`, `serve-observe` or `redteam`.
        store: Takes an event for every request; stays open.
        endpoint: Where every model answers; by default what `lockgate.yaml` says, started here if it is embedded.
        verifier: Knows the callers' keys; by default the project's key store.
        application: The prompt and the protected values, where they were read already.
        guard: By default the guard that `build_guard` gives.
        telemetry: Is told what happens; stays open.

    Raises:
        GatewayError: The port is taken, or a key, a prompt or the model cannot be used.
    """
    serve = serve_settings(project)
    spec = Spec.of(project, application or read_application(project), source)
    async with AsyncExitStack() as stack:
        listener = stack.enter_context(listen(port))
        models = Models()
        stack.push_async_callback(models.keep, ())
        if endpoint is None:
            endpoints = await models.endpoints(project.root, project.config)
        else:
            endpoints = dict.fromkeys(declared(serve), endpoint)
        seen = telemetry or Telemetry()
        live = await stack.enter_async_context(
            open_live(spec, endpoints, store=store, telemetry=seen, verifier=verifier, guard=guard)
        )
        refused = unreadable(source, seen)
        await stack.enter_async_context(
            running(live, listener, drain_s=serve.drain_s, tls=server_tls(spec), refused=refused)
        )
        yield _announcement(spec, port_of(listener))


def run_server(
    project: Project,
    *,
    port: int,
    source: str,
    on_ready: Callable[[Running], None],
    application: Application | None = None,
    workers: int = 1,
    admin_port: int | None = None,
    read_again: ReadAgain | None = None,
    on_reload: Callable[[str], None] | None = None,
) -> None:
    """Serve a project until SIGINT or SIGTERM, writing events to the project's state folder.

    SIGHUP reads the settings again. Requests in progress go on with the settings that they began with, and end before
    the server does, within `serve.drain_s`.

    Args:
        project: The project.
        port: The port; 0 for a free one.
        source: `serve`, or `serve-observe` when the deploy gate is HELD.
        on_ready: Called once the endpoint answers.
        application: The prompt and the protected values, where they were read already.
        workers: Processes that answer; 1 answers in this one.
        admin_port: Port of the admin plane; 0 for a free one, None for no admin plane.
        read_again: Reads and admits the project as it lies there now; without it there is no reload.
        on_reload: Told after each reload: nothing where it worked, else why the old settings stay.

    Raises:
        GatewayError: As in `serve_app`, or a worker cannot start.
        MonitorError: The event store cannot be opened, or its last events not be written.
    """
    serve_settings(project)
    spec = Spec.of(project, application or read_application(project), source)
    operation = Operation(
        port=port,
        on_ready=on_ready,
        workers=workers,
        admin_port=admin_port,
        read_again=read_again,
        on_reload=on_reload,
    )
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_until_signal(spec, operation))


async def _until_signal(spec: Spec, operation: Operation) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    async with AsyncExitStack() as stack:
        listener = stack.enter_context(listen(operation.port))
        bound = port_of(listener)
        models = Models()
        stack.push_async_callback(models.keep, ())
        endpoints = await models.endpoints(spec.project.root, spec.config)
        if operation.workers == 1:
            place = _in_process(spec, endpoints, listener)
        else:
            place = Workers.start(operation.workers, listener, spec, endpoints)
        site: Site = await stack.enter_async_context(place)
        reloader = Reloader(
            site,
            models,
            spec,
            read_again=operation.read_again,
            told=operation.on_reload,
            drain_s=spec.serve.drain_s,
        )
        stack.callback(reloader.close)
        asked: set[asyncio.Task[str]] = set()
        loop.add_signal_handler(signal.SIGHUP, lambda: asked.add(asyncio.ensure_future(reloader.reload())))
        admin_url = await stack.enter_async_context(_admin(reloader, operation.admin_port))
        operation.on_ready(_announcement(spec, bound, admin_url))
        await stop.wait()


@asynccontextmanager
async def _in_process(
    spec: Spec, endpoints: Mapping[str, Endpoint], listener: socket.socket
) -> AsyncGenerator[LocalSite]:
    telemetry = start_telemetry(spec.serve.telemetry)
    refused = unreadable(spec.source, telemetry)
    drain_s, tls = spec.serve.drain_s, server_tls(spec)
    try:
        with EventStore.open(spec.project.state) as store:
            async with (
                open_live(spec, endpoints, store=store, telemetry=telemetry) as live,
                running(live, listener, drain_s=drain_s, tls=tls, refused=refused) as listening,
            ):
                site = LocalSite(live, telemetry, listening, spec)
                yield site
                await site.settle()
    finally:
        telemetry.close()


@asynccontextmanager
async def _admin(reloader: Reloader, port: int | None) -> AsyncGenerator[str]:
    if port is None:
        yield ""
        return
    app = AdminApp(reloader, admin_token())
    with listen(port, option="--admin-port") as listener:
        bound = port_of(listener)
        async with running(app, listener, drain_s=1.0):
            yield f"http://{HOST}:{bound}"


def _announcement(spec: Spec, port: int, admin_url: str = "") -> Running:
    scheme = "http" if spec.serve.tls is None else "https"
    return Running(f"{scheme}://{HOST}:{port}/v1", port, spec.serve.model_name, admin_url)


@asynccontextmanager
async def open_endpoint(
    project: Project, endpoint: Endpoint | None = None, *, resolve: Resolve | None = None, reuse: bool = False
) -> AsyncGenerator[Endpoint]:
    """Where the application's model answers, for as long as the block runs: the first target of `model_name`.

    An embedded model is copied, verified against its pin and started; the same endpoint then serves the gateway and,
    for comparison, the red team's bare target.

    Args:
        project: The project.
        endpoint: Given back as it is, where there is one.
        resolve: Looks references to secrets up.
        reuse: Whether an embedded model keeps what it computed for earlier prompts. It is twice as fast then, and about
            one answer in two dozen depends on what was asked before.

    Raises:
        GatewayError: The model is not pinned, has another digest or does not start, the upstream's key is missing, or
            the upstream does not speak OpenAI's interface.
    """
    serve = serve_settings(project)
    if endpoint is not None:
        yield endpoint
        return
    first = serve.models[serve.model_name][0] if serve.upstream is None else None
    upstream = serve.upstream or serve.upstreams[first.upstream if first else ""]
    if isinstance(upstream, OpenAIUpstream):
        key = read_api_key(upstream, project_root=project.root, resolve=resolve)
        yield Endpoint(upstream.base_url, (first.model if first else "") or upstream.model, key)
        return
    models = Models(reuse=reuse)
    try:
        found = await models.endpoints(project.root, project.config)
        name = first.upstream if first else next(iter(declared(serve)))
        if name not in found:
            raise GatewayError(
                "The first upstream of this application does not speak OpenAI's interface.",
                remedy="Put an OpenAI-compatible or embedded upstream first, for this command.",
            )
        yield found[name]
    finally:
        await models.keep(())
