"""Reads libraries from lock files and requirements: names, exact versions and hashes.

Sources: pip's requirements file format, PEP 751 (`pylock.toml`), the lock files of uv, Poetry and PDM, and npm's
`package-lock.json`.
"""

import itertools
import json
import tomllib
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import cast

import msgspec

MAX_BYTES = 64 << 20
_TOML = {"uv.lock", "poetry.lock", "pdm.lock", "pylock.toml"}
_NAME = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")
_SRI = {"sha256": "SHA-256", "sha384": "SHA-384", "sha512": "SHA-512"}
_DIGITS = {"SHA-256": 64, "SHA-384": 96, "SHA-512": 128}

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
    """Whether a file of that name lists libraries."""
    name = PurePosixPath(uri).name.lower()
    is_requirements = name.endswith((".txt", ".in")) and "requirements" in uri.lower() and name != "robots.txt"
    pylock = name.startswith("pylock.") and name.endswith(".toml")
    return name in _TOML or name == "package-lock.json" or pylock or is_requirements


def read_dependencies(uri: str, body: bytes) -> tuple[Library, ...]:
    """The libraries that a file lists.

    Raises:
        ValueError: It is not in the format that its name announces.
    """
    try:
        text = body.decode("utf-8-sig")
        if uri.endswith((".txt", ".in")):
            found = _requirements(text, uri)
        elif uri.endswith(".json"):
            found = _npm(cast("object", json.loads(text)), uri)
        else:
            found = _locked(tomllib.loads(text), uri)
        return tuple(sorted(set(found)))
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def _requirements(text: str, uri: str) -> Iterator[Library]:
    for line in text.replace("\\\r\n", " ").replace("\\\n", " ").splitlines():
        stated = line.partition(" #")[0].strip()
        if not stated or stated.startswith(("#", "-")):
            continue
        requirement, *options = stated.split(" --")
        hashes = tuple(_hash(option) for option in options if option.startswith("hash="))
        name, version = _requirement(requirement.partition(";")[0].strip())
        if name:
            yield Library("pypi", _normal(name), version, _sound(hashes), uri)


def _requirement(text: str) -> tuple[str, str]:
    """A requirement's name, and its version where exactly one will do."""
    name = "".join(itertools.takewhile(_NAME.__contains__, text))
    rest = text[len(name) :].strip()
    if rest.startswith("["):
        rest = rest.partition("]")[2].strip()
    version = rest.removeprefix("===").removeprefix("==").strip()
    is_exact = rest.startswith("==") and not set(version) & set(", *<>=!~")
    return name, version if is_exact else ""


def _hash(option: str) -> Hash:
    kind, _, digits = option.removeprefix("hash=").strip().partition(":")
    return _SRI.get(kind, ""), digits


def _locked(document: dict[str, object], uri: str) -> Iterator[Library]:
    by_name = _mapping(_mapping(document.get("metadata")).get("files"))
    for item in (*_items(document.get("package")), *_items(document.get("packages"))):
        name, version = item.get("name"), item.get("version")
        # A lock file of uv lists the project itself as an editable or virtual package.
        if not isinstance(name, str) or {"editable", "virtual"} & _mapping(item.get("source")).keys():
            continue
        files = [*_items(item.get("wheels")), *_items(item.get("files")), _mapping(item.get("sdist"))]
        hashes = [found for entry in (*files, *_items(by_name.get(name))) for found in _file_hashes(entry)]
        stated = version if isinstance(version, str) else ""
        yield Library("pypi", _normal(name), stated, _sound(tuple(dict.fromkeys(hashes))), uri)


def _file_hashes(entry: dict[str, object]) -> Iterator[Hash]:
    if isinstance(joined := entry.get("hash"), str):
        kind, _, digits = joined.partition(":")
        yield _SRI.get(kind, ""), digits
    for kind, digits in _mapping(entry.get("hashes")).items():
        if isinstance(digits, str):
            yield _SRI.get(kind, ""), digits


def _npm(document: object, uri: str) -> Iterator[Library]:
    for path, entry in _mapping(_mapping(document).get("packages")).items():
        facts = _mapping(entry)
        name, version = path.rpartition("node_modules/")[2], facts.get("version")
        if path and name and isinstance(version, str):
            yield Library("npm", name, version, (), uri)


def _mapping(value: object) -> dict[str, object]:
    return cast("dict[str, object]", value) if isinstance(value, dict) else {}


def _items(value: object) -> list[dict[str, object]]:
    return [_mapping(item) for item in cast("list[object]", value)] if isinstance(value, list) else []


def _sound(hashes: tuple[Hash, ...]) -> tuple[Hash, ...]:
    return tuple(
        (kind, digits)
        for kind, digits in hashes
        if len(digits) == _DIGITS.get(kind) and not digits.strip("0123456789abcdef")
    )


def _normal(name: str) -> str:
    """The normal form of a Python distribution's name (PEP 503)."""
    return "-".join(filter(None, name.strip().lower().replace("_", "-").replace(".", "-").split("-")))
