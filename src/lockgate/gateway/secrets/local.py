"""Secrets of this machine: environment variables and private files outside the project."""

import os
import stat
from pathlib import Path

from lockgate.core.files import named_path
from lockgate.gateway.errors import GatewayError
from lockgate.gateway.secrets.reference import Reference
from lockgate.gateway.secrets.secret import MAX_SECRET, Secret

_ROOT = 0


def read_local(reference: Reference, *, project_root: Path) -> Secret:
    """Read an `env:` or `file:` secret.

    Raises:
        GatewayError: It is not set, lies inside the project, is open to others, or cannot be read.
    """
    if reference.kind == "env":
        value = os.environ.get(reference.name)
        if not value:
            raise GatewayError(f"{reference.name} is not set.", remedy="Set it to the secret.")
        return Secret(value, source=str(reference))
    return Secret(read_private(reference.name, project_root=project_root), source=str(reference))


def read_private(name: str, *, project_root: Path) -> str:
    """The text of a file that others cannot read and that does not lie in the project.

    A link is followed, as secrets that a container platform mounts are links; what counts is where it leads. A file of
    root's may be readable by its group, because that is how such platforms give it to a program without root.

    Args:
        name: Path, absolute, from `~`, or relative to the project.
        project_root: The project.

    Raises:
        GatewayError: It lies inside the project, is open to others, or cannot be read.
    """
    given = named_path(project_root, name)
    try:
        path = given.resolve(strict=True)
        if path.is_relative_to(project_root.resolve()):
            raise GatewayError(
                f"The secret file {path.name} lies inside the project.",
                remedy="Keep it outside: whoever gets the project must not get the secret.",
            )
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb") as stream:
            status = os.fstat(descriptor)
            _require_private(path, status)
            body = stream.read(MAX_SECRET + 1)
        text = body.decode("utf-8")
    except (OSError, ValueError, RuntimeError) as error:  # a RuntimeError is a circle of links
        raise GatewayError(f"The secret file {given} cannot be read.", remedy="Check its path.") from error
    if len(body) > MAX_SECRET:
        raise GatewayError(f"The secret file {path} is too large.", remedy="A secret is one line.")
    return text


def _require_private(path: Path, status: os.stat_result) -> None:
    lent = status.st_uid == _ROOT != os.geteuid()
    forbidden = 0o027 if lent else 0o077
    if not stat.S_ISREG(status.st_mode) or status.st_mode & forbidden:
        raise GatewayError(f"The secret file {path} is open to others.", remedy=f"Run: chmod 600 {path}")
