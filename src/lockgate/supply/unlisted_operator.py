"""LG-SUPPLY-009."""

from collections.abc import Iterator
from typing import ClassVar

import re2

from lockgate.core import Card, Check, Confidence, Finding, Location, Severity
from lockgate.supply.allowed import TFLITE_CUSTOM, operators
from lockgate.supply.subject import ModelFile

_OPENVINO = re2.compile(rb"openvino\.(?:opset\d{1,2}|util|ops|ie_internal_opset|type_relaxed_opset):[A-Z][A-Za-z0-9_]*")
_MAX_SHOWN = 100


class UnlistedOperator(Check[ModelFile], frozen=True):
    """Finds a graph with an operator that reaches beyond the graph, or that no known runtime ships.

    Why it matters:
        A graph is a program. Some operators read and write files or call back into Python; a custom operator is a
        native library that the model's author expects you to install and load.

    Fails on:
        A TensorFlow graph with `PyFunc` or `WriteFile` in a library function, an ONNX model with an operator of a
        domain of its own inside a loop's body, a TensorFlow Lite model with a custom operator.

    Passes on:
        A graph of the operators that ONNX, ONNX Runtime's own extensions, TensorFlow and OpenVINO ship and that only
        compute; functions that the model defines from those.

    Limits:
        Says which operators a graph has, not what it computes: a backdoor in the weights or in plain arithmetic is not
        seen. Add operators that you reviewed with `allow`.
    """

    card: ClassVar[Card] = Card(
        id="LG-SUPPLY-009",
        title="Operator that a model graph may not use",
        severity=Severity.HIGH,
        confidence=Confidence.HIGH,
        maps=("LLM03:2025", "ASI04:2026", "ASI05:2026", "AML.T0010.003", "AML.T0018.002"),
    )
    allow: frozenset[str] = frozenset()

    def inspect(self, subject: ModelFile) -> Iterator[Finding]:
        """Report every operator that is in no list."""
        uri = subject.ref.uri
        for part in subject.facts.parts:
            for mention in part.mentions:
                if mention.kind == "operator" and not self._is_known(mention.name):
                    name = mention.name[:_MAX_SHOWN]
                    where = f"{uri}, member {part.member}" if part.member else uri
                    yield self.finding(
                        f"{where}: the graph uses {name!r}, which is no operator that only computes.",
                        at=Location(uri, f"{part.member}#{name}"),
                    )

    def _is_known(self, name: str) -> bool:
        domain, _, operator = name.partition(":")
        if domain == "local" or name in self.allow or name in operators():
            return True
        if domain == "tflite.custom":
            return operator in TFLITE_CUSTOM
        return _OPENVINO.fullmatch(name.encode()) is not None
