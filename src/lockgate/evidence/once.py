"""Giving a finished private file its name, when two processes may try at the same moment."""

import os
import secrets
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from lockgate.core.home import private_folder


@contextmanager
def scratch(path: Path) -> Generator[Path]:
    """Create an empty file beside `path` that only its owner can read, and remove it afterwards.

    Raises:
        OSError: The folder cannot be created or written.
    """
    private_folder(path.parent)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}.tmp")
    os.close(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    try:
        yield temporary
    finally:
        temporary.unlink()


def claim(temporary: Path, path: Path) -> bool:
    """Give `temporary` the name `path` and say whether it was free; an existing file is never replaced.

    A hard link fails where a rename would overwrite, so the first of two processes wins and the other can use its file.

    Raises:
        OSError: The folder cannot be written, or its file system has no hard links.
    """
    try:
        os.link(temporary, path)
    except FileExistsError:
        return False
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
    return True
