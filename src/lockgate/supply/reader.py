"""Opens, hashes and reads model files through one worker process that holds for the whole run."""

import os
import socket
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from lockgate.core.files import digest_stream, open_regular
from lockgate.core.subject import SubjectRef
from lockgate.supply.errors import SupplyError
from lockgate.supply.subject import ModelFacts
from lockgate.supply.worker import LENGTH, Reply

WALL_SECONDS = 120.0
MEMORY_BYTES = 1 << 30
MAX_REPLY = 64 << 20
_KEPT_VARIABLES = ("PATH", "PYTHONPATH", "SYSTEMROOT")


class Reader:
    """Reads files for one run; use it as a context manager.

    Args:
        wall_s: Seconds after which a file counts as unreadable.
        memory: Bytes of address space that reading may take.
    """

    def __init__(self, *, wall_s: float = WALL_SECONDS, memory: int = MEMORY_BYTES) -> None:
        self._wall_s = wall_s
        self._memory = memory
        self._process: subprocess.Popen[bytes] | None = None
        self._socket: socket.socket | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    @property
    def process_id(self) -> int | None:
        """Id of the worker process, None before the first file and after a file that broke it."""
        return self._process.pid if self._process else None

    def read(self, root: Path, uri: str, *, name: str | None = None) -> tuple[SubjectRef, int, ModelFacts]:
        """Read one file.

        Args:
            root: The project folder.
            uri: Path inside it.
            name: Path to judge it by, where it is another than the one to open, as behind a link; `uri` if None.

        Returns:
            Its reference with the digest of the bytes, its size, and its facts. One descriptor serves both, and the
            file is refused if it changes meanwhile.

        Raises:
            CoreError: It cannot be opened or changed while it was read.
            SupplyError: The worker died or took too long over it.
        """
        with open_regular(root, uri) as stream:
            size = os.fstat(stream.fileno()).st_size
            self._ask(stream.fileno(), name or uri)
            try:
                # The worker reads at the same time, so that the bytes come from the disk once.
                ref = SubjectRef(uri, digest_stream(stream))
            except BaseException:
                self._stop()
                raise
            return ref, size, self._answer(name or uri)

    def _ask(self, descriptor: int, uri: str) -> None:
        try:
            socket.send_fds(self._start(), [os.fsencode(uri)], [descriptor])
        except OSError as error:
            self._stop()
            raise _refused(uri, "reading it broke the process that did") from error

    def _answer(self, uri: str) -> ModelFacts:
        channel = self._start()
        try:
            (length,) = LENGTH.unpack(_receive(channel, LENGTH.size))
            if length > MAX_REPLY:
                raise _refused(uri, f"what it holds takes more than {MAX_REPLY:,} bytes to describe")
            reply = msgspec.msgpack.decode(_receive(channel, length), type=Reply)
        except TimeoutError as error:
            self._stop()
            raise _refused(uri, f"reading it takes more than {self._wall_s:.0f} seconds") from error
        except (OSError, EOFError, msgspec.DecodeError) as error:
            self._stop()
            raise _refused(uri, "reading it broke the process that did") from error
        if reply.facts is None:
            raise _refused(uri, reply.failure)
        return reply.facts

    def _start(self) -> socket.socket:
        if self._socket is not None:
            return self._socket
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
                [sys.executable, "-P", "-m", "lockgate.supply.worker", str(self._memory)],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env={name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ},
            )
        ours.settimeout(self._wall_s)
        self._socket = ours
        return ours

    def _stop(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


def _receive(channel: socket.socket, count: int) -> bytes:
    body = bytearray()
    while len(body) < count:
        part = channel.recv(min(count - len(body), 1 << 20))
        if not part:
            raise EOFError
        body += part
    return bytes(body)


def _refused(uri: str, why: str) -> SupplyError:
    return SupplyError(f"{uri} cannot be examined: {why}.", remedy="Replace it, or take it out of the project.")
