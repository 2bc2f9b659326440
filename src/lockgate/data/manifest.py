"""The integrity manifest: every project file with its SHA-256, in the format of coreutils' `sha256sum`.

A line is 64 lower-case hex digits, two spaces, the path in POSIX form, a newline; so `sha256sum --check` reads it too.
Paths that this format would have to escape are refused on both sides.
"""

from pathlib import PurePosixPath

import msgspec

from lockgate.core import CoreError, SubjectRef
from lockgate.core.files import Snapshot, relative
from lockgate.data.errors import DataError

MAX_BYTES = 32 << 20

_DIGEST = 64
_HEX = frozenset("0123456789abcdef")


class ManifestFacts(msgspec.Struct, frozen=True):
    """What a manifest says.

    Attributes:
        entries: The files that it lists, in its order.
    """

    entries: tuple[SubjectRef, ...]


class Listing(msgspec.Struct, frozen=True):
    """A manifest beside what lies in the project.

    Attributes:
        ref: The manifest.
        listed: The files that it lists.
        present: The readable files of the project without the manifest.
        unreadable: URIs of what could not be read; an unreadable folder stands for everything in it.
    """

    ref: SubjectRef
    listed: tuple[SubjectRef, ...]
    present: tuple[SubjectRef, ...]
    unreadable: tuple[str, ...]


def render_manifest(taken: Snapshot, name: str) -> bytes:
    """Write the manifest of a project.

    Args:
        taken: The project's files.
        name: The manifest's own path, which is left out.

    Raises:
        DataError: A file cannot be read, or a path cannot be written in this format.
    """
    unreadable = next((item for item in taken.unreadable if item.ref.uri != name), None)
    if unreadable is not None:
        raise DataError(f"The manifest cannot be written. {unreadable.reason}")
    lines: list[str] = []
    for ref in sorted(taken.files):
        if problem := _problem(ref.uri):
            raise DataError(f"The file name {ref.uri!r} {problem}.", remedy="Rename the file.")
        if ref.uri != name:
            lines.append(f"{ref.sha256}  {ref.uri}\n")
    return "".join(lines).encode()


def parse_manifest(body: bytes) -> ManifestFacts:
    """Read a manifest; the order of its lines does not matter.

    Raises:
        DataError: It is not UTF-8, a line is malformed, a path leaves the project, is not in its shortest form or
            appears twice, or the last line is cut off. The message names the line.
    """
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        raise _malformed(body.count(b"\n", 0, error.start) + 1, "is not UTF-8") from error
    if text and not text.endswith("\n"):
        raise _malformed(text.count("\n") + 1, "is cut off")
    entries: dict[str, SubjectRef] = {}
    for number, line in enumerate(text.split("\n")[:-1], start=1):
        digest, separator, uri = line[:_DIGEST], line[_DIGEST : _DIGEST + 2], line[_DIGEST + 2 :]
        if len(digest) != _DIGEST or not _HEX.issuperset(digest) or separator != "  ":
            raise _malformed(number, "does not begin with 64 lower-case hex digits and two spaces")
        if problem := _problem(uri):
            raise _malformed(number, f"names a path that {problem}")
        if uri in entries:
            raise _malformed(number, "names a path that an earlier line names as well")
        entries[uri] = SubjectRef(uri, digest)
    return ManifestFacts(tuple(entries.values()))


def _malformed(number: int, problem: str) -> DataError:
    return DataError(f"Line {number} of the manifest {problem}.", remedy="Run 'lockgate manifest DIR' after a review.")


def _problem(uri: str) -> str:
    try:
        path = relative(uri)
    except CoreError:
        return "is empty, absolute or leaves the project"
    if PurePosixPath(path).as_posix() != uri or uri == ".":
        return "is not in its shortest form"
    if "\\" in uri or any(not char.isprintable() for char in uri):
        return "holds a backslash, an invisible character or bytes that are not UTF-8"
    return ""
