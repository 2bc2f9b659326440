"""The settings of the weights package: what turns weights into scores, and the digest of every other file."""

import hashlib
from pathlib import Path

import msgspec

from lockgate.detect.classifier import Calibration
from lockgate.detect.stored import LinearSettings, Settings, read_settings

PACKAGE = Path(__file__).resolve().parents[1] / "packages/guard-model/src/lockgate_guard_model"
SETTINGS = "settings.json"
FILES = ("convolution.npy", "convolution.npz", "embeddings.npy", "encoder.onnx", "linear.npy", "pieces.model")


def write_settings(linear: LinearSettings, calibration: Calibration, package: Path) -> None:
    """Write the settings, with the digests of the files as they are now."""
    files = {name: hashlib.sha256((package / name).read_bytes()).hexdigest() for name in FILES}
    encoded = msgspec.json.encode(Settings(linear, calibration, files))
    (package / SETTINGS).write_bytes(msgspec.json.format(encoded, indent=1) + b"\n")


def recalibrate(calibration: Calibration, package: Path) -> None:
    """Put another calibration into the settings."""
    write_settings(read_settings(package).linear, calibration, package)
