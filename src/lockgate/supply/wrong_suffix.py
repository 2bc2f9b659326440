"""LG-SUPPLY-013."""

from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import ClassVar

import re2

from lockgate.core import Card, Check, Confidence, Finding, Location, Severity
from lockgate.supply.subject import Format, ModelFile

_PROMISES: dict[str, frozenset[Format]] = {
    ".safetensors": frozenset({"safetensors"}),
    ".gguf": frozenset({"gguf"}),
    ".onnx": frozenset({"onnx"}),
    ".tflite": frozenset({"tflite"}),
    ".h5": frozenset({"hdf5"}),
    ".hdf5": frozenset({"hdf5"}),
    ".keras": frozenset({"keras", "hdf5"}),
    ".skops": frozenset({"skops"}),
    ".npy": frozenset({"npy"}),
    ".npz": frozenset({"zip"}),
    ".json": frozenset({"config"}),
    ".ubj": frozenset({"ubjson"}),
    ".txt": frozenset({"text", "config"}),
    ".md": frozenset({"text"}),
    ".yaml": frozenset({"config"}),
    ".yml": frozenset({"config"}),
    ".jinja": frozenset({"template"}),
    ".csv": frozenset({"text"}),
    ".png": frozenset({"media"}),
    ".jpg": frozenset({"media"}),
    ".jpeg": frozenset({"media"}),
    ".webp": frozenset({"media"}),
    ".gif": frozenset({"media"}),
    ".pdf": frozenset({"media"}),
}


_BLOBS = frozenset({"sha256", "blobs"})
_DIGEST = re2.compile(rb"[0-9a-f]{64}")


class WrongSuffix(Check[ModelFile], frozen=True):
    """Finds a file whose content is of another format than its name promises.

    Why it matters:
        People, filters and other scanners go by the name. A pickle named `model.safetensors` is treated as data by all
        of them and as a program by the loader that looks at the content.

    Fails on:
        `model.safetensors` that is a pickle, `weights.h5` that is a zip archive, `notes.txt` that is a PyTorch file, a
        blob of an OCI layout or a Hugging Face cache whose digest is not its name.

    Passes on:
        `model.safetensors` that is safetensors, and files under names that promise nothing, such as `.bin` or `.pt`.

    Limits:
        Only names that promise one format or a SHA-256 digest are judged.
    """

    card: ClassVar[Card] = Card(
        id="LG-SUPPLY-013",
        title="Content that is not what the name promises",
        severity=Severity.HIGH,
        confidence=Confidence.HIGH,
        maps=("LLM03:2025", "ASI04:2026", "AML.T0010.003"),
    )

    def inspect(self, subject: ModelFile) -> Iterator[Finding]:
        """Compare the last suffix with the format of the content, and a blob's name with its digest."""
        path = PurePosixPath(subject.ref.uri)
        blob = PurePosixPath(subject.stored) if subject.stored else path
        if blob.parent.name in _BLOBS and _DIGEST.fullmatch(blob.name.encode()) and blob.name != subject.ref.sha256:
            message = f"{subject.ref.uri} is not the blob that its name promises: its digest is another."
            yield self.finding(message, at=Location(subject.ref.uri, "#digest"))
        suffix = path.suffix.lower()
        promised = _PROMISES.get(suffix)
        found = subject.facts.format
        if promised is not None and found not in promised and found != "unknown":
            message = f"{subject.ref.uri} is named {suffix} but its content is {found}. Do not load it."
            yield self.finding(message, at=Location(subject.ref.uri, "#format"))
