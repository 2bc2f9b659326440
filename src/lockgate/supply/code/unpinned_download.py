"""LG-SUPPLY-103."""

from collections.abc import Iterator
from typing import ClassVar

from lockgate.core import Card, Check, Confidence, Finding, Location, Severity
from lockgate.detect.linear import pattern, project
from lockgate.supply.code.clients import root
from lockgate.supply.code.subject import Call, CodeFile

_CALLS = frozenset({"from_pretrained", "hf_hub_download", "snapshot_download", "load_dataset", "pipeline"})
_LIBRARIES = frozenset(
    {"transformers", "huggingface_hub", "datasets", "diffusers", "peft", "sentence_transformers", "timm", "optimum"}
)
_NAMES = ("0", "pretrained_model_name_or_path", "repo_id", "path")
_HUB = pattern(r"^[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}$")
_COMMIT = pattern(r"^[0-9a-f]{40}$")


class UnpinnedDownload(Check[CodeFile], frozen=True):
    """Finds downloads of models and data sets that name no commit.

    Why it matters:
        A branch or a tag can be moved. What was reviewed yesterday is not what the next start downloads.

    Fails on:
        A repository by name alone:

            from transformers import AutoModel
            AutoModel.from_pretrained("org/model")

    Passes on:
        The same repository at a commit:

            from transformers import AutoModel
            AutoModel.from_pretrained("org/model", revision="0123456789abcdef0123456789abcdef01234567")

    Limits:
        Sees literal names of the form `owner/name` of calls of the known hub libraries. A name in a variable is not
        followed.
    """

    card: ClassVar[Card] = Card(
        id="LG-SUPPLY-103",
        title="Model or data set without a pinned revision",
        severity=Severity.MEDIUM,
        confidence=Confidence.HIGH,
        maps=(
            "LLM03:2025",
            "ASI04:2026",
            "AML.T0010",
        ),
    )

    def inspect(self, subject: CodeFile) -> Iterator[Finding]:
        """Report every download of a moving target."""
        for call in subject.calls:
            if call.last in _CALLS and root(call.name) in _LIBRARIES and _is_moving(call):
                yield self.finding(
                    f"{call.name} downloads what its branch holds today. Name the commit: revision=<40 hex digits>.",
                    at=Location(subject.ref.uri, call.place, call.line),
                )
            elif call.name == "torch.hub.load" and call.constant("source") != "local" and _is_moving_hub(call):
                yield self.finding(
                    "torch.hub.load runs code of a branch. Name the commit: owner/name:<40 hex digits>.",
                    at=Location(subject.ref.uri, call.place, call.line),
                )


def _is_moving(call: Call) -> bool:
    name = call.constant(*_NAMES) if call.last != "pipeline" else call.constant("1", "model")
    if not isinstance(name, str) or not _HUB.match(project(name)) or call.spreads:
        return False
    revision = call.argument("revision", "code_revision")
    value = call.constant("revision")
    return revision is None or (isinstance(value, str) and not _COMMIT.match(project(value)))


def _is_moving_hub(call: Call) -> bool:
    name = call.constant("0", "repo_or_dir")
    if not isinstance(name, str) or "/" not in name:
        return False
    return not _COMMIT.match(project(name.partition(":")[2]))
