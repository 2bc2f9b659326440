"""LG-TRAIN-002."""

from collections.abc import Iterator
from typing import ClassVar

from lockgate.core import Card, Check, Confidence, Finding, Location, Severity
from lockgate.train.subject import Product


class CodeFormatProduct(Check[Product], frozen=True):
    """Finds a product in a format that can run code when it is loaded.

    Why it matters:
        A pickle is a program. Whoever can swap the file, or poison the job that writes it, runs code wherever the
        model is loaded, with the rights of the application.

    Fails on:
        `build/router.pkl`, a PyTorch archive that holds `data.pkl`, and a file called `weights.bin` whose content is
        a pickle.

    Passes on:
        `build/router.safetensors` and `build/router.json`.

    Limits:
        Tells formats, not intent: whether a pickle does harm is examined by the supply stage. Formats that run code by
        other means (Keras layers, templates in GGUF) are examined there as well.
    """

    card: ClassVar[Card] = Card(
        id="LG-TRAIN-002",
        title="Product that runs code when it is loaded",
        severity=Severity.HIGH,
        confidence=Confidence.HIGH,
        maps=("LLM03:2025", "ASI04:2026", "AML.T0011.000"),
    )

    def inspect(self, subject: Product) -> Iterator[Finding]:
        """Report the format that the reader told."""
        if subject.code_format:
            message = (
                f"{subject.ref.uri} can run code when it is loaded (format: {subject.code_format}). "
                "Write tensors as safetensors and everything else as JSON."
            )
            yield self.finding(message, at=Location(subject.ref.uri))
