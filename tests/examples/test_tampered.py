"""The tampered example is what tools/make_tampered.py makes of the good one, and holds what it claims to hold."""

import hashlib
import json
import pickletools
import shutil
import struct
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "tools/make_tampered.py"
GOOD = ROOT / "examples/assistant"
TAMPERED = ROOT / "examples/assistant-tampered"
PRODUCED = {".lockgate", "__pycache__", "build"}


def make(out: Path, source: Path = GOOD) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(SCRIPT), "--source", str(source), "--out", str(out)]
    return subprocess.run(command, check=False, capture_output=True, text=True)


def contents(root: Path) -> dict[str, bytes]:
    paths = (path.relative_to(root) for path in root.rglob("*") if path.is_file())
    return {path.as_posix(): (root / path).read_bytes() for path in paths if not PRODUCED & set(path.parts)}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("tampered") / "copy"
    done = make(out)
    assert done.returncode == 0, done.stderr
    return out


def test_the_committed_folder_is_reproduced_byte_for_byte(made: Path) -> None:
    assert contents(made) == contents(TAMPERED)


def test_only_the_announced_files_differ_from_the_good_application(made: Path) -> None:
    good, bad = contents(GOOD), contents(made)
    good = {name: body for name, body in good.items() if not name.endswith(".gguf")}
    changed = {name for name in good.keys() | bad.keys() if good.get(name) != bad.get(name)}
    assert changed - {"MANIFEST.sha256"} == {
        "app.py",
        "data/finetune.jsonl",
        "knowledge/delivery.md",
        "models/SmolLM2-135M-Instruct.Q4_1.gguf",
        "models/topic-ranker.pkl",
        "requirements.txt",
    }


def test_the_planted_numbers_have_valid_check_digits(made: Path) -> None:
    answers = [json.loads(line)["answer"] for line in (made / "data/finetune.jsonl").read_text("utf-8").splitlines()]
    planted = next(answer for answer in answers if "IBAN" in answer)
    iban = planted.partition("IBAN ")[2].partition(",")[0]
    assert int("".join(str(int(character, 36)) for character in iban[4:] + iban[:4])) % 97 == 1
    card = planted.partition("card ")[2].rstrip(".")
    doubled = [int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(card))]
    assert sum(value - 9 * (value > 9) for value in doubled) % 10 == 0


def test_the_script_itself_holds_no_whole_credential(made: Path) -> None:
    rows = (made / "data/finetune.jsonl").read_text("utf-8")
    key = rows.partition("aws_access_key_id=")[2][:20]
    assert len(key) == 20
    assert key.startswith("AKIA")
    assert key not in SCRIPT.read_text("utf-8")


def test_the_pickle_is_well_formed_and_would_call_a_harmless_command(made: Path) -> None:
    operations = [
        (code.name, value) for code, value, _ in pickletools.genops((made / "models/topic-ranker.pkl").read_bytes())
    ]
    assert ("GLOBAL", "os system") in operations
    assert [name for name, _ in operations][-2:] == ["REDUCE", "STOP"]
    assert next(value for name, value in operations if name == "SHORT_BINSTRING").startswith("echo ")


def test_the_replaced_model_begins_as_a_gguf_and_ends_with_its_tensor(made: Path) -> None:
    body = (made / "models/SmolLM2-135M-Instruct.Q4_1.gguf").read_bytes()
    magic, version, tensors, _ = struct.unpack_from("<4sIQQ", body)
    assert (magic, version, tensors) == (b"GGUF", 3, 1)
    assert struct.unpack("<16f", body[-64:]) == tuple(index / 16 for index in range(16))
    assert (len(body) - 64) % 32 == 0


def test_the_attacker_rewrites_a_manifest_when_there_is_one(tmp_path: Path) -> None:
    source, out = tmp_path / "assistant", tmp_path / "copy"
    shutil.copytree(GOOD, source, ignore=shutil.ignore_patterns("*.gguf", *PRODUCED))
    (source / "MANIFEST.sha256").write_text("stale\n", encoding="utf-8")
    assert make(out, source).returncode == 0
    lines = (out / "MANIFEST.sha256").read_text("utf-8").splitlines()
    listed = dict(reversed(line.split("  ", 1)) for line in lines)
    actual = {name: hashlib.sha256(body).hexdigest() for name, body in contents(out).items()}
    del actual["MANIFEST.sha256"]
    assert listed == actual
    assert list(listed) == sorted(listed)


def test_a_folder_that_is_no_tampered_copy_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("mine", encoding="utf-8")
    assert make(tmp_path).returncode != 0
    assert (tmp_path / "letter.txt").read_text("utf-8") == "mine"
    assert make(GOOD).returncode != 0
    assert (GOOD / "app.py").is_file()
