"""LG-REDTEAM-107."""

from collections.abc import Iterator

from lockgate.core.check import Card, Check, Cost
from lockgate.core.finding import Finding, Location
from lockgate.core.levels import Confidence, Severity
from lockgate.redteam.result import RedteamResult


class ChangedModel(Check[RedteamResult], frozen=True):
    """Finds a run in which the endpoint began to answer with another model.

    Why it matters:
        A rate over two models is the rate of neither. Whoever routes requests away under load routes the next attack to
        the model that was never tested.

    Fails on:
        A run whose answers name `large-2` first and `small-1` later.

    Passes on:
        A run whose answers all name `large-2`, or name nothing.

    Limits:
        Believes the name that the endpoint gives.
    """

    card = Card(
        id="LG-REDTEAM-107",
        title="Model changed during the run",
        severity=Severity.HIGH,
        confidence=Confidence.HIGH,
        cost=Cost.EXPENSIVE,
        maps=("LLM03:2025", "AML.T0010"),
    )

    def inspect(self, subject: RedteamResult) -> Iterator[Finding]:
        """Yield one finding for each target that named more than one model."""
        for lane, names in sorted(subject.models.items()):
            if len(names) > 1:
                yield self.finding(
                    f"The {lane} target answered as {len(names)} different models; no rate holds for any of them.",
                    at=Location(subject.ref.uri, f"/models/{lane}"),
                )
