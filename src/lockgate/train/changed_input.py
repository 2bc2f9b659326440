"""LG-TRAIN-004."""

from collections.abc import Iterator
from typing import ClassVar

from lockgate.core import Card, Check, Confidence, Finding, Location, Severity
from lockgate.train.subject import Material


class ChangedInput(Check[Material], frozen=True):
    """Finds an input of the training job that is not the file that the data gate examined.

    Why it matters:
        The data gate's verdict is about bytes. Rows that are added after it looked, or while the job runs, reach the
        model unexamined.

    Fails on:
        `data/finetune.jsonl` recorded with another digest than the data gate saw, or altered during the job.

    Passes on:
        `data/finetune.jsonl` with the same digest in both.

    Limits:
        A job without isolation may read files that are not among its declared inputs; see LG-TRAIN-003.
    """

    card: ClassVar[Card] = Card(
        id="LG-TRAIN-004",
        title="Training input that changed after the data gate",
        severity=Severity.HIGH,
        confidence=Confidence.HIGH,
        maps=("LLM04:2025", "AML.T0020", "AML.T0010.002"),
    )

    def inspect(self, subject: Material) -> Iterator[Finding]:
        """Compare what was read with what was examined."""
        uri = subject.ref.uri
        if subject.changed:
            yield self.finding(f"{uri} was altered while the training job ran.", at=Location(uri, "/during"))
        if subject.examined is None:
            message = f"{uri} was read by the training job but is not among the files that the data gate examined."
            yield self.finding(message, at=Location(uri))
        elif subject.examined != subject.ref.sha256:
            message = f"{uri} is not the file that the training job read. Run 'lockgate record' again."
            yield self.finding(message, at=Location(uri))
