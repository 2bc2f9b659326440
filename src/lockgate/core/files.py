"""Reading files that may be hostile: bounded, without following links, hashed from the bytes that are judged."""

import errno
import hashlib
import os
import stat
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import BinaryIO

import msgspec

from lockgate.core.errors import CoreError
from lockgate.core.subject import SubjectRef

CHUNK = 1 << 20
MAX_FILES = 100_000


class Content(msgspec.Struct, frozen=True):
    """A file's bytes and the reference that evidence will carry for them."""

    ref: SubjectRef
    body: bytes


class Unreadable(msgspec.Struct, frozen=True):
    """A file that could not be read, which is a fact to report and never a pass.

    Attributes:
        ref: Its URI, with an empty digest.
        reason: What stood in the way and what to do.
    """

    ref: SubjectRef
    reason: str


class Snapshot(msgspec.Struct, frozen=True):
    """Every file below a folder at one moment.

    Attributes:
        files: Readable regular files with their digests, sorted by URI.
        unreadable: Everything else that has a name there: links, devices, files without permission.
    """

    files: tuple[SubjectRef, ...]
    unreadable: tuple[Unreadable, ...]

    def digest_of(self, uri: str) -> str | None:
        """Digest of the file called `uri`, or None when there is none."""
        return next((ref.sha256 for ref in self.files if ref.uri == uri), None)


def relative(uri: str) -> PurePosixPath:
    """Check that `uri` stays inside the project.

    Raises:
        CoreError: It is empty, absolute or climbs out with `..`.
    """
    path = PurePosixPath(uri)
    if not uri or path.is_absolute() or ".." in path.parts or "\x00" in uri:
        raise CoreError(f"{uri!r} is not a path inside the project.", remedy="Use a relative path without '..'.")
    return path


@contextmanager
def open_regular(root: Path, uri: str) -> Generator[BinaryIO]:
    """Open a regular file below `root` without following any symbolic link on the way.

    Raises:
        CoreError: It is missing, a link, a device, a folder or not permitted, or it changed while it was open.
    """
    descriptor = _open_no_links(root, relative(uri))
    before = os.fstat(descriptor)
    if not stat.S_ISREG(before.st_mode):
        os.close(descriptor)
        raise CoreError(f"{uri} is not a regular file.", remedy="Put a plain file there.")
    with os.fdopen(descriptor, "rb") as stream:
        yield stream
        after = os.fstat(descriptor)
        if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
            raise CoreError(f"{uri} changed while it was read.", remedy="Let the writer finish, then run again.")


def _open_no_links(root: Path, path: PurePosixPath) -> int:
    folder = -1
    try:
        folder = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
        for part in path.parts[:-1]:
            inner = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=folder)
            os.close(folder)
            folder = inner
        return os.open(path.name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder)
    except OSError as error:
        raise CoreError(f"{path} cannot be read: {_why(error)}.", remedy=_remedy(error)) from error
    finally:
        if folder >= 0:
            os.close(folder)


def _why(error: OSError) -> str:
    if isinstance(error, FileNotFoundError):
        return "it does not exist"
    if isinstance(error, PermissionError):
        return "permission denied"
    if error.errno in _LINK_ERRORS:
        return "it is or lies behind a symbolic link"
    return (error.strerror or type(error).__name__).lower()


_LINK_ERRORS = frozenset({errno.ELOOP, errno.ENOTDIR})


def _remedy(error: OSError) -> str:
    if isinstance(error, FileNotFoundError):
        return "Create it or correct its path in lockgate.yaml."
    if isinstance(error, PermissionError):
        return "Give this user read permission."
    if error.errno in _LINK_ERRORS:
        return "Replace the link by the file itself."
    return ""


def named_path(root: Path, name: str) -> Path:
    """The path that settings name for a file outside the project or in it.

    Args:
        root: The project folder.
        name: An absolute path, one from `~` or `~user`, or one relative to the project. Where there is no such user,
            it is read as it stands, so that whoever opens it says that there is no such file.
    """
    return root / os.path.expanduser(name)  # noqa: PTH111 - pathlib's raises something else where there is no such user


def read(root: Path, uri: str, *, limit: int) -> Content:
    """Read a whole file once and hash the same bytes.

    Args:
        root: The project folder.
        uri: Path inside it.
        limit: Most bytes to accept.

    Raises:
        CoreError: It cannot be read or is larger than `limit`.
    """
    with open_regular(root, uri) as stream:
        body = stream.read(limit + 1)
    if len(body) > limit:
        raise CoreError(
            f"{uri} is larger than {limit:,} bytes.", remedy="Split it, or raise the limit in lockgate.yaml."
        )
    return Content(SubjectRef(uri, hashlib.sha256(body).hexdigest()), body)


def digest_stream(stream: BinaryIO) -> str:
    """SHA-256 of what is left in `stream`, in constant memory."""
    digest = hashlib.sha256()
    while chunk := stream.read(CHUNK):
        digest.update(chunk)
    return digest.hexdigest()


def digest(root: Path, uri: str) -> SubjectRef:
    """Hash a file of any size.

    Raises:
        CoreError: It cannot be read.
    """
    with open_regular(root, uri) as stream:
        return SubjectRef(uri, digest_stream(stream))


def snapshot(root: Path, *, ignore: frozenset[str]) -> Snapshot:
    """Hash every file below `root`.

    Args:
        root: The folder.
        ignore: Root-relative paths (`.git`, `build/router`) or globs (`**/__pycache__`) that are left out with all
            they hold.

    Raises:
        CoreError: There are more than 100,000 files.
    """
    files: list[SubjectRef] = []
    unreadable: list[Unreadable] = []
    for uri in _walk(root, ignore, unreadable):
        if len(files) + len(unreadable) >= MAX_FILES:
            raise CoreError(f"{root} holds more than {MAX_FILES:,} files.", remedy="Point at a smaller folder.")
        if not uri.isprintable():
            reason = f"{uri!a} has a name that cannot be written down safely. Rename it."
            unreadable.append(Unreadable(SubjectRef(ascii(uri)), reason))
            continue
        try:
            files.append(digest(root, uri))
        except CoreError as error:
            unreadable.append(Unreadable(SubjectRef(uri), str(error)))
    return Snapshot(tuple(sorted(files)), tuple(sorted(unreadable, key=lambda item: item.ref)))


def selects(pattern: str, uri: str) -> bool:
    """Whether a glob selects a path: `*` stays inside one folder, `**` crosses folders."""
    return _selects(PurePosixPath(pattern).parts, PurePosixPath(uri).parts)


def _selects(pattern: tuple[str, ...], parts: tuple[str, ...]) -> bool:
    if not pattern:
        return not parts
    if pattern[0] == "**":
        return _selects(pattern[1:], parts) or (bool(parts) and _selects(pattern, parts[1:]))
    return bool(parts) and PurePosixPath(parts[0]).match(pattern[0]) and _selects(pattern[1:], parts[1:])


def _walk(root: Path, ignore: frozenset[str], unreadable: list[Unreadable]) -> Iterator[str]:
    def note(error: OSError) -> None:
        uri = Path(error.filename).relative_to(root).as_posix() if error.filename else "."
        unreadable.append(Unreadable(SubjectRef(uri), f"{uri} cannot be listed: {_why(error)}. {_remedy(error)}"))

    for folder, subfolders, names in os.walk(root, onerror=note, followlinks=False):
        here = Path(folder)
        kept: list[str] = []
        for name in sorted(subfolders):
            uri = (here / name).relative_to(root).as_posix()
            if any(selects(pattern, uri) for pattern in ignore):
                continue
            if (here / name).is_symlink():
                yield uri
            else:
                kept.append(name)
        subfolders[:] = kept
        for name in sorted(names):
            uri = (here / name).relative_to(root).as_posix()
            if not any(selects(pattern, uri) for pattern in ignore):
                yield uri
