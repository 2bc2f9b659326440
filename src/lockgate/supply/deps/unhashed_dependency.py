"""LG-SUPPLY-042."""

from collections.abc import Iterator
from typing import ClassVar

from lockgate.core import Card, Check, Confidence, Finding, Location, Severity, SkippedError
from lockgate.supply.deps.dependency import DependencyFacts


class UnhashedDependency(Check[DependencyFacts], frozen=True):
    """Finds locked dependencies whose files are not fixed by a digest.

    Why it matters:
        A version is a name. Without a digest the installer takes whatever the registry, a mirror or someone in
        between hands out under that name.

    Fails on:
        `torch==2.9.1` in `requirements.txt` without `--hash=sha256:...`.

    Passes on:
        The same line with a SHA-256 digest, and entries of lock files that hold digests.

    Limits:
        Only SHA-2 counts; MD5 and SHA-1 can be forged. Where other entries of the same file do have digests it is
        reported as medium, because then this one was left out; but as low for npm packages of other kinds of machines,
        whose digests Yarn does not know. It does not run on files that only state wishes.
    """

    card: ClassVar[Card] = Card(
        id="LG-SUPPLY-042",
        title="Dependency without a digest",
        severity=Severity.LOW,
        confidence=Confidence.HIGH,
        maps=("LLM03:2025", "ASI04:2026", "AML.T0010.001"),
    )

    def inspect(self, subject: DependencyFacts) -> Iterator[Finding]:
        """Report an entry that an installer takes without comparing a digest.

        Raises:
            SkippedError: The file fixes nothing that could have a digest.
        """
        item = subject.dependency
        if subject.role in {"declaration", "bill"}:
            raise SkippedError("This file does not lock what is installed.")
        if item.problem or item.hashes or item.bundled or item.origin != "registry":
            return
        # Yarn notes the digests of what it installed on this kind of machine, so others' are usually missing.
        usual = item.ecosystem == "npm" and bool(item.marker)
        severity = Severity.MEDIUM if subject.any_hashed and not usual else Severity.LOW
        how = "Lock it with digests, as 'uv lock' or 'pip-compile' can."
        how = "Have the package manager lock it again, with 'integrity'." if item.ecosystem == "npm" else how
        message = f"{item.shown} has no SHA-2 digest. {how}"
        yield self.finding(message, at=Location(subject.ref.uri, item.name, item.line), severity=severity)
