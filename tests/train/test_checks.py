import io
import pickle
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from lockgate.core import Examination, Outcome, Severity, Status, SubjectRef
from lockgate.core.project import open_project
from lockgate.train import BUILD_TYPE, CHECKS, Recording, examine, to_provenance
from lockgate.train.products import code_formats

GOOD = "import pathlib; pathlib.Path('build/model/a.json').write_text('{}')\n"


def quiet(_done: int, _total: int, _what: str) -> None:
    """Nobody watches."""


def _judged(root: Path, recording: Recording) -> tuple[Examination, dict[tuple[str, str], Outcome]]:
    opened = open_project(root)
    examination = examine(opened, recording, opened.snapshot(), quiet)
    return examination, {(item.check, item.subject.uri): item for item in examination.outcomes}


def test_a_good_job_passes_every_check(job: Callable[..., Recording], root: Path, isolated: None) -> None:
    made = job(GOOD)
    examination, outcomes = _judged(root, made)
    assert {outcome.status for outcome in outcomes.values()} == {Status.PASSED}
    assert {outcome.check for outcome in outcomes.values()} == {check.card.id for check in CHECKS}
    assert {ref.uri for ref in examination.subjects} == {
        "lockgate.yaml",
        "train.py",
        "data/rows.jsonl",
        "build/model/a.json",
    }


def test_a_failed_job_is_critical_and_skips_the_empty_output(job: Callable[..., Recording], root: Path) -> None:
    _, outcomes = _judged(root, job("raise SystemExit(2)"))
    failed = outcomes["LG-TRAIN-001", "lockgate.yaml"]
    assert failed.findings[0].severity is Severity.CRITICAL
    assert failed.findings[0].location.path == "/train/command"
    assert outcomes["LG-TRAIN-005", "lockgate.yaml"].status is Status.SKIPPED


def test_a_stopped_job_names_its_timeout(job: Callable[..., Recording], root: Path) -> None:
    _, outcomes = _judged(root, job("import time; time.sleep(60)", timeout_s=1))
    assert outcomes["LG-TRAIN-001", "lockgate.yaml"].findings[0].location.path == "/train/timeout_s"


def test_an_output_with_a_link_errs_and_fails(job: Callable[..., Recording], root: Path) -> None:
    _, outcomes = _judged(root, job(GOOD + "import os; os.symlink('/etc/passwd', 'build/model/link')"))
    assert outcomes["LG-TRAIN-001", "lockgate.yaml"].findings[0].location.path == "/train/output"
    assert outcomes["LG-TRAIN-002", "build/model/link"].status is Status.ERRORED


def test_an_empty_output_is_found(job: Callable[..., Recording], root: Path) -> None:
    _, outcomes = _judged(root, job("pass"))
    assert outcomes["LG-TRAIN-005", "lockgate.yaml"].findings[0].severity is Severity.HIGH


def test_missing_isolation_is_information_unless_required(
    job: Callable[..., Recording], root: Path, unisolated: None
) -> None:
    made = job(GOOD)
    _, outcomes = _judged(root, made)
    assert outcomes["LG-TRAIN-003", "lockgate.yaml"].findings[0].severity is Severity.INFO
    settings = root / "lockgate.yaml"
    settings.write_text(settings.read_text() + "  require_isolation: true\n")
    _, outcomes = _judged(root, made)
    assert outcomes["LG-TRAIN-003", "lockgate.yaml"].findings[0].severity is Severity.MEDIUM


def test_an_input_that_changed_after_the_recording_is_found(job: Callable[..., Recording], root: Path) -> None:
    made = job(GOOD)
    (root / "data/rows.jsonl").write_text("poisoned\n")
    _, outcomes = _judged(root, made)
    assert outcomes["LG-TRAIN-004", "data/rows.jsonl"].status is Status.FAILED
    assert outcomes["LG-TRAIN-004", "train.py"].status is Status.PASSED


def test_an_input_that_the_data_gate_never_saw_is_found(job: Callable[..., Recording], root: Path) -> None:
    made = job(GOOD)
    (root / "data/rows.jsonl").unlink()
    _, outcomes = _judged(root, made)
    assert "not among the files" in outcomes["LG-TRAIN-004", "data/rows.jsonl"].findings[0].message


def test_an_input_altered_by_the_job_is_found(job: Callable[..., Recording], root: Path, unisolated: None) -> None:
    made = job(GOOD + "pathlib.Path('data/rows.jsonl').write_text('altered')")
    assert made.changed == ("data/rows.jsonl",)
    assert (root / "data/rows.jsonl").read_text() == '{"text": "hello"}\n'
    _, outcomes = _judged(root, made)
    assert outcomes["LG-TRAIN-004", "data/rows.jsonl"].findings[0].location.path == "/during"


def test_a_pickle_among_the_products_is_found(job: Callable[..., Recording], root: Path) -> None:
    made = job(GOOD + "import pickle; pathlib.Path('build/model/weights.bin').write_bytes(pickle.dumps([1]))")
    _, outcomes = _judged(root, made)
    found = outcomes["LG-TRAIN-002", "build/model/weights.bin"]
    assert found.findings[0].severity is Severity.HIGH
    assert "pickle" in found.findings[0].message
    assert outcomes["LG-TRAIN-002", "build/model/a.json"].status is Status.PASSED


def _zipped(name: str, body: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(name, body)
    return buffer.getvalue()


def _npy(dtype: str, body: bytes = b"") -> bytes:
    header = f"{{'descr': '{dtype}', 'fortran_order': False, 'shape': (1,), }}".encode().ljust(117) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + body


def _compressed(module: str, body: bytes) -> bytes:
    return __import__(module).compress(body)


RUNS_CODE = {
    **{f"protocol-{number}.bin": pickle.dumps({"a": [1, 2]}, protocol=number) for number in range(6)},
    "long-protocol-0": pickle.dumps(list(range(400_000)), protocol=0),
    "ordered.dat": pickle.dumps(OrderedDict(a=1), protocol=2),
    "torch.bin": _zipped("archive/data.pkl", pickle.dumps([1])),
    "objects.npy": _npy("|O"),
    "objects.npz": _zipped("a.npy", _npy("|O")),
    "squeezed.zlib": _compressed("zlib", pickle.dumps([1])),
    "squeezed.gz": _compressed("gzip", pickle.dumps([1])),
    "squeezed.bz2": _compressed("bz2", pickle.dumps([1])),
    "squeezed.xz": _compressed("lzma", pickle.dumps([1])),
    "by-name.joblib": b"anything",
    "BY-NAME.PKL": b"anything",
    "broken.zip": b"PK\x03\x04 cut off",
}
HARMLESS = {
    "empty": b"",
    "stop.txt": b".",
    "words.txt": b"(see below) In the beginning there was a row.",
    "rows.json": b'{"a": 1}',
    "list.json": b"[1, 2, 3]",
    "numbers.npy": _npy("<f4", b"\x00" * 4),
    "numbers.npz": _zipped("a.npy", _npy("<f4")),
    "model.safetensors": (640).to_bytes(8, "little") + b'{"__metadata__":{}}'.ljust(640) + b"\x00" * 16,
    "text.gz": _compressed("gzip", b"plain words"),
    "xylophone.txt": b"x marks the spot",
    "model.gguf": b"GGUF\x03\x00\x00\x00",
}


@pytest.mark.parametrize("name", [*RUNS_CODE, *HARMLESS])
def test_formats_are_told_by_content_and_by_name(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes((RUNS_CODE | HARMLESS)[name])
    found = code_formats(tmp_path, (SubjectRef(name, "0" * 64),))
    assert bool(found) is (name in RUNS_CODE), found


def test_provenance_names_what_went_in_and_what_came_out(job: Callable[..., Recording], root: Path) -> None:
    made = job(GOOD)
    facts = to_provenance(made)
    assert facts.build_type == BUILD_TYPE
    assert facts.subjects == made.products
    assert facts.external_parameters["command"] == ["python", "train.py"]
    assert {"name": "train.py", "digest": {"sha256": made.materials[1].sha256}} in facts.resolved_dependencies
    assert any(item.get("uri", "").startswith("pkg:pypi/msgspec@") for item in facts.resolved_dependencies)
    assert facts.byproducts[0]["digest"] == {"sha256": made.log.sha256}
    assert str(root) not in msgspec.json.encode(facts).decode()


def test_every_check_of_the_folder_is_listed_once() -> None:
    numbers = [check.card.id for check in CHECKS]
    assert numbers == sorted(set(numbers))
    assert all(
        heading in (check.__doc__ or "")
        for check in CHECKS
        for heading in ("Why it matters:", "Fails on:", "Passes on:", "Limits:")
    )
