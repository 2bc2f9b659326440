"""LG-SUPPLY-007."""

from collections.abc import Iterator
from typing import ClassVar

from lockgate.core import Card, Check, Confidence, Finding, Location, Severity
from lockgate.supply.subject import ModelFile


class RemoteCode(Check[ModelFile], frozen=True):
    """Finds settings and model descriptions that make a loader run code of the model's author.

    Why it matters:
        Some loaders import the Python files that a configuration names, fetch a kernel or a repository by name, or
        rebuild a function from byte code. Whoever writes that configuration chooses what your process executes.

    Fails on:
        A `config.json` with `"auto_map": {"AutoModel": "other/repo--modeling.Model"}`, at any depth; a YAML file with
        the tag `!!python/object/apply:os.system`; a Keras lambda; a skops archive with an operator function.

    Passes on:
        A `config.json` of an architecture that transformers ships itself.

    Limits:
        Knows the switches of the common loaders. What a program does with settings of its own is not seen.
    """

    card: ClassVar[Card] = Card(
        id="LG-SUPPLY-007",
        title="Settings that load the author's code",
        severity=Severity.CRITICAL,
        confidence=Confidence.HIGH,
        maps=("LLM03:2025", "ASI04:2026", "ASI05:2026", "AML.T0010.003", "AML.T0011"),
    )

    def inspect(self, subject: ModelFile) -> Iterator[Finding]:
        """Report every switch and name that leads to code."""
        uri = subject.ref.uri
        for part in subject.facts.parts:
            for mention in part.mentions:
                if mention.kind == "code" and part.format != "code":
                    place = "/".join(name for name in (part.member, mention.place.strip("/")) if name)
                    yield self.finding(
                        f"{uri}: it lets a loader run code: {mention.name}. Ask for a model that needs none.",
                        at=Location(uri, f"{place}#code"),
                    )
