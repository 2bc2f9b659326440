"""One line a request: what was asked for and what came of it, never what was said."""

import threading
import time
from collections import deque
from collections.abc import Callable

import msgspec

from lockgate.gateway.telemetry.finished import Finished

_CAPACITY = 20_000
_PAUSE_S = 0.2

Write = Callable[[bytes], object]


class AccessLog:
    """Writes lines from a thread of its own, so that a slow reader of the log slows no request.

    A line that finds the queue full is not written; `lost` counts it.

    Args:
        form: `json` or `text`.
        write: Takes many lines at a time.
        capacity: Lines that may wait.
    """

    def __init__(self, form: str, write: Write, *, capacity: int = _CAPACITY) -> None:
        self._line = _as_json if form == "json" else _as_text
        self._write = write
        self._waiting: deque[Finished] = deque()
        self._capacity = capacity
        self._closing = threading.Event()
        self.lost = 0
        self._thread = threading.Thread(target=self._work, name="lockgate-access-log", daemon=True)
        self._thread.start()

    def take(self, finished: Finished) -> bool:
        """Queue the line of a request; False when the queue is full."""
        if len(self._waiting) >= self._capacity:
            self.lost += 1
            return False
        self._waiting.append(finished)
        return True

    def close(self) -> None:
        """Write what waits and end."""
        self._closing.set()
        self._thread.join(timeout=5)

    def _work(self) -> None:
        while not self._closing.wait(_PAUSE_S):
            self._flush()
        self._flush()

    def _flush(self) -> None:
        lines: list[bytes] = []
        while self._waiting:
            lines.append(self._line(self._waiting.popleft()))
        try:
            if lines:
                self._write(b"".join(lines))
        except OSError:
            self.lost += len(lines)  # nobody reads any more; requests go on


def _as_json(finished: Finished) -> bytes:
    return msgspec.json.encode(finished) + b"\n"


def _as_text(finished: Finished) -> bytes:
    at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(finished.at))
    line = (
        f"{at} {finished.method} {finished.route} {finished.status} {finished.action} "
        f"{finished.total_s * 1000:.1f}ms guard={finished.guard_s * 1000:.1f}ms "
        f"tokens={finished.input_tokens}+{finished.output_tokens} {finished.key_id or '-'} {finished.id}\n"
    )
    return line.encode()
