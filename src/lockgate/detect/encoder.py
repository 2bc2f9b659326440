"""A small multilingual text encoder with one output: how much a text reads like an attack.

Word pieces are embedded here, from a table of four bits a weight that is read where it lies; the layers run as 8-bit
ONNX.
Nothing is shared between calls but constants, so one encoder serves all threads.
"""

from collections.abc import Sequence
from concurrent.futures import Future
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from lockgate.detect.pieces import Pieces

if TYPE_CHECKING:
    import onnxruntime

Floats: TypeAlias = NDArray[np.float32]

MAX_TOKENS = 144
"""Word pieces of a window that count, prefix and markers among them."""

# Fused, these two steps take eight times as long on a processor as apart: a tenth of a window's time.
_NOT_FUSED = "SkipLayerNormFusion"
_NIBBLE = 15
_ZERO = 8
_BLOCK = 32
_SCALE_BYTES = 2


class Encoder:
    """Scores short texts.

    The graph is made ready in a thread of its own, since most texts are judged without it.

    Args:
        graph: File of an ONNX model with the input `embeddings`, float32 [batch, tokens, width], and one logit a text
            as output.
        pieces: Whose ids it reads.
        table: Embeddings, uint8 [pieces, width / 32, 18]: blocks of 32 weights, a float16 scale and 16 bytes, whose low
            halves are the first 16 weights plus 8 and whose high halves are the other 16.
    """

    def __init__(self, graph: Path, pieces: Pieces, table: NDArray[np.uint8]) -> None:
        self._session: Future[onnxruntime.InferenceSession] = Future()
        self._pieces = pieces
        self._prefixes = (pieces.ids("query:"), pieces.ids("passage:"))
        self._table = table
        # No daemon: a process that ends while the runtime starts would be aborted.
        Thread(target=_start, args=(graph, self._session), name="lockgate-encoder").start()

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


def _start(graph: Path, session: "Future[onnxruntime.InferenceSession]") -> None:
    try:
        import onnxruntime  # noqa: PLC0415 - takes long to load, and a harmless text is judged before it is there

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.add_session_config_entry("optimization.disable_specified_optimizers", _NOT_FUSED)
        # From the file, not from its bytes: of those the runtime would keep a copy, twice as large as the graph.
        session.set_result(onnxruntime.InferenceSession(str(graph), options, providers=["CPUExecutionProvider"]))
    except Exception as error:  # noqa: BLE001 - whoever asks the encoder gets it
        session.set_exception(RuntimeError(f"the encoder cannot be started: {type(error).__name__}"))
