"""LG-DEPLOY-008."""

import datetime as dt
from collections.abc import Iterator
from typing import ClassVar

from lockgate.core import Card, Check, Confidence, Finding, Location, Severity
from lockgate.deploy.subject import Chain


class StaleEvidence(Check[Chain], frozen=True):
    """Finds evidence that is older than the trust file allows.

    Why it matters:
        A scan says what was known on its day. Weeks later the same files may hold a known vulnerability or a model that
        was withdrawn, and the old result still looks green.

    Fails on:
        A supply decision of two days ago where trust sets `max_scan_age_hours: 24`, or a supply result that does not
        say how old its vulnerability data was where trust sets `max_vulnerability_data_age_days`.

    Passes on:
        Decisions and vulnerability data within the limits.

    Limits:
        Times are those of the machine that signed. Without limits in the trust file nothing is too old.
    """

    card: ClassVar[Card] = Card(
        id="LG-DEPLOY-008",
        title="Evidence that is too old",
        severity=Severity.HIGH,
        confidence=Confidence.HIGH,
        maps=("LLM03:2025", "ASI04:2026"),
    )

    def inspect(self, subject: Chain) -> Iterator[Finding]:
        """Compare the age of decisions and of vulnerability data with the limits."""
        now = subject.now
        if now is None:
            return
        if hours := subject.demands.max_scan_age_hours:
            yield from self._decisions(subject, now, dt.timedelta(hours=hours))
        if days := subject.demands.max_vulnerability_data_age_days:
            yield from self._data(subject, now, dt.timedelta(days=days))

    def _decisions(self, subject: Chain, now: dt.datetime, limit: dt.timedelta) -> Iterator[Finding]:
        for link in subject.links:
            if link.at is not None and not dt.timedelta() <= now - link.at <= limit:
                message = f"The {link.stage} gate was decided on {_day(link.at)}, outside the allowed {limit}."
                yield self.finding(message, at=Location(subject.ref.uri, f"/age/{link.stage}"))

    def _data(self, subject: Chain, now: dt.datetime, limit: dt.timedelta) -> Iterator[Finding]:
        stated = [link.data_at for link in subject.links if link.data_at is not None]
        at = Location(subject.ref.uri, "/age/vulnerability-data")
        if not stated:
            yield self.finding("No evidence says how old the vulnerability data was.", at=at)
        elif not dt.timedelta() <= now - max(stated) <= limit:
            yield self.finding(f"The vulnerability data is of {_day(max(stated))}, outside the allowed {limit}.", at=at)


def _day(moment: dt.datetime) -> str:
    return moment.astimezone(dt.UTC).isoformat(sep=" ", timespec="minutes")
