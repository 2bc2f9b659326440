"""Where the job runs: bubblewrap where this machine allows it, and a clean environment everywhere.

Inside bubblewrap the job has no network, no other process to see and a root file system made of the operating
system's programs, the interpreter and its packages. Its inputs are read-only; the output folder and a private `/tmp`
are all that it can write.
"""

import functools
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from lockgate.train.errors import TrainError
from lockgate.train.recording import Isolation

PROJECT = "/project"
PROBE_TIMEOUT_S = 30

_TEMPORARY = "/tmp"  # noqa: S108 - inside bubblewrap, a tmpfs of the job's own

_SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/nix/store", "/sys/devices/system/cpu")
_SETTINGS = (
    "/etc/alternatives",
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
    "/etc/ld.so.conf.d",
    "/etc/localtime",
    "/etc/nsswitch.conf",
    "/etc/passwd",
)
_INTERPRETER_PARTS = ("bin", "lib", "lib64", "lib32", "include", "pyvenv.cfg")
_SYSTEM_PATH = "/usr/local/bin:/usr/bin:/bin"


class Sandbox(msgspec.Struct, frozen=True):
    """How jobs are isolated on this machine.

    Attributes:
        kind: What is used.
        reason: Why it is not bubblewrap, and what to do; empty when it is.
        program: Path of bubblewrap, empty without it.
    """

    kind: Isolation
    reason: str = ""
    program: str = ""


class Invocation(msgspec.Struct, frozen=True):
    """What to start, where, and with which environment."""

    argv: tuple[str, ...]
    folder: Path
    environment: Mapping[str, str]


def find_sandbox() -> Sandbox:
    """Say how jobs are isolated here. Bubblewrap counts only after it ran this interpreter once in this process."""
    program = shutil.which("bwrap")
    if program is None:
        return Sandbox("none", "bubblewrap is not installed. Install it (Debian, Ubuntu, Fedora: package bubblewrap).")
    reason = _probe(program)
    return Sandbox("none", reason) if reason else Sandbox("bubblewrap", program=program)


def invocation(sandbox: Sandbox, command: Sequence[str], *, staged: Path, output: str, scratch: Path) -> Invocation:
    """Build the command line that runs `command` in the staged project.

    Args:
        sandbox: How to isolate it.
        command: Program and arguments; `python` is the running interpreter.
        staged: Folder with the job's copy of its inputs and its empty output folder.
        output: The output folder, relative to `staged`.
        scratch: Private folder for temporary files where there is no bubblewrap.

    Raises:
        TrainError: The program cannot be found.
    """
    inside = sandbox.kind == "bubblewrap"
    environment = _environment(_TEMPORARY if inside else str(scratch))
    program = _resolve(command[0], environment["PATH"])
    if not inside:
        return Invocation((program, *command[1:]), staged, environment)
    argv = (
        *_isolated(sandbox.program),
        *("--ro-bind", str(staged), PROJECT),
        *("--bind", str(staged / output), f"{PROJECT}/{output}"),
        *("--chdir", PROJECT, "--remount-ro", "/", "--", program, *command[1:]),
    )
    return Invocation(argv, staged, environment)


def _resolve(program: str, path: str) -> str:
    if "/" in program:
        return program
    found = shutil.which(program, path=path)
    if found is None:
        raise TrainError(
            f"The training program {program!r} is not installed.",
            remedy="Correct train.command, or install the program beside this interpreter or system-wide.",
        )
    return found


def _environment(temporary: str) -> dict[str, str]:
    return {
        "HOME": temporary,
        "LANG": "C.UTF-8",
        "PATH": f"{Path(sys.executable).parent}:{_SYSTEM_PATH}",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONHASHSEED": "0",
        "PYTHONNOUSERSITE": "1",
        "PYTHONUNBUFFERED": "1",
        "SOURCE_DATE_EPOCH": "315532800",  # 1980-01-01, the earliest time that a zip archive can hold
        "TMPDIR": temporary,
    }


def _isolated(program: str) -> tuple[str, ...]:
    return (
        *(program, "--unshare-all", "--die-with-parent", "--new-session", "--cap-drop", "ALL"),
        # Empty places first: an interpreter that lives below one of them is bound into it afterwards.
        *("--proc", "/proc", "--dev", "/dev", "--tmpfs", _TEMPORARY),
        *_bound((*_SYSTEM, *_SETTINGS, *_interpreter())),
    )


def _bound(paths: Sequence[str]) -> tuple[str, ...]:
    return tuple(part for path in paths if os.path.lexists(path) for part in ("--ro-bind-try", path, path))


def _interpreter() -> tuple[str, ...]:
    # Parts, not whole prefixes: a prefix may be a home or a project folder that holds what the job must not read.
    executable = Path(sys.executable)
    prefixes = {
        sys.prefix,
        sys.exec_prefix,
        sys.base_prefix,
        sys.base_exec_prefix,
        str(executable.resolve().parents[1]),
    }
    prefixes |= {str(Path(prefix).resolve()) for prefix in tuple(prefixes)}
    return tuple(
        f"{prefix.rstrip('/')}/{part}"
        for prefix in sorted(prefixes)
        for part in _INTERPRETER_PARTS
        if not Path(prefix).is_relative_to("/usr")
    )


@functools.cache
def _probe(program: str) -> str:
    argv = (*_isolated(program), "--remount-ro", "/", "--", sys.executable, "-I", "-S", "-c", "")
    try:
        done = subprocess.run(  # noqa: S603 - a fixed command line without a shell
            argv,
            capture_output=True,
            timeout=PROBE_TIMEOUT_S,
            env=_environment(_TEMPORARY),
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"bubblewrap does not start here ({type(error).__name__})."
    if done.returncode == 0:
        return ""
    said = done.stderr.decode("utf-8", "replace").strip().splitlines()
    why = "".join(char for char in (said[-1] if said else "no message") if char.isprintable())[:200]
    return (
        f"bubblewrap is refused here ({why}). Allow unprivileged user namespaces "
        "(Ubuntu: kernel.apparmor_restrict_unprivileged_userns=0; containers: a seccomp profile that permits unshare)."
    )
