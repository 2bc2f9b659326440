"""Word pieces: what the convolutional model and the encoder read."""

import math
from itertools import chain
from typing import Protocol, cast

import sentencepiece

from lockgate.detect.remembered import LONGEST_WORD, Remembered

MAX_PIECES = 140
"""Word pieces that a model reads at once."""

OVERLAP = 30
"""Word pieces at least that what is read at once shares with what is read next."""

# A word that can be cut in two ways is cut by what stands before it, where they are as likely but for rounding errors.
_LEAST_MARGIN = 0.01
_UNDECIDED = ()
# To learn a word takes five times as long as to cut it.
_MOST_LEARNED = 8


class _Processor(Protocol):
    """What is asked of SentencePiece; it does not say what these give."""

    def encode(self, text: str, /) -> list[int]: ...

    def nbest_encode(self, text: str, /, *, nbest_size: int) -> list[list[int]]: ...

    def get_score(self, piece: int, /) -> float: ...


class Pieces:
    """Cuts texts into word pieces. Thread-safe.

    Args:
        model: A serialised SentencePiece model.

    Attributes:
        begin: Id that begins a text.
        end: Id that ends it.
        pad: Id that fills up a batch.
    """

    def __init__(self, model: bytes) -> None:
        processor = sentencepiece.SentencePieceProcessor(model_proto=model)
        self.begin = processor.bos_id()
        self.end = processor.eos_id()
        self.pad = processor.pad_id()
        self._processor = cast("_Processor", processor)
        self._words = Remembered(self._cut)

    def rows(self, text: str) -> list[list[int]]:
        """Ids of a text's pieces in rows of at most MAX_PIECES, each as full as can be; one for an empty text.

        A window of Greek, Thai or figures holds up to twice as many pieces as one of English.
        """
        ids = self.ids(text)
        spare = len(ids) - MAX_PIECES
        if spare <= 0:
            return [ids]
        steps = -(-spare // (MAX_PIECES - OVERLAP))
        return [ids[start : start + MAX_PIECES] for start in (spare * step // steps for step in range(steps + 1))]

    def ids(self, text: str) -> list[int]:
        """Ids of a text's pieces, without markers.

        No piece spans a blank, so the pieces of a text are those of its words.
        """
        words = text.split(" ")
        found = list(map(self._words.get, words))
        if None in found:
            new = [word for word, ids in zip(words, found, strict=True) if ids is None]
            learned = [self._words[word] for word in new[:_MOST_LEARNED]]
            if len(new) > _MOST_LEARNED or _UNDECIDED in learned:
                return self._whole(text)
            found = list(map(self._words.__getitem__, words))
        return self._whole(text) if _UNDECIDED in found else list(chain.from_iterable(filter(None, found)))

    def _whole(self, text: str) -> list[int]:
        return self._processor.encode(_encodable(text))

    def _cut(self, word: str) -> tuple[int, ...]:
        if len(word) > LONGEST_WORD:
            return _UNDECIDED
        ways = self._processor.nbest_encode(_encodable(word), nbest_size=2)
        best, second = ([sum(map(self._processor.get_score, ids)) for ids in ways] + [-math.inf] * 2)[:2]
        return _UNDECIDED if best - second < _LEAST_MARGIN else tuple(ways[0])


def _encodable(text: str) -> str:
    """The text with a question mark for every lone surrogate, which is no UTF-8."""
    return text.encode("utf-8", "replace").decode("utf-8")
