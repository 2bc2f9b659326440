"""Reads what lies in compressed streams, 7-Zip archives and TorchScript archives."""

from pathlib import PurePosixPath

from lockgate.detect.compressed import read_compressed as inflate
from lockgate.detect.sevenzip import read_7z as unpack_7z
from lockgate.detect.source import MalformedError, Memory, Source
from lockgate.detect.torchscript import read_code
from lockgate.supply.reading import MAX_DEPTH, At, Reading
from lockgate.supply.subject import Format

_COMPRESSED = frozenset({".gz", ".bz2", ".xz", ".lzma", ".zst", ".lz4", ".z", ".gzip", ".zlib"})
_RENAMED = {".tgz": ".tar", ".tbz2": ".tar", ".txz": ".tar"}


def read_compressed(reading: Reading, source: Source, at: At) -> Format:
    """Read what one compressed stream inflates to."""
    _check_depth(at)
    path = PurePosixPath(at.name)
    suffix = path.suffix.lower()
    inner = path.stem if suffix in _COMPRESSED else path.stem + _RENAMED.get(suffix, suffix)
    reading.read(inflate(source), At(inner, at.member, at.depth + 1))
    return "compressed"


def read_7z(reading: Reading, source: Source, at: At) -> Format:
    """Read every member of a 7-Zip archive."""
    _check_depth(at)
    for item in unpack_7z(source):
        reading.inflate(len(item.body))
        place = f"{at.member}/{item.name}" if at.member else item.name
        reading.read(Memory(item.body), At(item.name, place, at.depth + 1))
    return "7z"


def read_script_member(reading: Reading, source: Source, at: At) -> None:
    """Read one code member of a TorchScript archive."""
    try:
        problems = read_code(source)
    except MalformedError as error:
        reading.refuse(error, at, source.size)
        return
    for problem in problems:
        reading.refuse(MalformedError(problem.code, problem.message), at, 0)


def _check_depth(at: At) -> None:
    if at.depth >= MAX_DEPTH:
        raise MalformedError("depth", f"Archives nest more than {MAX_DEPTH} levels deep in it.")
