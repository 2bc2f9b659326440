"""LG-DEPLOY-010."""

import datetime as dt
from collections.abc import Iterator
from typing import ClassVar

from lockgate.core import Card, Check, Confidence, Finding, Location, Severity, WaivedFinding
from lockgate.deploy.subject import Chain


class UnacceptableWaiver(Check[Chain], frozen=True):
    """Finds a waiver that an earlier gate rested on and that has run out, lasts too long or has the wrong owner.

    Why it matters:
        A waiver is a debt with a name and a date. Whoever writes the project's settings also writes its waivers, so the
        trust file limits how long they may last and who may grant them.

    Fails on:
        A waiver that expired yesterday, one until 2099 where trust sets `max_waiver_days: 90`, or one by somebody whom
        `waiver_owners` does not name.

    Passes on:
        Waivers within the limits, whose owner is named.

    Limits:
        The owner is a name in the settings file, not a signature; the policy pin or approvals tie it to people.
    """

    card: ClassVar[Card] = Card(
        id="LG-DEPLOY-010",
        title="Waiver that must not count",
        severity=Severity.HIGH,
        confidence=Confidence.HIGH,
        maps=("LLM03:2025", "ASI03:2026"),
    )

    def inspect(self, subject: Chain) -> Iterator[Finding]:
        """Judge each waiver that a decision of this run names."""
        if subject.now is None:
            return
        today = subject.now.astimezone(dt.UTC).date()
        for link in subject.links:
            for waived in link.waived:
                if reason := _wrong(waived, subject, today):
                    place = Location(subject.policy.uri, f"/waivers/{waived.finding.fingerprint}")
                    yield self.finding(f"The waiver of {waived.finding.check} {reason}.", at=place)


def _wrong(waived: WaivedFinding, subject: Chain, today: dt.date) -> str:
    owners, days = subject.demands.waiver_owners, subject.demands.max_waiver_days
    try:
        expires = dt.date.fromisoformat(waived.expires)
    except ValueError:
        return "has no date on which it expires"
    if not waived.owner.strip():
        return "has no owner"
    if expires < today:
        return f"expired on {waived.expires}"
    if days and expires > today + dt.timedelta(days=days):
        return f"lasts until {waived.expires}, longer than the trust file allows"
    return (
        f"is owned by {waived.owner}, whom the trust file does not name"
        if owners and waived.owner not in owners
        else ""
    )
