"""garak against the mock of bench/redteam.py, in an environment of its own."""

import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path

import msgspec

VERSION = "0.17.1"
# The newest litellm that garak takes may want a certifi that is on no index yet, which sends pip round in circles.
_WANTED = [f"garak=={VERSION}", "litellm==1.84.0"]
_INSTALL_S, _RUN_S = 1_800, 900
_PROBES = ("encoding.InjectBase64", "encoding.InjectHex")


class NotRunError(Exception):
    """garak could not be measured; the message says why."""


def environment() -> Path:
    """The Python environment of garak, installed where it is not there.

    Raises:
        NotRunError: It cannot be installed.
    """
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "lockgate-bench"
    folder = cache / f"garak-{VERSION}-python{sys.version_info.major}.{sys.version_info.minor}"
    ready = folder / "ready"
    if ready.exists() and ready.read_text("ascii").split() == _WANTED:
        return folder
    print(f"garak: installing into {folder}", file=sys.stderr, flush=True)
    pip = [str(folder / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "--quiet", "install"]
    try:
        for command in ([sys.executable, "-m", "venv", "--clear", str(folder)], [*pip, *_WANTED]):
            subprocess.run(command, check=True, timeout=_INSTALL_S, stdout=sys.stderr)
    except (subprocess.SubprocessError, OSError) as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise NotRunError(f"garak could not be installed: {type(error).__name__}") from error
    ready.write_text("\n".join(_WANTED), "ascii")
    return folder


class Sent(msgspec.Struct, frozen=True):
    """What garak did.

    Attributes:
        requests: How many it sent.
        seconds: From the first to the last of them, by the clock.
        cpu_s: Processor time of the whole process, its start and its detectors included.
    """

    requests: int
    seconds: float
    cpu_s: float


def requests(port: int, at_once: int, *, probes: int = 1) -> Sent:
    """Let garak send the prompts of one or two probes, 256 each, to the mock.

    Args:
        port: Where the mock listens.
        at_once: Attempts side by side; 1 is garak's own choice.
        probes: How many of the probes.

    Raises:
        NotRunError: It cannot be installed, fails or sends nothing.
    """
    folder = environment()
    options = {"openai": {"OpenAICompatible": {"uri": f"http://127.0.0.1:{port}/v1"}}}
    span(port)
    with tempfile.TemporaryDirectory() as data:
        command = [
            *(str(folder / "bin" / "garak"), "--target_type", "openai.OpenAICompatible", "--target_name", "mock"),
            *("--generator_options", json.dumps(options), "--probes", ",".join(_PROBES[:probes]), "--generations", "1"),
            *("--parallel_attempts", str(at_once)),
        ]
        homes = {f"XDG_{kind}_HOME": f"{data}/{kind}" for kind in ("DATA", "CACHE", "CONFIG")}
        env = os.environ | homes | {"OPENAICOMPATIBLE_API_KEY": "none", "HF_HUB_OFFLINE": "1"}
        before = _children_s()
        try:
            subprocess.run(command, check=True, timeout=_RUN_S, env=env, capture_output=True)
        except (subprocess.SubprocessError, OSError) as error:
            raise NotRunError(f"garak ended with {type(error).__name__}") from error
    cpu_s = _children_s() - before
    count, seconds = span(port)
    if count < 2 or not seconds:
        raise NotRunError("garak sent nothing")
    return Sent(count, seconds, cpu_s)


def _children_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def span(port: int) -> tuple[int, float]:
    """Requests that the mock got since it was last asked, and the seconds between the first and the last of them."""
    with urllib.request.urlopen(urllib.request.Request(f"http://127.0.0.1:{port}/span", b"-")) as answer:
        count, seconds = json.load(answer)
    return count, seconds
