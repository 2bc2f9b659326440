"""A linear model over hashed character and word n-grams, read off for every window of a text at once.

The hashing trick (Weinberger et al., 2009, "Feature hashing for large scale multitask learning") with runs of 2 to 5
characters, runs of 1 to 3 words and pairs of words one apart. All steps are numpy operations over the whole text, so
the cost is a few passes over its characters however many windows it has.
"""

from collections.abc import Sequence
from itertools import accumulate
from typing import TypeAlias

import msgspec
import numpy as np
from numpy.typing import NDArray

Hashes: TypeAlias = NDArray[np.uint32]
Floats: TypeAlias = NDArray[np.float32]

BITS = 19
"""Weights: 2 ** BITS."""

_LONGEST_RUN = 5
_ZERO, _DIGITS = np.uint32(ord("0")), np.uint32(10)
_PRIME = np.uint32(16777619)
_MIX = np.uint32(2654435761)
_SEEDS = tuple(np.uint32(seed) for seed in (0x9E3779B9, 0x85EBCA6B, 0xC2B2AE35, 0x27D4EB2F, 0x165667B1))
_POWERS = np.cumprod(np.full(64, 31, dtype=np.uint32), dtype=np.uint32)
_WORD_CHARACTER = np.array([chr(code).isalnum() or not chr(code).isascii() for code in range(256)])


class Features(msgspec.Struct, frozen=True):
    """Hashed n-grams of one text.

    Attributes:
        size: Characters of the text.
        positions: For each kind of n-gram, where each begins; None where one begins at each character from the first.
        hashes: For each kind of n-gram, its bucket, 0 to 2 ** BITS - 1.
    """

    size: int
    positions: Sequence[NDArray[np.intp] | None]
    hashes: Sequence[Hashes]


class LinearModel(msgspec.Struct, frozen=True):
    """Weights for hashed n-grams.

    Attributes:
        weights: One a bucket.
        bias: Added to every window's score.
    """

    weights: Floats
    bias: float

    def score(self, features: Features, windows: Sequence[tuple[int, int]]) -> Floats:
        """The logit of each window `[start, end)` of the text behind `features`.

        A window's score is the sum of its n-grams' weights over the square root of their number, plus the bias.
        """
        sums = np.zeros(features.size + 1, dtype=np.float32)
        counts = np.zeros(features.size + 1, dtype=np.float32)
        values = self.weights.take(np.concatenate(features.hashes)) if features.hashes else sums
        read = 0
        for positions, hashes in zip(features.positions, features.hashes, strict=True):
            place = slice(1, hashes.size + 1) if positions is None else positions + 1
            sums[place] += values[read : read + hashes.size]
            counts[place] += 1.0
            read += hashes.size
        sums, counts = np.cumsum(sums, dtype=np.float64), np.cumsum(counts)
        edges = np.array(windows, dtype=np.intp).reshape(-1, 2)
        total = sums[edges[:, 1]] - sums[edges[:, 0]]
        number = counts[edges[:, 1]] - counts[edges[:, 0]]
        return (total / np.sqrt(np.maximum(number, 1.0)) + self.bias).astype(np.float32)


def hash_ngrams(text: str) -> Features:
    """Hash the n-grams of a text, in lower case and with every digit read as 0. Never fails."""
    codes = np.frombuffer(text.lower().encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    codes = np.where(codes - _ZERO < _DIGITS, _ZERO, codes)
    positions: list[NDArray[np.intp] | None] = []
    found: list[Hashes] = []
    run = codes
    for length in range(2, min(_LONGEST_RUN, codes.size) + 1):
        run = run[:-1] * _PRIME + codes[length - 1 :]
        positions.append(None)
        found.append(run + _SEEDS[length - 2])
    for begins, words in _words(codes):
        positions.append(begins)
        found.append(words)
    return Features(codes.size, positions, _buckets(found))


def _buckets(found: Sequence[Hashes]) -> list[Hashes]:
    """All kinds at once: each step takes longer to begin than to do."""
    if not found:
        return []
    hashes = np.concatenate(found)
    hashes ^= hashes >> np.uint32(15)
    hashes *= _MIX
    hashes ^= hashes >> np.uint32(13)
    hashes *= _PRIME
    hashes >>= np.uint32(32 - BITS)
    ends = list(accumulate(some.size for some in found))
    return [hashes[start:end] for start, end in zip([0, *ends], ends, strict=False)]


def _words(codes: Hashes) -> list[tuple[NDArray[np.intp], Hashes]]:
    inside = _WORD_CHARACTER.take(np.minimum(codes, 255))
    outside = np.ones(codes.size + 2, dtype=bool)
    np.logical_not(inside, out=outside[1:-1])
    edges = (outside[1:] != outside[:-1]).nonzero()[0]
    begins, ends = edges[::2], edges[1::2]
    if not begins.size:
        return []
    lengths = ends - begins
    places = inside.nonzero()[0]
    offsets = places - begins.repeat(lengths)
    terms = (codes[places] + np.uint32(1)) * _POWERS[np.minimum(offsets, _POWERS.size - 1)]
    # Counted among the characters of words alone, each word begins where the ones before it end.
    words = np.add.reduceat(terms, lengths.cumsum() - lengths, dtype=np.uint32)
    one = words * _MIX + _SEEDS[4]
    found = [(begins, one)]
    if words.size > 1:
        found.append((begins[:-1], one[:-1] * _PRIME + words[1:]))
    if words.size > 2:  # noqa: PLR2004 - three words make a run of three
        found.append((begins[:-2], (one[:-2] * _PRIME + words[1:-1]) * _PRIME + words[2:]))
        found.append((begins[:-2], (one[:-2] ^ _SEEDS[0]) * _PRIME + words[2:]))
    return found
