"""What a later run need not do again: one line for each attempt that was judged."""

import os
from collections.abc import Collection
from pathlib import Path

import msgspec

from lockgate.core.errors import CoreError
from lockgate.core.files import read
from lockgate.core.home import private_folder
from lockgate.redteam.attempt import Attempt, Lane
from lockgate.redteam.errors import RedteamError

MAX_BYTES = 64 << 20


class _Line(msgspec.Struct, frozen=True):
    key: str
    attempt: msgspec.Raw


class Journal:
    """An append-only file of judged attempts, readable by its owner alone.

    It is believed when a run resumes, so it lies where those who can edit the project cannot write.

    Args:
        path: The file; None keeps nothing.
        keys: For each lane, what an attempt depends on. Attempts under any other key are not used.

    Raises:
        RedteamError: The file cannot be read or a whole line of it cannot be understood.
    """

    def __init__(self, path: Path | None, keys: dict[Lane, str]) -> None:
        self._path = path
        self._keys = keys
        self._known: dict[tuple[Lane, str], Attempt] = {}
        if path is not None and os.path.lexists(path):
            self._load(path)

    def find(self, lane: Lane, attempt: str) -> Attempt | None:
        """The attempt of an earlier run, or None when it has to be made."""
        return self._known.get((lane, attempt))

    def add(self, attempt: Attempt) -> None:
        """Append an attempt.

        Raises:
            RedteamError: The file cannot be written.
        """
        self._known[attempt.lane, attempt.id] = attempt
        if self._path is None:
            return
        line = msgspec.json.encode({"key": self._keys[attempt.lane], "attempt": attempt}) + b"\n"
        try:
            private_folder(self._path.parent)
            descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW, 0o600)
            with os.fdopen(descriptor, "ab") as stream:
                stream.write(line)
        except OSError as error:
            raise RedteamError(
                f"The journal {self._path.name} cannot be written.", remedy="Free some space or name another place."
            ) from error

    def finish(self, keep: Collection[Lane]) -> None:
        """Forget the run once nothing is left to resume, except for the lanes whose attempts may be used again.

        Raises:
            RedteamError: The file cannot be written.
        """
        if self._path is None:
            return
        kept = [attempt for (lane, _), attempt in sorted(self._known.items()) if lane in keep]
        self._path.unlink(missing_ok=True)
        for attempt in kept:
            self.add(attempt)

    def _load(self, path: Path) -> None:
        try:
            body = read(path.parent, path.name, limit=MAX_BYTES).body
        except CoreError as error:
            raise RedteamError(f"The journal {path.name}: {error.message}", remedy="Remove it.") from error
        whole = body[: body.rfind(b"\n") + 1]
        for number, raw in enumerate(whole.splitlines(), start=1):
            self._remember(path.name, number, raw)
        if len(whole) < len(body):
            # A line that was being written when the run was killed; what is appended next starts on a line of its own.
            os.truncate(path, len(whole))

    def _remember(self, name: str, number: int, raw: bytes) -> None:
        try:
            line = msgspec.json.decode(raw, type=_Line)
            if line.key in self._keys.values():
                attempt = msgspec.json.decode(line.attempt, type=Attempt)
                if self._keys[attempt.lane] == line.key:
                    self._known[attempt.lane, attempt.id] = attempt
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise RedteamError(
                f"The journal {name} is damaged at line {number}.", remedy="Remove it and start the run again."
            ) from error
