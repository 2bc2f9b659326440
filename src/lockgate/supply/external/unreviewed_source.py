"""LG-SUPPLY-015."""

from collections.abc import Iterator
from fnmatch import fnmatchcase
from itertools import groupby
from typing import ClassVar
from urllib.parse import urlsplit

from lockgate.core import Card, Check, Confidence, Finding, Location, Severity
from lockgate.report import name
from lockgate.supply.external.subject import SourceFacts


class UnreviewedSource(Check[SourceFacts], frozen=True):
    """Finds third parties that the application relies on without a review that still counts.

    Why it matters:
        A model behind an interface sees every prompt and writes every answer, and its owner can change it, keep the
        data or give up the service on any day. Somebody has to have looked at that, and has to look again.

    Fails on:
        An upstream at `https://api.openai.com/v1`, or a client of it in the code, while `supply.sources` has no entry
        for that host; an entry without `reviewed_until`, or with a day that has passed.

    Passes on:
        Every host in use has an entry whose review counts today.

    Limits:
        Sees upstreams and the moderation endpoint of `serve`, origins of models and external data sets that are
        addresses, MCP servers that are addresses, and literal addresses, known clients and repositories of the Hugging
        Face hub in Python code. What is computed when the program runs is not seen. This machine, private networks and
        names reserved for examples are no third parties.
    """

    card: ClassVar[Card] = Card(
        id="LG-SUPPLY-015",
        title="Third party without a valid review",
        severity=Severity.MEDIUM,
        confidence=Confidence.HIGH,
        maps=("LLM03:2025", "ASI04:2026", "AML.T0010"),
    )

    def inspect(self, subject: SourceFacts) -> Iterator[Finding]:
        """Report entries whose review is missing or over, then hosts without an entry, each once."""
        for item in subject.listed:
            called, at = name(item.name), Location(subject.ref.uri, f"/supply/sources/{name(item.name)}")
            if item.reviewed_until is None:
                yield self.finding(f"{called} has no review. Review it, and state 'reviewed_until'.", at=at)
            elif item.reviewed_until < subject.today:
                message = f"The review of {called} counted until {item.reviewed_until}. Review it again."
                yield self.finding(message, at=at, severity=Severity.HIGH)
        hosts = [host_of(item.address) for item in subject.listed]
        for host, group in groupby(subject.used, key=lambda use: use.host):
            if not any(_covers(listed, host) for listed in hosts):
                uses = list(group)
                where = f"{uses[0].what}, {len(uses):,} places" if len(uses) > 1 else uses[0].what
                message = f"{name(host)} ({where}) is not in 'supply.sources'. Review it, and list it there."
                yield self.finding(message, at=Location(uses[0].uri, host, uses[0].line or None))


def host_of(address: str) -> str:
    """The host of a URL, or of an address without a scheme, in lower case; empty where there is none."""
    try:
        return (urlsplit(address if "://" in address else f"//{address}").hostname or "").rstrip(".")
    except ValueError:
        return ""


def _covers(listed: str, host: str) -> bool:
    return listed == host or (listed.startswith("*.") and fnmatchcase(host, listed))
