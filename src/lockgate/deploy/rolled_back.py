"""LG-DEPLOY-011."""

from collections.abc import Iterator
from typing import ClassVar

from lockgate.core import Card, Check, Confidence, Finding, Location, Severity
from lockgate.deploy.subject import Chain


class RolledBack(Check[Chain], frozen=True):
    """Finds a release that is older than one that was already approved, or a number that stands for two contents.

    Why it matters:
        An old release was approved honestly, and its flaws are known by now. Whoever can put it back needs no forged
        signature.

    Fails on:
        `release: 6` after release 7 was approved, `release: 7` with other files, or no number where one was in use.

    Passes on:
        A number above every approved one, or the same number with the same files.

    Limits:
        Earlier releases are those of this ledger; `ledger` and `min_release` in the trust file, and a checkpoint that
        was kept elsewhere, find a ledger that was replaced or rolled back itself. What the training job makes anew in
        each run may differ under one number.
    """

    card: ClassVar[Card] = Card(
        id="LG-DEPLOY-011",
        title="Release that goes back",
        severity=Severity.CRITICAL,
        confidence=Confidence.HIGH,
        maps=("LLM03:2025", "ASI04:2026"),
    )

    def inspect(self, subject: Chain) -> Iterator[Finding]:
        """Compare the number with the trust file's and with the ledger's."""
        at = Location(subject.policy.uri, "/deploy/release")
        highest = max((item.number for item in subject.earlier), default=0)
        number = subject.release
        if number is None:
            if highest or subject.demands.min_release:
                yield self.finding("The project states no release number, so a rollback cannot be excluded.", at=at)
            return
        if number < subject.demands.min_release:
            least = subject.demands.min_release
            yield self.finding(f"Release {number} is below {least}, the lowest that the trust file allows.", at=at)
        if number < highest:
            yield self.finding(
                f"Release {number} goes back behind release {highest}, which was approved before.", at=at
            )
        for item in subject.earlier:
            if item.number == number and not subject.reviewed <= item.subjects:
                message = f"Release {number} was approved before with other files (entry {item.seq}); count up."
                yield self.finding(message, at=at)
                return
