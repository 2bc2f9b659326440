"""Which commit the job's inputs come from, without running anything that a repository's settings could name."""

import hashlib
import os
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path

from lockgate.core import SubjectRef
from lockgate.core.files import CHUNK
from lockgate.train.recording import CodeVersion

GIT_TIMEOUT_S = 20
_HASHES = {40: "sha1", 64: "sha256"}


def code_version(project: Path, staged: Path, materials: Iterable[SubjectRef]) -> CodeVersion | None:
    """Say which commit is checked out around `project` and whether the inputs are that commit's, byte for byte.

    Blobs are compared by their object ids instead of asking `git status`, which would run the filters that the
    repository's own settings name. A file that a checkout rewrites (line endings, large-file pointers) counts as
    different, because the job read other bytes than the commit holds.

    Args:
        project: The project folder, somewhere inside a working tree.
        staged: Folder with the copies of the inputs that the job reads.
        materials: These inputs.

    Returns:
        None when there is no repository, no commit or no git.
    """
    commit = _git(project, "rev-parse", "--verify", "HEAD^{commit}")
    listing = _git(project, "ls-tree", "-r", "-z", "HEAD", "--", ".") if commit else None
    if commit is None or listing is None:
        return None
    committed = dict(_blobs(listing))
    algorithm = _HASHES.get(len(commit.strip()), "")
    dirty = not algorithm or any(committed.get(ref.uri) != _blob_id(staged / ref.uri, algorithm) for ref in materials)
    return CodeVersion(commit.strip().decode("ascii"), dirty)


def _blobs(listing: bytes) -> Iterable[tuple[str, str]]:
    for record in listing.split(b"\x00"):
        facts, _, path = record.partition(b"\t")
        if path:
            yield os.fsdecode(path), facts.split(b" ")[-1].decode("ascii")


def _blob_id(path: Path, algorithm: str) -> str:
    # The object id of a git blob is the digest of "blob <size>\0<content>"; sha1 is git's choice, not a safeguard here.
    digest = hashlib.new(algorithm, f"blob {path.stat().st_size}\x00".encode(), usedforsecurity=False)
    with path.open("rb") as stream:
        while chunk := stream.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def _git(folder: Path, *arguments: str) -> bytes | None:
    program = shutil.which("git")
    if program is None:
        return None
    argv = (program, "--no-pager", "--no-optional-locks", "-c", "core.fsmonitor=false", *arguments)
    try:
        done = subprocess.run(  # noqa: S603 - fixed arguments without a shell
            argv, cwd=folder, env=_environment(), capture_output=True, timeout=GIT_TIMEOUT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None


def _environment() -> Mapping[str, str]:
    # No protocol is allowed, so that a partial clone cannot make git fetch (and run what its remote names).
    kept = {name: os.environ[name] for name in ("HOME", "PATH", "XDG_CONFIG_HOME") if name in os.environ}
    return {**kept, "GIT_ALLOW_PROTOCOL": "", "GIT_NO_LAZY_FETCH": "1", "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}
