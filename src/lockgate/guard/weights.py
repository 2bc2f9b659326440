"""Reads the learned weights from the package `lockgate-guard-model`, once a process."""

import functools
import hashlib
import importlib
import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING

from lockgate.detect.graph_session import GRAPH, start_session
from lockgate.guard.errors import GuardError

if TYPE_CHECKING:
    from lockgate.detect.classifier import Classifier

PACKAGE = "lockgate_guard_model"
_REMEDY = "Install the package lockgate-guard-model of the same version."


@functools.cache
def load_classifier() -> "Classifier":
    """The classifier with the installed weights.

    Raises:
        GuardError: The weights are not installed, or not of this version's shape.
    """
    # numpy and the runtime take a fifth of a second, which commands without a guard should not pay. Two threads cannot
    # both be the first to import numpy; the runtime does so, too, and gets ready while the rest is read.
    importlib.import_module("numpy")
    folder = _folder()
    session = start_session(folder / GRAPH)
    from lockgate.detect.stored import read_classifier  # noqa: PLC0415 - as above

    try:
        return read_classifier(folder, session)
    except (OSError, ValueError, RuntimeError) as error:
        raise GuardError("The guard's weights cannot be read.", remedy=_REMEDY) from error


def verify_weights() -> int:
    """Compare the installed files with their digests.

    Returns:
        How many files were compared.

    Raises:
        GuardError: The weights are not installed, or a file is not the one that was published.
    """
    from lockgate.detect.stored import read_settings  # noqa: PLC0415 - as above

    folder = _folder()
    try:
        files = read_settings(folder).files
        changed = [name for name, digest in files.items() if _sha256(folder / name) != digest]
    except (OSError, ValueError) as error:
        raise GuardError("The guard's weights cannot be read.", remedy=_REMEDY) from error
    if changed:
        raise GuardError(f"The guard's weights were changed: {', '.join(sorted(changed))}.", remedy=_REMEDY)
    return len(files)


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _folder() -> Path:
    # Asked for by its location only: nothing in it is Python code that need run.
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise GuardError("The guard's weights are not installed.", remedy=_REMEDY)
    return Path(spec.origin).parent
