"""LG-SUPPLY-011."""

from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import ClassVar

from lockgate.core import Card, Check, Confidence, Finding, Location, Severity
from lockgate.supply.sniff import CODE_SUFFIXES
from lockgate.supply.subject import ModelFile


class BundledCode(Check[ModelFile], frozen=True):
    """Finds programs and libraries that come along with a model.

    Why it matters:
        A model needs weights and settings. A Python file, a native library or a wheel in the same folder waits for
        somebody to import, load or install it, and does not need the model for that.

    Fails on:
        `modeling.py`, `libcustom_op.so`, `setup.whl` or `site.pth` in a folder that is scanned as a model; native code
        under any name; a Python file in an archive.

    Passes on:
        A folder of weights, settings, tokenizer files and a model card.

    Limits:
        Code in a project that `lockgate run` examines is the project's own and is judged elsewhere; only native
        code and what lies in archives is reported there.
    """

    card: ClassVar[Card] = Card(
        id="LG-SUPPLY-011",
        title="Code that comes along with a model",
        severity=Severity.HIGH,
        confidence=Confidence.HIGH,
        maps=("LLM03:2025", "ASI04:2026", "ASI05:2026", "AML.T0010.003", "AML.T0011"),
    )

    def inspect(self, subject: ModelFile) -> Iterator[Finding]:
        """Report the file by its name, and everything in it that is code by its content."""
        uri = subject.ref.uri
        path = PurePosixPath(uri)
        names = {suffix.lower() for suffix in path.suffixes[-2:]}
        if subject.place == "scan" and (names & CODE_SUFFIXES) and not _is_data(path):
            yield self.finding(f"{uri}: it is code. A model needs none; review it, or leave it out.", at=Location(uri))
        for part in subject.facts.parts:
            for mention in part.mentions:
                if part.format == "code":
                    where = f"{uri}, member {part.member}" if part.member else uri
                    yield self.finding(f"{where}: it is {mention.name}.", at=Location(uri, f"{part.member}#code"))


def _is_data(path: PurePosixPath) -> bool:
    """A last suffix that no system runs: `tokenizer.py.json` is data, `libop.so.1` is not."""
    last = path.suffix.lower()
    return last not in CODE_SUFFIXES and not last[1:].isdigit()
