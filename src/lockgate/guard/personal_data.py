"""LG-GUARD-002."""

from collections.abc import Iterator

from lockgate.core import Card, Check, Confidence, Finding, Location, Severity
from lockgate.guard.completion import Completion
from lockgate.guard.sensitive import find_sensitive


class PersonalData(Check[Completion], frozen=True):
    """Finds credentials and personal data in an answer.

    Why it matters:
        What a model saw in training, in a document or in another user's conversation can come out in an answer, where
        it harms the person or the system that it belongs to.

    Fails on:
        The answer `Write to anna@example.org.`

    Passes on:
        The answer `Write to our office.`

    Limits:
        Numbers count only with a valid check digit, in a format of their own or behind a cue. Names are found in Latin
        script: a known given name with a family name, or any name beside a word that announces one ("Dear", "Patient:",
        "Mit freundlichen Grüßen"), those of public persons too. Addresses need a street with its number. IP and MAC
        addresses count where a word ties them to a person ("client ip"). `allow` lists kinds that an application may
        say, such as its own `pii.email`.
    """

    card = Card(
        id="LG-GUARD-002",
        title="Credential or personal data in an answer",
        severity=Severity.HIGH,
        confidence=Confidence.MEDIUM,
        maps=("LLM02:2025", "AML.T0057"),
    )
    allow: frozenset[str] = frozenset()

    def inspect(self, subject: Completion) -> Iterator[Finding]:
        """Yield one finding for each kind that occurs."""
        for label in dict.fromkeys(span.label for span in find_sensitive(subject.text, answer=True)):
            if label not in self.allow:
                yield self.finding(
                    f"The answer {subject.ref.uri} contains {label}.",
                    at=Location(subject.ref.uri, path=f"/text/{label}"),
                )
