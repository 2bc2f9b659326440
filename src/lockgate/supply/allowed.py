"""What models may name: operators of graphs, layers, classes and functions. Data, read once.

A list that was changed is an error, so that the check that asks for it is ERRORED.
"""

import json
from functools import cache
from importlib.resources import files
from typing import Final

from lockgate.core import sha256_hex
from lockgate.detect.pickle_names import DIGEST
from lockgate.detect.pinned import read_pinned

_OPERATORS: Final = "allowed_operators.json"
_KERAS: Final = "allowed_keras.json"
_PINNED: Final = {
    _OPERATORS: "2cbaad59660762675bd6ca0576140b53b21aa329049980a5852c8035fa1007f5",
    _KERAS: "7230267bb92d836556466a1c51b6ea189082b327fedfbe77ac0505157e20f9d4",
}
TFLITE_CUSTOM: Final = frozenset(
    {"TFLite_Detection_PostProcess", "Convolution2DTransposeBias", "MaxPoolingWithArgmax2D", "MaxUnpooling2D"}
)


def digests() -> dict[str, str]:
    """SHA-256 of each list, so that evidence can say which ones a verdict rests on."""
    return {"pickle": DIGEST, "operators": sha256_hex(_read(_OPERATORS)), "keras": sha256_hex(_read(_KERAS))}


@cache
def operators() -> frozenset[str]:
    """Operators that ship with ONNX, ONNX Runtime and TensorFlow and stay within the graph, as `domain:name`."""
    return frozenset(json.loads(_read(_OPERATORS)))


@cache
def keras_names() -> frozenset[str]:
    """Names of the classes and functions that ship with Keras and only compute."""
    return frozenset(json.loads(_read(_KERAS)))


def _read(name: str) -> bytes:
    return read_pinned(files("lockgate.supply"), (name,), _PINNED)[name]
