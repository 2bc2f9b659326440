"""LG-DATA-001."""

from collections.abc import Iterator
from typing import ClassVar

from lockgate.core import Card, Check, Confidence, Finding, Location, Severity
from lockgate.data.manifest import Listing


class ManifestMismatch(Check[Listing], frozen=True):
    """Finds project files that differ from the integrity manifest: changed, missing or not listed.

    Why it matters:
        The manifest states which bytes were meant. A file that is altered, removed or slipped in afterwards can poison
        training, carry instructions to the model or run code in a job, and nobody decided on it.

    Fails on:
        A project with a file `data/more.jsonl` that `MANIFEST.sha256` does not list.

    Passes on:
        A project in which every file is listed with its digest, and every listed file is there.

    Limits:
        Whoever can edit files can write a new manifest too. Only a signature on the manifest, which the data gate's
        evidence gives, tells who did. Version control, Lockgate's own state, byte-code caches and the training job's
        output are not listed.
    """

    card: ClassVar[Card] = Card(
        id="LG-DATA-001",
        title="Project file that differs from its manifest",
        severity=Severity.CRITICAL,
        confidence=Confidence.HIGH,
        maps=("LLM03:2025", "LLM04:2025", "AML.T0010.002", "AML.T0020"),
    )

    def inspect(self, subject: Listing) -> Iterator[Finding]:
        """Compare what is listed with what is present, both ways."""
        listed = {ref.uri: ref.sha256 for ref in subject.listed}
        present = {ref.uri: ref.sha256 for ref in subject.present}
        for uri in sorted(listed.keys() | present.keys()):
            if uri not in present:
                if not any(uri == other or uri.startswith(f"{other}/") for other in subject.unreadable):
                    yield self._finding(uri, f"is listed in {subject.ref.uri} but missing")
            elif uri not in listed:
                yield self._finding(uri, f"is not listed in {subject.ref.uri}")
            elif listed[uri] != present[uri]:
                yield self._finding(uri, f"differs from its digest in {subject.ref.uri}")

    def _finding(self, uri: str, problem: str) -> Finding:
        return self.finding(f"{uri} {problem}.", at=Location(uri))
