"""LG-SUPPLY-008."""

from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import ClassVar

from lockgate.core import Card, Check, Confidence, Finding, Location, Severity
from lockgate.supply.subject import ModelFile

_MAX_SHOWN = 80
_DEVICES = frozenset({"con", "prn", "aux", "nul"})


class EscapingPath(Check[ModelFile], frozen=True):
    """Finds a model that names a file outside of its own folder, or an address on the network.

    Why it matters:
        A loader opens what the model names. A path that climbs out reads your keys into a vocabulary, or overwrites a
        file of yours with tensors; an address tells a stranger when and where the model is used.

    Fails on:
        `"weight_map": {"w": "../../.ssh/id_rsa"}`, ONNX external data at `/etc/passwd`, a Keras vocabulary at
        `https://example.org/words.txt`.

    Passes on:
        `"weight_map": {"w": "model-00001-of-00002.safetensors"}` and external data in `model.onnx_data`.

    Limits:
        Looks at the name, not at what lies there: a link of that name is found when the folder is scanned.
    """

    card: ClassVar[Card] = Card(
        id="LG-SUPPLY-008",
        title="Path that leads out of the model's folder",
        severity=Severity.HIGH,
        confidence=Confidence.HIGH,
        maps=("LLM03:2025", "ASI04:2026", "AML.T0010.003"),
    )

    def inspect(self, subject: ModelFile) -> Iterator[Finding]:
        """Report every path that is not plain and relative."""
        uri = subject.ref.uri
        for part in subject.facts.parts:
            for mention in part.mentions:
                if mention.kind == "path" and not _is_contained(mention.name):
                    place = "/".join(name for name in (part.member, mention.place.strip("/")) if name)
                    yield self.finding(
                        f"{uri}: it names a file outside of its folder: {mention.name[:_MAX_SHOWN]!r}. Do not load it.",
                        at=Location(uri, f"{place}#path"),
                    )


def _is_contained(name: str) -> bool:
    path = PurePosixPath(name)
    plain = name.isprintable() and not any(sign in name for sign in "\\:~$%|*")
    return (
        plain
        and not path.is_absolute()
        and ".." not in path.parts
        and not any(part.partition(".")[0].lower() in _DEVICES for part in path.parts)
    )
