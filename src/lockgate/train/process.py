"""One child process with a deadline: all that it prints is hashed, the end of it is kept, nothing of it survives."""

import hashlib
import os
import select
import signal
import subprocess
import time
from collections.abc import Generator
from contextlib import contextmanager

import msgspec

from lockgate.train.errors import TrainError
from lockgate.train.sandbox import Invocation

TAIL_BYTES = 64 << 10
GRACE_S = 2.0
_POLL_S = 0.1


class Ended(msgspec.Struct, frozen=True):
    """How a child process ended.

    Attributes:
        exit_code: Its exit status, 128 + signal when a signal ended it, None when its time was up.
        sha256: Digest of all that it printed.
        size: Bytes of the same.
        tail: The last 64 KiB of it.
    """

    exit_code: int | None
    sha256: str
    size: int
    tail: bytes


class _Log:
    """Standard output and standard error in the order in which they came, in constant memory."""

    def __init__(self) -> None:
        self.digest = hashlib.sha256()
        self.size = 0
        self.tail = b""

    def take(self, chunk: bytes) -> None:
        self.digest.update(chunk)
        self.size += len(chunk)
        self.tail = (self.tail + chunk)[-TAIL_BYTES:]


def run_process(invocation: Invocation, *, timeout_s: float) -> Ended:
    """Run a command to its end or to its deadline; its whole process group is dead afterwards.

    Raises:
        TrainError: It cannot be started.
    """
    log = _Log()
    deadline = time.monotonic() + timeout_s
    with _started(invocation) as process:
        code = _follow(process, log, deadline)
        _kill(process)
        _drain(process, log)
    return Ended(code, log.digest.hexdigest(), log.size, log.tail)


@contextmanager
def _started(invocation: Invocation) -> Generator["subprocess.Popen[bytes]"]:
    try:
        process = subprocess.Popen(  # noqa: S603 - the declared command, without a shell
            invocation.argv,
            cwd=invocation.folder,
            env=dict(invocation.environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    except OSError as error:
        why = (error.strerror or type(error).__name__).lower()
        raise TrainError(f"The training program cannot be started: {why}.", remedy="Correct train.command.") from error
    with process:
        try:
            yield process
        finally:
            _kill(process)


def _follow(process: "subprocess.Popen[bytes]", log: _Log, deadline: float) -> int | None:
    code: int | None = None
    while code is None and (left := deadline - time.monotonic()) > 0:
        _take(process, log, min(left, _POLL_S))
        code = process.poll()
    return code if code is None or code >= 0 else 128 - code


def _drain(process: "subprocess.Popen[bytes]", log: _Log) -> None:
    # A process that left the group can hold the pipe open for ever, so the end of the log is not waited for longer.
    deadline = time.monotonic() + GRACE_S
    while (left := deadline - time.monotonic()) > 0 and _take(process, log, left):
        pass


def _take(process: "subprocess.Popen[bytes]", log: _Log, wait_s: float) -> bool:
    stream = process.stdout
    if stream is None:
        return False
    ready, _, _ = select.select([stream], [], [], wait_s)
    chunk = os.read(stream.fileno(), 1 << 16) if ready else b""
    if ready and not chunk:
        time.sleep(min(wait_s, _POLL_S / 10))
    log.take(chunk)
    return bool(chunk)


def _kill(process: "subprocess.Popen[bytes]") -> None:
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        # The group is empty; macOS says so with EPERM. The child itself is waited for either way.
        process.kill()
