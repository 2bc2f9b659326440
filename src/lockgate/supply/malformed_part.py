"""LG-SUPPLY-012."""

from collections.abc import Iterator
from typing import ClassVar

from lockgate.core import Card, Check, Confidence, Finding, Location, Severity
from lockgate.supply.subject import UNEXAMINED, ModelFile


class MalformedPart(Check[ModelFile], frozen=True):
    """Finds a graph, a description or settings that break their own format.

    Why it matters:
        Readers in C trust lengths and offsets, and two readers that disagree about a broken file load two different
        models from the same digest. Links and storage outside of the file bring in bytes that nobody hashed. A pattern
        of a tokenizer that repeats what repeats itself keeps the engine busy for ever on a short text.

    Fails on:
        An HDF5 file with an external link, a soft link or bytes behind its end; an ONNX model with a field that the
        format does not know; a TensorFlow Lite buffer beyond the end of the file; XML that defines entities; a
        `config.json` that is not JSON; a `tokenizer.json` that splits by `(a+)+$`.

    Passes on:
        What ONNX, Keras, h5py, TensorFlow and transformers write.

    Limits:
        Checks the layout, not the values. Structures that the reader does not follow are ERRORED by LG-SUPPLY-006.
        A tokenizer's patterns are read, never matched: one whose work grows only with a small power of the text's
        length passes, and one that cannot be judged by reading it fails.
    """

    card: ClassVar[Card] = Card(
        id="LG-SUPPLY-012",
        title="Model graph or description that breaks its format",
        severity=Severity.HIGH,
        confidence=Confidence.HIGH,
        maps=("LLM03:2025", "ASI04:2026", "AML.T0010.003"),
    )

    def inspect(self, subject: ModelFile) -> Iterator[Finding]:
        """Report every problem of every part."""
        uri = subject.ref.uri
        for part in subject.facts.parts:
            for problem in part.problems:
                if problem.code not in UNEXAMINED:
                    place = "/".join(name for name in (part.member, problem.place.strip("/")) if name)
                    where = f"{uri}, member {part.member}" if part.member else uri
                    yield self.finding(f"{where}: {problem.message}", at=Location(uri, f"{place}#{problem.code}"))
