"""Reads files of conda: `environment.yml`, `conda-lock.yml` and `pixi.lock`.

What pip installs is examined. Conda's own packages are not, because no advisories in OSV's format name them; those
that `pixi.lock` says to be packages of PyPI under the same name are.
"""

import re
from collections.abc import Callable, Iterable
from posixpath import basename
from urllib.parse import unquote

from lockgate.supply.deps.dependency import Dependency, normal_name
from lockgate.supply.deps.entries import (
    Json,
    UnreadableError,
    artifact,
    is_fixed,
    is_list,
    is_mapping,
    is_own_folder,
    items,
    mapping,
    origin_of,
    requirement,
    shown_url,
    strong,
    text,
    unknown,
    whole_list,
)
from lockgate.supply.deps.lock_yaml import documents
from lockgate.supply.deps.named_file import another_file
from lockgate.supply.deps.read_requirements import read_requirements

_NOT_COUNTED = {"python", "pip"}
_PIXI_VERSIONS = {"4", "5", "6", "7"}
_PIXI_KINDS = ("conda", "conda_source", "pypi")
_PYTHON_FILES = ("https://files.pythonhosted.org/",)
_CONDA_FILE = re.compile(r"(?P<name>[^/]+)-(?P<version>[^-/]+)-[^-/]+\.(?:conda|tar\.bz2)\Z")


def read_environment(document: object, uri: str, load: Callable[[str], str]) -> tuple[list[Dependency], list[str]]:
    """The libraries that pip installs, and what cannot be examined.

    Raises:
        UnreadableError: It lists no dependencies.
    """
    listed = mapping(document).get("dependencies")
    if not is_list(listed):
        raise UnreadableError("it lists no dependencies")
    lines: list[str] = []
    others: list[str] = []
    odd = False
    for item in items(listed):
        if is_mapping(item):
            entry = mapping(item)
            wishes: object = entry.get("pip")
            lines += [line for line in items(wishes) if isinstance(line, str)]
            known = (wishes is None or is_list(wishes)) and all(isinstance(line, str) for line in items(wishes))
            odd = odd or not known or entry.keys() != {"pip"}
        else:
            others.append(text(item).rpartition("::")[2].split("=")[0].split("<")[0].split(">")[0].strip().lower())
    found = read_requirements("\n".join(lines), uri, load)
    unread = ["an entry of its dependencies is no list of what pip installs"] if odd else []
    return found.dependencies, [*found.unread, *unread, *_not_matched(others)]


def _not_matched(names: Iterable[str]) -> list[str]:
    left = sorted({name for name in names if name not in _NOT_COUNTED})
    return [f"{len(left)} packages of conda are not matched with advisories, {left[0]} first"] if left else []


def read_conda_lock(content: str) -> tuple[list[Dependency], list[str]]:
    """The libraries that pip installs by a `conda-lock.yml`, and what cannot be examined.

    Raises:
        UnreadableError: It is none.
    """
    document = _document(content)
    if text(document.get("version")) != "1" or not is_list(document.get("package")):
        raise UnreadableError("it is not of version 1 of the format")
    found: list[Dependency] = []
    others: list[str] = []
    for item in items(document.get("package")):
        entry = mapping(item)
        name, manager = text(entry.get("name")), text(entry.get("manager"))
        if manager == "conda" and name:
            others.append(name.lower())
        elif manager == "pip":
            digests = [f"{kind}:{text(digits)}" for kind, digits in mapping(entry.get("hash")).items()]
            found.append(_from_pip(name, entry, text(entry.get("url")), digests, mapping(entry.get("dependencies"))))
        else:
            found.append(unknown(name))
    return _each_once(found), _not_matched(others)


def read_pixi(content: str) -> tuple[list[Dependency], list[str]]:
    """The libraries of a `pixi.lock`, and what cannot be examined.

    Raises:
        UnreadableError: It is none, or of a version that is not known.
    """
    document = _document(content)
    if text(document.get("version")) not in _PIXI_VERSIONS:
        raise UnreadableError("it states no version of its format that is known")
    found: list[Dependency] = []
    others: list[str] = []
    described: set[str] = set()
    for item in whole_list(document, "packages"):
        entry = mapping(item)
        kind, place = _kind(entry)
        described.add(place)
        if kind == "pypi":
            digests = [f"sha256:{text(entry.get('sha256'))}"]
            needed = [requirement(text(line)).name for line in items(entry.get("requires_dist"))]
            if not (is_own_folder(place) and place):
                found.append(_from_pip(text(entry.get("name")), entry, place, digests, needed))
        elif kind == "conda":
            library = _of_pypi(entry, place)
            found += [library] if library else []
            others += [] if library else [_conda_name(entry, place)]
        elif kind == "conda_source":
            others.append(text(place.partition("[")[0].partition(" ")[0]).lower() or "?")
        else:
            found.append(unknown(""))
    asked = {place for place in _referenced(document) if place not in described}
    found += [unknown(basename(place).partition("-")[0]) for place in sorted(asked) if not is_own_folder(place)]
    return _each_once(found), _not_matched(others)


def _document(content: str) -> Json:
    found = documents(content)
    if len(found) != 1:
        raise UnreadableError("it is not one document")
    return mapping(found[0])


def _each_once(found: list[Dependency]) -> list[Dependency]:
    """The same library is listed for each platform."""
    return list(dict.fromkeys(found))


def _from_pip(name: str, entry: Json, place: str, digests: list[str], needed: Iterable[str]) -> Dependency:
    hashes = strong(digests)
    hosted = place.startswith(_PYTHON_FILES)
    if not name or (not place and entry.get("url")):
        return unknown(name)
    version = text(entry.get("version"))
    return Dependency(
        ecosystem="PyPI",
        name=normal_name("PyPI", name),
        version=version,
        hashes=hashes,
        origin="registry" if hosted or not place else origin_of(place),
        url="" if hosted else shown_url(place),
        fixed=is_fixed(place) or bool(hashes),
        artifacts=(artifact(basename(place.partition("#")[0])),) if place else (),
        development={"dev": True, "main": False}.get(text(entry.get("category"))),
        requires=tuple(sorted({normal_name("PyPI", item) for item in needed if text(item)})),
        problem=another_file(name, version, (place,)) if hosted or place.endswith(".whl") else "",
    )


def _kind(entry: Json) -> tuple[str, str]:
    """What manages a package of `pixi.lock`, and its address: versions 4 and 5 say so in fields of their own."""
    stated = text(entry.get("kind"))
    if stated in {"conda", "pypi"}:
        return stated, text(entry.get("url")) or text(entry.get("path"))
    found = [kind for kind in _PIXI_KINDS if text(entry.get(kind))]
    return (found[0], text(entry[found[0]])) if len(found) == 1 else ("", "")


def _conda_name(entry: Json, place: str) -> str:
    found = _CONDA_FILE.match(basename(place))
    return (text(entry.get("name")) or (found["name"] if found else "") or "?").lower()


def _of_pypi(entry: Json, place: str) -> Dependency | None:
    """A package of conda that the file says to be PyPI's of the same name and version; else None."""
    found = _CONDA_FILE.match(basename(place))
    purls = {text(item).partition("?")[0].partition("@")[0] for item in items(entry.get("purls"))}
    if not found or not purls & {f"pkg:pypi/{found['name']}", f"pkg:pypi/{normal_name('PyPI', found['name'])}"}:
        return None
    return Dependency(
        ecosystem="PyPI",
        name=normal_name("PyPI", found["name"]),
        version=unquote(found["version"]),
        hashes=strong([f"sha256:{text(entry.get('sha256'))}"]),
        repacked=True,
    )


def _referenced(document: Json) -> Iterable[str]:
    """The addresses that the environments name."""
    for environment in mapping(document.get("environments")).values():
        for platform in mapping(mapping(environment).get("packages")).values():
            for item in items(platform):
                entry = mapping(item)
                yield from (text(entry[kind]) for kind in _PIXI_KINDS if text(entry.get(kind)))
