"""LG-TRAIN-005."""

from collections.abc import Iterator
from typing import ClassVar

from lockgate.core import Card, Check, Confidence, Finding, Location, Severity, SkippedError
from lockgate.train.recording import Recording


class EmptyOutput(Check[Recording], frozen=True):
    """Finds a training job that succeeded and produced nothing.

    Why it matters:
        A job that writes elsewhere, or skips its work, reports success all the same. Evidence about no product lets a
        product of unknown origin take its place.

    Fails on:
        A job that ends with exit code 0 and leaves its output folder empty.

    Passes on:
        A job that writes at least one file to its output folder.

    Limits:
        Does not judge whether the product is the right one, or whether a second run gives the same bytes.
    """

    card: ClassVar[Card] = Card(
        id="LG-TRAIN-005",
        title="Training job without a product",
        severity=Severity.HIGH,
        confidence=Confidence.HIGH,
        maps=("LLM03:2025",),
    )

    def inspect(self, subject: Recording) -> Iterator[Finding]:
        """Report an empty output of a job that ended well."""
        if subject.exit_code != 0 or subject.refused:
            raise SkippedError("The job failed, so its output was not kept (LG-TRAIN-001).")
        if not subject.products:
            message = f"The training job wrote nothing to {subject.output}; the old output is still there."
            yield self.finding(message, at=Location(subject.ref.uri, "/train/output"))
