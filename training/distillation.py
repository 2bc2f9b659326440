"""Knowledge distillation: the convolutional model learns what the encoder would say (Hinton et al., arXiv 1503.02531).

The encoder's opinion of many windows is written down once. Half of them are drawn as for training; the others are
spliced, cut or thinned out at random, as Tang et al. (2019, arXiv 1903.12136) do for a small pupil: what no label could
say of such texts, the encoder says.
"""

import random
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from lockgate.detect.encoder import Encoder
from lockgate.detect.graph_session import GRAPH, start_session
from lockgate.detect.pieces import Pieces
from lockgate.detect.windows import readable
from training.budget import Budget
from training.compose import Example, Sampler
from training.errors import TrainingError
from training.ngram_model import windows_of
from training.rows import Row

TAUGHT = "taught.npz"
SPARE = 500
"""Windows a chunk of public rows that nothing is trained on, since their source has enough."""

_AS_DRAWN, _OTHER_ORIGIN = 0.5, 0.25
_SPLICED, _CUT, _THINNED = 0.45, 0.7, 0.85
_LEFT_OUT, _PUT_IN = (0.05, 0.35), (0.05, 0.3)
_JOINTS = (" ", " ", "\n", ". ", ", ")
_LOOKED_FOR_A_BLANK = 25
_SHORTEST, _LONGEST = 8, 700
_TOGETHER = 2000


class Answer(NamedTuple):
    """What the encoder said of a window, or of a row of the pieces of one that has many.

    Attributes:
        ids: Of its pieces.
        foreign: Whether it comes from elsewhere than the user.
        logit: Of the encoder.
    """

    ids: list[int]
    foreign: bool
    logit: float


Teacher: TypeAlias = Callable[[Sequence[Example]], list[Answer]]


class Taught(NamedTuple):
    """What the encoder said of many windows.

    Attributes:
        ids: Of the pieces of all windows, one behind the other, int32.
        ends: Where each window's pieces end [windows], int64.
        foreign: Whether it comes from elsewhere than the user [windows].
        logits: Of the encoder [windows], float32.
    """

    ids: NDArray[np.int32]
    ends: NDArray[np.int64]
    foreign: NDArray[np.bool_]
    logits: NDArray[np.float32]

    def row(self, number: int) -> list[int]:
        """The pieces of a window."""
        start = int(self.ends[number - 1]) if number else 0
        return self.ids[start : int(self.ends[number])].tolist()


def teach(teacher: Teacher, examples: Iterator[Example], budget: Budget, work: Path) -> Taught:
    """Ask about as many windows as the budget says and write the answers into `work`."""
    answers: list[Answer] = []
    begun = time.monotonic()
    while budget.spent(time.monotonic() - begun, len(answers)) < 1:
        answers += teacher(list(islice(examples, _TOGETHER)))
        print(f"taught, {len(answers):,} windows, {(time.monotonic() - begun) / 60:.1f} min", flush=True)
    taught = Taught(
        np.concatenate([np.array(answer.ids, dtype=np.int32) for answer in answers]),
        np.cumsum([len(answer.ids) for answer in answers], dtype=np.int64),
        np.array([answer.foreign for answer in answers]),
        np.array([answer.logit for answer in answers], dtype=np.float32),
    )
    work.mkdir(parents=True, exist_ok=True)
    np.savez(work / TAUGHT, **taught._asdict())
    return taught


def read_taught(work: Path) -> Taught:
    """What `teach` wrote.

    Raises:
        TrainingError: There is nothing.
    """
    path = work / TAUGHT
    if not path.is_file():
        raise TrainingError(f"{path} is missing.", remedy="Run 'python -m training teach' first.")
    with np.load(path, allow_pickle=False) as stored:
        return Taught(*(stored[name] for name in Taught._fields))


def teacher_of(package: Path) -> Teacher:
    """The encoder of a weights package, as the guard asks it; on all processors.

    Raises:
        TrainingError: There is none.
    """
    try:
        pieces = Pieces((package / "pieces.model").read_bytes())
        table = np.load(package / "embeddings.npy", mmap_mode="r", allow_pickle=False)
        encoder = Encoder(start_session(package / GRAPH), pieces, table)
        encoder.logit([], foreign=False)
    except (OSError, ValueError, RuntimeError) as error:
        raise TrainingError(f"{package} holds no encoder.", remedy="Run 'python -m training export' first.") from error

    def answered(row: tuple[list[int], bool]) -> Answer:
        ids, foreign = row
        return Answer(ids, foreign, encoder.logit(ids, foreign=foreign))

    def ask(examples: Sequence[Example]) -> list[Answer]:
        rows = [(ids, example.origin != "user") for example in examples for ids in pieces.rows(example.text) if ids]
        with ThreadPoolExecutor() as pool:
            return list(pool.map(answered, rows))

    return ask


def examples_of(sampler: Sampler, spare: Sequence[Row], seed: int = 0) -> Iterator[Example]:
    """Windows without end; labels mean nothing.

    Args:
        sampler: Draws as for training.
        spare: Public rows that nothing is trained on.
        seed: Of what is recombined.
    """
    draw = random.Random(seed)
    while True:
        drawn = [example for example in sampler.chunk() if example.text]
        draw.shuffle(drawn)
        examples = [_perhaps_recombined(example, draw.choice(drawn).text, draw) for example in drawn]
        examples += [_window(draw.choice(spare), draw) for _ in range(SPARE if spare else 0)]
        draw.shuffle(examples)
        yield from examples


def recombined(first: str, second: str, draw: random.Random) -> str:
    """The beginning of one text and the end of another, a stretch of one, or one with words left out or put in."""
    which = draw.random()
    if which < _SPLICED:
        return first[: _place(first, draw)] + draw.choice(_JOINTS) + second[_place(second, draw) :]
    if which < _CUT:
        start, end = sorted((_place(first, draw), _place(first, draw)))
        return first[start:end]
    words = first.split(" ")
    if which < _THINNED:
        share = draw.uniform(*_LEFT_OUT)
        return " ".join(word for word in words if draw.random() >= share)
    share, others = draw.uniform(*_PUT_IN), second.split(" ")
    return " ".join(draw.choice(others) if draw.random() < share else word for word in words)


def _perhaps_recombined(example: Example, other: str, draw: random.Random) -> Example:
    if draw.random() < _AS_DRAWN:
        return example
    text = readable(recombined(example.text, other, draw))[:_LONGEST].strip()
    if len(text) < _SHORTEST:
        return example
    if draw.random() >= _OTHER_ORIGIN:
        return example._replace(text=text)
    return example._replace(text=text, origin="document" if example.origin == "user" else "user")


def _window(row: Row, draw: random.Random) -> Example:
    return Example(draw.choice(windows_of(row.text, "-")), row.label, row.origin)


def _place(text: str, draw: random.Random) -> int:
    """A place to cut at, a blank where one is near."""
    place = draw.randrange(len(text) + 1)
    blank = text.find(" ", place, place + _LOOKED_FOR_A_BLANK)
    return place if blank < 0 else blank
