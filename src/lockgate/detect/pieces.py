"""Word pieces: what the convolutional model and the encoder read."""

import sentencepiece

MAX_PIECES = 142
"""Word pieces of a window that count."""


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

    def ids(self, text: str) -> list[int]:
        """Ids of the first MAX_PIECES pieces of a text, without markers."""
        # A lone surrogate is no UTF-8.
        return self._processor.encode(text.encode("utf-8", "replace").decode("utf-8"))[:MAX_PIECES]
