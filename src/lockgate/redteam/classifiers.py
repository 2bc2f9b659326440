"""Classifiers of texts from outside: an ONNX file, or a Python function in a process of its own."""

import asyncio
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol, cast

import msgspec
import numpy as np
import onnxruntime
from numpy.typing import NDArray

from lockgate.core.errors import CoreError
from lockgate.core.files import read
from lockgate.redteam.corpus import Benign
from lockgate.redteam.errors import RedteamError
from lockgate.redteam.message import Message, UnusableAnswerError
from lockgate.redteam.robustness import Scores
from lockgate.redteam.targets.callable import CallableTarget

MAX_BYTES = 1 << 30
_ABOUT = Benign(id="classifier", turns=("-",), kind="classifier", half="seen")
_PAIR = 2
_LOCALE = (
    "Export it with the locale C.UTF-8 (docs/redteam-command.md, Classifiers), or install en_US.UTF-8 "
    "(Debian: apt-get install locales-all)."
)
_FATAL = 4
_PICKLED = frozenset({".pkl", ".pickle", ".joblib", ".sav", ".p", ".skops"})


class _Port(Protocol):
    name: str
    type: str
    shape: Sequence[object]


class _Session(Protocol):
    def get_inputs(self) -> Sequence[_Port]: ...
    def get_outputs(self) -> Sequence[_Port]: ...
    def run(self, names: Sequence[str], given: dict[str, NDArray[np.object_]]) -> Sequence[object]: ...


def onnx_scores(path: Path) -> Scores:
    """The classifier in an ONNX file that takes texts, as scikit-learn pipelines are exported.

    Its one input is a tensor of strings; its last output is the probabilities of both classes or of class 1, as a table
    or as maps.

    Raises:
        RedteamError: It cannot be read, or it is no such model.
    """
    if path.suffix in _PICKLED:
        raise RedteamError(
            f"{path.name} is not loaded: such a file may run code.",
            remedy="Export the pipeline to ONNX, or name a function that asks it: python:module:function.",
        )
    try:
        body = read(path.absolute().parent, path.name, limit=MAX_BYTES).body
        options = onnxruntime.SessionOptions()
        options.log_severity_level = _FATAL
        loaded: object = onnxruntime.InferenceSession(body, options, providers=["CPUExecutionProvider"])
        session = cast("_Session", loaded)
    except CoreError as error:
        raise RedteamError(error.message, remedy=error.remedy) from error
    except Exception as error:
        # What scikit-learn's lower-casing becomes wants a locale of the machine, which containers rarely have.
        known = _LOCALE if "locale" in str(error) else "Export it again."
        raise RedteamError(f"{path.name} is no ONNX model that runs here.", remedy=known) from error
    inputs, outputs = session.get_inputs(), session.get_outputs()
    if len(inputs) != 1 or inputs[0].type != "tensor(string)":
        raise RedteamError(
            f"{path.name} does not take texts.", remedy="Export the whole pipeline, vectoriser included."
        )
    column = len(inputs[0].shape) == _PAIR

    def scores(texts: Sequence[str]) -> list[float]:
        given = np.array(list(texts), dtype=object)
        found = session.run([outputs[-1].name], {inputs[0].name: given.reshape(-1, 1) if column else given})[0]
        return probabilities(found)

    return scores


def probabilities(output: object) -> list[float]:
    """The probability of class 1 for each text: of a table with a column a class, of a column, or of one map a text.

    A map from classes to probabilities is what scikit-learn's exports give unless told otherwise (ZipMap). Of classes
    that have other names the last one counts.

    Raises:
        RedteamError: It is none of these.
    """
    try:
        if isinstance(output, list):
            rows = [cast("dict[object, float]", row) for row in cast("list[object]", output)]
            return [float(row[1] if 1 in row else list(row.values())[-1]) for row in rows]
        table = np.asarray(output, dtype=np.float64)
        return cast("list[float]", (table[:, -1] if table.ndim == _PAIR else table).tolist())
    except (TypeError, ValueError, IndexError, KeyError, AttributeError) as error:
        raise RedteamError(
            "The classifier's last output holds no probabilities.",
            remedy="Export it with the probabilities of its classes.",
        ) from error


@contextmanager
def function_scores(module: str, function: str, *, timeout_s: float = 60.0) -> Generator[Scores]:
    """A Python function from a text to the probability of class 1, called in one process of its own.

    It is called as the red team calls a target, `function(messages)`, and returns the number, or a text of it.

    Raises:
        RedteamError: It cannot be loaded, or does not give a number.
    """
    with asyncio.Runner() as runner:
        target = CallableTarget(module, function, timeout_s=timeout_s, numbers=True)
        runner.run(target.__aenter__())
        try:

            async def ask(texts: Sequence[str]) -> list[float]:
                return [float((await target.reply((Message("user", text),), _ABOUT)).text) for text in texts]

            def scores(texts: Sequence[str]) -> list[float]:
                try:
                    return runner.run(ask(texts))
                except (UnusableAnswerError, ValueError, msgspec.MsgspecError) as error:
                    raise RedteamError(
                        f"{module}:{function} gave no number.",
                        remedy="Return the probability of class 1, as a number or a text.",
                    ) from error

            yield scores
        finally:
            runner.run(target.__aexit__(None, None, None))
