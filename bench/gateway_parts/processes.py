"""Servers under measurement, each in a process of its own, on one processor of its own where there is more than one."""

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from gateway_parts.load import Address

SERVERS = Path(__file__).with_name("servers.py")
LIMITS = """  limits:
    concurrency: {per_key: 4096, total: 4096}
    rates:
      - {per: key, limit: 1.0e+9}
      - {per: tenant, what: tokens, limit: 1.0e+12}
      - {per: total, what: tokens, limit: 1.0e+12}
"""
_START_S = 120.0
_STOP_S = 20.0


class Server:
    """A process that answers."""

    def __init__(self, name: str, process: int, address: Address) -> None:
        self.name, self.process, self.address = name, process, address


def pinned(command: list[str]) -> list[str]:
    """The command, kept to the first processor: whoever asks it takes the others."""
    program = shutil.which("taskset")
    cpus = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    return [program, "-c", str(cpus[0]), *command] if program and len(cpus) > 1 else command


def keep_off_the_first() -> None:
    """Leave the first processor to whatever is measured."""
    if hasattr(os, "sched_getaffinity") and len(cpus := sorted(os.sched_getaffinity(0))) > 1:
        os.sched_setaffinity(0, set(cpus[1:]))


def end(child: "subprocess.Popen[Any]") -> None:
    """End a process, kindly first."""
    child.terminate()
    try:
        child.wait(_STOP_S)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_for(port: int, child: "subprocess.Popen[Any]", *, within_s: float = _START_S) -> bool:
    """Whether somebody listens on `port` in time; False as well when the process ended."""
    until = time.monotonic() + within_s
    while time.monotonic() < until and child.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return True
        time.sleep(0.1)
    return False


@contextmanager
def mock(port: int = 0) -> Iterator["tuple[subprocess.Popen[str], int]"]:
    """The mock upstream and its port."""
    command = [sys.executable, str(SERVERS), "mock", str(port)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout
        try:
            yield child, int(child.stdout.readline())
        finally:
            end(child)


@contextmanager
def passthrough(upstream: str) -> Iterator[Server]:
    """The bare pass-through before `upstream`, the address of chat completions."""
    command = pinned([sys.executable, str(SERVERS), "passthrough", upstream])
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout
        try:
            yield Server("passthrough", child.pid, Address(int(child.stdout.readline())))
        finally:
            end(child)


class Project:
    """A project folder for `lockgate serve` before one upstream, and keys for it."""

    def __init__(self, folder: Path, upstream: str, settings: str) -> None:
        folder.mkdir(parents=True)
        self.folder = folder / "project"
        self.folder.mkdir()
        self.said = folder / "said.txt"
        self._environment = os.environ | {"LOCKGATE_HOME": str(folder / "home")}
        head = "version: 1\nproject: bench\nserve:\n"
        upstream = f'  upstream: {{kind: openai, base_url: "{upstream}", model: mock}}\n'
        (self.folder / "lockgate.yaml").write_text(head + upstream + settings)

    def key(self, name: str) -> str:
        """A new API key."""
        command = ["key", "create", "--project", str(self.folder), "--name", name, "--json"]
        made = subprocess.run([*_LOCKGATE, *command], check=True, capture_output=True, env=self._environment)
        secret: str = json.loads(made.stdout)["key"]
        return secret

    @contextmanager
    def serve(self, key: str) -> Iterator[Server]:
        """A real `lockgate serve` with one worker: key auth, limits, events on file, metrics."""
        command = pinned([*_LOCKGATE, "serve", str(self.folder), "--observe", "--port", "0", "--json"])
        with (
            self.said.open("a") as log,
            subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True, env=self._environment) as child,
        ):
            assert child.stdout
            try:
                shown = ""
                while not shown.endswith("\n}\n"):  # a reason to hold may end in a brace
                    line = child.stdout.readline()
                    if not line:
                        raise SystemExit(self.said.read_text())
                    shown += line
                port = int(json.loads(shown)["base_url"].split(":")[2].split("/")[0])
                yield Server("gateway", child.pid, Address(port, key))
            finally:
                with contextlib.suppress(ProcessLookupError):
                    end(child)


_LOCKGATE = [sys.executable, "-m", "lockgate"]
