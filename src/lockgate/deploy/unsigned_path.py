"""LG-DEPLOY-013."""

from collections.abc import Iterator
from typing import ClassVar

from lockgate.core import Card, Check, Confidence, Finding, Location, Severity
from lockgate.deploy.subject import Chain


class UnsignedPath(Check[Chain], frozen=True):
    """Finds a model, data set or prompt without a valid signature of its maker.

    Why it matters:
        What comes from elsewhere was examined here, but examination cannot tell whether it is what its maker released.
        A signature over every file of it can.

    Fails on:
        A model folder whose `model.sig` verifies, and in which one file was added afterwards.

    Passes on:
        A folder that is, file by file, what a key trusted with `https://model_signing/signature/v1.0` signed, or what
        a signer under `sigstore` signed through Sigstore.

    Limits:
        Only paths that `deploy.signatures` in lockgate.yaml or `deploy.signed` in the trust file names. A signer
        through Sigstore counts where the trust file names them too or pins lockgate.yaml. Certificates of private
        authorities do not count here.
    """

    card: ClassVar[Card] = Card(
        id="LG-DEPLOY-013",
        title="Path without its maker's signature",
        severity=Severity.CRITICAL,
        confidence=Confidence.HIGH,
        maps=("LLM03:2025", "LLM04:2025", "AML.T0010"),
    )

    def inspect(self, subject: Chain) -> Iterator[Finding]:
        """Report what verification of each named path found, and each demanded path that has none."""
        for item in subject.signed:
            for index, problem in enumerate(item.problems):
                yield self.finding(f"{item.uri}: {problem}", at=Location(item.uri, f"/signature/{index}"))
        verified = {item.uri for item in subject.signed}
        for uri in subject.demands.signed:
            if uri not in verified:
                message = f"{uri} must be signed by its maker: name it under 'deploy: {{signatures: ...}}'."
                yield self.finding(message, at=Location(uri, "/signature"))
