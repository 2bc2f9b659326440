"""Model files: the very bytes that were verified are what is loaded."""

import hashlib
import os
import secrets
from pathlib import Path
from typing import BinaryIO

from lockgate.core import CoreError
from lockgate.core.files import CHUNK, digest_stream, open_regular
from lockgate.core.home import home, private_folder
from lockgate.gateway.errors import GatewayError


def verified_copy(root: Path, uri: str, sha256: str) -> Path:
    """Copy a model to a private folder while hashing it, and give the copy's path.

    The copy lies at `$LOCKGATE_HOME/models/<sha256>`. One that is already there is hashed again before it is used.
    Whoever can write the project cannot touch it, so nothing changes between the check and the load.

    Args:
        root: The project folder.
        uri: Path of the model inside it.
        sha256: The digest that was approved, 64 lower-case hex digits.

    Raises:
        GatewayError: The file cannot be read, has another digest, or cannot be copied.
    """
    folder = home() / "models"
    target = folder / sha256
    try:
        private_folder(folder)
        if _holds(target, sha256):
            return target
        with open_regular(root, uri) as stream:
            _copy(stream, target, uri, sha256)
    except CoreError as error:
        raise GatewayError(error.message, remedy=error.remedy) from error
    except OSError as error:
        raise GatewayError(
            f"{uri} cannot be copied to {folder}: {error.strerror or type(error).__name__}.",
            remedy="Free some space or set LOCKGATE_HOME to a folder that you can write.",
        ) from error
    return target


def _holds(target: Path, sha256: str) -> bool:
    try:
        descriptor = os.open(target, os.O_RDONLY | os.O_NOFOLLOW)
    except FileNotFoundError:
        return False
    with os.fdopen(descriptor, "rb") as stream:
        return digest_stream(stream) == sha256


def _copy(source: BinaryIO, target: Path, uri: str, sha256: str) -> None:
    temporary = target.with_name(f".{sha256}.{secrets.token_hex(8)}")
    digest = hashlib.sha256()
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o400)
        with os.fdopen(descriptor, "wb") as copy:
            while chunk := source.read(CHUNK):
                digest.update(chunk)
                copy.write(chunk)
            copy.flush()
            os.fsync(copy.fileno())
        if digest.hexdigest() != sha256:
            raise GatewayError(
                f"{uri} is not the file that was approved: its digest is {digest.hexdigest()}, not {sha256}.",
                remedy="Restore the approved file, or review the new one and pin its digest in lockgate.yaml.",
            )
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)
