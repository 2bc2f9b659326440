"""Writes the files of the weights package: 8-bit ONNX, 4-bit embeddings, 8-bit n-gram weights. Needs torch."""

import random
import shutil
from collections.abc import Iterator
from pathlib import Path

import msgspec
import numpy as np
import onnxruntime
import torch
from numpy.typing import NDArray
from onnxruntime.quantization import QuantType, quantize_dynamic

from lockgate.detect.classifier import Calibration, Weights
from lockgate.detect.stored import LinearSettings
from training.balance import balance
from training.base import WORDS, Base
from training.convolution_model import read_convolution
from training.encoder_model import BODY, Tokens
from training.errors import TrainingError
from training.network import Network, word_embeddings
from training.ngram_model import read_linear, windows_of
from training.package_settings import PACKAGE, write_settings
from training.rows import read_corpus
from training.vocabulary import PIECES, kept_ids

UNCALIBRATED = Calibration(
    weights=Weights(linear=0.025, convolution=0.1, encoder=1.0, signals=0.25, bias=0.0),
    typical=-3.0,
    ask_user=-0.75,
    ask_foreign=-0.75,
    ask_signals=0.2,
    thresholds={"strict": 0.4, "balanced": 0.6, "permissive": 0.8},
)
"""Works, but its thresholds mean nothing until `calibrate` has fitted them."""

_OPERATORS = 17
_CLIPPED = 0.9998
_FULL, _SMALL = "enc32.onnx", "enc8.onnx"
_SAMPLE_SEED = 0
_SAMPLES, _COMPARED = 250, 50


def export(base: Base, work: Path, package: Path = PACKAGE, weights: str = BODY) -> float:
    """Write all files; returns how far the 8-bit encoder's logits are from the trained ones in the mean.

    Args:
        base: The base encoder, for its embeddings.
        work: Folder with what was trained.
        package: Folder that the guard reads.
        weights: Name of the encoder's weights in `work`.

    Raises:
        TrainingError: Something was not trained yet.
    """
    difference = export_teacher(base, work, package, weights)
    export_convolution(work, package)
    linear = export_linear(work, package)
    write_settings(linear, UNCALIBRATED, package)
    return difference


def export_teacher(base: Base, work: Path, package: Path, weights: str = BODY) -> float:
    """Write the encoder and what it reads, from which the convolutional model may learn; returns what `export` does.

    Raises:
        TrainingError: There are no weights.
    """
    difference = export_encoder(base, work, work / weights)
    shutil.copyfile(work / _SMALL, package / "encoder.onnx")
    shutil.copyfile(work / PIECES, package / "pieces.model")
    np.save(package / "embeddings.npy", base.blocks(WORDS, base.shape.words)[kept_ids(work)])
    return difference


def export_encoder(base: Base, work: Path, weights: Path) -> float:
    """Write the encoder as ONNX, in 32 and in 8 bits; returns how far 8 bits move a logit of our rows in the mean.

    Raises:
        TrainingError: There are no weights.
    """
    if not weights.is_file():
        raise TrainingError(f"{weights} is missing.", remedy="Run 'python -m training encoder' first.")
    state = torch.load(weights, weights_only=True)
    layers = 1 + max(int(name.split(".")[1]) for name in state if name.startswith("layers."))
    network = Network(base.shape, layers)
    network.load_state_dict(state)
    network.eval()
    samples = list(_samples(base, work))
    with torch.no_grad():
        trained = [float(network(sample)) for sample in samples[:_COMPARED]]
    balance(network, samples)
    torch.onnx.export(
        network,
        (samples[0].repeat(2, 1, 1),),
        str(work / _FULL),
        input_names=["embeddings"],
        output_names=["logit"],
        dynamic_axes={"embeddings": {0: "b", 1: "l"}, "logit": {0: "b"}},
        opset_version=_OPERATORS,
        dynamo=False,
    )
    quantize_dynamic(
        work / _FULL,
        work / _SMALL,
        per_channel=True,
        weight_type=QuantType.QInt8,
        op_types_to_quantize=["MatMul", "Gemm"],
    )
    stored = _run(work / _SMALL, [sample.numpy() for sample in samples[:_COMPARED]])
    return float(np.abs(stored - np.array(trained)).mean())


def _samples(base: Base, work: Path) -> Iterator[torch.Tensor]:
    """Embeddings of windows of our corpus' training rows, [1, tokens, width] each."""
    draw, tokens, embeddings = random.Random(_SAMPLE_SEED), Tokens(work), word_embeddings(base, work)
    for row in draw.sample(read_corpus().train, _SAMPLES):
        yield embeddings[torch.tensor([tokens.ids(draw.choice(windows_of(row.text, "-")), row.origin)])]


def export_convolution(work: Path, package: Path) -> None:
    """Write the convolutional model, its embeddings in 8 bits.

    Raises:
        TrainingError: It was not trained yet.
    """
    embeddings, layers = read_convolution(work)
    np.save(package / "convolution.npy", embeddings)
    np.savez(package / "convolution.npz", **msgspec.structs.asdict(layers))


def export_linear(work: Path, package: Path) -> LinearSettings:
    """Write the n-gram weights in 8 bits; the two in ten thousand that are largest are clipped."""
    model = read_linear(work)
    largest = float(np.quantile(np.abs(model.weights), _CLIPPED))
    steps = np.clip(np.round(model.weights / largest * 127), -127, 127).astype(np.int8)
    np.save(package / "linear.npy", steps)
    return LinearSettings(bias=model.bias, scale=largest / 127)


def _run(graph: Path, embeddings: list[NDArray[np.float32]]) -> NDArray[np.float32]:
    """The logit of each window."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(graph.read_bytes(), options, providers=["CPUExecutionProvider"])
    return np.concatenate([session.run(None, {"embeddings": window})[0] for window in embeddings])
