"""Starting and stopping the endpoint, inside another program or as the program itself."""

import asyncio
import errno
import signal
import socket
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import asynccontextmanager, contextmanager

import msgspec
import uvicorn
import uvloop

from lockgate.core.config import OpenAIUpstream, ServeConfig
from lockgate.core.project import Project
from lockgate.gateway.app import Gateway
from lockgate.gateway.application import Application, build_guard, read_application
from lockgate.gateway.embedded import EmbeddedModel
from lockgate.gateway.errors import GatewayError
from lockgate.gateway.guarding import GuardPool
from lockgate.gateway.keys import KeyStore, Verifier
from lockgate.gateway.protocol import GatewayProtocol
from lockgate.gateway.upstream import Endpoint, Upstream, read_api_key
from lockgate.gateway.verified import verified_copy
from lockgate.guard import Guard
from lockgate.monitor import EventStore

HOST = "127.0.0.1"
_GRACE_S = 5
_KEEP_ALIVE_S = 30
_BACKLOG = 512


class Running(msgspec.Struct, frozen=True):
    """An endpoint that answers.

    Attributes:
        base_url: What a client is given, up to and including `/v1`.
        port: Its port on 127.0.0.1.
        model: The model name that callers use.
    """

    base_url: str
    port: int
    model: str


class _Server(uvicorn.Server):
    """Tells when it is ready, and leaves signals to the program around it."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        yield


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
) -> AsyncGenerator[Running]:
    """Serve a project on 127.0.0.1 until the block ends.

    Args:
        project: The project; its `serve` section says where and how.
        port: The port; 0 for a free one.
        source: What events say about who causes the traffic: `serve`, `serve-observe` or `redteam`.
        store: Takes an event for every request; stays open.
        endpoint: Where the model answers; by default what `lockgate.yaml` says, started here if it is embedded.
        verifier: Knows the callers' keys; by default the project's key store.
        application: The prompt and the protected values, where they were read already.
        guard: By default the guard that `build_guard` gives.

    Raises:
        GatewayError: The port is taken, or a key, a prompt or the model cannot be used.
    """
    serve = serve_settings(project)
    known = application or read_application(project)
    with _listen(port) as listener:
        pool = GuardPool()
        try:
            async with (
                open_endpoint(project, endpoint) as address,
                Upstream.open(address, timeout_s=serve.timeout_s) as upstream,
            ):
                gateway = Gateway(
                    serve=serve,
                    system_prompt=known.system_prompt,
                    guard=guard or build_guard(project, known),
                    pool=pool,
                    upstream=upstream,
                    verifier=verifier or KeyStore.open(project),
                    store=store,
                    source=source,
                )
                async with _running(gateway, listener):
                    bound: int = listener.getsockname()[1]
                    yield Running(f"http://{HOST}:{bound}/v1", bound, serve.model_name)
        finally:
            pool.close()


def run_server(
    project: Project,
    *,
    port: int,
    source: str,
    on_ready: Callable[[Running], None],
    application: Application | None = None,
) -> None:
    """Serve a project until SIGINT or SIGTERM, writing events to the project's state folder.

    Args:
        project: The project.
        port: The port; 0 for a free one.
        source: `serve`, or `serve-observe` when the deploy gate is HELD.
        on_ready: Called once the endpoint answers.
        application: The prompt and the protected values, where they were read already.

    Raises:
        GatewayError: As in `serve_app`.
        MonitorError: The event store cannot be opened, or its last events not be written.
    """
    with EventStore.open(project.state) as store, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve_until_signal(project, store, on_ready, port=port, source=source, application=application))


async def _serve_until_signal(
    project: Project,
    store: EventStore,
    on_ready: Callable[[Running], None],
    *,
    port: int,
    source: str,
    application: Application | None,
) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    async with serve_app(project, port=port, source=source, store=store, application=application) as running:
        on_ready(running)
        await stop.wait()


@asynccontextmanager
async def open_endpoint(project: Project, endpoint: Endpoint | None = None) -> AsyncGenerator[Endpoint]:
    """Where the model of `project` answers, for as long as the block runs.

    An embedded model is copied, verified against its pin and started; the same endpoint then serves the gateway and,
    for comparison, the red team's bare target.

    Args:
        project: The project.
        endpoint: Given back as it is, where there is one.

    Raises:
        GatewayError: The model is not pinned, has another digest or does not start, or the upstream's key is missing.
    """
    upstream = serve_settings(project).upstream
    if endpoint is not None:
        yield endpoint
    elif isinstance(upstream, OpenAIUpstream):
        key = read_api_key(upstream, project_root=project.root)
        yield Endpoint(upstream.base_url, upstream.model, key)
    else:
        pin = next((model.sha256 for model in project.config.models if model.path == upstream.model), None)
        if pin is None:
            raise GatewayError(
                f"{upstream.model} is not among the models that lockgate.yaml pins.",
                remedy="Add it to 'models' with its sha256.",
            )
        path = await asyncio.to_thread(verified_copy, project.root, upstream.model, pin)
        async with EmbeddedModel.start(path, upstream.context) as model:
            yield model.endpoint


def serve_settings(project: Project) -> ServeConfig:
    """The `serve` section of a project.

    Raises:
        GatewayError: There is none.
    """
    if project.config.serve is None:
        raise GatewayError("lockgate.yaml has no 'serve' section.", remedy="Add one: it names the upstream.")
    return project.config.serve


@contextmanager
def _listen(port: int) -> Generator[socket.socket]:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    with listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((HOST, port))
            listener.listen(_BACKLOG)
        except (OSError, OverflowError) as error:
            taken = isinstance(error, OSError) and error.errno == errno.EADDRINUSE
            raise GatewayError(
                f"Port {port} is taken." if taken else f"Port {port} cannot be opened.",
                remedy="Choose another with --port, or 0 for a free one.",
            ) from error
        yield listener


@asynccontextmanager
async def _running(gateway: Gateway, listener: socket.socket) -> AsyncGenerator[None]:
    server = _Server(
        uvicorn.Config(
            gateway,
            http=GatewayProtocol,
            ws="none",
            lifespan="off",
            log_config=None,
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=_KEEP_ALIVE_S,
            timeout_graceful_shutdown=_GRACE_S,
            backlog=_BACKLOG,
        )
    )
    task = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        await server.ready.wait()
        yield
    finally:
        server.should_exit = True
        await task
