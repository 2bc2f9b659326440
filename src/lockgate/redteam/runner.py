"""Sends every attack to the bare and to the guarded target, and every harmless conversation to the guarded one."""

import asyncio
import random
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeAlias

import msgspec

from lockgate import __version__
from lockgate.core.check import describe
from lockgate.core.subject import sha256_hex
from lockgate.redteam.attempt import Attempt, AttemptStatus, Lane, judge, not_sent
from lockgate.redteam.corpus import Attack, Benign, Corpus
from lockgate.redteam.errors import RedteamError
from lockgate.redteam.journal import Journal
from lockgate.redteam.target import Target
from lockgate.redteam.transcript import Conversation, transcribe

PATIENCE = 5
_UNSENT = "The run was interrupted before it was sent."

Progress: TypeAlias = Callable[[int, int, str], None]


class RedteamRun(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that was tried.

    Attributes:
        corpus: Version of the corpus.
        corpus_sha256: Its digest.
        seed: Seed of the order.
        fingerprints: What the targets were, by lane.
        attempts: One for each attack and lane and for each harmless conversation, sorted, whether it was sent or not.
        complete: False when the run was interrupted.
        recalled: Attempts that were taken from the journal of an earlier run with the same digests.
    """

    corpus: str
    corpus_sha256: str
    seed: int
    fingerprints: dict[Lane, str]
    attempts: tuple[Attempt, ...]
    complete: bool
    recalled: int = 0


async def attack(
    corpus: Corpus,
    *,
    bare: Target,
    guarded: Target,
    seed: int,
    protected: Sequence[str] = (),
    system_prompt: str = "",
    progress: Progress | None = None,
    journal: Path | None = None,
    concurrency: int = 1,
) -> RedteamRun:
    """Run the corpus against two targets that differ in nothing but the guard.

    A cancelled run (Ctrl-C) returns what it has, marked incomplete; whatever was not sent is ERRORED. A lane whose
    target fails five times in a row is given up, with the same effect.

    Args:
        corpus: What is sent.
        bare: The target without its guard.
        guarded: The target behind its guard.
        seed: Seed of the order in which a lane sends.
        protected: Values that no reply may disclose.
        system_prompt: The application's system prompt, for the judge that looks for it.
        progress: Called after each attempt with the number done, the number of all, and one line.
        journal: Where judged attempts are kept so that a killed run resumes; out of reach of who can edit the project.
        concurrency: Conversations at the same time in each lane.

    Raises:
        RedteamError: Both targets have the same name, `concurrency` is below one, or the journal is damaged.
    """
    if bare.name == guarded.name or concurrency < 1:
        raise RedteamError("A run needs two targets with names of their own and a concurrency of at least one.")
    targets = {Lane.BARE: bare, Lane.GUARDED: guarded}
    secrets = tuple(value for value in protected if value.strip())
    keys = {lane: _key(corpus, target, secrets, system_prompt) for lane, target in targets.items()}
    jobs = _jobs(corpus, seed)
    book = Journal(journal, keys)
    board = _Board(sum(len(items) for _, items in jobs), book, progress)
    lanes = [
        _Lane(lane, targets[lane], items, board, protected=secrets, system_prompt=system_prompt) for lane, items in jobs
    ]
    await _drive([worker for lane in lanes for worker in [lane] * concurrency])
    run = RedteamRun(
        corpus=corpus.version,
        corpus_sha256=corpus.sha256,
        seed=seed,
        fingerprints={lane: target.fingerprint for lane, target in targets.items()},
        attempts=tuple(
            board.done.get((lane, item.id)) or not_sent(item, lane=lane, target=targets[lane].name, reason=_UNSENT)
            for lane, items in jobs
            for item in sorted(items, key=_by_id)
        ),
        complete=len(board.done) == board.total,
        recalled=board.recalled,
    )
    if run.complete and all(attempt.status is not AttemptStatus.ERRORED for attempt in run.attempts):
        book.finish(keep=[lane for lane, target in targets.items() if target.repeatable])
    return run


def _by_id(item: Attack | Benign) -> str:
    return item.id


def _jobs(corpus: Corpus, seed: int) -> tuple[tuple[Lane, list[Attack | Benign]], ...]:
    """What is sent side by side: every attack to both targets, every harmless conversation to the guarded one."""
    attacks = _shuffled(corpus.attacks, seed)
    return ((Lane.BARE, attacks), (Lane.GUARDED, attacks), (Lane.GUARDED, _shuffled(corpus.benign, seed)))


async def _drive(workers: "list[_Lane]") -> None:
    try:
        async with asyncio.TaskGroup() as group:
            for worker in workers:
                group.create_task(worker.work())
    except asyncio.CancelledError:
        # The caller's Ctrl-C: what was found so far is worth more than an empty-handed exit.
        if task := asyncio.current_task():
            task.uncancel()
    except ExceptionGroup as group:
        raise group.exceptions[0] from group


class _Board:
    """What is done so far, in both lanes."""

    def __init__(self, total: int, journal: Journal, progress: Progress | None) -> None:
        self.done: dict[tuple[Lane, str], Attempt] = {}
        self.total = total
        self.recalled = 0
        self.failures = dict.fromkeys(Lane, 0)
        self._journal = journal
        self._progress = progress

    def recall(self, lane: Lane, item: Attack | Benign) -> bool:
        if earlier := self._journal.find(lane, item.id):
            self.recalled += 1
            self._note(earlier, "from the journal")
        return earlier is not None

    def note_failure(self, lane: Lane, *, failed: bool) -> None:
        """Count failures in a row, over all that is sent to one target."""
        self.failures[lane] = self.failures[lane] + 1 if failed else 0

    def add(self, attempt: Attempt) -> None:
        if attempt.status is not AttemptStatus.ERRORED:
            self._journal.add(attempt)
        self._note(attempt, attempt.reason)

    def _note(self, attempt: Attempt, remark: str) -> None:
        self.done[attempt.lane, attempt.id] = attempt
        if self._progress:
            text = f"{attempt.lane} {attempt.id}: {attempt.status}" + (f" ({remark})" if remark else "")
            self._progress(len(self.done), self.total, text)


class _Lane:
    """One target and what is left to send to it."""

    def __init__(
        self,
        lane: Lane,
        target: Target,
        items: Sequence[Attack | Benign],
        board: _Board,
        *,
        protected: tuple[str, ...],
        system_prompt: str,
    ) -> None:
        self._lane = lane
        self._target = target
        self._left: Iterator[Attack | Benign] = iter(items)
        self._board = board
        self._protected = protected
        self._system_prompt = system_prompt

    async def work(self) -> None:
        for item in self._left:
            if not self._board.recall(self._lane, item):
                self._board.add(await self._attempt(item))

    async def _attempt(self, item: Attack | Benign) -> Attempt:
        if self._board.failures[self._lane] >= PATIENCE:
            reason = f"Not sent: the target had failed {PATIENCE} times in a row."
            return not_sent(item, lane=self._lane, target=self._target.name, reason=reason)
        try:
            talk = await self._target.converse(item.turns, harmless=isinstance(item, Benign))
        except Exception as error:  # noqa: BLE001 - whatever a target raises is an attempt that could not be judged
            talk = Conversation((), error=describe(error))
        self._board.note_failure(self._lane, failed=bool(talk.error))
        transcript = transcribe(
            item, talk, target=self._target.name, protected=self._protected, system_prompt=self._system_prompt
        )
        try:
            return judge(item, transcript, self._lane)
        except Exception as error:  # noqa: BLE001 - a reply that cannot be judged or redacted is not kept and not a pass
            return not_sent(item, lane=self._lane, target=self._target.name, reason=describe(error))


def _shuffled(items: Sequence[Attack | Benign], seed: int) -> list[Attack | Benign]:
    order = list(items)
    random.Random(seed).shuffle(order)  # noqa: S311 - an order that can be repeated, not a secret
    return order


def _key(corpus: Corpus, target: Target, protected: tuple[str, ...], system_prompt: str) -> str:
    facts = (__version__, corpus.sha256, target.name, target.fingerprint, protected, system_prompt)
    return sha256_hex(msgspec.json.encode(facts))
