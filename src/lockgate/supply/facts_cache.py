"""Remembers what was found in a file by its digest, so that a second scan reads only what is new."""

import contextlib
import hashlib
from functools import cache
from pathlib import Path, PurePosixPath

import msgspec

import lockgate
from lockgate.core.home import home, write_private
from lockgate.supply.subject import ModelFacts

MAX_ENTRY = 1 << 20
MAX_ENTRIES = 20_000
_READERS = ("detect", "supply")


class FactsCache:
    """Facts by the digest of the bytes, the name that they were read under, and the version of every reader.

    Args:
        folder: Where the facts lie; below `LOCKGATE_HOME` if None.
    """

    def __init__(self, folder: Path | None = None) -> None:
        base = folder if folder is not None else home() / "cache" / "scan"
        self._folder = base / _readers_version()
        self._sizes = _sizes(self._folder)

    def may_hold(self, size: int) -> bool:
        """Whether a file of this size was ever read; without one, hashing it beforehand gains nothing."""
        return size in self._sizes

    def find(self, sha256: str, size: int, name: str) -> ModelFacts | None:
        """What was found earlier, or None."""
        try:
            body = self._path(sha256, size, name).read_bytes()
            return msgspec.msgpack.decode(body, type=ModelFacts)
        except (OSError, msgspec.DecodeError, msgspec.ValidationError):
            return None

    def keep(self, sha256: str, size: int, name: str, facts: ModelFacts) -> None:
        """Remember what was found. A cache that cannot be written costs time on the next scan, nothing else."""
        body = msgspec.msgpack.encode(facts)
        if len(body) <= MAX_ENTRY and len(self._sizes) < MAX_ENTRIES:
            with contextlib.suppress(OSError):
                write_private(self._path(sha256, size, name), body)
                self._sizes.add(size)

    def _path(self, sha256: str, size: int, name: str) -> Path:
        named = hashlib.sha256(PurePosixPath(name).name.encode("utf-8", "surrogatepass")).hexdigest()[:16]
        return self._folder / f"{size}-{sha256}-{named}"


def _sizes(folder: Path) -> set[int]:
    try:
        names = [path.name for path in folder.iterdir()]
    except OSError:
        return set()
    return {int(name.partition("-")[0]) for name in names if name[:1].isdigit() and "-" in name}


@cache
def _readers_version() -> str:
    """A digest of the readers' own source, so that facts of another version are never used."""
    digest = hashlib.sha256(lockgate.__version__.encode())
    for layer in _READERS:
        for path in sorted((Path(lockgate.__file__).parent / layer).rglob("*.py")):
            digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()[:16]
