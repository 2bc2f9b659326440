"""One run at a time for each project."""

import contextlib
import fcntl
import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from lockgate.core.home import private_folder
from lockgate.pipeline.errors import PipelineError


@contextmanager
def exclusive(state: Path) -> Generator[None]:
    """Hold the project's run lock; it goes with the process, however that ends.

    Raises:
        PipelineError: Another run holds it, or the state folder cannot be written.
    """
    try:
        private_folder(state)
        for folder in (state, state / "report"):
            if folder.is_symlink():
                raise PipelineError(f"{folder} is a symbolic link.", remedy="Remove it: state lies in the project.")
        with contextlib.suppress(FileExistsError):
            os.close(os.open(state / ".gitignore", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        descriptor = os.open(state / "run.lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        message = f"{state} cannot be written: {(error.strerror or 'input/output error').lower()}."
        raise PipelineError(message, remedy="Free space or give this user write permission there.") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(descriptor)
        raise PipelineError("Another run of this project is under way.", remedy="Wait for it to end.") from error
    try:
        yield
    finally:
        os.close(descriptor)
