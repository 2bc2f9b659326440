"""LG-SUPPLY-014."""

from collections.abc import Iterator
from typing import ClassVar

from lockgate.core import Card, Check, Confidence, Finding, Location, Severity
from lockgate.report import name
from lockgate.supply.external.subject import DataSetFacts
from lockgate.supply.licence import is_allowed

_MOVING = frozenset({"head", "latest", "main", "master", "stable", "trunk"})


class UnprovenDataSet(Check[DataSetFacts], frozen=True):
    """Finds data sets from outside without a fixed revision, a licence or digests, and copies that are not as declared.

    Why it matters:
        What a model learns decides what it does. A data set that is only named can change under its name, be poisoned
        on its way, or have a licence that forbids what is made of it.

    Fails on:
        An entry under `supply.data_sets` with `revision: main`, or whose copy under `path` has a file with another
        digest, one more or one less.

    Passes on:
        An entry with a commit id, a licence and the digest of every file.

    Limits:
        It compares with what the project declares; nothing is asked of the place that the data set comes from, and a
        licence is not verified. Rows themselves are the data gate's.
    """

    card: ClassVar[Card] = Card(
        id="LG-SUPPLY-014",
        title="External data set whose identity is not fixed",
        severity=Severity.MEDIUM,
        confidence=Confidence.HIGH,
        maps=("LLM03:2025", "LLM04:2025", "AML.T0010.002", "AML.T0020"),
    )

    def inspect(self, subject: DataSetFacts) -> Iterator[Finding]:
        """Report what is not declared, then where the copy differs."""
        claim = subject.claim
        called = name(claim.name)
        place = f"/supply/data_sets/{called}"
        for part, problem in _undeclared(subject):
            yield self.finding(f"{called} {problem}", at=Location(subject.ref.uri, f"{place}/{part}"))
        if not claim.path:
            return
        folder = claim.path.rstrip("/")
        for uri in sorted(claim.files.keys() | subject.present.keys()):
            if problem := _difference(claim.files.get(uri), subject.present.get(uri)):
                message = f"{name(uri)} of {called} {problem}"
                yield self.finding(message, at=Location(f"{folder}/{uri}", place), severity=Severity.HIGH)


def _undeclared(subject: DataSetFacts) -> Iterator[tuple[str, str]]:
    claim = subject.claim
    if not claim.revision:
        yield "revision", "states no revision. Name the commit id or version that was taken."
    elif claim.revision.lower() in _MOVING:
        yield "revision", f"states the revision {claim.revision}, which moves. Name the commit id or version."
    if not claim.licence:
        yield "licence", "states no licence. Find out whether it may be used so, and state its SPDX id."
    elif subject.licences and not is_allowed(claim.licence, subject.licences):
        yield "licence", f"states the licence {name(claim.licence)}, which 'data_licences' does not allow."
    if not claim.files:
        yield "files", "states no digest. List the SHA-256 of each of its files under 'files'."


def _difference(declared: str | None, present: str | None) -> str:
    if declared == present:
        return ""
    if declared is None:
        return "is not declared. Remove it, or review it and list its digest."
    if present is None:
        return "is declared and missing. Fetch it again, or correct the entry."
    return f"has the digest {present[:16]}…, but {declared[:16]}… is declared. Find out what changed it."
