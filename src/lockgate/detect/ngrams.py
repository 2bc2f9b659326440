"""A linear model over hashed character and word n-grams, read off for every window of a text at once.

The hashing trick (Weinberger et al., 2009, "Feature hashing for large scale multitask learning") with runs of 2 to 5
characters, runs of 1 to 3 words and pairs of words one apart. All steps are numpy operations over the whole text, so
the cost is a few passes over its characters however many windows it has.
"""

from collections.abc import Sequence
from typing import TypeAlias

import msgspec
import numpy as np
from numpy.typing import NDArray

Hashes: TypeAlias = NDArray[np.uint32]
Floats: TypeAlias = NDArray[np.float32]

BITS = 19
"""Weights: 2 ** BITS."""

_RUNS = (1, 2, 3, 4)
"""Characters of each kind of run behind its first."""

_AFTER = (0, 1, 2, 2)
"""Words behind the first that each kind of n-gram of words reaches over."""

_ZERO, _DIGITS = np.uint32(ord("0")), np.uint32(10)
_PRIME = np.uint32(16777619)
_MIX = np.uint32(2654435761)
_SEEDS = tuple(np.uint32(seed) for seed in (0x9E3779B9, 0x85EBCA6B, 0xC2B2AE35, 0x27D4EB2F, 0x165667B1))
_RUN_SEEDS = np.array(_SEEDS[: len(_RUNS)])[:, np.newaxis]
_POWERS = np.cumprod(np.full(64, 31, dtype=np.uint32), dtype=np.uint32)
_WORD_CHARACTER = np.array([chr(code).isalnum() or not chr(code).isascii() for code in range(256)])


class Features(msgspec.Struct, frozen=True):
    """Hashed n-grams of one text. Where a text ends too soon for one, its place holds nothing of meaning.

    Attributes:
        size: Characters of the text.
        begins: Where each word begins.
        buckets: 0 to 2 ** BITS - 1 [4 * size + 4 * words]: of the runs of 2 to 5 characters that begin at each
            character, a row each; then of each word, with the next, with the next two, and with the one after the next.
    """

    size: int
    begins: NDArray[np.intp]
    buckets: Hashes

    @property
    def hashes(self) -> list[Hashes]:
        """For each kind of n-gram, the buckets of those that the text holds."""
        split = len(_RUNS) * self.size
        runs, words = (found.reshape(len(_RUNS), -1) for found in (self.buckets[:split], self.buckets[split:]))
        rows = (*zip(runs, _RUNS, strict=True), *zip(words, _AFTER, strict=True))
        return [row[: row.size - after] for row, after in rows if row.size > after]


class LinearModel(msgspec.Struct, frozen=True):
    """Weights for hashed n-grams.

    Attributes:
        weights: One a bucket; float32, or int8 in steps of `scale`.
        bias: Added to every window's score.
        scale: Of the weights.
    """

    weights: NDArray[np.float32] | NDArray[np.int8]
    bias: float
    scale: float = 1.0

    def score(self, features: Features, windows: Sequence[tuple[int, int]]) -> Floats:
        """The logit of each window `[start, end)` of the text behind `features`.

        A window's score is the sum of its n-grams' weights over the square root of their number, plus the bias.
        """
        size, begins = features.size, features.begins
        values = self.weights.take(features.buckets)
        split = len(_RUNS) * size
        edges = np.array(windows, dtype=np.intp).reshape(-1, 2)
        runs, many_runs = _up_to(values[:split], _RUNS, size, edges)
        words, many_words = _up_to(values[split:], _AFTER, begins.size, begins.searchsorted(edges))
        sums, counts = runs + words, many_runs + many_words
        total, number = sums[:, 1] - sums[:, 0], counts[:, 1] - counts[:, 0]
        return (total * self.scale / np.sqrt(np.maximum(number, 1)) + self.bias).astype(np.float32)


def _up_to(
    values: NDArray[np.float32] | NDArray[np.int8], after: Sequence[int], size: int, edges: NDArray[np.intp]
) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """The sum of what begins before each edge, and its number.

    Args:
        values: Of each kind at each of `size` places, a row each; overwritten where nothing begins.
        after: How many places each kind takes beyond its own.
        size: Places.
        edges: [any number, 2].
    """
    rows = values.reshape(len(after), size)
    for row, more in zip(rows, after, strict=True):
        row[max(0, size - more) :] = 0
    sums = np.zeros(size + 1, dtype=np.float64)
    np.add.reduce(rows, axis=0, dtype=np.float32).cumsum(dtype=np.float64, out=sums[1:])
    places = np.maximum(size - np.array(after), 0)
    return sums[edges], np.minimum(edges[..., np.newaxis], places).sum(axis=-1)


def hash_ngrams(text: str) -> Features:
    """Hash the n-grams of a text, in lower case and with every digit read as 0. Never fails."""
    codes = np.frombuffer(text.lower().encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    codes = np.where(codes - _ZERO < _DIGITS, _ZERO, codes)
    size = codes.size
    begins, words = _words(codes)
    # All kinds in one array: each step takes longer to begin than to do.
    buckets = np.empty(len(_RUNS) * (size + words.size), dtype=np.uint32)
    _hash_runs(codes, buckets[: len(_RUNS) * size].reshape(-1, size) if size else buckets)
    if words.size:
        _hash_words(words, buckets[len(_RUNS) * size :].reshape(-1, words.size))
    buckets ^= buckets >> np.uint32(15)
    buckets *= _MIX
    buckets ^= buckets >> np.uint32(13)
    buckets *= _PRIME
    buckets >>= np.uint32(32 - BITS)
    return Features(size, begins, buckets)


def _hash_runs(codes: Hashes, rows: Hashes) -> None:
    if not codes.size:
        return
    padded = np.zeros(codes.size + len(_RUNS), dtype=np.uint32)
    padded[: codes.size] = codes
    run = codes
    for row, after in zip(rows, _RUNS, strict=True):
        np.multiply(run, _PRIME, out=row)
        np.add(row, padded[after : after + codes.size], out=row)
        run = row
    rows += _RUN_SEEDS


def _hash_words(words: Hashes, rows: Hashes) -> None:
    one, pair, three, apart = rows
    padded = np.zeros(words.size + 2, dtype=np.uint32)
    padded[: words.size] = words
    np.multiply(words, _MIX, out=one)
    one += _SEEDS[4]
    np.multiply(one, _PRIME, out=pair)
    pair += padded[1:-1]
    np.multiply(pair, _PRIME, out=three)
    three += padded[2:]
    np.bitwise_xor(one, _SEEDS[0], out=apart)
    apart *= _PRIME
    apart += padded[2:]


def _words(codes: Hashes) -> tuple[NDArray[np.intp], Hashes]:
    """Where each word begins, and its hash."""
    inside = _WORD_CHARACTER.take(np.minimum(codes, 255))
    outside = np.ones(codes.size + 2, dtype=bool)
    np.logical_not(inside, out=outside[1:-1])
    edges = (outside[1:] != outside[:-1]).nonzero()[0]
    begins, ends = edges[::2], edges[1::2]
    if not begins.size:
        return begins, codes[:0]
    lengths = ends - begins
    places = inside.nonzero()[0]
    offsets = places - begins.repeat(lengths)
    terms = (codes[places] + np.uint32(1)) * _POWERS[np.minimum(offsets, _POWERS.size - 1)]
    # Counted among the characters of words alone, each word begins where the ones before it end.
    return begins, np.add.reduceat(terms, lengths.cumsum() - lengths, dtype=np.uint32)
