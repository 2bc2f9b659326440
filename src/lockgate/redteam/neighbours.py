"""Words that stand close together in a table of word vectors: inflections, synonyms, the same word in other languages.

The vectors are the input embeddings of the guard's encoder, which are installed with it. Like every such table this one
also puts some opposites close together ("open", "closed"), so a few changes alter what a text says; after D. Jin et
al., "Is BERT Really Robust?", 2020 (TextFooler), whose neighbours have the same fault to a lesser degree.
"""

import importlib.util
from collections.abc import Sequence
from functools import cache, lru_cache
from pathlib import Path

import numpy as np
import sentencepiece
from numpy.typing import NDArray

from lockgate.redteam.errors import RedteamError

_PACKAGE = "lockgate_guard_model"
_MARK = "\u2581"
_SHORTEST = 3
_LEAST_COSINE = 0.4
_MOST = 6
_ZERO, _NIBBLE, _SCALE_BYTES = 8, 15, 2


class WordVectors:
    """Vectors of the whole words of a vocabulary.

    Args:
        words: The words, lower case.
        vectors: Their vectors, float32 [words, width].
    """

    def __init__(self, words: Sequence[str], vectors: NDArray[np.float32]) -> None:
        self._words = tuple(words)
        self._places = {word: place for place, word in enumerate(self._words)}
        centred = vectors - vectors.mean(axis=0)
        self._vectors = centred / np.maximum(np.linalg.norm(centred, axis=1, keepdims=True), 1e-9)

    def near(self, word: str) -> tuple[str, ...]:
        """The closest words, closest first; none for a word that is not in the vocabulary."""
        place = self._places.get(word)
        if place is None:
            return ()
        cosines = self._vectors @ self._vectors[place]
        closest = [int(one) for one in np.argsort(-cosines)[: _MOST + 1]]
        return tuple(self._words[one] for one in closest if one != place and cosines[one] >= _LEAST_COSINE)


@lru_cache(maxsize=1 << 14)
def neighbours(word: str) -> tuple[str, ...]:
    """Up to six neighbours of a lower-case word, with a cosine of 0.4 and more.

    Raises:
        RedteamError: The guard's weights are not installed.
    """
    return _installed().near(word)


@cache
def _installed() -> WordVectors:
    spec = importlib.util.find_spec(_PACKAGE)
    if spec is None or spec.origin is None:
        raise RedteamError(
            "The guard's weights, whose word vectors are used, are not installed.",
            remedy="Install lockgate-guard-model, or leave 'embedding' out of --attacks.",
        )
    folder = Path(spec.origin).parent
    pieces = sentencepiece.SentencePieceProcessor(model_proto=(folder / "pieces.model").read_bytes())
    table: NDArray[np.uint8] = np.load(folder / "embeddings.npy", mmap_mode="r")
    named = ((number, pieces.id_to_piece(number)) for number in range(min(pieces.vocab_size(), len(table))))
    whole = [(number, piece[1:]) for number, piece in named if piece.startswith(_MARK) and _is_word(piece[1:])]
    blocks = table[[number for number, _ in whole]]
    return WordVectors([word for _, word in whole], _unpacked(blocks))


def _is_word(text: str) -> bool:
    return len(text) >= _SHORTEST and text.isalpha() and text == text.lower()


def _unpacked(blocks: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Blocks of 32 four-bit weights, as `lockgate.detect.encoder.Encoder` reads them."""
    scales = blocks[..., :_SCALE_BYTES].copy().view(np.float16).astype(np.float32)
    packed = blocks[..., _SCALE_BYTES:]
    values = np.concatenate((packed & _NIBBLE, packed >> 4), axis=-1).astype(np.float32) - _ZERO
    return (values * scales).reshape(len(blocks), -1)
