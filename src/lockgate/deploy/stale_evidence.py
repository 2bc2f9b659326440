"""LG-DEPLOY-008."""

import datetime as dt
from collections.abc import Iterator
from typing import ClassVar

from lockgate.core import Card, Check, Confidence, Finding, Location, Severity
from lockgate.deploy.subject import Chain


class StaleEvidence(Check[Chain], frozen=True):
    """Finds evidence that is older than the trust file or the project allows.

    Why it matters:
        A scan says what was known on its day. Weeks later the same files may hold a known vulnerability or a model that
        was withdrawn, and the old result still looks green.

    Fails on:
        A supply decision of two days ago where trust sets `max_scan_age_hours: 24`, or a supply result that does not
        say how old its vulnerability data was where trust sets `max_vulnerability_data_age_days`.

    Passes on:
        Decisions and vulnerability data within the limits.

    Limits:
        Times are those of the machine that signed. The stricter of `supply.max_scan_age_hours` in lockgate.yaml and
        the trust file's limit counts, and of `supply.dependencies.max_data_age_days` likewise; without either of them
        no decision is too old. Evidence without vulnerability data is a finding only where the trust file sets a limit.
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
        now, demands = subject.now, subject.demands
        if now is None:
            return
        hours, days = demands.max_scan_age_hours, demands.max_vulnerability_data_age_days
        limit = _stricter(subject.max_scan_age, dt.timedelta(hours=hours) if hours else None)
        if limit is not None:
            yield from self._decisions(subject, now, limit)
        limit = _stricter(subject.max_data_age, dt.timedelta(days=days) if days else None)
        if limit is not None:
            yield from self._data(subject, now, limit, demanded=bool(days))

    def _decisions(self, subject: Chain, now: dt.datetime, limit: dt.timedelta) -> Iterator[Finding]:
        for link in subject.links:
            if link.at is not None and not dt.timedelta() <= now - link.at <= limit:
                message = f"The {link.stage} gate was decided on {_day(link.at)}, outside the allowed {limit}."
                yield self.finding(message, at=Location(subject.ref.uri, f"/age/{link.stage}"))

    def _data(self, subject: Chain, now: dt.datetime, limit: dt.timedelta, *, demanded: bool) -> Iterator[Finding]:
        stated = [link.data_at for link in subject.links if link.data_at is not None]
        at = Location(subject.ref.uri, "/age/vulnerability-data")
        if not stated:
            if demanded:
                yield self.finding("No evidence says how old the vulnerability data was.", at=at)
        elif not dt.timedelta() <= now - max(stated) <= limit:
            yield self.finding(f"The vulnerability data is of {_day(max(stated))}, outside the allowed {limit}.", at=at)


def _stricter(one: dt.timedelta | None, other: dt.timedelta | None) -> dt.timedelta | None:
    return min((limit for limit in (one, other) if limit is not None), default=None)


def _day(moment: dt.datetime) -> str:
    return moment.astimezone(dt.UTC).isoformat(sep=" ", timespec="minutes")
