"""Reads `bun.lock`, the text format of Bun: JSON with comments and trailing commas."""

import json
import re
from collections.abc import Iterator

from lockgate.supply.deps.dependency import Dependency
from lockgate.supply.deps.entries import (
    Json,
    UnreadableError,
    is_list,
    is_mapping,
    is_own_folder,
    items,
    mapping,
    text,
    whole_mapping,
)
from lockgate.supply.deps.npm_package import npm_package, split_reference, sri, unread_package

_VERSIONS = {0, 1, 2}
# Each alternative takes what it begins to the end, so that no text makes the search slow. A comment ends where a line
# of JavaScript ends, which is at more than a line feed.
_PIECES = re.compile(
    r'"(?:[^"\\]+|\\.)*"?|//[^\n\r\u2028\u2029]*|/\*(?:[^*]|\*(?!/))*(?:\*/)?|[,}\]]|[^"/,}\]]+|/', re.DOTALL
)
_ADDRESSED = 2
_HERE = ("workspace:", "root:", "link:")
_PLACES = ("https://", "http://", "git+", "github:", "git@", "ssh://", "file:")


def read_bun(content: str) -> Iterator[Dependency]:
    """The packages of a `bun.lock`. Parts of the project itself are left out: their code is examined where it lies.

    Raises:
        UnreadableError: It is none, is of a version that is not known, or repeats a key.
    """
    document = mapping(_parsed(content))
    if document.get("lockfileVersion") not in _VERSIONS or isinstance(document["lockfileVersion"], bool):
        raise UnreadableError("it states no version of its format that is known")
    for key, value in whole_mapping(document, "packages").items():
        yield from _package(key, value)


def _package(key: str, value: object) -> Iterator[Dependency]:
    entry = items(value)
    name, reference = split_reference(text(entry[0])) if is_list(value) and entry else ("", "")
    if not name:
        yield unread_package(key)
        return
    if reference.startswith(_HERE):
        return
    facts = mapping(next((item for item in entry if is_mapping(item)), None))
    words = [text(item) for item in entry[1:] if isinstance(item, str)]
    hashes = [digest for word in words for digest in sri(word)]
    if reference.startswith(_PLACES) or is_tarball(reference):
        # A folder or file below the lock file reads file:folder, or bare in older versions.
        folder = reference.removeprefix("file:")
        if not reference.startswith(_PLACES[:-1]) and is_own_folder(folder):
            return
        place = reference.replace("github:", "git+https://github.com/", 1)
        yield npm_package(name, "", place=place, hashes=hashes, requires=_needed(facts))
        return
    yield npm_package(
        name,
        reference,
        # The digest comes last; before it stands an address, empty for npm's registry.
        place=entry[1] if len(entry) > _ADDRESSED else "",
        hashes=hashes,
        marker=" & ".join(f"{kind}={text(facts[kind])}" for kind in ("os", "cpu", "libc") if text(facts.get(kind))),
        bundled=facts.get("bundled") is True,
        requires=_needed(facts),
    )


def is_tarball(reference: str) -> bool:
    """Whether a reference is a path and no version."""
    return "/" in reference or reference.endswith((".tgz", ".tar.gz"))


def _needed(facts: Json) -> list[str]:
    return [name for part in ("dependencies", "optionalDependencies") for name in mapping(facts.get(part))]


def _parsed(content: str) -> object:
    try:
        return json.loads(_plain(content), object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        if isinstance(error, UnreadableError):
            raise
        raise UnreadableError("it is not in the format that its name announces") from error


def _plain(content: str) -> str:
    """The same as JSON: without comments, and without a comma before a closing bracket."""
    kept: list[str] = []
    last = -1
    for found in _PIECES.finditer(content):
        piece = found[0]
        if piece.startswith(("//", "/*")):
            kept.append(" ")
            continue
        if piece in {"}", "]"} and last >= 0 and kept[last] == ",":
            kept[last] = " "
        if not piece.isspace():
            last = len(kept)
        kept.append(piece)
    return "".join(kept)


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise UnreadableError("a key appears twice")
    return found
