"""Cuts the base encoder's vocabulary down to what the guard's texts use, as a SentencePiece model of its own.

The base has 250,000 pieces, a hundred languages' worth, and three quarters of its bytes are their embeddings. Kept are
the pieces that the training data use, the most frequent ones whatever the language, and every single character.
"""

import collections
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import sentencepiece
from numpy.typing import NDArray
from sentencepiece import sentencepiece_model_pb2 as schema

from training.base import Base

PIECES = "tokenizer.model"
IDS = "vocab_ids.npy"

_BEGIN, _PAD, _END, _UNKNOWN = "<s>", "<pad>", "</s>", "<unk>"
_SPECIAL = 4
_MASK = "<mask>"
_READ = 2000
_OFTEN = 4
_FREQUENT = 44_000
_RAREST_CHARACTER = -15.5


def prune(base: Base, texts: Sequence[str], work: Path) -> int:
    """Write the smaller vocabulary and the ids that its pieces have in the base; returns its size.

    Args:
        base: The base encoder.
        texts: Of the training data; the first 2,000 characters of each count.
        work: Folder for both files.
    """
    unique = distinct(base.pieces)
    whole = sentencepiece.SentencePieceProcessor(
        model_proto=serialised([base.pieces[i] for i in unique], [base.scores[i] for i in unique])
    )
    used: collections.Counter[int] = collections.Counter()
    for text in texts:
        used.update(whole.encode(unicodedata.normalize("NFKC", text)[:_READ]))
    often = {unique[index] for index, number in used.items() if number >= _OFTEN}
    kept = chosen(base.pieces, base.scores, unique, often)
    (work / PIECES).write_bytes(serialised([base.pieces[i] for i in kept], [base.scores[i] for i in kept]))
    np.save(work / IDS, np.array(kept))
    return len(kept)


def kept_ids(work: Path) -> NDArray[np.int64]:
    """The base's id of each piece that was kept."""
    return np.load(work / IDS, allow_pickle=False)


def distinct(pieces: Iterable[str]) -> list[int]:
    """Ids of the pieces without repetitions, which SentencePiece refuses, and without the mask, which is never used."""
    first: dict[str, int] = {}
    for index, piece in enumerate(pieces):
        first.setdefault(piece, index)
    return [index for piece, index in first.items() if piece != _MASK]


def chosen(pieces: Sequence[str], scores: Sequence[float], unique: Sequence[int], often: Iterable[int]) -> list[int]:
    """Ids to keep, ascending: the special ones, the often used, the most frequent and the single characters."""
    ranked = sorted(unique[_SPECIAL:], key=lambda index: -scores[index])
    characters = (index for index in unique if len(pieces[index]) == 1 and scores[index] > _RAREST_CHARACTER)
    return sorted({*range(_SPECIAL), *often, *ranked[:_FREQUENT], *characters})


def serialised(pieces: Sequence[str], scores: Sequence[float]) -> bytes:
    """A SentencePiece unigram model of these pieces, which must hold `<s>`, `<pad>`, `</s>` and `<unk>`.

    It normalises nothing but blanks: texts come in NFKC already.
    """
    model = schema.ModelProto()
    for piece, score, kind in zip(pieces, scores, _kinds(pieces), strict=True):
        model.pieces.add(piece=piece, score=float(score), type=kind)
    trainer, normalizer = model.trainer_spec, model.normalizer_spec
    trainer.model_type = schema.TrainerSpec.UNIGRAM
    trainer.vocab_size = len(pieces)
    trainer.bos_piece, trainer.pad_piece, trainer.eos_piece, trainer.unk_piece = _BEGIN, _PAD, _END, _UNKNOWN
    trainer.bos_id, trainer.pad_id = pieces.index(_BEGIN), pieces.index(_PAD)
    trainer.eos_id, trainer.unk_id = pieces.index(_END), pieces.index(_UNKNOWN)
    normalizer.name = "identity"
    normalizer.add_dummy_prefix = True
    normalizer.remove_extra_whitespaces = True
    normalizer.escape_whitespaces = True
    return model.SerializeToString()


def _kinds(pieces: Sequence[str]) -> Iterator[int]:
    known = schema.ModelProto.SentencePiece
    special = {_UNKNOWN: known.UNKNOWN, _BEGIN: known.CONTROL, _PAD: known.CONTROL, _END: known.CONTROL}
    return (special.get(piece, known.NORMAL) for piece in pieces)
