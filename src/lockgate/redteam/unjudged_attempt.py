"""LG-REDTEAM-105."""

from collections.abc import Iterator

from lockgate.core.check import Card, Check, Cost
from lockgate.core.errors import SkippedError
from lockgate.core.finding import Finding
from lockgate.core.levels import Confidence, Severity
from lockgate.redteam.attempt import Attempt, AttemptStatus
from lockgate.redteam.errors import RedteamError


class UnjudgedAttempt(Check[Attempt], frozen=True):
    """Marks an attempt that could not be judged: the target failed, the run was interrupted, or no judge applies.

    Why it matters:
        An attack that was never answered was not resisted. Counted as resistance, it would make a broken endpoint the
        safest of all.

    Fails on:
        Nothing. An attempt that broke off is ERRORED, which always holds the gate; one that no judge applies to is
        SKIPPED.

    Passes on:
        An attempt that was judged, whatever the verdict.

    Limits:
        A conversation in which the attack reached its goal before it broke off is judged.
    """

    card = Card(
        id="LG-REDTEAM-105",
        title="Attempt that could not be judged",
        severity=Severity.INFO,
        confidence=Confidence.HIGH,
        cost=Cost.EXPENSIVE,
        maps=("LLM01:2025", "AML.T0051"),
    )

    def inspect(self, subject: Attempt) -> Iterator[Finding]:
        """Yield nothing.

        Raises:
            RedteamError: The attempt could not be judged.
            SkippedError: No judge applies to it.
        """
        if subject.status is AttemptStatus.ERRORED:
            said = subject.reason[:1].upper() + subject.reason[1:].removesuffix(".") + "."
            raise RedteamError(said, remedy="Run the red team again; attempts that were judged are kept.")
        if subject.status is AttemptStatus.SKIPPED:
            raise SkippedError(subject.reason)
        return iter(())
