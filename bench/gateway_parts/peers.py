"""Other people's gateways before the same mock upstream: nginx where it is installed, LiteLLM where it is asked for.

LiteLLM is installed by name and version into an environment of its own in the user's cache, never into this project's.
"""

import os
import secrets
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gateway_parts.load import Address
from gateway_parts.processes import Server, end, free_port, pinned, wait_for

LITELLM = "1.106.2"
_INSTALL_S = 1800
_QUIET = {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_LOG": "ERROR", "DISABLE_AIOHTTP_TRANSPORT": ""}


@contextmanager
def nginx(upstream_port: int, folder: Path) -> Iterator[Server | None]:
    """A plain nginx proxy with one worker; None where it is not installed."""
    program = shutil.which("nginx")
    if program is None:
        yield None
        return
    port = free_port()
    settings = folder / "nginx.conf"
    settings.write_text(
        f"daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log /dev/null;\n"
        "events { worker_connections 4096; }\n"
        "http { access_log off; keepalive_requests 1000000; upstream m { server 127.0.0.1:"
        f"{upstream_port}; keepalive 64; }}\n"
        f"server {{ listen 127.0.0.1:{port} backlog=2048; location / {{ proxy_pass http://m; proxy_http_version 1.1; "
        'proxy_set_header Connection ""; proxy_buffering off; } } }\n'
    )
    with subprocess.Popen(pinned([program, "-c", str(settings)]), stderr=subprocess.DEVNULL) as child:
        try:
            ready = wait_for(port, child, within_s=10)
            workers = Path(f"/proc/{child.pid}/task/{child.pid}/children").read_text().split() if ready else []
            yield Server("nginx", int(workers[0]), Address(port)) if workers else None
        finally:
            end(child)


@contextmanager
def litellm(upstream: str, folder: Path, *, asked: bool) -> Iterator[Server | None]:
    """A LiteLLM proxy with one worker, without guards; None where it is not asked for or does not start."""
    program = _installed() if asked else None
    if program is None:
        yield None
        return
    port, key = free_port(), f"sk-{secrets.token_hex(16)}"
    settings = folder / "litellm.yaml"
    settings.write_text(
        "model_list:\n  - model_name: assistant\n    litellm_params:\n"
        f'      {{model: openai/mock, api_base: "{upstream}", api_key: none}}\n'
        f"general_settings: {{master_key: {key}}}\nlitellm_settings: {{telemetry: false, num_retries: 0}}\n"
    )
    command = [str(program), "--config", str(settings), "--port", str(port), "--host", "127.0.0.1"]
    with (folder / "litellm.log").open("w") as log:
        child = subprocess.Popen(
            pinned([*command, "--num_workers", "1"]), stdout=log, stderr=log, env=os.environ | _QUIET, cwd=folder
        )
    with child:
        try:
            if wait_for(port, child):
                yield Server("litellm", child.pid, Address(port, key))
            else:
                print(
                    "litellm is not run: it did not start:",
                    (folder / "litellm.log").read_text()[-400:],
                    file=sys.stderr,
                )
                yield None
        finally:
            end(child)


def _installed() -> Path | None:
    """The program, installed at first use; None where that fails, which is told."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "lockgate-bench"
    folder = cache / f"litellm-{LITELLM}-python{sys.version_info.major}.{sys.version_info.minor}"
    program, ready = folder / "bin/litellm", folder / "ready"
    if ready.exists():
        return program
    print(f"litellm: installing into {folder}", file=sys.stderr)
    pip = [str(folder / "bin/python"), "-m", "pip", "--disable-pip-version-check", "--quiet", "install"]
    try:
        for command in (
            [sys.executable, "-m", "venv", "--clear", str(folder)],
            [*pip, "--only-binary", ":all:", f"litellm[proxy]=={LITELLM}"],
        ):
            subprocess.run(command, check=True, capture_output=True, text=True, timeout=_INSTALL_S)
    except (OSError, subprocess.SubprocessError) as error:
        shutil.rmtree(folder, ignore_errors=True)
        print(f"litellm is not run: it cannot be installed: {_why(error)}", file=sys.stderr)
        return None
    ready.touch()
    return program


def _why(error: Exception) -> str:
    if isinstance(error, subprocess.TimeoutExpired):
        return f"that took longer than {_INSTALL_S} s"
    if isinstance(error, subprocess.CalledProcessError):
        said = [line for line in str(error.stderr).splitlines() if line.startswith("ERROR")]
        return said[-1] if said else f"pip ended with code {error.returncode}"
    return type(error).__name__
