"""The libraries that lock files and requirements name, as a bill lists them: names, exact versions and hashes.

The files are read by `lockgate.supply.deps`, so that a bill lists what a scan of the same files examines.
"""

from collections.abc import Iterable
from pathlib import PurePosixPath
from typing import Never

import msgspec

from lockgate.core.errors import ConfigError
from lockgate.supply.deps.dependency import PURL_TYPES, Dependency
from lockgate.supply.deps.entries import UnreadableError
from lockgate.supply.deps.read import is_known, read_bytes

_WISHES = {"pyproject.toml", "environment.yml", "environment.yaml", "setup.py", "setup.cfg", "pipfile", "package.json"}
_ALGORITHMS = {"sha256": "SHA-256", "sha384": "SHA-384", "sha512": "SHA-512"}
_TYPES = {ecosystem: kind for kind, ecosystem in PURL_TYPES.items()}

Hash = tuple[str, str]


class Library(msgspec.Struct, frozen=True, order=True):
    """A library that the application needs.

    Attributes:
        ecosystem: `pypi` or `npm`.
        name: Its normal name there.
        version: The exact version; empty where the file does not pin one.
        hashes: Algorithm and hex digits of each file that may be installed.
        source: The file that says so.
    """

    ecosystem: str
    name: str
    version: str = ""
    hashes: tuple[Hash, ...] = ()
    source: str = ""

    @property
    def purl(self) -> str:
        """Its package URL (github.com/package-url/purl-spec)."""
        name = self.name.replace("@", "%40")
        version = self.version.replace("+", "%2B").replace("!", "%21")
        return f"pkg:{self.ecosystem}/{name}" + (f"@{version}" if version else "")


def is_dependency_file(uri: str) -> bool:
    """Whether a file of that name lists libraries, or would if its format were read."""
    name = PurePosixPath(uri).name.lower()
    in_folder = name.endswith((".txt", ".in")) and "requirements" in uri.lower() and name != "robots.txt"
    return (is_known(name) and name not in _WISHES) or in_folder


def read_dependencies(uri: str, body: bytes) -> tuple[Library, ...]:
    """The libraries that a file lists by itself.

    Raises:
        ValueError: It is not in the format that its name announces.
    """
    try:
        return libraries_of(uri, read_bytes(uri, body, _refused).dependencies)
    except ConfigError as error:
        raise ValueError(str(error)) from error


def libraries_of(uri: str, stated: Iterable[Dependency]) -> tuple[Library, ...]:
    """What a file states, as libraries; entries that nobody understands are left out."""
    found = {
        Library(_TYPES[item.ecosystem], item.name, item.version, _hashes(item), uri)
        for item in stated
        if not item.problem
    }
    return tuple(sorted(found))


def _hashes(item: Dependency) -> tuple[Hash, ...]:
    return () if item.repacked else tuple(map(_hash, item.hashes))


def _hash(stated: str) -> Hash:
    kind, _, digits = stated.partition(":")
    return _ALGORITHMS[kind], digits


def _refused(uri: str) -> Never:
    raise UnreadableError(f"{uri} is another file")
