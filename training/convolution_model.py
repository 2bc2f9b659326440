"""Trains the convolutional model that reads every window. Needs torch; a CPU is enough, some 20 minutes of one core.

Its embeddings begin as the base encoder's, cut down to their principal components, so that words of one meaning lie
together in all languages from the start. It learns from labels, or from what the encoder says (see
`training.distillation`).
"""

import math
import random
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from lockgate.detect.convolution import DILATION, FIRST_TAPS, SECOND_TAPS, ConvolutionLayers
from training.base import Base
from training.budget import Budget
from training.compose import Sampler
from training.distillation import Taught
from training.encoder_model import Tokens, batched
from training.errors import TrainingError
from training.network import word_embeddings

WEIGHTS = "convolution.pt"
WIDTH, CHANNELS, UNITS = 48, 96, 64

_Tokens: TypeAlias = tuple[list[int], float, bool]


class Lessons(NamedTuple):
    """What is learned from.

    Attributes:
        chunk: Gives some thousand windows: the ids of their pieces, how likely each is an attack, whether it is not the
            user's.
        dropped_input: Share of the embeddings' numbers that are left out in training.
        dropped: The same of what is pooled, and of the hidden layer.
    """

    chunk: Callable[[Tokens], list[_Tokens]]
    dropped_input: float
    dropped: float


RATE = 2e-3
_LOWEST, _WARM_UP = 0.02, 300
_DECAY, _BETAS, _LONGEST_GRADIENT = 0.02, (0.9, 0.98), 1.0
_CERTAINTY = 0.96
_BATCH = 128
_CHUNK = 6400
_OF_LABELS, _OF_THE_TAUGHT = (0.15, 0.25), (0.05, 0.1)
_SAMPLED = 8000
_STEPS_OF_8_BITS = 127
_CLIPPED = 0.9999


class Convolution(nn.Module):
    """The network in training; see `lockgate.detect.convolution`.

    Args:
        embeddings: To begin with [pieces, WIDTH].
        pad: Id that fills up a batch.
        dropped_input: See `Lessons`.
        dropped: The same.
    """

    def __init__(self, embeddings: Tensor, pad: int, dropped_input: float = 0.0, dropped: float = 0.0) -> None:
        super().__init__()
        self.pad = pad
        self.pieces = nn.Embedding.from_pretrained(embeddings, freeze=False)
        self.origin = nn.Embedding(2, WIDTH)
        self.first = nn.Conv1d(WIDTH, CHANNELS, FIRST_TAPS, padding=FIRST_TAPS // 2)
        self.second = nn.Conv1d(CHANNELS, CHANNELS, SECOND_TAPS, padding=DILATION, dilation=DILATION)
        self.hidden = nn.Linear(2 * CHANNELS, UNITS)
        self.output = nn.Linear(UNITS, 1)
        self.drop_input, self.drop = nn.Dropout(dropped_input), nn.Dropout(dropped)

    def forward(self, ids: Tensor, foreign: Tensor) -> Tensor:
        """One logit a row of `ids` [batch, pieces]; `foreign` [batch] is 1 for what a user did not write."""
        present = (ids != self.pad)[:, None, :].float()
        states = self.drop_input(self.pieces(ids)) + self.origin(foreign)[:, None, :]
        states = states.transpose(1, 2) * present
        first = torch.relu(self.first(states)) * present
        second = torch.relu(self.second(first) + first) * present
        pooled = torch.cat([second.max(2).values, second.sum(2) / present.sum(2)], 1)
        return self.output(self.drop(torch.relu(self.hidden(self.drop(pooled))))).squeeze(1)


def train_convolution(
    work: Path,
    base: Base,
    lessons: Lessons,
    budget: Budget,
    *,
    start: Mapping[str, Tensor] | None = None,
    rate: float = RATE,
    seed: int = 3,
    half: bool = False,
) -> None:
    """Train it and write its weights into `work`.

    Args:
        work: Folder with the vocabulary.
        base: The base encoder, for the embeddings.
        lessons: `labelled` or `foretelling`.
        budget: How long.
        start: Trained weights to go on from.
        rate: The highest learning rate.
        seed: Of what is random in the network.
        half: Compute products in bfloat16, as for the encoder.
    """
    torch.manual_seed(seed)
    tokens, draw = Tokens(work), random.Random(seed)
    embeddings = _principal(word_embeddings(base, work))
    network = Convolution(embeddings, tokens.pad, lessons.dropped_input, lessons.dropped).train()
    if start is not None:
        network.load_state_dict(start)
    rest = [value for name, value in network.named_parameters() if not name.startswith("pieces")]
    groups = [{"params": [network.pieces.weight], "weight_decay": 0.0}, {"params": rest, "weight_decay": _DECAY}]
    optimizer = torch.optim.AdamW(groups, lr=rate, betas=_BETAS)
    begun, steps, spent = time.monotonic(), 0, 0.0
    while spent < 1:
        losses: list[float] = []
        for batch in batched(lessons.chunk(tokens), draw, _BATCH):
            spent = budget.spent(time.monotonic() - begun, steps)
            if spent >= 1:
                break
            for group in optimizer.param_groups:
                group["lr"] = rate * _rate_at(spent, steps)
            losses.append(_step(network, optimizer, batch, half=half))
            steps += 1
        if not losses:
            break
        loss = sum(losses) / len(losses)
        print(f"convolution, {steps} steps, {(time.monotonic() - begun) / 60:.1f} min, loss {loss:.4f}", flush=True)
    torch.save(network.state_dict(), work / WEIGHTS)


def read_convolution(work: Path) -> tuple[NDArray[np.int8], ConvolutionLayers]:
    """The trained weights in the shape in which the guard reads them; embeddings in 8 bits.

    Raises:
        TrainingError: There are none.
    """
    path = work / WEIGHTS
    if not path.is_file():
        raise TrainingError(f"{path} is missing.", remedy="Run 'python -m training convolution' first.")
    state = {name: value.numpy().astype(np.float32) for name, value in torch.load(path, weights_only=True).items()}
    words = state["pieces.weight"]
    scale = (np.quantile(np.abs(words), _CLIPPED, axis=0) / _STEPS_OF_8_BITS).astype(np.float32)
    steps = np.clip(np.round(words / scale), -_STEPS_OF_8_BITS, _STEPS_OF_8_BITS).astype(np.int8)
    layers = ConvolutionLayers(
        scale=scale,
        origin=state["origin.weight"],
        first=_unfolded(state["first.weight"]),
        first_bias=state["first.bias"],
        second=_unfolded(state["second.weight"]),
        second_bias=state["second.bias"],
        hidden=np.ascontiguousarray(state["hidden.weight"].T),
        hidden_bias=state["hidden.bias"],
        output=state["output.weight"][0],
        output_bias=state["output.bias"],
    )
    return steps, layers


def labelled(sampler: Sampler) -> Lessons:
    """Windows with their labels, which are a little uncertain, so that no single wrong one is learned by heart."""

    def chunk(tokens: Tokens) -> list[_Tokens]:
        return [
            (tokens.bare(example.text), example.label * _CERTAINTY + (1 - _CERTAINTY) / 2, example.origin != "user")
            for example in sampler.chunk()
        ]

    return Lessons(chunk, *_OF_LABELS)


def foretelling(taught: Taught, seed: int = 0) -> Lessons:
    """Windows with the encoder's opinion of them, all of them before any comes again."""
    draw = np.random.default_rng(seed)
    likely = 1 / (1 + np.exp(-taught.logits.astype(np.float64)))
    left: list[int] = []

    def chunk(_: Tokens) -> list[_Tokens]:
        if not left:
            left.extend(draw.permutation(len(taught.ends)).tolist())
        some = left[-_CHUNK:]
        del left[-_CHUNK:]
        return [(taught.row(number), float(likely[number]), bool(taught.foreign[number])) for number in some]

    return Lessons(chunk, *_OF_THE_TAUGHT)


def _step(network: Convolution, optimizer: torch.optim.Optimizer, batch: list[_Tokens], *, half: bool) -> float:
    longest = max(FIRST_TAPS, *(len(ids) for ids, _, _ in batch))
    ids = torch.full((len(batch), longest), network.pad)
    for index, (row, _, _) in enumerate(batch):
        ids[index, : len(row)] = torch.tensor(row)
    likely = torch.tensor([likely for _, likely, _ in batch])
    with torch.autocast("cpu", torch.bfloat16, enabled=half):
        logits = network(ids, torch.tensor([int(foreign) for _, _, foreign in batch]))
    loss = functional.binary_cross_entropy_with_logits(logits.float(), likely)
    optimizer.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(network.parameters(), _LONGEST_GRADIENT)
    optimizer.step()
    return loss.item()


def _rate_at(spent: float, steps: int) -> float:
    cosine = 0.5 * (1 + math.cos(math.pi * spent))
    return min(1.0, (steps + 1) / _WARM_UP) * (cosine * (1 - _LOWEST) + _LOWEST)


def _principal(embeddings: Tensor) -> Tensor:
    """The WIDTH strongest principal components of the embeddings, each about half as wide as a unit normal."""
    centred = embeddings.double() - embeddings.double().mean(0)
    some = torch.randperm(len(centred), generator=torch.Generator().manual_seed(0))[:_SAMPLED]
    axes = torch.linalg.svd(centred[some], full_matrices=False).Vh[:WIDTH]
    reduced = centred @ axes.T
    return (reduced / reduced.std(0).mean() / 2).float()


def _unfolded(weights: NDArray[np.float32]) -> NDArray[np.float32]:
    """[out, in, taps] as [taps * in, out]."""
    return np.ascontiguousarray(weights.transpose(2, 1, 0).reshape(-1, weights.shape[0]))
