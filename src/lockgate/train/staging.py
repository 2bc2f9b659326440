"""The job's private copy of its inputs, and the copy of its output that is kept.

Files are hashed while they are copied, so that the recorded digests are those of the bytes that the job read and of
the bytes that are kept, whatever else happens to the originals meanwhile. Byte-code caches are not among the project's
files, so the job compiles the sources that were recorded.
"""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path, PurePosixPath

from lockgate.core import CoreError, SubjectRef
from lockgate.core.files import CHUNK, Snapshot, open_regular, relative
from lockgate.core.project import IGNORED
from lockgate.train.errors import TrainError

Progress = Callable[[int, int, str], None]
BYTE_CODE = "__pycache__"


def folder_of(output: str, inputs: Sequence[str], files: Iterable[str]) -> PurePosixPath:
    """Check the job's output folder.

    Args:
        output: The folder as declared.
        inputs: The inputs as declared.
        files: Paths of everything in the project that is not the job's to replace.

    Raises:
        TrainError: It is not a folder of its own inside the project.
    """
    folder = _inside(output)
    if folder.parts[0] in IGNORED:
        raise TrainError(f"{output} cannot be the job's output.", remedy="Choose a folder of its own, such as build.")
    for declared in inputs:
        path = _inside(declared)
        if path.is_relative_to(folder) or folder.is_relative_to(path):
            raise TrainError(
                f"The output {output} and the input {declared} lie inside each other.",
                remedy="Give the job an output folder that holds no input and lies in none.",
            )
    inner = next((uri for uri in files if PurePosixPath(uri).is_relative_to(folder)), None)
    if inner is not None:
        raise TrainError(
            f"The output {output} holds the project file {inner}, which the job would replace.",
            remedy="Choose a folder of its own, such as build.",
        )
    return folder


def inputs_of(inputs: Sequence[str], taken: Snapshot) -> tuple[str, ...]:
    """List the files that the declared inputs stand for, sorted, without byte-code caches.

    Raises:
        TrainError: An input is missing, or something in it is not a readable plain file.
    """
    found: set[str] = set()
    for declared in inputs:
        path = _inside(declared)
        blocked = next((item for item in taken.unreadable if _touches(item.ref.uri, path)), None)
        if blocked is not None:
            raise TrainError(f"The input {declared} cannot be used: {blocked.reason}")
        files = {ref.uri for ref in taken.files if PurePosixPath(ref.uri).is_relative_to(path)}
        if not files:
            raise TrainError(f"The input {declared} matches no file.", remedy="Correct train.inputs in lockgate.yaml.")
        # A cache would run in place of the source beside it, so the job gets none.
        found |= {uri for uri in files if BYTE_CODE not in PurePosixPath(uri).parts}
    return tuple(sorted(found))


def require_declared(command: Sequence[str], files: Iterable[str], taken: Snapshot) -> None:
    """Check that every project file that the command names is one of the job's inputs.

    Raises:
        TrainError: One is not, so that the job would not find it.
    """
    declared = frozenset(files)
    for argument in command:
        uri = PurePosixPath(argument).as_posix()
        if uri not in declared and taken.digest_of(uri) is not None:
            raise TrainError(f"The command names {uri}, which is not an input.", remedy="Add it to train.inputs.")


def copy(root: Path, uris: Sequence[str], to: Path, progress: Progress) -> tuple[SubjectRef, ...]:
    """Copy plain files below `root` to the same places below `to`, and give the digests of what was copied.

    Raises:
        CoreError: A file cannot be read, is a link, or changed while it was copied.
    """
    copied: list[SubjectRef] = []
    for number, uri in enumerate(uris):
        progress(number, len(uris), uri)
        target = to / uri
        target.parent.mkdir(parents=True, exist_ok=True)
        copied.append(SubjectRef(uri, _copy_one(root, uri, target)))
    return tuple(copied)


def changed_since(root: Path, refs: Iterable[SubjectRef]) -> tuple[str, ...]:
    """URIs of those files below `root` that no longer have their digest."""
    return tuple(ref.uri for ref in refs if not _still(root, ref))


def _still(root: Path, ref: SubjectRef) -> bool:
    digest = hashlib.sha256()
    try:
        with open_regular(root, ref.uri) as stream:
            while chunk := stream.read(CHUNK):
                digest.update(chunk)
    except CoreError:
        return False
    return digest.hexdigest() == ref.sha256


def _copy_one(root: Path, uri: str, target: Path) -> str:
    digest = hashlib.sha256()
    with open_regular(root, uri) as stream, target.open("xb") as copy_stream:
        while chunk := stream.read(CHUNK):
            digest.update(chunk)
            copy_stream.write(chunk)
    # An input may be a program that the command starts; nothing else about the original's mode is kept.
    target.chmod(0o755 if (root / uri).stat().st_mode & 0o100 else 0o644)
    return digest.hexdigest()


def _inside(uri: str) -> PurePosixPath:
    try:
        path = relative(uri)
    except CoreError as error:
        raise TrainError(error.message, remedy=error.remedy) from error
    if not path.parts:
        raise TrainError("The project folder itself cannot be the job's input or output.", remedy="Name a subfolder.")
    return path


def _touches(uri: str, path: PurePosixPath) -> bool:
    other = PurePosixPath(uri)
    return other.is_relative_to(path) or path.is_relative_to(other)
