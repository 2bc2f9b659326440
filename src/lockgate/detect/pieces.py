"""Word pieces: what the convolutional model and the encoder read."""

import re
from itertools import chain

import sentencepiece

from lockgate.detect.remembered import Remembered

MAX_PIECES = 142
"""Word pieces of a window that count."""

# "iii" is "i" and "ii" or the other way round, which are as likely: what stands before it decides by a rounding error.
_REPEATED = re.compile(r"(?s)(.{1,8})\1\1")
_UNDECIDED = ()


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
        self._processor = sentencepiece.SentencePieceProcessor(model_proto=model)
        self.begin = self._processor.bos_id()
        self.end = self._processor.eos_id()
        self.pad = self._processor.pad_id()
        self._words = Remembered(self._cut)

    def ids(self, text: str) -> list[int]:
        """Ids of the first MAX_PIECES pieces of a text, without markers.

        No piece spans a blank, so the pieces of a text are those of its words.
        """
        words = list(map(self._words.__getitem__, text.split(" ")))
        return self._whole(text) if _UNDECIDED in words else list(chain.from_iterable(words))[:MAX_PIECES]

    def _whole(self, text: str) -> list[int]:
        # A lone surrogate is no UTF-8.
        return self._processor.encode(text.encode("utf-8", "replace").decode("utf-8"))[:MAX_PIECES]

    def _cut(self, word: str) -> tuple[int, ...]:
        return _UNDECIDED if _REPEATED.search(word) else tuple(self._whole(word))
