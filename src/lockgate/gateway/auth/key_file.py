"""The file of API keys: read whole or refused, written whole or not at all, by one process at a time."""

import fcntl
import os
import stat
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import msgspec

from lockgate.core.home import private_folder, write_private
from lockgate.gateway.auth.api_key import ApiKey
from lockgate.gateway.errors import GatewayError

STORE_NAME = "api-keys.json"
_MAX_STORE = 8 << 20


class _Stored(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    version: Literal[1]
    keys: tuple[ApiKey, ...]


def load(path: Path) -> tuple[ApiKey, ...]:
    """Every key in the file, oldest first; none when there is no file.

    Raises:
        GatewayError: The file is damaged, too large, no plain file, or cannot be read.
    """
    try:
        keys = msgspec.json.decode(_read(path), type=_Stored).keys
        # Dates that do not exist pass the pattern.
        for key in keys:
            key.ends_at()
    except FileNotFoundError:
        return ()
    except (OSError, ValueError) as error:
        raise _damaged(path) from error
    if len({key.id for key in keys}) != len(keys) or len({key.mac for key in keys}) != len(keys):
        raise _damaged(path)
    return keys


def save(path: Path, keys: tuple[ApiKey, ...]) -> None:
    """Write the file anew.

    Raises:
        GatewayError: It would be too large to be read again, or cannot be written.
    """
    body = msgspec.json.format(msgspec.json.encode(_Stored(1, keys)))
    if len(body) > _MAX_STORE:
        raise GatewayError(f"{path} would become too large.", remedy="Use a token issuer for so many callers.")
    try:
        write_private(path, body)
    except OSError as error:
        raise unusable(path, error) from error


@contextmanager
def locked(state: Path) -> Generator[Path]:
    """Path of the file in the folder `state`, which nobody else changes while the block runs.

    Raises:
        GatewayError: The folder or the lock cannot be used.
    """
    path = state / STORE_NAME
    try:
        private_folder(state)
        descriptor = os.open(path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise unusable(path, error) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield path
    finally:
        os.close(descriptor)


def unusable(path: Path, error: OSError) -> GatewayError:
    """What to say when the system refuses a file."""
    return GatewayError(
        f"{path} cannot be used: {error.strerror or type(error).__name__}.",
        remedy="Check the permissions of its folder.",
    )


def _read(path: Path) -> bytes:
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    with os.fdopen(descriptor, "rb") as stream:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise ValueError("not a plain file")
        body = stream.read(_MAX_STORE + 1)
    if len(body) > _MAX_STORE:
        raise ValueError("too large")
    return body


def _damaged(path: Path) -> GatewayError:
    return GatewayError(
        f"The file of API keys {path} cannot be read.", remedy="Restore it, or remove it and create new keys."
    )
