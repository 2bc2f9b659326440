"""A small convolutional network over word pieces that reads every window of a text.

Embeddings, two layers of convolutions, the maximum and the mean over the pieces, and two dense layers (after Kim, 2014,
"Convolutional neural networks for sentence classification"). All windows of a text go through each layer as one matrix
product, so that a page costs a few milliseconds.
"""

from collections.abc import Sequence
from itertools import accumulate, chain
from typing import TypeAlias

import msgspec
import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float32]

FIRST_TAPS = 5
"""Neighbouring pieces that the first layer sees."""

SECOND_TAPS = 3
"""Places that the second layer sees, DILATION pieces apart."""

DILATION = 2
_GAP = 2
_SILENT = (0,)
_GAP_IDS = (0, 0)
_FEW = 16
# Multiplications of a product that OpenBLAS leaves to the thread that asks for it.
_ALONE = 4 * 65_536


class ConvolutionLayers(msgspec.Struct, frozen=True):
    """Weights behind the embeddings; float32.

    Attributes:
        scale: Of one step of each column of the embeddings [width].
        origin: Added to every piece of a user's text and of a foreign one [2, width].
        first: [FIRST_TAPS * width, channels], `first_bias` [channels].
        second: [SECOND_TAPS * channels, channels], `second_bias` [channels].
        hidden: [2 * channels, units], for the maximum and then the mean; `hidden_bias` [units].
        output: [units].
        output_bias: [1].
    """

    scale: Floats
    origin: Floats
    first: Floats
    first_bias: Floats
    second: Floats
    second_bias: Floats
    hidden: Floats
    hidden_bias: Floats
    output: Floats
    output_bias: Floats


class ConvolutionalModel:
    """Scores windows. Thread-safe: holds constants only.

    Args:
        embeddings: int8 [pieces, width]; may be mapped from a file.
        layers: What comes behind them.

    Raises:
        ValueError: The shapes do not fit together.
    """

    def __init__(self, embeddings: NDArray[np.int8], layers: ConvolutionLayers) -> None:
        width, channels = embeddings.shape[1], layers.first_bias.size
        wanted = (
            (layers.scale, (width,)),
            (layers.origin, (2, width)),
            (layers.first, (FIRST_TAPS * width, channels)),
            (layers.second, (SECOND_TAPS * channels, channels)),
            (layers.hidden, (2 * channels, layers.hidden_bias.size)),
            (layers.output, (layers.hidden_bias.size,)),
        )
        if embeddings.dtype != np.int8 or any(array.shape != shape for array, shape in wanted):
            raise ValueError("the convolutional model's weights do not fit together")
        self._embeddings = np.asarray(embeddings)  # indexing a mapped file's own type takes longer
        self._layers = layers

    def logits(self, rows: Sequence[Sequence[int]], *, foreign: bool) -> Floats:
        """One logit a window.

        Args:
            rows: Ids of each window's pieces; at least one row.
            foreign: Whether they come from elsewhere than the user.
        """
        layers = self._layers
        width, channels = layers.scale.size, layers.first_bias.size
        # Windows lie one after another with silence between them, as if each stood alone.
        lengths = [max(len(row), 1) for row in rows]
        begins = [_GAP * (number + 1) + before for number, before in enumerate(accumulate(lengths, initial=0))]
        size = begins.pop()
        gaps = [slice(end - _GAP, end) for end in (*begins, size)]
        block_first, block_second, total = _blocks(size - 2 * _GAP, width, channels)
        ids = [*_GAP_IDS, *chain.from_iterable((*(row or _SILENT), *_GAP_IDS) for row in rows)]
        states = np.zeros((total + 2 * _GAP, width), dtype=np.float32)
        pieces = states[:size]
        np.multiply(self._embeddings.take(ids, axis=0), layers.scale, out=pieces)
        pieces += layers.origin[int(foreign)]
        _silence(pieces, gaps)
        # Of each layer, the rows that the next one reads: as many of silence before and behind as it reaches.
        first = np.zeros((total + 2 * _GAP, channels), dtype=np.float32)
        inner = first[_GAP : _GAP + total]
        _convolve(states, layers.first, 1, block_first, inner)
        inner += layers.first_bias
        np.maximum(inner, 0.0, out=inner)
        _silence(first, gaps)
        second = np.empty((total, channels), dtype=np.float32)
        _convolve(first, layers.second, DILATION, block_second, second)
        second += layers.second_bias
        second += inner
        np.maximum(second, 0.0, out=second)
        pooled = np.empty((len(rows), 2 * channels), dtype=np.float32)
        for row, begin, length in zip(pooled, begins, lengths, strict=True):
            window = second[begin - _GAP : begin - _GAP + length]
            window.max(axis=0, out=row[:channels])
            np.divide(window.sum(axis=0), length, out=row[channels:])
        hidden = np.empty((len(rows), layers.hidden_bias.size), dtype=np.float32)
        for start in range(0, len(rows), _FEW):
            np.matmul(pooled[start : start + _FEW], layers.hidden, out=hidden[start : start + _FEW])
        hidden = np.maximum(hidden + layers.hidden_bias, 0.0)
        return np.asarray(hidden @ layers.output + layers.output_bias, dtype=np.float32)


def _silence(states: Floats, gaps: Sequence[slice]) -> None:
    for gap in gaps:
        states[gap] = 0.0


def _blocks(rows: int, width: int, channels: int) -> tuple[int, int, int]:
    """How many rows a product has in the first layer and in the second one, and how many all have together, at least.

    A few at a time: OpenBLAS gives a larger product to several threads, which then spin for milliseconds in case there
    is more to do.
    """
    second = max(1, _ALONE // (channels * max(width, channels)))
    if rows <= second:
        return rows, rows, rows
    first = second * max(1, channels // width)
    return first, second, -(-rows // first) * first


def _convolve(states: Floats, weights: Floats, dilation: int, block: int, sums: Floats) -> None:
    """Put into each row of `sums` the row of `states` with its number and those behind it, times their weights.

    One neighbour at a time, since the fewer columns a product has, the more rows it may have.
    """
    size, channels = sums.shape
    width = states.shape[1]
    blocks = sums.reshape(-1, block, channels)
    further = np.empty_like(blocks)
    for tap, part in enumerate(weights.reshape(-1, width, channels)):
        rows = states[tap * dilation : tap * dilation + size].reshape(-1, block, width)
        np.matmul(rows, part, out=further if tap else blocks)
        if tap:
            blocks += further
