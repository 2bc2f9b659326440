"""Reads pip's requirements files, with the files that they include (pip: "Requirements File Format")."""

import codecs
import posixpath
import re
import shlex
from collections.abc import Callable, Iterator

import msgspec

from lockgate.supply.address import bare_url
from lockgate.supply.deps.dependency import Dependency
from lockgate.supply.deps.entries import MAX_LINE, UnreadableError, is_fixed, origin_of, requirement, shown_url, strong

MAX_FILES = 50
MAX_DEPTH = 8
_INCLUDES = {"r", "requirement"}
_CONSTRAINTS = {"c", "constraint"}
_EDITABLE = {"e", "editable"}
_INDEXES = {"i", "index-url", "extra-index-url", "f", "find-links"}
_WITHOUT_EFFECT = {"no-index", "pre", "prefer-binary", "require-hashes", "only-binary", "use-feature"}
_FROM_SOURCE = "no-binary"
_UNCHECKED_TLS = "trusted-host"
_ENCODING = re.compile(r"coding[:=]\s*([-\w.]+)")
_LIKE_ASCII = {"ascii", "iso8859-1", "cp1252"}
_USUAL_INDEXES = {"https://pypi.org/simple", "https://pypi.org/simple/"}

Load = Callable[[str], str]
"""Gives the text of an included file, or raises ValueError with the reason."""


class Requirements(msgspec.Struct):
    """What a requirements file and all that it includes say."""

    dependencies: list[Dependency] = []
    constraints: dict[str, str] = {}
    indexes: list[str] = []
    unread: list[str] = []
    from_source: set[str] = set()
    files: int = 0


class _Place(msgspec.Struct, frozen=True):
    """The file that is being read, and how it was come to."""

    uri: str
    load: Load
    chain: tuple[str, ...]


def read_requirements(text: str, uri: str, load: Load) -> Requirements:
    """Read a requirements file.

    Args:
        text: Its content.
        uri: Its path, against which the files that it includes are found.
        load: Reads an included file.

    Returns:
        Every requirement, also those of included files; an exact version in a constraints file pins the requirements
        of that name.
    """
    found = Requirements()
    _read(text, _Place(uri, load, (uri,)), found)
    found.dependencies = [_constrained(item, found) for item in found.dependencies]
    return found


def _line_in(place: _Place, line: int) -> int | None:
    return line if len(place.chain) == 1 else None


def _constrained(item: Dependency, found: Requirements) -> Dependency:
    version = item.version or (found.constraints.get(item.name, "") if item.origin == "registry" else "")
    source = {item.name, ":all:"} & found.from_source
    return msgspec.structs.replace(item, version=version, artifacts=("sdist",) if source else item.artifacts)


def _read(text: str, place: _Place, found: Requirements) -> None:
    if not _is_utf_8(text):
        found.unread.append(f"{place.uri}: it declares an encoding other than UTF-8, in which pip would read it.")
        return
    for line, stated in _lines(text):
        try:
            _line(stated, line, place, found)
        except UnreadableError as error:
            found.unread.append(f"{place.uri}:{line}: {error}.")


def _is_utf_8(text: str) -> bool:
    """Whether pip reads the same text: it follows a comment about the encoding in one of the first two lines."""
    heads = [line for line in text.split("\n", 2)[:2] if line.startswith("#")]
    stated = next((found[1] for line in heads if (found := _ENCODING.search(line))), "utf-8")
    try:
        name = codecs.lookup(stated).name
    except LookupError:
        return False
    return name == "utf-8" or (name in _LIKE_ASCII and text.isascii())


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """Logical lines with the number of their first physical one: continued lines joined, comments removed."""
    pending, first = "", 0
    # pip, too, ends a line, and with it a comment, wherever Python does: at a lone carriage return, at U+2028.
    for number, line in enumerate(text.splitlines(), start=1):
        first = first or number
        # A comment line inside a continuation ends it, as in pip.
        if line.endswith("\\") and not line.lstrip().startswith("#"):
            pending += line[:-1] + " "
            continue
        yield from _logical(pending + line, first)
        pending, first = "", 0
    yield from _logical(pending, first)


def _logical(line: str, number: int) -> Iterator[tuple[int, str]]:
    stated = line.strip()
    cut = next((at for at, char in enumerate(stated) if char == "#" and (at == 0 or stated[at - 1].isspace())), None)
    if stated := stated[:cut].strip():
        yield number, stated


def _line(stated: str, line: int, place: _Place, found: Requirements) -> None:
    if len(stated) > MAX_LINE * 10:
        raise UnreadableError("the line is too long")
    if stated.startswith("-"):
        _option(stated, line, place, found)
        return
    requirement_text, *options = stated.split(" --")
    hashes = strong(
        option.partition("=")[2].strip() if "=" in option else option.partition(" ")[2].strip()
        for option in options
        if option.startswith("hash")
    )
    requirement_text = requirement_text.strip()
    if len(requirement_text) > MAX_LINE:
        raise UnreadableError("the line is too long")
    if _is_itself(requirement_text):
        return
    found.dependencies.append(
        _bare_reference(requirement_text, _line_in(place, line), hashes)
        or requirement(requirement_text, line=_line_in(place, line), hashes=hashes)
    )


def _is_itself(stated: str) -> bool:
    """Whether a line means the project that the file belongs to, which is no dependency."""
    return stated.partition(" ")[0].partition("[")[0] in {".", "./"}


def _bare_reference(stated: str, line: int | None, hashes: tuple[str, ...]) -> Dependency | None:
    """A URL or path without a name: what an installer finds there is whatever it is."""
    head = stated.partition(" ")[0]
    is_reference = (
        "://" in head.partition("@")[0]
        or head.startswith((".", "/"))
        or ("/" in head and "@" not in head)
        or head.lower().endswith((".whl", ".tar.gz", ".zip"))
    )
    if not is_reference:
        return None
    origin = origin_of(head)
    name = head.partition("#egg=")[2].partition("&")[0] or posixpath.basename(head.partition("#")[0].rstrip("/"))
    stem = name.partition("@")[0].partition("-")[0] if "egg=" not in head else name
    named = requirement(stem.partition("[")[0])
    fixed = is_fixed(head) or (bool(hashes) and origin == "url")
    return msgspec.structs.replace(
        named, origin=origin, url=shown_url(head), fixed=fixed, hashes=hashes, line=line, version="", problem=""
    )


def _option(stated: str, line: int, place: _Place, found: Requirements) -> None:
    name, value = _split(stated)
    if name in _INCLUDES or name in _CONSTRAINTS:
        _include(value, place, found, constraint=name in _CONSTRAINTS)
    elif name in _EDITABLE and _is_itself(value):
        return
    elif name in _EDITABLE:
        number = _line_in(place, line)
        item = _bare_reference(value, number, ()) or requirement(value, line=number)
        found.dependencies.append(item)
    elif name in _INDEXES:
        index = bare_url(value) or "a folder"
        found.indexes += [index] if index not in _USUAL_INDEXES else []
    elif name == _UNCHECKED_TLS:
        found.indexes.append(f"{_host(value)} without TLS checks")
    elif name == _FROM_SOURCE:
        found.from_source.update(part.strip().lower() for part in value.split(","))
    elif name not in _WITHOUT_EFFECT:
        raise UnreadableError("the option is not known")


def _host(value: str) -> str:
    return "".join(char for char in value if char.isalnum() or char in ".-:")[:100] or "a host"


def _split(stated: str) -> tuple[str, str]:
    if stated.startswith("--"):
        cut = min((at for at in (stated.find("="), stated.find(" ")) if at > 0), default=len(stated))
    else:
        cut = 2
    value = stated[cut:].lstrip("= ").strip()
    try:
        name = stated[:cut].lstrip("-")
        return name, " ".join(shlex.split(value)) if '"' in value or "'" in value else value
    except ValueError as error:
        raise UnreadableError("a quotation mark is missing") from error


def _include(value: str, place: _Place, found: Requirements, *, constraint: bool) -> None:
    target = posixpath.normpath(posixpath.join(posixpath.dirname(place.uri), value))
    found.files += 1
    if "://" in value:
        raise UnreadableError("it includes a file from an address, which is not fetched")
    if len(place.chain) > MAX_DEPTH or found.files > MAX_FILES:
        raise UnreadableError("too many files are included")
    if target in place.chain:
        raise UnreadableError("the file includes itself")
    try:
        text = place.load(target)
    except ValueError as error:
        raise UnreadableError(f"an included file cannot be read: {str(error).rstrip('.')}") from error
    inside = _Place(target, place.load, (*place.chain, target))
    if not constraint:
        _read(text, inside, found)
        return
    inner = Requirements(files=found.files)
    _read(text, inside, inner)
    found.files = inner.files
    found.unread += inner.unread
    found.indexes += inner.indexes
    for item in inner.dependencies:
        if item.version:
            found.constraints.setdefault(item.name, item.version)
    found.constraints |= {name: version for name, version in inner.constraints.items() if name not in found.constraints}
