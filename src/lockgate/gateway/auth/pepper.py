"""The secret under which API keys are hashed. Without it, the file of keys is worth nothing."""

import os
import secrets
import stat
from pathlib import Path

from lockgate.core.home import home, private_folder, write_private
from lockgate.core.project import Project
from lockgate.gateway.auth.key_file import unusable
from lockgate.gateway.errors import GatewayError
from lockgate.gateway.secrets.book import read_secret

_NAME = "pepper"
_BYTES = 32


def read_pepper(project: Project) -> bytes:
    """The pepper of `project`: what `serve.auth.pepper` names, else a private file in `$LOCKGATE_HOME`.

    That file is made on first use.

    Raises:
        GatewayError: It cannot be read, is open to others, or is too short.
    """
    serve = project.config.serve
    if serve is None or serve.auth.pepper is None:
        return _own_pepper()
    pepper = read_secret(serve.auth.pepper, serve.secrets, project_root=project.root).reveal().encode()
    if len(pepper) < _BYTES:
        raise GatewayError(
            f"The pepper is shorter than {_BYTES} characters.",
            remedy="Store 64 random hex digits, for instance of 'openssl rand -hex 32'.",
        )
    return pepper


def _own_pepper() -> bytes:
    path = home() / _NAME
    try:
        if not path.exists():
            _create(path)
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
        with os.fdopen(descriptor, "rb") as stream:
            mode = os.fstat(descriptor).st_mode
            pepper = stream.read(_BYTES + 1)
    except OSError as error:
        raise unusable(path, error) from error
    if mode & 0o077 or not stat.S_ISREG(mode):
        raise GatewayError(f"{path} is open to others.", remedy=f"Run: chmod 600 {path}")
    if len(pepper) != _BYTES:
        raise GatewayError(f"{path} is damaged.", remedy="Remove it and create new API keys.")
    return pepper


def _create(path: Path) -> None:
    """Write it beside its place and link it there, so that of two processes one wins and the other reads its pepper."""
    mine = private_folder(path.parent) / f".{_NAME}.{secrets.token_hex(8)}"
    write_private(mine, secrets.token_bytes(_BYTES))
    try:
        os.link(mine, path)
    except FileExistsError:
        return
    finally:
        mine.unlink()
