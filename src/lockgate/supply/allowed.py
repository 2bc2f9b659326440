"""What models may name: operators of graphs, layers, classes and functions. Data, read once."""

import json
from functools import cache
from importlib.resources import files
from typing import Final

from lockgate.core import sha256_hex
from lockgate.detect.pickle_names import DIGEST

_OPERATORS: Final = "allowed_operators.json"
_KERAS: Final = "allowed_keras.json"
TFLITE_CUSTOM: Final = frozenset(
    {"TFLite_Detection_PostProcess", "Convolution2DTransposeBias", "MaxPoolingWithArgmax2D", "MaxUnpooling2D"}
)


def digests() -> dict[str, str]:
    """SHA-256 of each list, so that evidence can say which ones a verdict rests on."""
    folder = files("lockgate.supply")
    return {
        "pickle": DIGEST,
        "operators": sha256_hex(folder.joinpath(_OPERATORS).read_bytes()),
        "keras": sha256_hex(folder.joinpath(_KERAS).read_bytes()),
    }


@cache
def operators() -> frozenset[str]:
    """Operators that ship with ONNX, ONNX Runtime and TensorFlow and stay within the graph, as `domain:name`."""
    return frozenset(json.loads(files("lockgate.supply").joinpath(_OPERATORS).read_text("utf-8")))


@cache
def keras_names() -> frozenset[str]:
    """Names of the classes and functions that ship with Keras and only compute."""
    return frozenset(json.loads(files("lockgate.supply").joinpath(_KERAS).read_text("utf-8")))
