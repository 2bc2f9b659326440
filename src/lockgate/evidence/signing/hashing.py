"""Hashing every file of a folder at once, in as many threads as the machine has cores.

`hashlib` and `read` release the interpreter's lock, so threads run in parallel. The largest pieces go first, so that no
core is left with a long file at the end. Nothing is followed through a link, and a file that changes while it is read
is refused.
"""

import hashlib
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from io import BufferedReader
from pathlib import Path
from typing import cast

import msgspec

from lockgate.core.errors import CoreError
from lockgate.core.files import MAX_FILES, open_regular
from lockgate.evidence.errors import EvidenceError
from lockgate.evidence.signing.statement import ROOT, Algorithm, under

BUFFER = 1 << 18


class Piece(msgspec.Struct, frozen=True):
    """A file, or a part of it, that is hashed on its own.

    Attributes:
        uri: Path below the folder.
        start: First byte.
        end: Byte behind the last one; -1 for the end of the file.
        size: How many bytes that is.
        name: What the signature calls it.
    """

    uri: str
    start: int
    end: int
    size: int
    name: str


class Hashed(msgspec.Struct, frozen=True):
    """What lies below a folder.

    Attributes:
        digests: Digest of every piece by its name in the signature, lower-case hex.
        unreadable: What has a name there and could not be hashed, with the reason.
        size: Bytes that were hashed.
    """

    digests: dict[str, str]
    unreadable: dict[str, str]
    size: int


def hash_path(
    path: Path,
    *,
    leave_out: tuple[str, ...] = (),
    algorithm: Algorithm = "sha256",
    shard_size: int = 0,
    workers: int | None = None,
) -> Hashed:
    """Hash a folder, or a single file.

    Args:
        path: The folder or file.
        leave_out: Paths below it that are not looked at.
        algorithm: Hash algorithm.
        shard_size: Bytes of a shard, 0 to hash whole files.
        workers: Threads; by default one for each core.

    Raises:
        EvidenceError: There is nothing at `path`, or more than 100,000 files.
    """
    if path.is_symlink() or not path.exists():
        raise EvidenceError(
            f"{path} is {'a symbolic link' if path.is_symlink() else 'not there'}.",
            remedy="Name the folder or the file itself.",
        )
    root, uris, unreadable = (path, *_walk(path, leave_out)) if path.is_dir() else (path.parent, [path.name], {})
    single = "" if path.is_dir() else path.name
    pieces = [piece for uri in uris for piece in _pieces(root, uri, unreadable, shard_size, single)]
    pieces.sort(key=lambda piece: piece.size, reverse=True)
    digests: dict[str, str] = {}
    with ThreadPoolExecutor(workers or os.cpu_count() or 1) as pool:
        for piece, result in zip(pieces, pool.map(partial(_hash, root, algorithm), pieces), strict=True):
            if isinstance(result, CoreError):
                unreadable[piece.uri] = str(result)
            else:
                digests[piece.name] = result
    return Hashed(digests, unreadable, sum(piece.size for piece in pieces))


def _walk(root: Path, leave_out: tuple[str, ...]) -> tuple[list[str], dict[str, str]]:
    """Paths of everything that is no folder, and what could not be listed."""
    found: list[str] = []
    unreadable: dict[str, str] = {}

    def note(error: OSError) -> None:
        uri = Path(error.filename).relative_to(root).as_posix() if error.filename else ROOT
        unreadable[_shown(uri)] = f"{_shown(uri)} cannot be listed: {(error.strerror or 'error').lower()}."

    for folder, subfolders, names in os.walk(root, onerror=note):
        here = Path(folder).relative_to(root)
        inner = [name for name in subfolders if not under((here / name).as_posix(), leave_out)]
        links = [name for name in inner if (root / here / name).is_symlink()]
        subfolders[:] = [name for name in inner if name not in links]
        found += [uri for name in (*names, *links) if not under(uri := (here / name).as_posix(), leave_out)]
        if len(found) > MAX_FILES:
            raise EvidenceError(f"{root} holds more than {MAX_FILES:,} files.", remedy="Sign smaller folders.")
    return found, unreadable


def _pieces(root: Path, uri: str, unreadable: dict[str, str], shard_size: int, single: str) -> Iterator[Piece]:
    if not uri.isprintable():
        unreadable[_shown(uri)] = f"{_shown(uri)} has a name that cannot be written down safely."
        return
    try:
        size = os.lstat(root / uri).st_size
    except OSError as error:
        unreadable[uri] = f"{uri} cannot be read: {(error.strerror or 'error').lower()}."
        return
    name = ROOT if single else uri
    if not shard_size:
        yield Piece(uri, 0, -1, size, name)
    elif size and ":" not in uri:
        for start in range(0, size, shard_size):
            end = min(start + shard_size, size)
            # The last shard runs to the end of the file, whatever its size has become meanwhile.
            yield Piece(uri, start, -1 if end == size else end, end - start, f"{name}:{start}:{end}")
    else:
        why = "has a colon in its name" if size else "is empty"
        unreadable[uri] = f"{uri} {why}, so a signature by shards cannot speak for it."


def _hash(root: Path, algorithm: Algorithm, piece: Piece) -> str | CoreError:
    hasher = hashlib.sha256() if algorithm == "sha256" else hashlib.blake2b()
    view = memoryview(bytearray(BUFFER))
    left = piece.end - piece.start if piece.end >= 0 else BUFFER
    try:
        with open_regular(root, piece.uri) as stream:
            stream.seek(piece.start)
            while left and (count := cast("BufferedReader", stream).readinto(view[:left])):
                hasher.update(view[:count])
                # A piece without an end is read until there is no more.
                left -= count if piece.end >= 0 else 0
    except CoreError as error:
        return error
    except OSError as error:
        return CoreError(f"{piece.uri} cannot be read: {(error.strerror or 'input/output error').lower()}.")
    return hasher.hexdigest()


def _shown(uri: str) -> str:
    return uri if uri.isprintable() else ascii(uri)
