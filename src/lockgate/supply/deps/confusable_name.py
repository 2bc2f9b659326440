"""LG-SUPPLY-043."""

from collections.abc import Iterator
from typing import ClassVar

from lockgate.core import Card, Check, Confidence, Finding, Location, Severity, SkippedError
from lockgate.report import name
from lockgate.supply.deps.dependency import DependencyFacts
from lockgate.supply.deps.name_confusion import Kind, imitated

_WAYS: dict[Kind, str] = {
    "look-alike": "signs that look alike",
    "slip": "a slip of the finger",
    "spelling": "other separators",
    "order": "other order of words",
    "affix": "an added word",
    "digit": "an added number",
    "mistaken": "often mistaken for it",
}

# A number is how many honest successors are named.
_SEVERITIES: dict[Kind, Severity] = {"digit": Severity.LOW, "mistaken": Severity.MEDIUM}


class ConfusableName(Check[DependencyFacts], frozen=True):
    """Finds packages whose names are made to be taken for those of AI packages.

    Why it matters:
        Attackers register names that are one slip of the finger away, and names that assistants make up. Installing
        one runs its code.

    Fails on:
        `langchian`, `opena1`, `hub-huggingface`, `python-openai` in a requirements file.

    Passes on:
        `langchain`, `openai`, and names that are among the most used packages of PyPI.

    Limits:
        Compares with a committed list of about 260 AI packages, and knows some 5,000 packages that imitate nobody. An
        honest package that is little used may be reported: waive it. Names of npm are not compared.
    """

    card: ClassVar[Card] = Card(
        id="LG-SUPPLY-043",
        title="Name like that of an AI package",
        severity=Severity.HIGH,
        confidence=Confidence.MEDIUM,
        maps=("LLM03:2025", "ASI04:2026", "AML.T0010.001"),
    )

    def inspect(self, subject: DependencyFacts) -> Iterator[Finding]:
        """Report a name that imitates another.

        Raises:
            SkippedError: The package is not on PyPI.
        """
        item = subject.dependency
        if item.ecosystem != "PyPI":
            raise SkippedError("Only names of PyPI are compared.")
        found = imitated(item.name)
        if found is not None and item.origin == "registry":
            stated, way = name(item.name), _WAYS[found.kind]
            message = f"{stated} may be taken for {found.name} ({way}). Check that it is what you want."
            yield self.finding(
                message,
                at=Location(subject.ref.uri, name(item.name), item.line),
                severity=_SEVERITIES.get(found.kind, Severity.HIGH if found.sure else Severity.MEDIUM),
                confidence=Confidence.MEDIUM if found.sure else Confidence.LOW,
            )
