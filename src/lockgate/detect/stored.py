"""The learned layers as they lie on disk."""

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from lockgate.detect.classifier import Calibration, Classifier
from lockgate.detect.convolution import ConvolutionalModel, ConvolutionLayers
from lockgate.detect.encoder import Encoder
from lockgate.detect.graph_session import GRAPH, Session, start_session
from lockgate.detect.ngrams import LinearModel
from lockgate.detect.pieces import Pieces


class LinearSettings(msgspec.Struct, frozen=True):
    """What turns the stored weights of the linear model into logits.

    Attributes:
        bias: Added to every window's score.
        scale: Of one step of the 8-bit weights.
    """

    bias: float
    scale: float


class Settings(msgspec.Struct, frozen=True):
    """`settings.json`.

    Attributes:
        linear: How to read the linear model.
        calibration: How to put the layers together.
        files: SHA-256 of every other file, in hex, by name.
    """

    linear: LinearSettings
    calibration: Calibration
    files: dict[str, str]


def read_settings(folder: Path) -> Settings:
    """Read `settings.json`.

    Raises:
        OSError: There is none.
        ValueError: It is of another shape.
    """
    return msgspec.json.decode((folder / "settings.json").read_bytes(), type=Settings)


def read_classifier(folder: Path, session: Session | None = None) -> Classifier:
    """Read a classifier.

    Args:
        folder: Holds `settings.json`, `linear.npy`, `pieces.model`, `convolution.npy` (embeddings), `convolution.npz`
            (the layers behind them), `encoder.onnx` and `embeddings.npy`; the embeddings are mapped, not read.
        session: Of that `encoder.onnx`, where it was begun before.

    Raises:
        OSError: A file is missing.
        ValueError: A file is of another shape.
        RuntimeError: The word pieces cannot be read.
    """
    settings = read_settings(folder)
    session = session or start_session(folder / GRAPH)
    pieces = Pieces((folder / "pieces.model").read_bytes())
    encoder = Encoder(session, pieces, _mapped(folder / "embeddings.npy"))
    weights = np.load(folder / "linear.npy", allow_pickle=False)
    linear = LinearModel(weights, settings.linear.bias, settings.linear.scale)
    convolution = ConvolutionalModel(_mapped(folder / "convolution.npy"), _layers(folder / "convolution.npz"))
    return Classifier(linear, pieces, convolution, encoder, settings.calibration)


def _mapped(path: Path) -> NDArray[Any]:
    return np.load(path, mmap_mode="r", allow_pickle=False)


def _layers(path: Path) -> ConvolutionLayers:
    with np.load(path, allow_pickle=False) as stored:
        try:
            return ConvolutionLayers(**{name: stored[name] for name in ConvolutionLayers.__struct_fields__})
        except KeyError as error:
            raise ValueError(f"{path.name} lacks {error}") from error
