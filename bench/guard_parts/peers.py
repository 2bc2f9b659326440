"""Other people's guards, side by side with ours, each in an environment of its own.

Each is installed by name and version into a folder of the user's cache, never into this project's environment. All of
them bring what they need: none may load anything when it runs.
"""

import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

import msgspec
import numpy as np
from guard_parts.measures import Flags, Floats
from guard_parts.progress import counted, say
from guard_parts.rows import Row

_WORKER = Path(__file__).with_name("peer_worker.py")
_INSTALL_SECONDS = 600
_RUN_SECONDS = 3_600
_ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "PYTHONIOENCODING": "utf-8",
}


class Peer(msgspec.Struct, frozen=True):
    """A guard that can be installed.

    Attributes:
        name: On the package index, as in `peer_worker.PEERS`.
        version: The one that is measured.
        licence: As its package says.
        kind: How it works, where weights come along.
        extra: Of the package.
        also: What else must be installed, at which version.
    """

    name: str
    version: str
    licence: str
    kind: str
    extra: str = ""
    also: tuple[str, ...] = ()


PEERS = (
    # The version of scikit-learn is the one that forcefield stored its model with.
    Peer("stackone-defender", "0.9.4", "Apache-2.0", "patterns, MiniLM encoder", "[onnx]"),
    Peer("forcefield", "0.8.0", "Apache-2.0", "patterns, TF-IDF model", "[ml-sklearn]", ("scikit-learn==1.8.0",)),
    Peer("aicordon", "1.4.0", "Apache-2.0", "rule base (Picket)"),
    Peer("toolwall-guard", "0.4.0", "Apache-2.0", "its rules; no weights in the package"),
)


class Answered(msgspec.Struct, frozen=True):
    """What a peer said of every row.

    Attributes:
        scores: The higher, the more suspicious.
        blocked: Its own verdict.
        ms: Processor time of each call.
        errors: Calls that raised; they count as let through.
    """

    scores: Floats
    blocked: Flags
    ms: Floats
    errors: int


class NotRunError(Exception):
    """A peer could not be measured; the message says why."""


class _Answer(msgspec.Struct, frozen=True):
    score: float
    blocked: bool
    ms: float
    error: str = ""


def cache() -> Path:
    """Where the environments are kept."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "lockgate-bench"


def measure(peer: Peer, rows: Sequence[Row]) -> Answered:
    """Ask a peer about every row, one after the other.

    Raises:
        NotRunError: It cannot be installed or started, or stopped on the way.
    """
    answers = list(_ask(peer, _environment(peer), rows))
    return Answered(
        np.array([answer.score for answer in answers]),
        np.array([answer.blocked for answer in answers], dtype=np.bool_),
        np.array([answer.ms for answer in answers]),
        sum(bool(answer.error) for answer in answers),
    )


def _environment(peer: Peer) -> Path:
    folder = cache() / f"{peer.name}-{peer.version}-python{sys.version_info.major}.{sys.version_info.minor}"
    python = folder / "bin" / "python"
    wanted = [f"{peer.name}{peer.extra}=={peer.version}", *peer.also]
    ready = folder / "ready"
    if ready.exists() and ready.read_text("ascii").split() == wanted:
        return python
    say(f"{peer.name}: installing into {folder}")
    pip = [str(python), "-m", "pip", "--disable-pip-version-check", "--quiet", "install", "--only-binary", ":all:"]
    try:
        for command in ([sys.executable, "-m", "venv", "--clear", str(folder)], [*pip, *wanted]):
            subprocess.run(command, check=True, capture_output=True, text=True, timeout=_INSTALL_SECONDS)
    except subprocess.CalledProcessError as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise NotRunError(f"cannot be installed: {_last(error.stderr or error.stdout)}") from error
    except (OSError, subprocess.TimeoutExpired) as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise NotRunError(f"cannot be installed: {type(error).__name__}") from error
    ready.write_text("\n".join(wanted), "ascii")
    return python


def _ask(peer: Peer, python: Path, rows: Sequence[Row]) -> Iterator[_Answer]:
    folder = python.parents[1]
    with (folder / "log").open("w+", encoding="utf-8", errors="replace") as log:
        worker = subprocess.Popen(
            [str(python), "-I", str(_WORKER), peer.name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            env={**os.environ, **_ENVIRONMENT},
            cwd=folder,
            text=True,
        )
        stop = threading.Timer(_RUN_SECONDS, worker.kill)
        stop.start()
        try:
            yield from _talk(peer, worker.stdin, worker.stdout, rows)
        except (OSError, msgspec.DecodeError) as error:
            worker.kill()
            worker.wait()
            log.seek(0)
            raise NotRunError(f"stopped: {_last(log.read())}") from error
        finally:
            stop.cancel()
            worker.kill()
            worker.communicate()


def _talk(peer: Peer, to: IO[str] | None, back: IO[str] | None, rows: Sequence[Row]) -> Iterator[_Answer]:
    if to is None or back is None:
        raise OSError("no pipe")
    back.readline()  # that it is ready
    for row in counted(rows, peer.name):
        to.write(json.dumps({"text": row.text, "origin": row.origin}) + "\n")
        to.flush()
        yield msgspec.json.decode(back.readline(), type=_Answer)


def _last(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][:120] if lines else "no reason given"
