"""Findings that somebody accepted, for a time."""

import datetime as dt
from collections.abc import Iterable

from lockgate.core.config import Waiver
from lockgate.core.finding import Finding
from lockgate.core.gate import WaivedFinding


class WaiverBook:
    """The waivers of `lockgate.yaml`, looked up by fingerprint.

    Args:
        waivers: As configured. Of several for one finding the one that expires last counts.
        today: The day of the decision, UTC.
    """

    def __init__(self, waivers: Iterable[Waiver], *, today: dt.date) -> None:
        self._today = today
        self._by_finding = {waiver.finding: waiver for waiver in sorted(waivers, key=lambda item: item.expires)}

    def waive(self, finding: Finding) -> WaivedFinding | None:
        """The waiver that lets `finding` pass today, or None."""
        waiver = self._by_finding.get(finding.fingerprint)
        if waiver is None or waiver.expires < self._today:
            return None
        return WaivedFinding(finding, waiver.reason, waiver.owner, waiver.expires.isoformat())

    def expired(self, finding: Finding) -> Waiver | None:
        """The waiver that used to let `finding` pass, or None."""
        waiver = self._by_finding.get(finding.fingerprint)
        return waiver if waiver is not None and waiver.expires < self._today else None
