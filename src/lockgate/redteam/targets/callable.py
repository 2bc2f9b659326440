"""A Python function as a target, called in processes of its own with a time limit."""

import asyncio
import sys
from collections.abc import Sequence
from types import TracebackType
from typing import Self

import msgspec

from lockgate.redteam.corpus import Attack, Benign
from lockgate.redteam.errors import RedteamError
from lockgate.redteam.message import Answer, Message, ToolCall, UnusableAnswerError
from lockgate.redteam.targets import callable_worker
from lockgate.redteam.targets.wire import tools_of

MAX_ANSWER_BYTES = 1 << 18
START_S = 60.0


class _Said(msgspec.Struct):
    text: str = ""
    calls: tuple[ToolCall, ...] = ()
    error: str = ""


class CallableTarget:
    """Calls `function(messages)`, where messages are OpenAI's: objects with `role` and `content`.

    It returns the answer as a text, or an object with `content` and `tool_calls` (each with `name` and `arguments`); it
    may be a coroutine function. Every worker is a process that starts in the current folder with this environment. One
    that takes too long is killed and replaced; so is one that dies. Use it as an async context manager.

    Args:
        module: Name of the module, importable from the current folder.
        function: Name of the function in it.
        system_prompt: Sent as the first message; None where the function adds its own.
        workers: Calls at the same time.
        timeout_s: Seconds for one call.
        numbers: It may also return a number, which is no answer of a chat.

    Raises:
        RedteamError: A name is not one of Python's.
    """

    def __init__(
        self,
        module: str,
        function: str,
        *,
        system_prompt: str | None = None,
        workers: int = 1,
        timeout_s: float = 60.0,
        numbers: bool = False,
    ) -> None:
        if not all(part.isidentifier() for part in (*module.split("."), *function.split("."))):
            raise RedteamError(f"{module}:{function} names no Python function.", remedy="Write python:module:function.")
        self.name = f"python:{module}:{function}"
        self.fingerprint = self.name
        self.repeatable = False
        more = (callable_worker.NUMBERS,) if numbers else ()
        self._command = (sys.executable, callable_worker.__file__, module, function, *more)
        self._system_prompt = system_prompt
        self._timeout_s = timeout_s
        self._free: asyncio.Queue[asyncio.subprocess.Process | None] = asyncio.Queue()
        self._all: list[asyncio.subprocess.Process] = []
        self._workers = workers

    async def __aenter__(self) -> Self:
        """Start one worker, so that a function that does not exist is known at once; the others start when needed.

        Raises:
            RedteamError: The function cannot be loaded.
        """
        try:
            self._free.put_nowait(await self._start())
        except UnusableAnswerError as error:
            await self._stop_all()
            raise RedteamError(
                f"{self.name} cannot be loaded: {error}.", remedy="Run in the folder where it can be imported."
            ) from error
        for _ in range(self._workers - 1):
            self._free.put_nowait(None)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End every worker."""
        await self._stop_all()

    async def reply(self, history: Sequence[Message], about: Attack | Benign) -> Answer:
        """Call the function.

        Raises:
            UnusableAnswerError: It raised, returned something else, took too long or died.
        """
        process = await self._free.get()
        kept = None
        try:
            process = process or await self._start()
            said = await self._line(process, self._body(history, about), self._timeout_s)
            kept = process
        finally:
            if kept is None and process is not None:
                # What it would still say belongs to a question that nobody waits for any more.
                await _end(process)
            self._free.put_nowait(kept)
        if said.error:
            raise UnusableAnswerError(f"the function raised {said.error}")
        return Answer(said.text, calls=said.calls)

    def _body(self, history: Sequence[Message], about: Attack | Benign) -> bytes:
        system = [] if self._system_prompt is None else [{"role": "system", "content": self._system_prompt}]
        messages = [*system, *({"role": message.role, "content": message.content} for message in history)]
        return msgspec.json.encode({"messages": messages, "tools": tools_of(about)}) + b"\n"

    async def _start(self) -> asyncio.subprocess.Process:
        process = await asyncio.create_subprocess_exec(
            *self._command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            limit=MAX_ANSWER_BYTES,
        )
        self._all.append(process)
        said = await self._line(process, b"", START_S)
        if said.error:
            await _end(process)
            raise UnusableAnswerError(f"loading the function raised {said.error}")
        return process

    async def _line(self, process: asyncio.subprocess.Process, body: bytes, timeout_s: float) -> _Said:
        if process.stdin is None or process.stdout is None:
            raise UnusableAnswerError("the function's process has no pipes")
        try:
            process.stdin.write(body)
            line = await asyncio.wait_for(process.stdout.readline(), timeout_s)
            return msgspec.json.decode(line, type=_Said)
        except TimeoutError as error:
            raise UnusableAnswerError(f"no answer within {timeout_s:g} seconds") from error
        except ValueError as error:  # too long a line, or no JSON: msgspec's errors are ValueErrors too
            raise UnusableAnswerError("the function's process ended, or its answer is too long") from error
        except ConnectionError as error:
            raise UnusableAnswerError("the function's process ended") from error

    async def _stop_all(self) -> None:
        for process in self._all:
            await _end(process)


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.kill()
    await process.wait()
