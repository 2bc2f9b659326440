"""Tells by content, then by extension, which products can run code when somebody loads them."""

import bz2
import io
import lzma
import pickletools
import zipfile
import zlib
from collections.abc import Callable, Iterable
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from lockgate.core import SubjectRef
from lockgate.core.files import open_regular
from lockgate.train.recording import CodeFormat

HEAD_BYTES = 1 << 20
PROTOCOL_0_OPCODES = 1_000

_EXTENSIONS = {
    ".ckpt": "PyTorch checkpoint",
    ".cloudpickle": "pickle",
    ".dill": "pickle",
    ".joblib": "joblib",
    ".pickle": "pickle",
    ".pkl": "pickle",
    ".pt": "PyTorch",
    ".pth": "PyTorch",
}
_NEWEST_PROTOCOL = 5
_UNPACKED = 1024


def code_formats(root: Path, products: Iterable[SubjectRef]) -> tuple[CodeFormat, ...]:
    """List those products whose format can run code when it is loaded.

    Only heads of files are read, and nothing is unpickled.

    Args:
        root: Folder that the products' URIs are relative to.
        products: The files.

    Raises:
        CoreError: A product cannot be read.
    """
    found: list[CodeFormat] = []
    for ref in products:
        with open_regular(root, ref.uri) as stream:
            name = _by_content(stream) or _EXTENSIONS.get(PurePosixPath(ref.uri).suffix.lower(), "")
        if name:
            found.append(CodeFormat(ref.uri, name))
    return tuple(found)


def _by_content(stream: BinaryIO) -> str:
    head = stream.read(HEAD_BYTES)
    stream.seek(0)
    if head.startswith(b"PK\x03\x04"):
        return _in_archive(stream)
    return _in_bytes(head) or _in_compressed(head)


def _in_bytes(head: bytes) -> str:
    if head.startswith(b"\x93NUMPY"):
        return "NumPy array of pickled objects" if _holds_objects(head) else ""
    if _is_safetensors(head):
        return ""
    return "pickle" if _is_pickle(head) else ""


def _is_safetensors(head: bytes) -> bool:
    # The header's length comes first and may begin like a pickle: 640 bytes are written 80 02 00 00 00 00 00 00.
    return head[8:10] == b'{"' and head[5:8] == b"\x00\x00\x00"


def _is_pickle(head: bytes) -> bool:
    if head[:1] == b"\x80":
        return len(head) > 1 and head[1] <= _NEWEST_PROTOCOL
    read = 0
    try:
        for _ in islice(pickletools.genops(io.BytesIO(head)), PROTOCOL_0_OPCODES):
            read += 1
    except ValueError:
        return False
    # Fewer opcodes mean that STOP was reached; one STOP alone is a file that holds a full stop.
    return read > 1


def _holds_objects(head: bytes) -> bool:
    # The header is a Python literal with the data type; `|O` in it means that the data is a pickle.
    return b"'|O" in head[: 10 + 65_535]


def _in_archive(stream: BinaryIO) -> str:
    try:
        with zipfile.ZipFile(stream) as archive:
            for name in archive.namelist():
                if PurePosixPath(name).suffix.lower() in _EXTENSIONS:
                    return "archive that holds a pickle"
                if name.endswith(".npy"):
                    with archive.open(name) as member:
                        found = _in_bytes(member.read(HEAD_BYTES))
                    if found:
                        return found
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, zlib.error, lzma.LZMAError, OSError):
        return "archive that cannot be read"
    return ""


def _in_compressed(head: bytes) -> str:
    unpackers: tuple[tuple[bytes, Callable[[], bytes]], ...] = (
        (b"\x1f\x8b", lambda: zlib.decompressobj(wbits=31).decompress(head, _UNPACKED)),
        (b"x", lambda: zlib.decompressobj().decompress(head, _UNPACKED)),
        (b"BZh", lambda: bz2.BZ2Decompressor().decompress(head, _UNPACKED)),
        (b"\xfd7zXZ", lambda: lzma.LZMADecompressor().decompress(head, _UNPACKED)),
    )
    for magic, unpack in unpackers:
        if head.startswith(magic):
            try:
                unpacked = unpack()
            except (zlib.error, lzma.LZMAError, OSError, ValueError):
                return ""
            return "compressed pickle" if unpacked[:1] == b"\x80" and _is_pickle(unpacked) else ""
    return ""
