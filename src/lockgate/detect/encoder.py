"""A small multilingual text encoder with one output: how much a text reads like an attack.

Word pieces are embedded here, from a table of four bits a weight that is read where it lies; the layers run as 8-bit
ONNX.
Nothing is shared between calls but constants, so one encoder serves all threads.
"""

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
import onnxruntime
import sentencepiece
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float32]

MAX_TOKENS = 144
"""Word pieces of a window that count, prefix and markers among them."""

_NIBBLE = 15
_ZERO = 8
_BLOCK = 32
_SCALE_BYTES = 2


class Encoder:
    """Scores short texts.

    Args:
        graph: ONNX model with the inputs `embeddings` [batch, tokens, width] and `mask` [batch, tokens], float32, and
            one logit a text as output.
        pieces: A serialised SentencePiece model.
        table: Embeddings, uint8 [pieces, width / 32, 18]: blocks of 32 weights, a float16 scale and 16 bytes, whose low
            halves are the first 16 weights plus 8 and whose high halves are the other 16.
    """

    def __init__(self, graph: bytes, pieces: bytes, table: NDArray[np.uint8]) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.enable_cpu_mem_arena = False
        self._session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
        self._pieces = sentencepiece.SentencePieceProcessor(model_proto=pieces)
        self._table = table

    def logits(self, texts: Sequence[str], *, foreign: bool) -> Floats:
        """One logit a text.

        Args:
            texts: Windows as `cut_windows` and `readable` make them; what exceeds MAX_TOKENS is not read.
            foreign: Whether they come from elsewhere than the user.
        """
        prefix = "passage: " if foreign else "query: "
        rows = [self._tokens(prefix + text) for text in texts]
        longest = max(map(len, rows))
        mask = np.zeros((len(rows), longest), dtype=np.float32)
        ids = np.full((len(rows), longest), self._pieces.pad_id(), dtype=np.intp)
        for index, row in enumerate(rows):
            mask[index, : len(row)] = 1.0
            ids[index, : len(row)] = row
        (found,) = self._session.run(None, {"embeddings": self._embed(ids), "mask": mask})
        return np.asarray(found, dtype=np.float32)

    def _tokens(self, text: str) -> list[int]:
        # A lone surrogate is no UTF-8.
        inner = self._pieces.encode(text.encode("utf-8", "replace").decode("utf-8"))[: MAX_TOKENS - 2]
        return [self._pieces.bos_id(), *inner, self._pieces.eos_id()]

    def _embed(self, ids: NDArray[np.intp]) -> Floats:
        blocks = self._table[ids]
        scales = blocks[..., :_SCALE_BYTES].copy().view(np.float16).astype(np.float32)
        packed = blocks[..., _SCALE_BYTES:]
        values = np.concatenate((packed & _NIBBLE, packed >> 4), axis=-1).astype(np.float32) - _ZERO
        return (values * scales).reshape(*ids.shape, -1)
