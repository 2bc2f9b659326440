import hashlib
import py_compile
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from lockgate.core import CoreError
from lockgate.core.project import open_project
from lockgate.train import Recording, TrainError, record

GOOD = """
import pathlib
rows = pathlib.Path("data/rows.jsonl").read_text()
pathlib.Path("build/model/weights.json").write_text(rows.upper())
print("trained")
"""


def quiet(_done: int, _total: int, _what: str) -> None:
    """Nobody watches."""


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _leftovers(root: Path) -> list[str]:
    return [path.name for path in (root / ".lockgate").iterdir()]


def test_a_good_job_is_recorded_with_its_inputs_and_products(job: Callable[..., Recording], root: Path) -> None:
    made = job(GOOD)
    assert made.problems == ()
    assert made.exit_code == 0
    assert {ref.uri: ref.sha256 for ref in made.materials} == {
        uri: _sha256(root / uri) for uri in ("train.py", "data/rows.jsonl")
    }
    assert [(ref.uri, ref.sha256) for ref in made.products] == [
        ("build/model/weights.json", _sha256(root / "build/model/weights.json"))
    ]
    assert made.log.tail == "trained\n"
    assert made.log.sha256 == hashlib.sha256(b"trained\n").hexdigest()
    assert made.started < made.finished
    assert made.started.endswith("Z")
    assert made.changed == ()
    assert made.environment.python.startswith("CPython 3.")
    assert "msgspec" in {item.name for item in made.environment.distributions}
    assert _leftovers(root) == []


def test_a_recording_survives_storage(job: Callable[..., Recording]) -> None:
    made = job(GOOD)
    assert msgspec.json.decode(msgspec.json.encode(made), type=Recording) == made


def test_the_new_output_replaces_the_old_one_as_a_whole(job: Callable[..., Recording], root: Path) -> None:
    job(GOOD)
    (root / "build/model/stale.bin").write_text("of an earlier run")
    job(GOOD)
    assert [path.name for path in (root / "build/model").iterdir()] == ["weights.json"]


@pytest.mark.parametrize(
    ("script", "problem"),
    [
        (GOOD + "raise SystemExit(3)", "The job ended with exit code 3."),
        (GOOD + "import os, signal; os.kill(os.getpid(), signal.SIGTERM)", "The job ended with exit code 143."),
        ("print('nothing to do')", "The job wrote nothing to build/model."),
        (GOOD + "import os; os.symlink('/etc/passwd', 'build/model/link')", "symbolic link"),
        (GOOD + "import os; os.mkfifo('build/model/pipe')", "not a regular file"),
    ],
)
def test_a_job_that_fails_leaves_the_old_output(
    job: Callable[..., Recording], root: Path, script: str, problem: str
) -> None:
    job(GOOD)
    before = _sha256(root / "build/model/weights.json")
    (root / "data/rows.jsonl").write_text('{"text": "other"}\n')
    made = job(script)
    assert problem in made.problems[0]
    assert made.products == ()
    assert not made.kept
    assert [path.name for path in (root / "build/model").iterdir()] == ["weights.json"]
    assert _sha256(root / "build/model/weights.json") == before
    assert _leftovers(root) == []


@pytest.mark.parametrize("machine", ["isolated", "unisolated"])
def test_a_job_that_runs_too_long_is_stopped_with_its_children(
    job: Callable[..., Recording], root: Path, request: pytest.FixtureRequest, machine: str
) -> None:
    request.getfixturevalue(machine)
    job(GOOD)
    before = _sha256(root / "build/model/weights.json")
    (root / "data/rows.jsonl").write_text('{"text": "other"}\n')
    began = time.monotonic()
    made = job(
        GOOD + "import subprocess, sys, time\n"
        "subprocess.Popen([sys.executable, '-c', 'import time; print(1, flush=True); time.sleep(60)'])\n"
        "time.sleep(60)",
        timeout_s=1,
    )
    assert made.timed_out
    assert made.problems == ("The job was stopped after 1 s.",)
    assert time.monotonic() - began < 15
    assert _sha256(root / "build/model/weights.json") == before
    assert _leftovers(root) == []


@pytest.mark.parametrize("machine", ["isolated", "unisolated"])
def test_a_process_left_behind_does_not_outlive_the_job(
    job: Callable[..., Recording], root: Path, request: pytest.FixtureRequest, machine: str
) -> None:
    request.getfixturevalue(machine)
    began = time.monotonic()
    made = job(
        GOOD + "import subprocess, sys\n"
        "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60); open(\"build/model/late\", \"w\")'])"
    )
    assert made.kept
    assert time.monotonic() - began < 15
    assert not (root / "build/model/late").exists()


def test_long_output_is_hashed_whole_and_kept_in_part(job: Callable[..., Recording]) -> None:
    made = job(GOOD + "for _ in range(3000): print('x' * 999)")
    assert made.log.size == len("trained\n") + 3_000_000
    assert len(made.log.tail) == 8_000


def test_the_log_shows_no_secret_and_no_terminal_control(job: Callable[..., Recording]) -> None:
    key = "AKIA" + "Q7WTZ4NKXP2M5RBD"
    made = job(GOOD + f"print('key', '{key}', chr(27) + '[31mred')")
    assert key not in made.log.tail
    assert "[SECRET]" in made.log.tail
    assert "\x1b" not in made.log.tail


def test_only_declared_inputs_are_there_under_any_isolation(job: Callable[..., Recording], unisolated: None) -> None:
    made = job(GOOD + "import os; print(sorted(os.listdir('.')), os.environ.get('HOME'))")
    assert made.sandbox == "none"
    assert "['build', 'data', 'train.py']" in made.log.tail
    assert "bubblewrap is not installed" in made.sandbox_reason


def test_the_callers_environment_does_not_reach_the_job(
    job: Callable[..., Recording], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UPSTREAM_API_KEY", "of the caller")
    monkeypatch.setenv("PYTHONPATH", "/nowhere")
    made = job(GOOD + "import os; print(sorted(os.environ))")
    assert "UPSTREAM_API_KEY" not in made.log.tail
    assert "PYTHONPATH" not in made.log.tail
    assert "PYTHONHASHSEED" in made.environment.variables


def test_byte_code_in_an_input_folder_is_not_used(job: Callable[..., Recording], root: Path) -> None:
    package = root / "training"
    package.mkdir()
    part = package / "part.py"
    part.write_text("WORD = 'planted'\n")
    py_compile.compile(str(part), doraise=True, invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)
    part.write_text("WORD = 'reviewed'\n")
    made = job(
        "import sys; sys.path.insert(0, 'training'); import part, pathlib\n"
        "pathlib.Path('build/model/a.txt').write_text(part.WORD)",
        inputs=("train.py", "training"),
    )
    assert made.kept
    assert (root / "build/model/a.txt").read_text() == "reviewed"


def test_an_input_that_is_a_program_can_be_started(job: Callable[..., Recording], root: Path) -> None:
    program = root / "run.sh"
    program.write_text("#!/bin/sh\ncp data/rows.jsonl build/model/copy.jsonl\n")
    program.chmod(0o755)
    made = job("", inputs=("run.sh", "data"), command=("./run.sh",))
    assert [ref.uri for ref in made.products] == ["build/model/copy.jsonl"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"inputs": ("data", "absent")}, "The input absent matches no file"),
        ({"inputs": ("data", "../outside")}, "not a path inside the project"),
        ({"inputs": ("data",)}, "The command names train.py, which is not an input"),
        ({"output": "data"}, "lie inside each other"),
        ({"output": "data/deeper"}, "lie inside each other"),
        ({"output": "."}, "The project folder itself"),
        ({"output": "/tmp/model"}, "not a path inside the project"),
        ({"output": ".git/hooks"}, "cannot be the job's output"),
        ({"output": ".lockgate"}, "cannot be the job's output"),
        ({"output": "docs"}, "holds the project file docs/readme.md"),
        ({"output": "lockgate.yaml"}, "holds the project file lockgate.yaml"),
        ({"command": ("no-such-trainer",)}, "is not installed"),
    ],
)
def test_a_declaration_that_cannot_be_followed_runs_nothing(root: Path, changes: dict[str, Any], message: str) -> None:
    (root / "train.py").write_text(GOOD)
    (root / "docs").mkdir()
    (root / "docs/readme.md").write_text("Keep me.")
    opened = open_project(root)
    declared = {
        "command": ("python", "train.py"),
        "inputs": ("train.py", "data"),
        "output": "build/model",
        "timeout_s": 30,
        "taken": opened.snapshot(),
        "progress": quiet,
    }
    with pytest.raises(TrainError, match=message):
        record(opened, **(declared | changes))
    assert (root / "docs/readme.md").read_text() == "Keep me."
    assert not (root / "build").exists()


def test_an_input_that_is_a_link_is_refused(job: Callable[..., Recording], root: Path) -> None:
    (root / "data/link.jsonl").symlink_to(root / "secret.txt")
    with pytest.raises(TrainError, match=r"data/link\.jsonl cannot be read"):
        job(GOOD)


def test_an_output_that_is_a_link_is_refused(job: Callable[..., Recording], root: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (root / "build").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(TrainError, match="not a plain folder"):
        job(GOOD)


def test_an_input_that_disappears_stops_the_recording(root: Path) -> None:
    (root / "train.py").write_text(GOOD)
    opened = open_project(root)
    taken = opened.snapshot()
    (root / "data/rows.jsonl").unlink()
    with pytest.raises(CoreError, match="does not exist"):
        record(
            opened,
            command=("python", "train.py"),
            inputs=("train.py", "data"),
            output="build/model",
            timeout_s=5,
            taken=taken,
            progress=quiet,
        )


def test_the_commit_is_recorded_and_compared_with_the_inputs(job: Callable[..., Recording], root: Path) -> None:
    def git(*arguments: str) -> str:
        identity = ("-c", "user.name=Test", "-c", "user.email=test@example.org", "-c", "commit.gpgsign=false")
        done = subprocess.run(["git", *identity, *arguments], cwd=root, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    assert job(GOOD).code is None
    git("init", "-q")
    assert job(GOOD).code is None
    git("add", "train.py", "data")
    git("commit", "-q", "-m", "first")
    clean = job(GOOD).code
    assert clean is not None
    assert clean.commit == git("rev-parse", "HEAD")
    assert not clean.dirty
    assert job(GOOD + "# edited").code.dirty
    (root / "data/more.jsonl").write_text("{}\n")
    assert job(GOOD).code.dirty


def test_git_settings_of_the_project_run_nothing(job: Callable[..., Recording], root: Path, tmp_path: Path) -> None:
    job(GOOD)
    subprocess.run(["git", "init", "-q"], cwd=root, check=True)
    trap = tmp_path / "trap.sh"
    trap.write_text(f"#!/bin/sh\ntouch {tmp_path}/sprung\ncat\n")
    trap.chmod(0o755)
    subprocess.run(["git", "add", "train.py", "data"], cwd=root, check=True)
    commit = ["git", "-c", "user.name=T", "-c", "user.email=t@example.org", "commit", "-q", "-m", "first"]
    subprocess.run(commit, cwd=root, check=True)
    with (root / ".git/config").open("a") as stream:
        stream.write(f'[core]\n\tfsmonitor = {trap}\n\tpager = {trap}\n[filter "x"]\n\tclean = {trap}\n')
    (root / ".gitattributes").write_text("* filter=x\n")
    assert job(GOOD).code is not None
    assert not (tmp_path / "sprung").exists()


def test_a_program_that_cannot_be_started_is_refused(job: Callable[..., Recording], unisolated: None) -> None:
    with pytest.raises(TrainError, match="cannot be started: permission denied"):
        job(GOOD, command=("./train.py",))
