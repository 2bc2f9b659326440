"""Record and replay: what a target answered, so that a run can be repeated without it."""

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path

import msgspec

from lockgate.core.errors import CoreError
from lockgate.core.files import read
from lockgate.core.home import private_folder
from lockgate.core.subject import sha256_hex
from lockgate.redteam.corpus import Attack, Benign
from lockgate.redteam.errors import RedteamError
from lockgate.redteam.message import Answer, Message, UnusableAnswerError
from lockgate.redteam.target import Target
from lockgate.redteam.targets.wire import tools_of

MAX_BYTES = 256 << 20
_VERSION = 1


class Labels(msgspec.Struct, frozen=True):
    """Who was recorded.

    Attributes:
        name: What reports call the target.
        fingerprint: What it was.
    """

    name: str
    fingerprint: str


class _Head(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    cassette: int
    targets: dict[str, Labels]


class _Line(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    key: str
    answer: Answer | None = None
    error: str = ""


class Cassette:
    """A file of answers by the digest of what was asked. It holds replies in full, so only its owner can read it.

    The same question asked twice in a run gets the same answer, live or replayed: that is what makes a recorded run and
    its replay give the same report, byte for byte.

    A recording is written beside the file, to `<name>.part`, and takes its place with `keep`. Until then an earlier
    cassette stays as it was, so that an endpoint which is down costs nobody a good one.

    Args:
        path: The file.
        targets: Who is recorded, by role; None to replay what is there.
        resume: Go on with a recording of the same targets that was not kept. What failed in it is asked again.

    Attributes:
        recalled: Answers that a recording which did not end had already.

    Raises:
        RedteamError: The file cannot be written, or cannot be read or understood.
    """

    def __init__(self, path: Path, targets: dict[str, Labels] | None = None, *, resume: bool = False) -> None:
        self._path = path
        self._part = path.with_name(f"{path.name}.part")
        self.recalled = 0
        self._known: dict[str, _Line] = {}
        self._under_way: dict[str, asyncio.Future[_Line]] = {}
        self.replays = targets is None
        if targets is None:
            self.targets = self._load(path)
        else:
            self.targets = targets
            self._start(resume=resume)

    def keep(self) -> None:
        """Put the recording in the place of an earlier cassette.

        Raises:
            RedteamError: It cannot be written.
        """
        try:
            self._part.replace(self._path)
        except OSError as error:
            raise self._unwritable() from error

    def discard(self) -> None:
        """Throw the recording away; an earlier cassette stays."""
        self._part.unlink(missing_ok=True)

    async def ask(self, role: str, target: Target | None, history: Sequence[Message], about: Attack | Benign) -> Answer:
        """Answer from the tape, or ask the target and put its answer on the tape.

        Raises:
            UnusableAnswerError: The target gave no answer, then or now, or the tape does not have one.
        """
        key = _key(role, history, about)
        line = self._known.get(key)
        if line is None and target is not None:
            line = await self._record(key, target, history, about)
        if line is None:
            raise UnusableAnswerError("the cassette holds no answer to this message")
        if line.answer is None:
            raise UnusableAnswerError(line.error)
        return line.answer

    async def _record(self, key: str, target: Target, history: Sequence[Message], about: Attack | Benign) -> _Line:
        if waiting := self._under_way.get(key):
            return await asyncio.shield(waiting)
        future = self._under_way[key] = asyncio.get_running_loop().create_future()
        try:
            try:
                line = _Line(key, await target.reply(history, about))
            except UnusableAnswerError as error:
                line = _Line(key, error=str(error))
            self._keep(line)
            future.set_result(line)
            return line
        finally:
            del self._under_way[key]
            if not future.done():
                future.cancel()

    def _keep(self, line: _Line) -> None:
        self._known[line.key] = line
        self._write(msgspec.json.encode(line), os.O_APPEND)

    def _start(self, *, resume: bool) -> None:
        if self._path.exists() and not self._path.is_file():
            raise self._unwritable()  # `keep` would put a file in the place of a device or a pipe
        if resume and self._part.is_file():
            try:
                same = self._load(self._part) == self.targets
            except RedteamError:
                same = False  # the kill hit its first line: there is nothing to go on with
            self._known = {key: line for key, line in self._known.items() if same and line.answer is not None}
        self.recalled = len(self._known)
        head = msgspec.json.encode(_Head(_VERSION, self.targets), order="sorted")
        self._write(b"\n".join((head, *map(msgspec.json.encode, self._known.values()))), os.O_TRUNC)

    def _write(self, lines: bytes, how: int) -> None:
        try:
            private_folder(self._part.absolute().parent)
            descriptor = os.open(self._part, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | how, 0o600)
            with os.fdopen(descriptor, "wb") as stream:
                stream.write(lines + b"\n")
        except OSError as error:
            raise self._unwritable() from error

    def _unwritable(self) -> RedteamError:
        return RedteamError(
            f"The cassette {self._path.name} cannot be written.", remedy="Name a place that you may write."
        )

    def _load(self, path: Path) -> dict[str, Labels]:
        try:
            body = read(path.absolute().parent, path.name, limit=MAX_BYTES).body
            head, *rest = body[: body.rfind(b"\n")].split(b"\n")
            found = msgspec.json.decode(head, type=_Head)
            for raw in rest:
                line = msgspec.json.decode(raw, type=_Line)
                self._known.setdefault(line.key, line)
        except CoreError as error:
            begun = self._part.exists()
            go_on = "Go on with its recording: --record --resume." if begun else "Record one with --record."
            raise RedteamError(f"The cassette: {error.message}", remedy=go_on) from error
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, ValueError) as error:
            raise RedteamError(f"The cassette {self._path.name} is damaged.", remedy="Record it again.") from error
        if found.cassette != _VERSION:
            raise RedteamError(f"The cassette {self._path.name} is of another version.", remedy="Record it again.")
        return found.targets


class CassetteTarget:
    """A target through a cassette.

    Args:
        cassette: The tape.
        role: Which of the recorded targets it is.
        target: Whom to ask where the tape is being recorded; None to replay.

    Raises:
        RedteamError: The tape does not hold this role.
    """

    def __init__(self, cassette: Cassette, role: str, target: Target | None = None) -> None:
        labels = cassette.targets.get(role)
        if labels is None:
            raise RedteamError(f"The cassette holds no target {role!r}.", remedy="Record it with this target.")
        self.name = labels.name
        self.fingerprint = labels.fingerprint
        self.repeatable = cassette.replays or (target is not None and target.repeatable)
        self._cassette = cassette
        self._role = role
        self._target = target

    async def reply(self, history: Sequence[Message], about: Attack | Benign) -> Answer:
        """Answer from the tape, or have it recorded."""
        return await self._cassette.ask(self._role, self._target, history, about)


def _key(role: str, history: Sequence[Message], about: Attack | Benign) -> str:
    kind = ("harmless",) if isinstance(about, Benign) else ("attack", about.target, type(about.goal).__name__)
    return sha256_hex(msgspec.json.encode((role, kind, tools_of(about), tuple(history))))
