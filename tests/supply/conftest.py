"""Builders of the files that the supply tests examine."""

import os
import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from lockgate.core import Examination, Outcome, Status, SubjectRef
from lockgate.core.project import open_project
from lockgate.detect.source import Memory
from lockgate.supply import ModelFile, examine
from lockgate.supply.examine import outcomes_of
from lockgate.supply.formats import read_model
from supply.files import zipped


class Build:
    """Small files of every format."""

    torch_state = (
        b"\x80\x02}q\x00X\x06\x00\x00\x00weightq\x01ctorch._utils\n_rebuild_tensor_v2\nq\x02((X\x07\x00\x00\x00storage"
        b"q\x03ctorch\nFloatStorage\nq\x04X\x01\x00\x00\x000q\x05X\x03\x00\x00\x00cpuq\x06K\x04tq\x07QK\x00K\x02K\x02"
        b"\x86q\x08K\x02K\x01\x86q\x09\x89ccollections\nOrderedDict\nq\x0a)Rq\x0btq\x0cRq\x0ds."
    )
    evil = b"\x80\x04\x8c\x05posix\x8c\x06system\x93\x8c\x09echo gone\x85R."
    evil_text = b"cposix\nsystem\n(S'echo gone'\ntR."

    zipped = staticmethod(zipped)

    @staticmethod
    def torch_zip(pickle: bytes, extra: dict[str, bytes] | None = None) -> bytes:
        members = {"archive/data.pkl": pickle, "archive/byteorder": b"little", "archive/data/0": os.urandom(16)}
        return Build.zipped({**members, "archive/version": b"3\n", **(extra or {})})

    @staticmethod
    def gguf(template: str | None = None, **changes: int) -> bytes:
        keys = [("general.architecture", "llama")] + ([("tokenizer.chat_template", template)] if template else [])
        head = struct.pack("<4sIQQ", b"GGUF", changes.get("version", 3), changes.get("tensors", 1), len(keys))
        for key, value in keys:
            head += Build.text(key) + struct.pack("<I", 8) + Build.text(value)
        head += Build.text("token_embd.weight") + struct.pack("<I", 1) + struct.pack("<Q", changes.get("count", 8))
        head += struct.pack("<IQ", changes.get("type", 0), changes.get("offset", 0))
        return head + bytes(-len(head) % 32) + bytes(changes.get("data", 32))

    @staticmethod
    def text(value: str) -> bytes:
        return struct.pack("<Q", len(value.encode())) + value.encode()

    @staticmethod
    def safetensors(header: str, data: int = 0) -> bytes:
        return struct.pack("<Q", len(header.encode())) + header.encode() + bytes(data)

    @staticmethod
    def outcomes(found: Examination, uri: str) -> dict[str, Outcome]:
        return {outcome.check: outcome for outcome in found.outcomes if outcome.subject.uri == uri}

    @staticmethod
    def failed(found: Examination, uri: str) -> set[str]:
        return {check for check, outcome in Build.outcomes(found, uri).items() if outcome.status is Status.FAILED}


@pytest.fixture
def build() -> type[Build]:
    return Build


@pytest.fixture
def look(tmp_path: Path) -> Callable[..., Examination]:
    """Examine a project with the given files, pins and products."""

    def inner(
        files: dict[str, bytes], pins: dict[str, str] | None = None, products: dict[str, bytes] | None = None
    ) -> Examination:
        settings = "version: 1\nproject: test\n"
        if products is not None:
            settings += "train:\n  command: [python]\n  output: build/out\n"
        if pins:
            settings += "models:\n" + "".join(f"  - path: {path}\n    sha256: '{pin}'\n" for path, pin in pins.items())
        made = {f"build/out/{name}": body for name, body in (products or {}).items()}
        for name, body in {**files, **made, "lockgate.yaml": settings.encode()}.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_bytes(body)
        project = open_project(tmp_path)
        return examine(project, project.snapshot(), project.products(), lambda _done, _total, _name: None)

    return inner


@pytest.fixture
def judge() -> Callable[[bytes, str], tuple[str, set[str]]]:
    """The format of some bytes under a name, and the checks that fail on them as `lockgate scan model` would; ERRORED
    checks are named with a question mark."""

    def inner(body: bytes, name: str) -> tuple[str, set[str]]:
        facts = read_model(Memory(body), name)
        outcomes = outcomes_of(ModelFile(SubjectRef(name, "0" * 64), len(body), "scan", None, facts))
        failed = {outcome.check for outcome in outcomes if outcome.status is Status.FAILED}
        return facts.format, failed | {f"{outcome.check}?" for outcome in outcomes if outcome.status is Status.ERRORED}

    return inner
