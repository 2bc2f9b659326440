"""LG-DEPLOY-009."""

from collections.abc import Iterator
from typing import ClassVar

from lockgate.core import Card, Check, Confidence, Finding, Location, Severity, Stage, SubjectRef
from lockgate.deploy.subject import Chain, Lineage


class BrokenLineage(Check[Chain], frozen=True):
    """Finds a model whose parents or data sets are not those that the project declares, or were never examined.

    Why it matters:
        A fine-tuned model inherits what its base model and its data carry. Names of both can be reused; only digests in
        the signed provenance tie the model to the bytes that were examined.

    Fails on:
        A declared base model whose digest the training job's provenance does not name, or that supply never examined.

    Passes on:
        A model whose provenance names every declared digest, each among the subjects of the stage that examines it.

    Limits:
        It follows one generation: how the base model itself was made is its maker's evidence. A model that was not made
        by a recorded training job has no provenance, so a lineage declared for it is not met.
    """

    card: ClassVar[Card] = Card(
        id="LG-DEPLOY-009",
        title="Lineage that the evidence does not show",
        severity=Severity.HIGH,
        confidence=Confidence.HIGH,
        maps=("LLM03:2025", "LLM04:2025", "AML.T0010"),
    )

    def inspect(self, subject: Chain) -> Iterator[Finding]:
        """Compare what is declared with provenance, and every model that went in with what supply examined."""
        examined = {stage: _examined(subject, stage) for stage in (Stage.DATA, Stage.SUPPLY)}
        for declared in subject.lineage:
            yield from self._declared(declared, subject, examined)
        for ref in {ref for link in subject.links for ref in link.materials if ref.uri in subject.models}:
            if ref.sha256 not in examined[Stage.SUPPLY]:
                message = f"{ref.uri} went into the training job, but supply did not examine this model."
                yield self.finding(message, at=Location(ref.uri, "/material"))

    def _declared(self, declared: Lineage, subject: Chain, examined: dict[Stage, set[str]]) -> Iterator[Finding]:
        name = declared.model
        files = {item.ref for item in subject.deployed if _is_part(item.ref, name)}
        made = [link for link in subject.links if link.materials and files and files <= set(link.subjects)]
        if not made:
            yield self.finding(f"{name}: no provenance says how it was made.", at=Location(name, "/lineage"))
            return
        went_in = {ref.sha256 for ref in made[-1].materials}
        wanted = [(digest, Stage.SUPPLY, "base model") for digest in declared.base]
        wanted += [(digest, Stage.DATA, "data set") for digest in declared.data]
        for digest, stage, what in wanted:
            at = Location(name, f"/lineage/{digest}")
            if digest not in went_in:
                yield self.finding(f"{name}: provenance does not name the {what} {digest[:12]}.", at=at)
            elif digest not in examined[stage]:
                yield self.finding(f"{name}: the {stage} stage did not examine the {what} {digest[:12]}.", at=at)


def _is_part(ref: SubjectRef, path: str) -> bool:
    return ref.uri == path or ref.uri.startswith(f"{path.rstrip('/')}/")


def _examined(subject: Chain, stage: Stage) -> set[str]:
    return {ref.sha256 for link in subject.links if link.stage == stage for ref in link.subjects}
