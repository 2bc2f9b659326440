import socket
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from lockgate.core.project import open_project
from lockgate.train import Recording, find_sandbox, record

WRITE = "import pathlib; pathlib.Path('build/model/a.txt').write_text('a')\n"

pytestmark = pytest.mark.usefixtures("isolated")


def test_bubblewrap_is_found_and_recorded(job: Callable[..., Recording]) -> None:
    made = job(WRITE)
    assert (made.sandbox, made.sandbox_reason) == ("bubblewrap", "")
    assert made.kept


def test_the_network_is_refused(job: Callable[..., Recording]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        reached = threading.Event()

        def answer() -> None:
            server.settimeout(10)
            try:
                server.accept()[0].close()
            except OSError:
                return
            reached.set()

        waiter = threading.Thread(target=answer)
        waiter.start()
        made = job(
            WRITE + "import socket\n"
            f"try: socket.create_connection(('127.0.0.1', {port}), timeout=2)\n"
            "except OSError as error: print('refused', type(error).__name__)\n"
            "print(sorted(name for _, name in socket.if_nameindex()))"
        )
        assert not reached.is_set()
        socket.create_connection(("127.0.0.1", port)).close()
        waiter.join()
        assert reached.is_set()
    assert "refused" in made.log.tail
    assert "['lo']" in made.log.tail


def test_nothing_outside_the_output_can_be_written(job: Callable[..., Recording], root: Path, tmp_path: Path) -> None:
    places = ["/project/data/rows.jsonl", "/project/new", "/etc/new", "/usr/new", "/new", str(tmp_path / "new")]
    made = job(
        WRITE + f"for place in {places!r}:\n"
        "    try: open(place, 'a').write('x'); print('wrote', place)\n"
        "    except OSError as error: print(type(error).__name__)\n"
    )
    assert made.kept
    assert "wrote" not in made.log.tail
    assert (root / "data/rows.jsonl").read_text() == '{"text": "hello"}\n'
    assert not (tmp_path / "new").exists()


def test_undeclared_files_cannot_be_read(job: Callable[..., Recording], root: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere.txt").write_text("hidden")
    places = ["secret.txt", str(root / "secret.txt"), str(tmp_path / "elsewhere.txt"), "lockgate.yaml"]
    places += [
        str(Path.home() / ".bash_history"),
        "/etc/shadow",
        str(root / ".lockgate"),
        str(Path("/proc/1/root", "etc/shadow")),
    ]
    made = job(
        WRITE + f"import os\nfor place in {places!r}:\n"
        "    try: os.listdir(place) if os.path.isdir(place) else open(place).read(); print('read', place)\n"
        "    except OSError as error: print(type(error).__name__)\n"
    )
    assert "read" not in made.log.tail
    assert made.log.tail.count("FileNotFoundError") >= 7


def test_no_process_of_the_machine_can_be_seen(job: Callable[..., Recording]) -> None:
    made = job(WRITE + "import os; print(len([name for name in os.listdir('/proc') if name.isdigit()]))")
    assert int(made.log.tail) <= 3


def test_a_private_tmp_can_be_used_and_is_gone_afterwards(job: Callable[..., Recording]) -> None:
    made = job(WRITE + "import tempfile; print(tempfile.mkdtemp())")
    assert made.log.tail.startswith("/tmp/")
    assert not Path(made.log.tail.strip()).exists()


def test_packages_of_this_interpreter_can_be_imported(job: Callable[..., Recording]) -> None:
    made = job(WRITE + "import msgspec, sys; print(msgspec.__version__, sys.version_info[:2])")
    assert made.kept


def test_paths_of_this_machine_do_not_appear(job: Callable[..., Recording], tmp_path: Path) -> None:
    made = job(WRITE + "import os, sys; print(os.getcwd(), sys.argv, __file__)")
    assert "/project" in made.log.tail
    assert str(tmp_path) not in made.log.tail


def test_bubblewrap_that_is_refused_is_reported_with_its_reason(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "bin"
    folder.mkdir()
    refusing = folder / "bwrap"
    refusing.write_text("#!/bin/sh\necho 'bwrap: No permissions to create new namespace' >&2\nexit 1\n")
    refusing.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    found = find_sandbox()
    assert found.kind == "none"
    assert "No permissions to create new namespace" in found.reason
    assert "user namespaces" in found.reason
    (root / "train.py").write_text(WRITE)
    opened = open_project(root)
    made = record(
        opened,
        command=("python", "train.py"),
        inputs=("train.py",),
        output="build/model",
        timeout_s=30,
        taken=opened.snapshot(),
        progress=lambda _done, _total, _what: None,
    )
    assert made.sandbox == "none"
    assert made.kept
