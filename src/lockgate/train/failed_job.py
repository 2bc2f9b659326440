"""LG-TRAIN-001."""

from collections.abc import Iterator
from typing import ClassVar

from lockgate.core import Card, Check, Confidence, Finding, Location, Severity
from lockgate.train.recording import Recording


class FailedJob(Check[Recording], frozen=True):
    """Finds a training job that failed, was stopped at its timeout, or left an output that cannot be kept.

    Why it matters:
        Files that lie in the output folder after a failed job are those of an earlier run. Shipping them means
        shipping a model that nobody trained on the data that was examined.

    Fails on:
        A job that ends with exit code 1, runs longer than `train.timeout_s`, or writes a symbolic link to its output.

    Passes on:
        A job that ends with exit code 0 and leaves plain files.

    Limits:
        A job that fails and still reports success is believed.
    """

    card: ClassVar[Card] = Card(
        id="LG-TRAIN-001",
        title="Failed training job",
        severity=Severity.CRITICAL,
        confidence=Confidence.HIGH,
        maps=("LLM03:2025",),
    )

    def inspect(self, subject: Recording) -> Iterator[Finding]:
        """Report how the job ended, if not well."""
        uri = subject.ref.uri
        if subject.timed_out:
            message = f"The training job was stopped after {subject.timeout_s:,} s; its output was discarded."
            yield self.finding(message, at=Location(uri, "/train/timeout_s"))
        elif subject.exit_code:
            message = f"The training job ended with exit code {subject.exit_code}; its output was discarded."
            yield self.finding(message, at=Location(uri, "/train/command"))
        elif subject.refused:
            count = len(subject.refused)
            message = f"The training job wrote {count} entries that are no plain files; its output was discarded."
            yield self.finding(message, at=Location(uri, "/train/output"))
