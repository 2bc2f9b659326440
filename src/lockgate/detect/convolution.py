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
        # Windows lie one after another with silence between them, as if each stood alone.
        lengths = [max(len(row), 1) for row in rows]
        begins = [_GAP * (number + 1) + before for number, before in enumerate(accumulate(lengths, initial=0))]
        size = begins.pop()
        places = [slice(begin, begin + length) for begin, length in zip(begins, lengths, strict=True)]
        states = np.zeros((size, layers.scale.size), dtype=np.float32)
        ids = np.fromiter(chain.from_iterable(row or _SILENT for row in rows), dtype=np.intp, count=sum(lengths))
        pieces = np.multiply(self._embeddings.take(ids, axis=0), layers.scale, dtype=np.float32)
        pieces += layers.origin[int(foreign)]
        position = 0
        for place, length in zip(places, lengths, strict=True):
            states[place] = pieces[position : position + length]
            position += length
        first = _convolved(states, layers.first, FIRST_TAPS, 1)
        first += layers.first_bias
        np.maximum(first, 0.0, out=first)
        first[:_GAP] = 0.0
        for place in places:
            first[place.stop : place.stop + _GAP] = 0.0
        second = _convolved(first, layers.second, SECOND_TAPS, DILATION)
        second += layers.second_bias
        second += first
        np.maximum(second, 0.0, out=second)
        pooled = np.empty((len(rows), 2 * layers.first_bias.size), dtype=np.float32)
        for row, place, length in zip(pooled, places, lengths, strict=True):
            np.concatenate((second[place].max(axis=0), second[place].sum(axis=0) / length), out=row)
        hidden = np.maximum(_convolved(pooled, layers.hidden, 1, 1) + layers.hidden_bias, 0.0)
        return np.asarray(hidden @ layers.output + layers.output_bias, dtype=np.float32)


def _convolved(states: Floats, weights: Floats, taps: int, dilation: int) -> Floats:
    """Each row's neighbours times their weights, summed; rows beyond the ends are silent.

    A few rows at a time: OpenBLAS gives a larger product to several threads, which then spin for milliseconds in case
    there is more to do. One neighbour at a time, since the fewer columns a product has, the more rows stay below that.
    """
    size, width = states.shape
    channels = weights.shape[1]
    block = min(max(1, _ALONE // (width * channels)), max(1, size))
    blocks = -(-size // block)
    reach = (taps // 2) * dilation
    padded = np.zeros((blocks * block + 2 * reach, width), dtype=np.float32)
    padded[reach : reach + size] = states
    sums = np.empty((blocks, block, channels), dtype=np.float32)
    further = np.empty_like(sums)
    for tap, part in enumerate(weights.reshape(taps, width, channels)):
        start = tap * dilation
        rows = padded[start : start + blocks * block].reshape(blocks, block, width)
        np.matmul(rows, part, out=further if tap else sums)
        if tap:
            sums += further
    return sums.reshape(blocks * block, channels)[:size]
