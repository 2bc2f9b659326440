"""Reads the networks out of a weights package, so that training can go on from released weights. Needs torch.

The package holds matrices in 8 bits, one scale a column; what comes back is off by half a step at most, and by more in
channels whose values are small (see `training.balance`), which the training levels out within its warm-up.
"""

from pathlib import Path
from typing import TypeAlias

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import Tensor

from lockgate.detect.convolution import FIRST_TAPS, SECOND_TAPS
from training.base import Floats, Shape
from training.errors import TrainingError
from training.network import Network

State: TypeAlias = dict[str, Tensor]

_STORED = "_quantized"
_PRODUCT = "MatMulInteger"
_INVERSE = ".inverse"
"""What `training.balance` multiplied a layer's input by."""


def released_network(shape: Shape, package: Path) -> Network:
    """The encoder of a package, its matrices in 32 bits again.

    Args:
        shape: Of the base.
        package: Folder that holds `encoder.onnx`, as `export` wrote it.

    Raises:
        TrainingError: There is none, or it is not of that shape.
    """
    path = package / "encoder.onnx"
    try:
        graph = onnx.load(path).graph
    except (OSError, ValueError) as error:
        raise TrainingError(f"{path} cannot be read: {error}") from error
    values = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    state = {name: torch.from_numpy(value.copy()) for name, value in values.items() if not name.startswith("onnx::")}
    for node in graph.node:
        if node.op_type == _PRODUCT:
            # Nodes are named by the module whose product they are: /layers.0/qkv/MatMul_quant.
            module = ".".join(node.name.strip("/").split("/")[:-1])
            state[f"{module}.weight"] = torch.from_numpy(_unpacked(values, node.input[1]))
    for name in [name for name in state if name.endswith(_INVERSE)]:
        balanced = name.removesuffix(_INVERSE)
        state[f"{balanced}.weight"] = state[f"{balanced}.linear.weight"] * state[name]
        state[f"{balanced}.bias"] = state[f"{balanced}.linear.bias"]
    layers = 1 + max(int(name.split(".")[1]) for name in state if name.startswith("layers."))
    network = Network(shape, layers)
    wanted = network.state_dict()
    try:
        network.load_state_dict({name: state[name] for name in wanted})
    except (KeyError, RuntimeError) as error:
        raise TrainingError(f"{path} is no encoder of this shape: {error}") from error
    return network


def released_convolution(package: Path) -> State:
    """The convolutional model of a package, as the network in training holds it, its embeddings in 32 bits again.

    Raises:
        TrainingError: There is none.
    """
    try:
        pieces = np.load(package / "convolution.npy")
        with np.load(package / "convolution.npz") as stored:
            layers = {name: stored[name] for name in stored.files}
    except (OSError, ValueError) as error:
        raise TrainingError(f"{package} holds no convolutional model: {error}") from error
    state = {
        "pieces.weight": pieces.astype(np.float32) * layers["scale"],
        "origin.weight": layers["origin"],
        "first.weight": _folded(layers["first"], FIRST_TAPS),
        "first.bias": layers["first_bias"],
        "second.weight": _folded(layers["second"], SECOND_TAPS),
        "second.bias": layers["second_bias"],
        "hidden.weight": layers["hidden"].T,
        "hidden.bias": layers["hidden_bias"],
        "output.weight": layers["output"][None],
        "output.bias": layers["output_bias"].reshape(1),
    }
    return {name: torch.from_numpy(np.array(value, dtype=np.float32)) for name, value in state.items()}


def _folded(weights: Floats, taps: int) -> Floats:
    """[out, in, taps] of [taps * in, out]."""
    return weights.reshape(taps, -1, weights.shape[1]).transpose(2, 1, 0)


def _unpacked(values: dict[str, Floats], stored: str) -> Floats:
    """[outputs, inputs] of a matrix that is stored as 8-bit [inputs, outputs]."""
    name = stored.removesuffix(_STORED)
    steps = values[stored].astype(np.float32) - values[f"{name}_zero_point"].astype(np.float32)
    return np.ascontiguousarray((steps * values[f"{name}_scale"]).T)
