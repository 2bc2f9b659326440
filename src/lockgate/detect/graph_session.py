"""Makes an ONNX graph ready in a thread of its own, since most texts are judged without it."""

from concurrent.futures import Future
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    import onnxruntime

Session: TypeAlias = Future["onnxruntime.InferenceSession"]

GRAPH = "encoder.onnx"
# Fused, these two steps take eight times as long on a processor as apart: a tenth of a window's time.
_NOT_FUSED = "SkipLayerNormFusion"


def start_session(graph: Path) -> Session:
    """Begin to load a graph, for one thread of calculation a run; the result is a RuntimeError where that fails."""
    session: Session = Future()
    # No daemon: a process that ends while the runtime starts would be aborted.
    Thread(target=_start, args=(graph, session), name="lockgate-encoder").start()
    return session


def _start(graph: Path, session: Session) -> None:
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
