"""Trains the encoder. Needs torch; a CPU is enough.

The learning rate follows half a cosine over the time or the steps that the user gives, so any budget ends well. What a
killed run needs to go on is written after every chunk, about 200 steps.
"""

import copy
import math
import random
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

import numpy as np
import sentencepiece
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from lockgate.detect.encoder import MAX_TOKENS
from lockgate.detect.ngrams import LinearModel
from lockgate.detect.pieces import MAX_PIECES
from training.base import Base
from training.budget import Budget
from training.compose import Example, Judge, Sampler
from training.errors import TrainingError
from training.network import Network, initial_network, word_embeddings
from training.ngram_model import suspicion, windows_of
from training.recall import Sets, summary
from training.rows import Row
from training.vocabulary import PIECES

BODY, AVERAGE, JUDGE, RESUME = "body.pt", "ema.pt", "judge.pt", "resume.pt"

_Tokens: TypeAlias = tuple[list[int], int, bool]
AnyTokens = TypeVar("AnyTokens", bound=tuple[Any, ...])

RATE = 1.2e-4
_HEAD_FACTOR, _LAYER_FACTOR, _LOWEST, _WARM_UP = 4.0, 0.93, 0.03, 300
_DECAY, _BETAS, _LONGEST_GRADIENT = 0.02, (0.9, 0.98), 1.0
_AVERAGED = 0.0025
_CERTAINTY = 0.96
# Of a logit's move, squared: by two it counts as a probability of one half does.
_FAR = 8.0
_BATCH, _BLOCK, _SCORED = 32, 50, 64
_JUDGED_WINDOWS = 4
_JUDGES_FROM = 0.5
_READ_WINDOWS = 24
_EVALUATE_EVERY = 720.0


class Tokens:
    """Turns texts into ids, as the guard does."""

    def __init__(self, work: Path) -> None:
        path = work / PIECES
        if not path.is_file():
            raise TrainingError(f"{path} is missing.", remedy="Run 'python -m training vocabulary' first.")
        self._pieces = sentencepiece.SentencePieceProcessor(model_proto=path.read_bytes())
        self.pad = self._pieces.pad_id()

    def ids(self, text: str, origin: str) -> list[int]:
        """Ids of a window, markers included, cut to what the guard reads."""
        prefix = "query: " if origin == "user" else "passage: "
        inner = self._pieces.encode(prefix + text)[: MAX_TOKENS - 2]
        return [self._pieces.bos_id(), *inner, self._pieces.eos_id()]

    def bare(self, text: str) -> list[int]:
        """Ids of a window without markers, cut to what the convolutional model reads; never none."""
        return self._pieces.encode(text)[:MAX_PIECES] or [self._pieces.unk_id()]


class EncoderTraining:
    """A run of training.

    Args:
        work: Folder with the vocabulary; checkpoints are written there.
        base: The base encoder.
        sampler: Draws the examples.
        linear: Says which windows of a long text are judged in reports.
        sets: Rows to report on.
        start: A trained encoder to go on from; it also says from the first step which window of an attack is read.
        rate: The highest learning rate.
        seed: Of the head and of dropout.
        half: Compute products in bfloat16, which processors with instructions for it do twice as fast.
        hold: How much of the loss is to stay with the logits of `start`, on all but the rows that the sampler goes back
            to; 0 to 1. What was learned before is not lost to what comes now (after Li and Hoiem, "Learning without
            Forgetting", 2016, arXiv 1606.09282).
    """

    def __init__(
        self,
        work: Path,
        base: Base,
        sampler: Sampler,
        linear: LinearModel,
        sets: Sets,
        *,
        start: Network | None = None,
        rate: float = RATE,
        seed: int = 0,
        half: bool = False,
        hold: float = 0.0,
    ) -> None:
        torch.manual_seed(seed)
        self._half, self._rate = half, rate
        self._hold, self._before = hold, copy.deepcopy(start).eval() if start is not None and hold else None
        self._judges_from = _JUDGES_FROM if start is None else 0.0
        self._work, self._sampler, self._linear, self._sets = work, sampler, linear, sets
        self._tokens = Tokens(work)
        self._embeddings = word_embeddings(base, work)
        self.network = (start or initial_network(base)).train()
        self._average = copy.deepcopy(self.network)
        self._optimizer = _optimizer(self.network)
        self._steps = self._chunks = 0
        self._seconds = 0.0
        self._judges = self._resumed = False

    def resume(self) -> None:
        """Go on where the last chunk ended.

        Raises:
            TrainingError: There is nothing to go on from.
        """
        path = self._work / RESUME
        if not path.is_file():
            raise TrainingError(f"{path} is missing.", remedy="Leave out --resume to start anew.")
        state = torch.load(path, weights_only=True)
        self.network.load_state_dict(state["network"])
        self._average.load_state_dict(state["average"])
        self._optimizer.load_state_dict(state["optimizer"])
        self._sampler.state = state["sampler"]
        torch.set_rng_state(state["torch"])
        self._steps, self._chunks, self._seconds = state["steps"], state["chunks"], state["seconds"]
        self._resumed = True

    def run(self, budget: Budget) -> None:
        """Train until the budget is spent, and report now and then."""
        reported = clock = time.monotonic()
        before = self._seconds
        while budget.spent(self._seconds, self._steps) < 1:
            losses: list[float] = []
            if not self._judges and budget.spent(self._seconds, self._steps) >= self._judges_from:
                self._become_judge()
            for batch in self._batches():
                self._seconds = before + time.monotonic() - clock
                spent = budget.spent(self._seconds, self._steps)
                if spent >= 1:
                    break
                losses.append(self._step(batch, self._rate * rate_at(spent, self._steps)))
            if not losses:
                break
            self._chunks += 1
            self._save()
            loss = sum(losses) / len(losses)
            print(
                f"chunk {self._chunks}, {self._steps} steps, {self._seconds / 60:.1f} min, loss {loss:.4f}", flush=True
            )
            if time.monotonic() - reported > _EVALUATE_EVERY:
                self.report()
                reported = time.monotonic()
        self.report()

    def report(self) -> None:
        """Print how it does on the development sets."""
        print("\n".join(summary(self._sets, self._scores)), flush=True)

    def _become_judge(self) -> None:
        """From here on the network as it is now says which window of a text carries an attack.

        The n-grams, which say so before, overlook most attacks in the midst of documents.
        """
        self._judges = True
        network, path = copy.deepcopy(self._average), self._work / JUDGE
        if self._resumed and path.is_file():
            network.load_state_dict(torch.load(path, weights_only=True))
        else:
            _store(network.state_dict(), path)
        self._sampler.ask(judge_by(network, self._tokens, self._embeddings, half=self._half))

    def _batches(self) -> Iterator[Sequence[_Tokens]]:
        """A chunk's examples in batches of about one length, in random order."""
        draw = self._sampler.draw
        examples = [self._example(example) for example in self._sampler.chunk()]
        return iter(batched(examples, draw))

    def _example(self, example: Example) -> _Tokens:
        return self._tokens.ids(example.text, example.origin), example.label, example.new

    def _step(self, batch: Sequence[_Tokens], rate: float) -> float:
        for group in self._optimizer.param_groups:
            group["lr"] = rate * group["factor"]
        # Labels are a little uncertain, so that no single wrong one is learned by heart.
        labels = torch.tensor([float(label) for _, label, _ in batch]) * _CERTAINTY + (1 - _CERTAINTY) / 2
        rows = [ids for ids, _, _ in batch]
        loss = self._loss(rows, labels, torch.tensor([not new for _, _, new in batch]))
        self._optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), _LONGEST_GRADIENT)
        self._optimizer.step()
        with torch.no_grad():
            for average, current in zip(self._average.parameters(), self.network.parameters(), strict=True):
                average.lerp_(current, _AVERAGED)
        self._steps += 1
        return loss.item()

    def _loss(self, rows: Sequence[list[int]], labels: Tensor, known: Tensor) -> Tensor:
        logits = self._logits(rows)
        losses = functional.binary_cross_entropy_with_logits(logits, labels, reduction="none")
        if self._before is not None:
            with torch.no_grad():
                before = logits_of(self._before, self._embeddings, self._tokens.pad, rows, half=self._half)
            moved = (logits - before) ** 2 / _FAR
            losses = torch.where(known, torch.lerp(losses, moved, self._hold), losses)
        return losses.mean()

    def _logits(self, rows: Sequence[list[int]]) -> Tensor:
        return logits_of(self.network, self._embeddings, self._tokens.pad, rows, half=self._half)

    @torch.no_grad()
    def _scores(self, rows: Sequence[Row]) -> NDArray[np.float64]:
        """The highest logit of each row's four most suspicious windows."""
        self.network.eval()
        items = [
            (number, self._tokens.ids(window, row.origin))
            for number, row in enumerate(rows)
            for window in self._suspicious(row.text)
        ]
        items.sort(key=lambda item: len(item[1]))
        scores = np.full(len(rows), -np.inf)
        for start in range(0, len(items), _SCORED):
            some = items[start : start + _SCORED]
            logits = self._logits([ids for _, ids in some]).numpy()
            np.maximum.at(scores, [number for number, _ in some], logits)
        self.network.train()
        return scores

    def _suspicious(self, text: str) -> list[str]:
        windows = windows_of(text, "-")
        return sorted(windows, key=lambda window: suspicion(self._linear, window))[-_JUDGED_WINDOWS:]

    def _save(self) -> None:
        _store(self.network.state_dict(), self._work / BODY)
        _store(self._average.state_dict(), self._work / AVERAGE)
        state = {
            "network": self.network.state_dict(),
            "average": self._average.state_dict(),
            "optimizer": self._optimizer.state_dict(),
            "sampler": self._sampler.state,
            "torch": torch.get_rng_state(),
            "steps": self._steps,
            "chunks": self._chunks,
            "seconds": self._seconds,
        }
        _store(state, self._work / RESUME)


def logits_of(network: Network, embeddings: Tensor, pad: int, rows: Sequence[list[int]], *, half: bool) -> Tensor:
    """One logit a text, from the ids of its pieces."""
    longest = max(map(len, rows))
    ids = torch.full((len(rows), longest), pad)
    mask = torch.zeros(len(rows), longest)
    for index, row in enumerate(rows):
        ids[index, : len(row)] = torch.tensor(row)
        mask[index, : len(row)] = 1
    with torch.autocast("cpu", torch.bfloat16, enabled=half):
        logits = network(embeddings[ids], mask)
    return logits.float()


def judge_by(network: Network, tokens: Tokens, embeddings: Tensor, *, half: bool) -> Judge:
    """Asks a network that is trained no further which of a text's first 24 windows reads most like an attack."""
    network.eval()

    @torch.no_grad()
    def judge(windows: Sequence[str], origin: str) -> list[float]:
        rows = [tokens.ids(window, origin) for window in windows[:_READ_WINDOWS]]
        return logits_of(network, embeddings, tokens.pad, rows, half=half).tolist()

    return judge


def rate_at(spent: float, steps: int) -> float:
    """The share of the highest learning rate: up over 300 steps, and down along half a cosine to three hundredths."""
    cosine = 0.5 * (1 + math.cos(math.pi * spent))
    return min(1.0, (steps + 1) / _WARM_UP) * (cosine * (1 - _LOWEST) + _LOWEST)


def batched(examples: list[AnyTokens], draw: random.Random, size: int = _BATCH) -> list[list[AnyTokens]]:
    """Shuffled batches of `size`, each of texts of about one length: sorted within blocks of 50 batches."""
    draw.shuffle(examples)
    ordered: list[AnyTokens] = []
    for start in range(0, len(examples), _BLOCK * size):
        ordered += sorted(examples[start : start + _BLOCK * size], key=lambda example: len(example[0]))
    batches = [ordered[start : start + size] for start in range(0, len(ordered), size)]
    draw.shuffle(batches)
    return batches


def _optimizer(network: Network) -> torch.optim.Optimizer:
    """AdamW. The head, which starts from nothing, learns four times as fast; the deeper a layer, the slower it learns.

    What the lower layers know of languages is what training on few of them must not undo.
    """
    groups: dict[float, list[Tensor]] = {}
    for name, value in network.named_parameters():
        groups.setdefault(_factor(name, len(network.layers)), []).append(value)
    return torch.optim.AdamW(
        [{"params": values, "factor": factor} for factor, values in groups.items()],
        lr=RATE,
        weight_decay=_DECAY,
        betas=_BETAS,
    )


def _factor(name: str, layers: int) -> float:
    """How fast a parameter learns, by its name."""
    if name.startswith("head"):
        return _HEAD_FACTOR
    below = layers - 1 - int(name.split(".")[1]) if name.startswith("layers.") else layers
    return _LAYER_FACTOR**below


def _store(state: object, path: Path) -> None:
    """Write a file whole or not at all, so that a kill leaves the last one."""
    temporary = path.with_suffix(".tmp")
    torch.save(state, temporary)
    temporary.replace(path)
