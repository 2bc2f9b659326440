"""LG-DEPLOY-012."""

from collections.abc import Iterator
from typing import ClassVar

from lockgate.core import Card, Check, Confidence, Finding, Location, Severity
from lockgate.deploy.subject import Chain


class RevokedTrust(Check[Chain], frozen=True):
    """Finds evidence of a revoked key, or a revoked file among what would be deployed or went into training.

    Why it matters:
        A key that leaked signs as well as before, and a model that was withdrawn has the same valid evidence as on the
        day it was examined. Only a list kept with the trust file takes both out of service.

    Fails on:
        A supply result signed by a key that `revoked.keys` names, or a model whose digest `revoked.digests` names.

    Passes on:
        A chain without either.

    Limits:
        What a revoked key signed in earlier runs stays readable in the ledger; it just opens no gate any more.
    """

    card: ClassVar[Card] = Card(
        id="LG-DEPLOY-012",
        title="Revoked key or file",
        severity=Severity.CRITICAL,
        confidence=Confidence.HIGH,
        maps=("LLM03:2025", "ASI04:2026", "AML.T0010"),
    )

    def inspect(self, subject: Chain) -> Iterator[Finding]:
        """Look for every revoked key and digest."""
        signers = {link.keyid: f"evidence of the {link.stage} stage" for link in subject.links}
        signers |= {item.keyid: f"{item.uri}" for item in subject.signed if item.keyid}
        for keyid in sorted(signers.keys() & set(subject.revoked.keys)):
            message = f"Key {keyid[:12]}, which was revoked, signed {signers[keyid]}."
            yield self.finding(message, at=Location(subject.ref.uri, f"/key/{keyid}"))
        used = {item.ref for item in subject.deployed} | {ref for link in subject.links for ref in link.materials}
        for ref in sorted(used):
            if ref.sha256 in subject.revoked.digests:
                yield self.finding(f"{ref.uri} was revoked by its digest.", at=Location(ref.uri, "/revoked"))
