"""The example's training job is reproducible, and the application can use what it writes."""

import hashlib
import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

pytest.importorskip("sklearn")
pytest.importorskip("safetensors")

GOOD = Path(__file__).resolve().parents[2] / "examples/assistant"
ROWS = GOOD / "data/finetune.jsonl"


def train(out: Path) -> str:
    command = [sys.executable, "training/train.py", "--rows", "data/finetune.jsonl", "--out", str(out)]
    return subprocess.run(command, cwd=GOOD, check=True, capture_output=True, text=True).stdout


@pytest.fixture(scope="module")
def router(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("router")
    assert len(train(out).splitlines()) == 2
    return out


def test_every_row_has_the_four_fields_and_a_handbook_page() -> None:
    rows = [json.loads(line) for line in ROWS.read_text("utf-8").splitlines()]
    pages = {path.stem for path in (GOOD / "knowledge").glob("*.md")}
    assert Counter(row["topic"] for row in rows) == dict.fromkeys(pages, 20)
    assert all(list(row) == ["id", "question", "answer", "topic"] for row in rows)
    assert len({row["id"] for row in rows}) == len({row["question"] for row in rows}) == len(rows)


def test_the_same_rows_give_the_same_bytes(router: Path, tmp_path: Path) -> None:
    train(tmp_path)
    for name in ("router.safetensors", "router.json"):
        assert (tmp_path / name).read_bytes() == (router / name).read_bytes()


def test_the_card_names_the_rows_that_it_was_trained_on(router: Path) -> None:
    card = json.loads((router / "router.json").read_text("utf-8"))
    assert card["rows_sha256"] == hashlib.sha256(ROWS.read_bytes()).hexdigest()
    assert card["held_out_accuracy"] > 2 / len(card["classes"])


def test_the_application_picks_the_right_page_with_the_trained_router(router: Path) -> None:
    program = (
        "import sys, pathlib, app; router = app.Router(pathlib.Path(sys.argv[1]));"
        "print(*map(router.pick, sys.argv[2:]))"
    )
    questions = ["When do you open on Sunday?", "How much is a double kayak?", "Wie hoch ist die Kaution?"]
    command = [sys.executable, "-B", "-c", program, str(router), *questions]
    done = subprocess.run(command, cwd=GOOD, check=True, capture_output=True, text=True)
    assert done.stdout.split() == ["opening-times", "prices", "deposit"]
