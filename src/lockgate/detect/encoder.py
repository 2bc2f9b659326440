"""A small multilingual text encoder with one output: how much a text reads like an attack.

Word pieces are embedded here, from a table of four bits a weight that is read where it lies; the layers run as 8-bit
ONNX.
Nothing is shared between calls but constants, so one encoder serves all threads.
"""

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from lockgate.detect.graph_session import Session
from lockgate.detect.pieces import Pieces

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
        session: Of an ONNX model with the input `embeddings`, float32 [batch, tokens, width], and one logit a text as
            output; it may still be on its way.
        pieces: Whose ids it reads.
        table: Embeddings, uint8 [pieces, width / 32, 18]: blocks of 32 weights, a float16 scale and 16 bytes, whose low
            halves are the first 16 weights plus 8 and whose high halves are the other 16.
    """

    def __init__(self, session: Session, pieces: Pieces, table: NDArray[np.uint8]) -> None:
        self._session = session
        self._pieces = pieces
        self._prefixes = (pieces.ids("query:"), pieces.ids("passage:"))
        self._table = table

    def logit(self, row: Sequence[int], *, foreign: bool) -> float:
        """How much a text reads like an attack.

        Args:
            row: Ids of its pieces; what exceeds MAX_TOKENS is not read.
            foreign: Whether it comes from elsewhere than the user.

        Raises:
            RuntimeError: The graph could not be started or run.
        """
        pieces, prefix = self._pieces, self._prefixes[int(foreign)]
        ids = np.array([[pieces.begin, *[*prefix, *row][: MAX_TOKENS - 2], pieces.end]], dtype=np.intp)
        (found,) = self._session.result().run(None, {"embeddings": self._embed(ids)})
        return float(np.asarray(found)[0])

    def _embed(self, ids: NDArray[np.intp]) -> Floats:
        blocks = self._table[ids]
        scales = blocks[..., :_SCALE_BYTES].copy().view(np.float16).astype(np.float32)
        packed = blocks[..., _SCALE_BYTES:]
        values = np.concatenate((packed & _NIBBLE, packed >> 4), axis=-1).astype(np.float32) - _ZERO
        return (values * scales).reshape(*ids.shape, -1)
