"""LG-SUPPLY-003."""

import datetime as dt
from collections.abc import Iterator
from typing import ClassVar

from lockgate.core import Card, Check, Confidence, Finding, Location, Severity
from lockgate.core.config_supply import AllowedName
from lockgate.detect.pickle_machine import RANK, GlobalUse
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
        Follows the instructions without running them and knows the names of PyTorch, NumPy, SciPy, scikit-learn,
        pandas, joblib, XGBoost, LightGBM, Transformers and sentence-transformers. A model class of your own is
        reported too: save its tensors as safetensors, or allow the name under `supply.pickle_names` in
        lockgate.yaml until a day that you name. What
        an allowed estimator computes from its state is not judged.

    Attributes:
        allow: Names that the policy allows besides those of the lists.
        today: The day of the examination; None means that no entry of `allow` holds.
    """

    allow: tuple[AllowedName, ...] = ()
    today: dt.date | None = None

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
            if use.refused and not self._allows(use):
                yield self.finding(
                    f"{where}: {use.name} {use.refused}. Do not load this file; ask for safetensors.",
                    at=Location(uri, f"{facts.member}#{use.name}"),
                )
        for problem in facts.problems:
            yield self.finding(
                f"{where}: {problem.message} Do not load this file; ask for safetensors.",
                at=Location(uri, f"{facts.member}#{problem.code}"),
            )

    def _allows(self, use: GlobalUse) -> bool:
        today = self.today
        return today is not None and any(
            item.name == use.name and RANK[use.how] <= RANK[item.how] and today <= item.until for item in self.allow
        )
