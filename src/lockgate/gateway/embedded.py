"""A model that runs beside the gateway, in a process of its own that only the gateway can talk to."""

import asyncio
import os
import secrets
import sys
from collections.abc import AsyncGenerator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Self

import msgspec

from lockgate.core.config import Config, EmbeddedUpstream
from lockgate.gateway import embedded_worker
from lockgate.gateway.errors import GatewayError
from lockgate.gateway.upstreams.endpoint import Endpoint
from lockgate.gateway.upstreams.opening import declared
from lockgate.gateway.verified import verified_copy

_START_S = 120.0
_MODEL_NAME = "embedded"
_KEPT = ("PATH", "HOME", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "PYTHONPATH", "TMPDIR", "VIRTUAL_ENV")


class _Answer(msgspec.Struct):
    address: str = ""
    error: str = ""


class EmbeddedModel:
    """A running llama.cpp server on a free port of 127.0.0.1.

    It asks for a random key, handed over on its standard input, so other users of the machine cannot reach the model
    past the guard. It inherits no secrets from this environment, and it ends when this process does.

    Attributes:
        base_url: Its address up to and including `/v1`.
        api_key: The key.
    """

    def __init__(self, process: asyncio.subprocess.Process, base_url: str, api_key: str) -> None:
        self._process = process
        self.base_url = base_url
        self.api_key = api_key

    def __repr__(self) -> str:
        return f"EmbeddedModel({self.base_url!r})"

    @property
    def endpoint(self) -> Endpoint:
        """How to talk to it."""
        return Endpoint(self.base_url, _MODEL_NAME, self.api_key)

    @property
    def running(self) -> bool:
        """Whether its process lives."""
        return self._process.returncode is None

    @classmethod
    @asynccontextmanager
    async def start(
        cls, model: Path, context: int, *, timeout_s: float = _START_S, reuse: bool = True
    ) -> AsyncGenerator[Self]:
        """Load a GGUF file and wait until the server is ready.

        Args:
            model: The file, best a `verified_copy`.
            context: Tokens of context.
            timeout_s: Seconds to wait for it.
            reuse: Keep what was computed for the beginning of earlier prompts. That saves time, and now and then an
                answer depends on what was asked before.

        Raises:
            GatewayError: The runtime is not installed, the model does not load, or it took too long.
        """
        api_key = secrets.token_hex(32)
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-P",
            embedded_worker.__file__,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env={name: os.environ[name] for name in _KEPT if name in os.environ},
        )
        try:
            order = {"model": str(model), "context": context, "api_key": api_key, "reuse": reuse}
            address = await _address(process, msgspec.json.encode(order) + b"\n", timeout_s)
            yield cls(process, f"{address}/v1", api_key)
        finally:
            await _stop(process)


class Models:
    """The embedded models that run now, each once however many workers ask it and however often settings change.

    Args:
        reuse: See `EmbeddedModel.start`.
    """

    def __init__(self, *, reuse: bool = True) -> None:
        self._reuse = reuse
        self._running: dict[tuple[str, int], tuple[Endpoint, AsyncExitStack]] = {}

    async def endpoints(self, root: Path, config: Config) -> dict[str, Endpoint]:
        """Where the embedded upstreams of `config` answer; what does not run yet is verified and started.

        Args:
            root: The project folder.
            config: Settings with a `serve` section.

        Raises:
            GatewayError: A model is not pinned, has another digest, or does not start.
        """
        found: dict[str, Endpoint] = {}
        for name, upstream in declared(config.serve).items() if config.serve else ():
            if not isinstance(upstream, EmbeddedUpstream):
                continue
            place = (_pin(config, upstream), upstream.context)
            if place not in self._running:
                path = await asyncio.to_thread(verified_copy, root, upstream.model, place[0])
                stack = AsyncExitStack()
                model = await stack.enter_async_context(EmbeddedModel.start(path, upstream.context, reuse=self._reuse))
                self._running[place] = (model.endpoint, stack)
            found[name] = self._running[place][0]
        return found

    async def keep(self, endpoints: Iterable[Endpoint]) -> None:
        """Stop every model but those at `endpoints`."""
        wanted = set(endpoints)
        for place, (endpoint, stack) in list(self._running.items()):
            if endpoint not in wanted:
                del self._running[place]
                await stack.aclose()


def _pin(config: Config, upstream: EmbeddedUpstream) -> str:
    pin = next((model.sha256 for model in config.models if model.path == upstream.model), None)
    if pin is None:
        raise GatewayError(
            f"{upstream.model} is not among the models that lockgate.yaml pins.",
            remedy="Add it to 'models' with its sha256.",
        )
    return pin


async def _address(process: asyncio.subprocess.Process, order: bytes, timeout_s: float) -> str:
    stdin, stdout = process.stdin, process.stdout
    if stdin is None or stdout is None:
        raise GatewayError("The embedded model's process has no pipes.")
    try:
        stdin.write(order)
        line = await asyncio.wait_for(stdout.readline(), timeout_s)
        answer = msgspec.json.decode(line, type=_Answer)
    except TimeoutError as error:
        raise GatewayError(
            f"The embedded model was not ready after {timeout_s:g} seconds.", remedy="Use a smaller model."
        ) from error
    except (msgspec.DecodeError, ConnectionError) as error:
        raise GatewayError(
            "The embedded model's process ended before it was ready.", remedy="Is there enough memory for the model?"
        ) from error
    match answer.error:
        case "":
            return answer.address
        case str() if answer.error == embedded_worker.NO_RUNTIME:
            raise GatewayError(
                "The runtime for embedded models is not installed.", remedy="Run: pip install 'lockgate[embedded]'"
            )
        case str() if answer.error == embedded_worker.BAD_MODEL:
            raise GatewayError(
                "The embedded model cannot be loaded.",
                remedy="Is it a GGUF file that llama.cpp knows, and does its context fit?",
            )
        case _:
            raise GatewayError("The embedded model's process gave an unknown answer.")


async def _stop(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.kill()  # it holds nothing that a tidy end would save
    await process.wait()
