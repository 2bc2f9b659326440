"""LG-TRAIN-003."""

from collections.abc import Iterator
from typing import ClassVar

from lockgate.core import Card, Check, Confidence, Finding, Location, Severity
from lockgate.train.recording import Recording


class UnisolatedJob(Check[Recording], frozen=True):
    """Finds a training job that ran without isolation.

    Why it matters:
        The recorded inputs are the only ones for certain when the job can reach nothing else: no network, no other
        file. Isolation also contains a training script or a package that was tampered with.

    Fails on:
        A job recorded on a machine without bubblewrap, or on one that refuses user namespaces.

    Passes on:
        A job recorded inside bubblewrap.

    Limits:
        Information only, unless `train.require_isolation` is set. Bubblewrap shares the machine's kernel, so it does
        not contain an exploit of the kernel.
    """

    card: ClassVar[Card] = Card(
        id="LG-TRAIN-003",
        title="Training without isolation",
        severity=Severity.MEDIUM,
        confidence=Confidence.HIGH,
        maps=("LLM03:2025", "ASI05:2026", "AML.T0010"),
    )
    required: bool = False

    def inspect(self, subject: Recording) -> Iterator[Finding]:
        """Report a recording without a sandbox."""
        if subject.sandbox == "none":
            yield self.finding(
                f"The training job was not isolated: {subject.sandbox_reason}",
                at=Location(subject.ref.uri, "/train/require_isolation"),
                severity=Severity.MEDIUM if self.required else Severity.INFO,
            )
