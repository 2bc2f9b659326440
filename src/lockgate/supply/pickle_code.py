"""LG-SUPPLY-003."""

from collections.abc import Iterator
from typing import ClassVar

from lockgate.core import Card, Check, Confidence, Finding, Location, Severity
from lockgate.detect.pickle_ops import PickleFacts
from lockgate.supply.subject import ModelFile


class PickleCode(Check[ModelFile], frozen=True):
    """Finds a pickle that does more than rebuild tensors, arrays and estimators.

    Why it matters:
        Loading a pickle runs a program that its author wrote. PyTorch checkpoints, joblib files and object arrays are
        pickles, so a model from a stranger is a stranger's program with the rights of your application.

    Fails on:
        A file whose instructions call `os.system`, one that only mentions `builtins.eval`, one that stops making sense
        half way, and one with bytes behind its end.

    Passes on:
        A state dict as `torch.save` writes it, a `numpy` array, a fitted scikit-learn pipeline.

    Limits:
        Follows the instructions without running them and knows PyTorch's, NumPy's, SciPy's and scikit-learn's own
        names. A model class of your own is reported too: save its tensors as safetensors instead. What an allowed
        estimator computes from its state is not judged.
    """

    card: ClassVar[Card] = Card(
        id="LG-SUPPLY-003",
        title="Pickle that can run code",
        severity=Severity.CRITICAL,
        confidence=Confidence.HIGH,
        maps=("LLM03:2025", "ASI04:2026", "ASI05:2026", "AML.T0011.000", "AML.T0018.002"),
    )

    def inspect(self, subject: ModelFile) -> Iterator[Finding]:
        """Report every refused name and every instruction that cannot be followed."""
        for facts in subject.facts.pickles:
            yield from self._one(subject.ref.uri, facts)

    def _one(self, uri: str, facts: PickleFacts) -> Iterator[Finding]:
        where = f"{uri}, member {facts.member}" if facts.member else uri
        for use in facts.uses:
            if use.refused:
                yield self.finding(
                    f"{where}: {use.name} {use.refused}. Do not load this file; ask for safetensors.",
                    at=Location(uri, f"{facts.member}#{use.name}"),
                )
        for problem in facts.problems:
            yield self.finding(
                f"{where}: {problem.message} Do not load this file; ask for safetensors.",
                at=Location(uri, f"{facts.member}#{problem.code}"),
            )
