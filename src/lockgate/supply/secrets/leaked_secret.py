"""LG-SUPPLY-121."""

from collections.abc import Iterator
from typing import ClassVar

from lockgate.core import Card, Check, Confidence, Cost, Finding, Location, Severity
from lockgate.supply.secrets.subject import SecretText

_SURE = 0.9


class LeakedSecret(Check[SecretText], frozen=True):
    """Finds credentials in files and in every version of them that the history keeps.

    Why it matters:
        Whoever can read a repository has its keys. Removing a key in a later commit does not remove it: every clone
        keeps the earlier one, and strangers search public repositories for keys within minutes.

    Fails on:
        A password in a file:

            password = "kT9#vQ2m!zLx7Rw4pE"

    Passes on:
        A reference to where it is kept:

            password = os.environ["DATABASE_PASSWORD"]

    Limits:
        Knows formats of keys, private key blocks and random-looking values that are assigned to a name such as
        `password`. A secret that looks like a word is not seen, nor one inside a compressed file. Of binary files the
        readable strings are searched.
    """

    card: ClassVar[Card] = Card(
        id="LG-SUPPLY-121",
        title="Secret in a file or in the history",
        severity=Severity.CRITICAL,
        confidence=Confidence.HIGH,
        cost=Cost.MODERATE,
        maps=("LLM02:2025", "AML.T0055"),
    )

    def inspect(self, subject: SecretText) -> Iterator[Finding]:
        """Report each place with its kind of secret, never the secret, except what the baseline lists."""
        for mark in subject.marks:
            if not mark.known:
                yield self.finding(
                    f"It holds a secret ({mark.kind}). Revoke it where it was issued, and read it from outside.",
                    at=Location(subject.ref.uri, mark.place, mark.line or None),
                    confidence=Confidence.HIGH if mark.score >= _SURE else Confidence.MEDIUM,
                )
