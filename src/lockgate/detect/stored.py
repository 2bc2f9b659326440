"""The learned layers as they lie on disk."""

from pathlib import Path

import msgspec
import numpy as np

from lockgate.detect.classifier import Calibration, Classifier
from lockgate.detect.encoder import Encoder
from lockgate.detect.ngrams import LinearModel


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


def read_classifier(folder: Path) -> Classifier:
    """Read a classifier.

    Args:
        folder: Holds `settings.json`, `linear.npy`, `encoder.onnx`, `pieces.model` and `embeddings.npy`; the last is
            mapped, not read.

    Raises:
        OSError: A file is missing.
        ValueError: A file is of another shape.
        RuntimeError: The encoder cannot be started.
    """
    settings = read_settings(folder)
    weights = np.load(folder / "linear.npy", allow_pickle=False)
    encoder = Encoder(
        (folder / "encoder.onnx").read_bytes(),
        (folder / "pieces.model").read_bytes(),
        np.load(folder / "embeddings.npy", mmap_mode="r", allow_pickle=False),
    )
    linear = LinearModel(weights.astype(np.float32) * np.float32(settings.linear.scale), settings.linear.bias)
    return Classifier(linear, encoder, settings.calibration)
