"""Sends attacks to a target and to the same one without its guard, and harmless conversations to the first alone."""

import asyncio
import random
from collections.abc import Callable, Iterator, Sequence
from enum import Enum
from pathlib import Path
from typing import Literal, TypeAlias, TypedDict

import msgspec

from lockgate import __version__
from lockgate.core.check import describe
from lockgate.core.subject import sha256_hex
from lockgate.redteam.adaptive import ADAPTIVE
from lockgate.redteam.attempt import Attempt, AttemptStatus, Lane, judge, not_sent, succeeded
from lockgate.redteam.converse import converse
from lockgate.redteam.corpus import Attack, Benign, Corpus
from lockgate.redteam.errors import RedteamError
from lockgate.redteam.goal import Recite
from lockgate.redteam.journal import Journal
from lockgate.redteam.script import fixed
from lockgate.redteam.strategies import STRATEGIES
from lockgate.redteam.target import Attacker, Opinions, Target
from lockgate.redteam.transcript import Conversation, Transcript, transcribe

PATIENCE = 5
_CAUSES = 3
_GIVEN_UP = "Not sent: the target had failed too often in a row."


class _Ending(Enum):
    DONE = 0
    OUT_OF_TIME = 1
    INTERRUPTED = 2


_UNSENT: dict[_Ending, tuple[str, Literal[AttemptStatus.ERRORED, AttemptStatus.SKIPPED]]] = {
    _Ending.DONE: ("It was not sent.", AttemptStatus.ERRORED),
    _Ending.OUT_OF_TIME: ("The time was over before it was sent.", AttemptStatus.SKIPPED),
    _Ending.INTERRUPTED: ("The run was interrupted before it was sent.", AttemptStatus.ERRORED),
}

Progress: TypeAlias = Callable[[int, int, str], None]


class RedteamRun(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that was tried.

    Attributes:
        corpus: Version of the corpus.
        corpus_sha256: Its digest.
        seed: Seed of the order.
        fingerprints: What the targets were, by lane.
        families: Every family that was to be tried, also one without an attempt.
        attempts: One for each attack and lane and for each harmless conversation, sorted, whether it was sent or not.
        complete: False when something was not sent.
        interrupted: It was ended from outside (Ctrl-C), not by its own time limit.
        recalled: Attempts that were taken from the journal of an earlier run with the same digests.
        given_up: Targets that failed so often in a row that nothing more was sent to them.
    """

    corpus: str
    corpus_sha256: str
    seed: int
    fingerprints: dict[Lane, str]
    attempts: tuple[Attempt, ...]
    complete: bool
    families: tuple[str, ...] = ()
    interrupted: bool = False
    recalled: int = 0
    given_up: tuple[Lane, ...] = ()


async def attack(
    corpus: Corpus,
    *,
    guarded: Target,
    bare: Target | None = None,
    seed: int,
    protected: Sequence[str] = (),
    system_prompt: str = "",
    progress: Progress | None = None,
    journal: Path | None = None,
    concurrency: int = 1,
    time_s: float | None = None,
    families: Sequence[str] | None = None,
    attacker: Attacker | None = None,
    in_order: bool = False,
    opinions: Opinions | None = None,
) -> RedteamRun:
    """Run the corpus against a target, and against the same one without its guard.

    A cancelled run (Ctrl-C) is marked incomplete, the rest ERRORED; what the time limit left unsent is SKIPPED.

    Args:
        corpus: What is sent.
        guarded: The target as it was given.
        bare: The same target without its guard, where there is one.
        seed: Seed of the order in which a lane sends, and of every strategy.
        protected: Values that no reply may disclose.
        system_prompt: What a judge looks for in replies.
        progress: Called after each attempt: done, all, one line.
        journal: Where judged attempts are kept for a resume; out of reach of who can edit the project.
        concurrency: Conversations at the same time in each lane.
        time_s: Seconds after which nothing more is sent; None for as long as it takes.
        families: Families that must be tried; by default those of the corpus.
        attacker: The model that helps strategies.
        in_order: Send in the order of the corpus, as a plan has it.
        opinions: A model that is asked about every attack.

    Raises:
        RedteamError: Both targets have one name, `concurrency` is below one, or the journal is damaged.
    """
    targets = _targets(bare, guarded, concurrency)
    secrets = tuple(filter(str.strip, protected))
    keys = {lane: _key(corpus, target, secrets, system_prompt, seed) for lane, target in targets.items()}
    jobs = tuple(job for job in _jobs(corpus, None if in_order else seed) if job[0] in targets)
    board = _Board(sum(len(items) for _, items in jobs), book := Journal(journal, keys), progress)
    context = _Context(protected=secrets, system_prompt=system_prompt, seed=seed, attacker=attacker, opinions=opinions)
    lanes = [_Lane(lane, targets[lane], items, board, context) for lane, items in jobs]
    ending = await _drive(lanes * concurrency, time_s)
    run = RedteamRun(
        corpus=corpus.version,
        corpus_sha256=corpus.sha256,
        seed=seed,
        fingerprints={lane: target.fingerprint for lane, target in targets.items()},
        attempts=_attempts(board, jobs, targets, ending),
        complete=len(board.done) == board.total,
        families=tuple(sorted(set(families or (item.family for item in corpus.attacks)))),
        interrupted=ending is _Ending.INTERRUPTED,
        **board.facts(),
    )
    return _finished(book, run, targets)


def _finished(book: Journal, run: RedteamRun, targets: dict[Lane, Target]) -> RedteamRun:
    if run.complete and all(attempt.status is not AttemptStatus.ERRORED for attempt in run.attempts):
        book.finish(keep=[lane for lane, target in targets.items() if target.repeatable])
    return run


def _targets(bare: Target | None, guarded: Target, concurrency: int) -> dict[Lane, Target]:
    if (bare is not None and bare.name == guarded.name) or concurrency < 1:
        raise RedteamError(
            "A run needs targets with names of their own and a concurrency of at least one.",
            remedy="Rename one target, or raise the concurrency.",
        )
    return {Lane.GUARDED: guarded} if bare is None else {Lane.BARE: bare, Lane.GUARDED: guarded}


_Jobs: TypeAlias = tuple[tuple[Lane, list[Attack | Benign]], ...]


def _attempts(board: "_Board", jobs: _Jobs, targets: dict[Lane, Target], ending: _Ending) -> tuple[Attempt, ...]:
    reason, status = _UNSENT[ending]
    found: list[tuple[Attack | Benign, Attempt]] = []
    for lane, items in jobs:
        name = targets[lane].name
        for item in sorted(items, key=_by_id):
            unsent = not_sent(item, lane=lane, target=name, reason=reason, status=status)
            found.append((item, board.done.get((lane, item.id), unsent)))
    causes = {lane: _cause([attempt for _, attempt in found], lane) for lane in board.given_up}
    return tuple(
        _explained(item, attempt, targets[attempt.lane].name, causes.get(attempt.lane, "")) for item, attempt in found
    )


def _cause(attempts: Sequence[Attempt], lane: Lane) -> str:
    """Why a target was given up, the same whichever attempts happened to reach it before that."""
    failed = (item for item in attempts if item.lane is lane and item.status is AttemptStatus.ERRORED)
    causes = sorted({item.reason.rstrip(".") for item in failed if item.reason != _GIVEN_UP})
    return f"{'; or '.join(causes[:_CAUSES])}. Nothing more was sent after {PATIENCE} failures in a row"


def _explained(item: Attack | Benign, attempt: Attempt, target: str, cause: str) -> Attempt:
    """The attempt, with one cause for all that a target which was given up left without a verdict."""
    if not cause or attempt.status is not AttemptStatus.ERRORED:
        return attempt
    if attempt.replies:
        return msgspec.structs.replace(attempt, reason=cause)
    return not_sent(item, lane=attempt.lane, target=target, reason=cause)


def _by_id(item: Attack | Benign) -> str:
    return item.id


def _jobs(corpus: Corpus, seed: int | None) -> _Jobs:
    """What is sent side by side: every attack to both targets, every harmless conversation to the guarded one."""
    attacks = _shuffled(corpus.attacks, seed)
    return ((Lane.BARE, attacks), (Lane.GUARDED, attacks), (Lane.GUARDED, _shuffled(corpus.benign, seed)))


async def _drive(workers: "list[_Lane]", time_s: float | None) -> _Ending:
    try:
        async with asyncio.timeout(time_s), asyncio.TaskGroup() as group:
            for worker in workers:
                group.create_task(worker.work())
    except TimeoutError:
        return _Ending.OUT_OF_TIME
    except asyncio.CancelledError:
        # The caller's Ctrl-C: what was found so far is worth more than an empty-handed exit.
        if task := asyncio.current_task():
            task.uncancel()
        return _Ending.INTERRUPTED
    except ExceptionGroup as group:
        raise group.exceptions[0] from group
    return _Ending.DONE


class _Facts(TypedDict):
    recalled: int
    given_up: tuple[Lane, ...]


class _Board:
    """What is done so far, in both lanes."""

    def __init__(self, total: int, journal: Journal, progress: Progress | None) -> None:
        self.done: dict[tuple[Lane, str], Attempt] = {}
        self.total = total
        self.recalled = 0
        self.failures = dict.fromkeys(Lane, 0)
        self.given_up: set[Lane] = set()
        self._journal = journal
        self._progress = progress

    def facts(self) -> _Facts:
        return {"recalled": self.recalled, "given_up": tuple(sorted(self.given_up))}

    def recall(self, lane: Lane, item: Attack | Benign) -> bool:
        if earlier := self._journal.find(lane, item.id):
            self.recalled += 1
            # What failed stands together once the rest is recalled; the target did answer in between.
            self.note_failure(lane, failed=False)
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


class _Context(msgspec.Struct, frozen=True, kw_only=True):
    """What every attempt of a run shares."""

    protected: tuple[str, ...]
    system_prompt: str
    seed: int
    attacker: Attacker | None
    opinions: Opinions | None


class _Lane:
    """One target and what is left to send to it."""

    def __init__(
        self, lane: Lane, target: Target, items: Sequence[Attack | Benign], board: _Board, context: _Context
    ) -> None:
        self._lane = lane
        self._target = target
        self._left: Iterator[Attack | Benign] = iter(items)
        self._board = board
        self._context = context

    async def work(self) -> None:
        for item in self._left:
            if not self._board.recall(self._lane, item):
                self._board.add(await self._attempt(item))

    async def _attempt(self, item: Attack | Benign) -> Attempt:
        if self._board.failures[self._lane] >= PATIENCE:
            self._board.given_up.add(self._lane)
            return not_sent(item, lane=self._lane, target=self._target.name, reason=_GIVEN_UP)
        try:
            talk = await self._converse(item)
        except Exception as error:  # noqa: BLE001 - whatever a target raises is an attempt that could not be judged
            talk = Conversation((), error=describe(error))
        self._board.note_failure(self._lane, failed=bool(talk.error))
        try:
            transcript = self._transcribe(item, talk)
            # Whether a text was recited needs no opinion, and no other endpoint shall see what was trained on.
            asked = isinstance(item, Attack) and not isinstance(item.goal, Recite)
            if self._context.opinions and transcript.turns and asked:
                opinion = await self._context.opinions.opine(transcript)
                transcript = msgspec.structs.replace(transcript, opinion=opinion)
            return judge(item, transcript, self._lane)
        except Exception as error:  # noqa: BLE001 - a reply that cannot be judged or redacted is not kept and not a pass
            return not_sent(item, lane=self._lane, target=self._target.name, reason=describe(error))

    async def _converse(self, item: Attack | Benign) -> Conversation:
        if isinstance(item, Benign) or not item.strategy:
            return await converse(self._target, item, fixed(item))
        script = (STRATEGIES | ADAPTIVE)[item.strategy](item, self._context.seed)
        return await converse(
            self._target,
            item,
            script,
            attacker=self._context.attacker,
            reached=lambda turns: succeeded(self._transcribe(item, Conversation(turns))),
        )

    def _transcribe(self, item: Attack | Benign, talk: Conversation) -> Transcript:
        context = self._context
        return transcribe(
            item,
            talk,
            target=self._target.name,
            protected=context.protected,
            system_prompt=context.system_prompt,
        )


def _shuffled(items: Sequence[Attack | Benign], seed: int | None) -> list[Attack | Benign]:
    order = list(items)
    if seed is not None:
        random.Random(seed).shuffle(order)  # noqa: S311 - an order that can be repeated, not a secret
    return order


def _key(corpus: Corpus, target: Target, protected: tuple[str, ...], system_prompt: str, seed: int) -> str:
    # The seed draws the disguises, so an attack of the same id may read differently under another.
    facts = (__version__, corpus.sha256, target.name, target.fingerprint, protected, system_prompt, seed)
    return sha256_hex(msgspec.json.encode(facts))
