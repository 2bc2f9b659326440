"""Files that say what a model was trained on, from the command line or the project's settings."""

from pathlib import Path

import msgspec

from lockgate.core.errors import ConfigError, CoreError
from lockgate.core.files import read
from lockgate.core.project import Project
from lockgate.redteam import Training, training

_MAX_BYTES = 256 << 20
_SEED = 7


class MemorisedFiles(msgspec.Struct, frozen=True):
    """Files that a command names; each stands before the project's.

    Attributes:
        canaries: Canaries, one a line.
        rows: Rows that the model was trained on.
        held_out: Rows that it was not trained on.
    """

    canaries: Path | None = None
    rows: Path | None = None
    held_out: Path | None = None


def training_of(project: Project | None, files: MemorisedFiles, seed: int | None) -> Training:
    """Read what a model was trained on, as the command or the project says.

    Args:
        project: The project, where the target is one.
        files: What the command names.
        seed: Draws the rows; None for the project's.

    Raises:
        ConfigError: A file cannot be read.
        RedteamError: It does not hold what it should.
    """
    config = project.config.redteam if project else None

    def body(given: Path | None, name: str) -> bytes | None:
        if given is not None:
            return _read(given.absolute().parent, given.name)
        return _read(project.root, name) if project and name else None

    own = config.memorised if config else None
    return training(
        canaries=body(files.canaries, own.canaries if own else ""),
        rows=body(files.rows, own.rows if own else ""),
        held_out=body(files.held_out, own.held_out if own else ""),
        seed=seed if seed is not None else config.seed if config else _SEED,
    )


def _read(root: Path, name: str) -> bytes:
    try:
        return read(root, name, limit=_MAX_BYTES).body
    except CoreError as error:
        raise ConfigError(error.message, remedy=error.remedy) from error
