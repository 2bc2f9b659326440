"""The supply stage on whole projects: what counts as a model, and that nothing unexamined passes."""

import io
import os
import pickle
import shutil
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
from safetensors.numpy import save
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from lockgate.core import Examination, Location, Status, sha256_hex
from lockgate.core.project import open_project
from lockgate.supply import CHECKS, examine

Look = Callable[..., Examination]
ROOT = Path(__file__).resolve().parents[2]
REAL_MODEL = ROOT / "examples/assistant/models/SmolLM2-135M-Instruct.Q4_1.gguf"
REAL_DIGEST = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
ABOUT_CONTENT = {"LG-SUPPLY-003", "LG-SUPPLY-004", "LG-SUPPLY-005", "LG-SUPPLY-006"}


def test_a_pinned_model_passes_and_a_swapped_one_does_not(look: Look, build: Any) -> None:
    body = build.gguf()
    good = look({"models/a.gguf": body}, {"models/a.gguf": sha256_hex(body)})
    assert {outcome.status for outcome in good.outcomes} == {Status.PASSED}
    assert {outcome.check for outcome in good.outcomes} == {"LG-SUPPLY-001", "LG-SUPPLY-002", *{"LG-SUPPLY-004"}} | {
        "LG-SUPPLY-006"
    }
    swapped = look({"models/a.gguf": build.gguf(count=16, data=64)}, {"models/a.gguf": sha256_hex(body)})
    assert build.failed(swapped, "models/a.gguf") == {"LG-SUPPLY-001"}


def test_a_pinned_model_that_is_missing_is_errored(look: Look, build: Any) -> None:
    found = look({}, {"./models/gone.gguf": "0" * 64})
    outcomes = build.outcomes(found, "models/gone.gguf")
    assert {outcome.status for outcome in outcomes.values()} == {Status.ERRORED}
    assert "LG-SUPPLY-001" in outcomes
    assert "does not exist" in outcomes["LG-SUPPLY-001"].reason
    assert "models/gone.gguf" in {ref.uri for ref in found.subjects}


def test_two_pins_that_contradict_each_other_are_errored(tmp_path: Path, build: Any) -> None:
    pins = "".join(f"  - path: {path}\n    sha256: {'ab'[i] * 64}\n" for i, path in enumerate(("m.gguf", "./m.gguf")))
    (tmp_path / "lockgate.yaml").write_text(f"version: 1\nproject: p\nmodels:\n{pins}")
    (tmp_path / "m.gguf").write_bytes(build.gguf())
    project = open_project(tmp_path)
    found = examine(project, project.snapshot(), project.products(), lambda *_: None)
    assert {outcome.status for outcome in build.outcomes(found, "m.gguf").values()} == {Status.ERRORED}


def test_text_and_media_are_no_models_whatever_they_mention(look: Look, build: Any) -> None:
    files = {
        "README.md": b"# cos\nsystem\nThis is about pickles.\n",
        "data.csv": b"color,price\nred,1\n",
        "a.py": b"import os\nos.system('x')\n",
        "umlaut.txt": ("ä" * 40_000).encode(),
        "logo.png": b"\x89PNG\r\n\x1a\n" + bytes(range(256)),
        "empty.txt": b"",
        "dot.txt": b"N.",
    }
    assert look(files) == Examination((), ())


def test_a_pickle_without_magic_bytes_is_found_under_any_name(look: Look, build: Any) -> None:
    files = {
        "notes.txt": b"cposix\nsystem\n(S'echo gone'\ntR.",
        "notes.md": b"(S'echo gone'\niposix\nsystem\n.",
        "broken.txt": b"cposix\nsystem\n(S'echo gone'\ntR and then nothing that makes sense",
        "style.css": b"cevil_module\nthing\n.",
    }
    found = look(files)
    assert {name for name in files if "LG-SUPPLY-003" in build.failed(found, name)} == set(files)


def test_a_valid_safetensors_file_that_an_unpickler_would_run_is_found(look: Look, build: Any) -> None:
    # An unpickler reads the header's length as a short text, hops through the metadata in texts of its own, and lands
    # in the bytes of the tensor.
    start = '{"__metadata__":{"a":"'
    tensor = f'"}},"t":{{"dtype":"U8","shape":[{len(build.evil)}],"data_offsets":[0,{len(build.evil)}]}}}}'
    length = 25 * 256 + ord("X")
    room = length - len(start) - len(tensor)
    hops, rest = divmod(room - 2 - 60, 100)
    text = ("Ub" + " " * 98) * hops + "U" + chr(60 + rest - 2 if rest >= 2 else 60) + " " * (60 + rest - 2)
    header = start + text.ljust(room - 2) + "U" + chr(len(tensor)) + tensor
    assert len(header) == length
    body = build.safetensors(header) + build.evil
    found = look({"a.safetensors": body}, {"a.safetensors": sha256_hex(body)})
    assert build.failed(found, "a.safetensors") == {"LG-SUPPLY-003"}
    assert build.outcomes(found, "a.safetensors")["LG-SUPPLY-005"].status is Status.PASSED


def test_unpinned_models_are_found_in_the_project_but_not_among_products(look: Look, build: Any) -> None:
    body = save({"weight": np.ones((2, 2), dtype=np.float32)})
    found = look({"models/extra.safetensors": body}, products={"router.safetensors": body})
    assert build.failed(found, "models/extra.safetensors") == {"LG-SUPPLY-002"}
    product = build.outcomes(found, "build/out/router.safetensors")
    assert {check: outcome.status for check, outcome in product.items()} == {
        "LG-SUPPLY-005": Status.PASSED,
        "LG-SUPPLY-006": Status.PASSED,
    }


def _files(build: Any) -> dict[str, bytes]:
    rng = np.random.default_rng(0)
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(rng.random((20, 3)), [0, 1] * 10)
    dumped, arrays, packed = io.BytesIO(), io.BytesIO(), io.BytesIO()
    joblib.dump(model, dumped)
    np.savez(arrays, a=np.arange(3), b=np.ones((2, 2)))
    np.savez_compressed(packed, a=rng.random((30, 30)))
    plain = io.BytesIO()
    np.save(plain, np.zeros(3, dtype=[("x", "<i4"), ("y", "<f8", (2,))]))
    tarred = io.BytesIO()
    with tarfile.open(fileobj=tarred, mode="w") as archive:
        entry = tarfile.TarInfo("model/" + "long" * 40 + ".safetensors")
        body = save({"weight": np.ones(2, dtype=np.float32)})
        entry.size, entry.mtime = len(body), 1.5
        archive.addfile(entry, io.BytesIO(body))
    return {
        "model.pkl": pickle.dumps(model),
        "model.joblib": dumped.getvalue(),
        "arrays.npz": arrays.getvalue(),
        "packed.npz": packed.getvalue(),
        "record.npy": plain.getvalue(),
        "model.tar": tarred.getvalue(),
        "state.pt": build.torch_zip(build.torch_state),
        "nested.zip": build.zipped({"inner.zip": build.torch_zip(build.torch_state), "note.txt": b"hello"}),
    }


def test_ordinary_files_of_every_format_pass(look: Look, build: Any) -> None:
    files = _files(build)
    found = look(files, {name: sha256_hex(body) for name, body in files.items()})
    assert [outcome for outcome in found.outcomes if outcome.status is not Status.PASSED] == []
    assert {ref.uri for ref in found.subjects} == set(files)
    assert {name for name in files if "LG-SUPPLY-003" in build.outcomes(found, name)} == {
        "model.pkl",
        "model.joblib",
        "state.pt",
        "nested.zip",
    }


def test_a_program_is_found_wherever_it_hides(look: Look, build: Any) -> None:
    objects = io.BytesIO()
    np.save(objects, np.array([None]), allow_pickle=True)
    start = objects.getvalue().index(b"\x80")
    tarred = io.BytesIO()
    with tarfile.open(fileobj=tarred, mode="w") as archive:
        entry = tarfile.TarInfo("weights.bin")
        entry.size = len(build.evil)
        archive.addfile(entry, io.BytesIO(build.evil))
    files = {
        "a.pkl": build.evil,
        "renamed.dat": build.evil,
        "torch.pt": build.torch_zip(build.evil),
        "second.pt": build.torch_zip(build.torch_state, {"archive/extra.pkl": build.evil}),
        "objects.npy": objects.getvalue()[:start] + build.evil,
        "arrays.npz": build.zipped({"x.npy": objects.getvalue()[:start] + build.evil}, method=zipfile.ZIP_DEFLATED),
        "deep.zip": build.zipped({"a.tar": tarred.getvalue(), "b.zip": build.zipped({"c.pkl": build.evil_text})}),
    }
    found = look(files)
    assert {name for name in files if "LG-SUPPLY-003" in build.failed(found, name)} == set(files)
    deep = build.outcomes(found, "deep.zip")["LG-SUPPLY-003"]
    assert {finding.location.path for finding in deep.findings} == {
        "a.tar/weights.bin#posix.system",
        "b.zip/c.pkl#posix.system",
    }


def test_what_cannot_be_examined_is_errored(look: Look, build: Any) -> None:
    files = {
        "m.rar": (b"Rar!\x1a\x07" + bytes(40), "RAR"),
        "blob": (b"\x01\x02\xff\x00\xff", "no known format"),
        "model.pt": (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "pointer"),
        "model.bin": (b"", "empty"),
    }
    found = look({name: body for name, (body, _) in files.items()})
    for name, (_, said) in files.items():
        outcome = build.outcomes(found, name)["LG-SUPPLY-006"]
        assert outcome.status is Status.ERRORED
        assert said in outcome.reason


def test_a_file_that_changed_since_the_snapshot_is_errored(tmp_path: Path, build: Any) -> None:
    (tmp_path / "lockgate.yaml").write_text("version: 1\nproject: p\n")
    (tmp_path / "m.gguf").write_bytes(build.gguf())
    project = open_project(tmp_path)
    taken = project.snapshot()
    (tmp_path / "m.gguf").write_bytes(build.gguf(count=16, data=64))
    found = examine(project, taken, project.products(), lambda *_: None)
    assert {outcome.status for outcome in found.outcomes} == {Status.ERRORED}
    assert all("changed since the run began" in outcome.reason for outcome in found.outcomes)


def test_links_and_unreadable_files_are_errored(tmp_path: Path) -> None:
    (tmp_path / "lockgate.yaml").write_text("version: 1\nproject: p\n")
    (tmp_path / "link.gguf").symlink_to("/etc/hostname")
    os.mkfifo(tmp_path / "pipe")
    project = open_project(tmp_path)
    found = examine(project, project.snapshot(), project.products(), lambda *_: None)
    assert {outcome.subject.uri for outcome in found.outcomes} == {"link.gguf", "pipe"}
    assert {(outcome.check, outcome.status) for outcome in found.outcomes} == {
        (check, Status.ERRORED) for check in ABOUT_CONTENT
    }


def test_progress_reaches_the_end(tmp_path: Path) -> None:
    (tmp_path / "lockgate.yaml").write_text("version: 1\nproject: p\n")
    project = open_project(tmp_path)
    seen: list[tuple[int, int, str]] = []
    examine(project, project.snapshot(), project.products(), lambda done, total, name: seen.append((done, total, name)))
    assert seen[0] == (0, 1, "lockgate.yaml")
    assert seen[-1][:2] == (1, 1)


def test_no_message_or_place_repeats_bytes_that_are_no_names(look: Look, build: Any) -> None:
    found = look({"a.pkl": build.evil, "b.pkl": b"\x80\x04\x8c\x05posix\x8c\x04\x1b[2Jx\x93."})
    said = "".join(
        finding.message + finding.location.path for outcome in found.outcomes for finding in outcome.findings
    )
    assert "echo gone" not in said
    assert said.isprintable()


def test_the_catalog_lists_every_check_once() -> None:
    ids = [check.card.id for check in CHECKS]
    assert len(ids) == len(set(ids))
    assert {"LG-SUPPLY-001", "LG-SUPPLY-003", "LG-SUPPLY-013"} <= set(ids)


def test_the_real_model_passes_every_check(tmp_path: Path, build: Any) -> None:
    if not REAL_MODEL.exists() and "CI" not in os.environ:
        pytest.skip("the example's model is not here; 'make install' fetches it")
    (tmp_path / "models").mkdir()
    shutil.copy(REAL_MODEL, tmp_path / "models/m.gguf")
    settings = f"version: 1\nproject: p\nmodels:\n  - path: models/m.gguf\n    sha256: {REAL_DIGEST}\n"
    (tmp_path / "lockgate.yaml").write_text(settings)
    project = open_project(tmp_path)
    found = examine(project, project.snapshot(), project.products(), lambda *_: None)
    assert [(outcome.check, outcome.status) for outcome in found.outcomes] == [
        (check, Status.PASSED) for check in ("LG-SUPPLY-001", "LG-SUPPLY-002", "LG-SUPPLY-004", "LG-SUPPLY-006")
    ]


def test_a_finding_keeps_its_fingerprint_when_the_file_changes_elsewhere(look: Look, build: Any) -> None:
    one = look({"a.pkl": build.evil})
    two = look({"a.pkl": build.evil.replace(b"gone", b"here")})
    first, second = (build.outcomes(found, "a.pkl")["LG-SUPPLY-003"].findings[0] for found in (one, two))
    assert first.fingerprint == second.fingerprint
    assert first.location == Location("a.pkl", "#posix.system")


@pytest.mark.parametrize(("until", "status"), [("9999-12-31", Status.PASSED), ("2026-01-01", Status.FAILED)])
def test_a_name_that_the_settings_allow_passes_until_its_last_day(tmp_path: Path, until: str, status: Status) -> None:
    body = b"\x80\x02cmine.models\nNet\n)\x81}X\x01\x00\x00\x00aK\x01sb."
    (tmp_path / "m.pkl").write_bytes(body)
    (tmp_path / "lockgate.yaml").write_text(
        f"version: 1\nproject: p\nmodels: [{{path: m.pkl, sha256: {sha256_hex(body)}}}]\nsupply:\n  pickle_names:\n"
        f"    - {{name: mine.models.Net, how: built, until: {until}, why: the ranking model}}\n"
    )
    project = open_project(tmp_path)
    found = examine(project, project.snapshot(), project.products(), lambda *_: None)
    statuses = {outcome.check: outcome.status for outcome in found.outcomes if outcome.subject.uri == "m.pkl"}
    assert statuses["LG-SUPPLY-003"] is status
