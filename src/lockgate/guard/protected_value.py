"""LG-GUARD-001."""

from collections.abc import Iterator

from lockgate.core import Card, Check, Confidence, Finding, Location, Severity, SkippedError
from lockgate.detect import find_leaks
from lockgate.guard.completion import Completion


class ProtectedValue(Check[Completion], frozen=True):
    """Finds a protected value in an answer, plain or in a simple encoding.

    Why it matters:
        A model that knows a secret can be talked into telling it, and attackers ask for it spelled, reversed or encoded
        because a filter for the plain value lets those pass.

    Fails on:
        The answer `Sure: H-A-R-B-O-R` where `HARBOR` is protected.

    Passes on:
        The answer `I cannot share that.`

    Limits:
        An encoding that is not listed at `lockgate.detect.find_leaks`, a translation or a description of the value is
        not recognised. A value with fewer than four letters and digits is only found as it is written.
    """

    card = Card(
        id="LG-GUARD-001",
        title="Protected value in an answer",
        severity=Severity.CRITICAL,
        confidence=Confidence.HIGH,
        maps=("LLM02:2025", "LLM07:2025", "AML.T0057"),
    )

    def inspect(self, subject: Completion) -> Iterator[Finding]:
        """Yield one finding for each encoding in which a protected value occurs."""
        if not subject.protected:
            raise SkippedError("No values are declared as protected.")
        for label in dict.fromkeys(span.label for span in find_leaks(subject.text, subject.protected)):
            form = label.partition(".")[2]
            yield self.finding(
                f"The answer {subject.ref.uri} contains a protected value ({form}).",
                at=Location(subject.ref.uri, path=f"/text/{form}"),
            )
