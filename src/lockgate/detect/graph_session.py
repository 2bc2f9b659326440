"""Makes an ONNX graph and the word pieces ready in threads of their own, each while the other and the rest are read."""

from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, TypeAlias, TypeVar

if TYPE_CHECKING:
    import onnxruntime

    from lockgate.detect.pieces import Pieces

Session: TypeAlias = Future["onnxruntime.InferenceSession"]
FuturePieces: TypeAlias = Future["Pieces"]
_Made = TypeVar("_Made")

GRAPH, PIECES = "encoder.onnx", "pieces.model"
# Fused, these two steps take eight times as long on a processor as apart: a tenth of a window's time.
_NOT_FUSED = "SkipLayerNormFusion"


def start_session(graph: Path) -> Session:
    """Begin to load a graph, for one thread of calculation a run; the result is a RuntimeError where that fails."""
    return _started("lockgate-encoder", lambda: _session(graph))


def start_pieces(model: Path) -> FuturePieces:
    """Begin to load word pieces; the result is an OSError or a RuntimeError where that fails."""
    return _started("lockgate-pieces", lambda: _pieces(model))


def _started(name: str, make: Callable[[], _Made]) -> Future[_Made]:
    future: Future[_Made] = Future()

    def run() -> None:
        try:
            future.set_result(make())
        except Exception as error:  # noqa: BLE001 - whoever waits for it gets it
            future.set_exception(error)

    # No daemon: a process that ends while the runtime starts would be aborted.
    Thread(target=run, name=name).start()
    return future


def _session(graph: Path) -> "onnxruntime.InferenceSession":
    try:
        import onnxruntime  # noqa: PLC0415 - takes long to load, and a harmless text is judged before it is there

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.add_session_config_entry("optimization.disable_specified_optimizers", _NOT_FUSED)
        # From the file, not from its bytes: of those the runtime would keep a copy, twice as large as the graph.
        return onnxruntime.InferenceSession(str(graph), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # noqa: BLE001 - the runtime has errors of many kinds
        raise RuntimeError(f"the encoder cannot be started: {type(error).__name__}") from None


def _pieces(model: Path) -> "Pieces":
    from lockgate.detect.pieces import Pieces  # noqa: PLC0415 - loads SentencePiece, which takes a while, too

    return Pieces(model.read_bytes())
