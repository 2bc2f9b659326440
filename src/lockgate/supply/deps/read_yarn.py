"""Reads `yarn.lock`: the format of Yarn 1, and the YAML that Yarn 2 and later ("berry") write."""

import json
import re
from collections.abc import Iterator
from urllib.parse import parse_qs, unquote

from lockgate.supply.deps.dependency import Dependency
from lockgate.supply.deps.entries import MAX_LINE, UnreadableError, is_own_folder, mapping, text
from lockgate.supply.deps.lock_yaml import Yaml, documents
from lockgate.supply.deps.npm_package import (
    npm_package,
    split_reference,
    sri,
    unread_package,
)

_CLASSIC = re.compile(r"(?mi)^# yarn lockfile v1\s*$")
_BERRY = re.compile(r"(?m)^[\"']?__metadata")
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[A-Za-z0-9/.\-][^:\s,"]*')
_OLDEST_BERRY = 4
_HERE = ("workspace:", "link:", "portal:")

Fields = dict[str, "str | Fields"]


def read_yarn(content: str) -> Iterator[Dependency]:
    """The packages of a `yarn.lock`. Parts of the project itself are left out: their code is examined where it lies.

    Raises:
        UnreadableError: It is none.
    """
    if not _BERRY.search(content):
        yield from _classic(content)
    elif _CLASSIC.search(content):
        raise UnreadableError("it claims two formats at once")
    else:
        yield from _berry(documents(content))


def _classic(content: str) -> Iterator[Dependency]:
    marked = _CLASSIC.search(content) is not None
    for keys, fields in _entries(content):
        marked = True
        # One entry may answer several wishes, and a folder among them must not hide the others.
        asked = dict.fromkeys(map(_real, keys))
        yield from dict.fromkeys(item for name, wish in asked for item in _classic_package(name, wish, fields))
    if not marked:
        raise UnreadableError("it holds neither a package nor the mark of the format")


def _real(pattern: str) -> tuple[str, str]:
    """Name and wish of `name@wish`; of an alias `other@npm:name@wish` those of the real package."""
    name, wish = split_reference(pattern)
    if wish.startswith("npm:"):
        inner = wish.removeprefix("npm:")
        real, asked = split_reference(inner)
        return (real, asked) if real else (inner, "")
    return name, wish


def _classic_package(name: str, asked: str, fields: Fields) -> Iterator[Dependency]:
    version, place = fields.get("version"), fields.get("resolved")
    if not place and asked.startswith(("link:", "file:")):
        if asked.startswith("link:") or is_own_folder(asked.removeprefix("file:")):
            return
        place = asked
    if not version:
        yield unread_package(name)
        return
    needed = [key for part in ("dependencies", "optionalDependencies") for key in mapping(fields.get(part))]
    yield npm_package(name, version, place=place, hashes=sri(text(fields.get("integrity"))), requires=needed)


def _entries(content: str) -> Iterator[tuple[list[str], Fields]]:
    """The entries of Yarn 1's format: keys without indentation, properties below them, and lists below those."""
    keys: list[str] = []
    fields: Fields = {}
    inner: Fields | None = None
    for number, raw in enumerate(content.split("\n"), start=1):
        line = raw.rstrip("\r \t")
        stated = line.lstrip(" ")
        if not stated or stated.startswith("#"):
            continue
        depth, (tokens, opens) = len(line) - len(stated), _tokens(stated, number)
        if depth == 0 and opens:
            if keys:
                yield keys, fields
            keys, fields, inner = tokens, {}, None
        elif depth == 2 and keys and opens and len(tokens) == 1:  # noqa: PLR2004 - Yarn indents by two
            inner = {}
            _put(fields, tokens[0], inner, number)
        elif depth == 2 and keys and not opens and len(tokens) == 2:  # noqa: PLR2004 - a name and a value
            inner = None
            _put(fields, tokens[0], tokens[1], number)
        elif depth == 4 and inner is not None and not opens and len(tokens) == 2:  # noqa: PLR2004 - as above
            _put(inner, tokens[0], tokens[1], number)
        else:
            raise UnreadableError(f"line {number} is not in the format of Yarn 1")
    if keys:
        yield keys, fields


def _put(fields: Fields, name: str, value: str | Fields, number: int) -> None:
    if name in fields:
        raise UnreadableError(f"line {number}: a property appears twice")
    fields[name] = value


def _tokens(stated: str, number: int) -> tuple[list[str], bool]:
    """The words of a line, and whether it ends in a colon, which opens an entry or a list."""
    problem = UnreadableError(f"line {number} is not in the format of Yarn 1")
    if len(stated) > MAX_LINE * 4:
        raise problem
    found: list[str] = []
    at = 0
    while matched := _TOKEN.match(stated, at):
        found.append(_unquoted(matched[0], problem))
        at = matched.end()
        rest = stated[at:]
        if rest in {"", ":"}:
            return found, rest == ":"
        at += len(rest) - len(rest.lstrip(", "))
    raise problem


def _unquoted(token: str, problem: UnreadableError) -> str:
    if not token.startswith('"'):
        return token
    try:
        return str(json.loads(token))
    except ValueError as error:
        raise problem from error


def _berry(found: list[Yaml]) -> Iterator[Dependency]:
    if len(found) != 1:
        raise UnreadableError("it is not one document")
    entries = mapping(found[0])
    version = text(mapping(entries.pop("__metadata", None)).get("version"))
    if not version.isdecimal() or int(version) < _OLDEST_BERRY:
        raise UnreadableError("it states no version of its format that is known")
    for key, value in entries.items():
        entry = mapping(value)
        name, reference = split_reference(text(entry.get("resolution")))
        if not name:
            yield unread_package(split_reference(text(key))[0])
        elif not reference.startswith(_HERE):
            yield from _berry_package(name, reference, entry)


def _berry_package(name: str, reference: str, entry: dict[str, object]) -> Iterator[Dependency]:
    if reference.startswith("file:") and is_own_folder(reference.removeprefix("file:")):
        return
    version = text(entry.get("version"))
    locked, place = _locked_version(name, reference)
    if locked is None or (locked and locked != version):
        yield unread_package(name)
        return
    _, _, digits = text(entry.get("checksum")).rpartition("/")
    yield npm_package(
        name,
        version,
        place=place,
        hashes=(f"sha512:{digits}",),
        repacked=True,
        marker=text(entry.get("conditions")),
        requires=mapping(entry.get("dependencies")),
    )


def _locked_version(name: str, reference: str) -> tuple[str | None, str]:
    """The version that a locator fixes, empty if it names a place, and that place. None: it is not understood."""
    if reference.startswith("npm:"):
        version, _, options = reference.removeprefix("npm:").partition("::")
        return version or None, parse_qs(options).get("__archiveUrl", [""])[0]
    if reference.startswith("patch:"):
        # The package that is patched; the patch is a file of the project, or Yarn's own.
        inner_name, inner = split_reference(unquote(reference.removeprefix("patch:").partition("#")[0]))
        return _locked_version(name, inner) if inner_name == name and not inner.startswith("patch:") else (None, "")
    known = reference.startswith(("https://", "http://", "git@", "git:", "git+", "ssh://", "file:"))
    return ("", reference.partition("::")[0]) if known else (None, "")
