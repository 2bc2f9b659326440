"""Reads TOML: `pylock.toml` (PEP 751), lock files of uv, Poetry and PDM, `pyproject.toml` (PEP 621, PEP 735)."""

import tomllib
from collections.abc import Iterable, Iterator
from typing import cast

import msgspec
import re2

from lockgate.supply.deps.dependency import Artifact, Dependency, Origin, normal_name
from lockgate.supply.deps.entries import (
    Json,
    UnreadableError,
    artifact,
    is_commit,
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
    whole_mapping,
)
from lockgate.supply.deps.named_file import another_file

_LONG_KEY = re2.compile(rb"""(?m)(?:^|[{,\[])[ \t]*(?:(?:"(?:[^"\\\n]|\\.)*"|'[^'\n]*'|[\w-]+)[ \t]*\.[ \t]*){64}""")
"""A dotted key of 65 parts: `tomllib` takes time in the square of their number."""
_OWN_SOURCES = {"editable", "virtual", "workspace"}


def read_document(content: str) -> Json:
    """Parse TOML in bounded time.

    Raises:
        UnreadableError: A key has too many parts.
        ValueError: It is no TOML.
    """
    if _LONG_KEY.search(content.encode()):
        raise UnreadableError("a key in it has too many parts")
    return cast("Json", tomllib.loads(content))


def read_lock(document: Json) -> Iterator[Dependency]:
    """The packages of a lock file of uv, Poetry or PDM.

    Raises:
        UnreadableError: It is none.
    """
    listed = document.get("package")
    if not is_list(listed):
        if "version" in document or "metadata" in document:
            return  # a lock file of a project that needs nothing
        raise UnreadableError("it has no list of packages")
    by_name = mapping(mapping(document.get("metadata")).get("files"))
    for item in items(listed):
        entry = mapping(item)
        if _is_own(mapping(entry.get("source"))):
            continue  # the project itself
        yield _locked(entry, items(by_name.get(text(entry.get("name")))))


def _is_own(source: Json) -> bool:
    """Whether a package is a folder of the project, whose code is examined where it lies."""
    folder = text(source.get("directory")) or (text(source.get("url")) if source.get("type") == "directory" else "")
    return bool(_OWN_SOURCES & source.keys()) or (bool(folder) and is_own_folder(folder))


def read_pylock(document: Json) -> Iterator[Dependency]:
    """The packages of a `pylock.toml`.

    Raises:
        UnreadableError: It is none, or of a version that is not known.
    """
    if not text(document.get("lock-version")).startswith("1."):
        raise UnreadableError("it is not of version 1 of the format")
    for item in whole_list(document, "packages"):
        entry = mapping(item)
        folder = text(mapping(entry.get("directory")).get("path"))
        if not (folder and is_own_folder(folder)):
            yield _pylocked(entry)


def _locked(entry: Json, more_files: list[object]) -> Dependency:
    name, version = text(entry.get("name")), text(entry.get("version"))
    files = [mapping(item) for item in (*items(entry.get("wheels")), *items(entry.get("files")), *more_files)]
    files += [mapping(entry["sdist"])] if "sdist" in entry else []
    origin, url, fixed = _source(entry)
    hashes = strong(text(item.get("hash")) for item in files)
    if not name or _is_hidden(entry) or _is_hidden(mapping(entry.get("source"))):
        return unknown(name)
    return Dependency(
        ecosystem="PyPI",
        name=normal_name("PyPI", name),
        version=version,
        marker=_marker(entry),
        hashes=hashes,
        origin=origin,
        url=url,
        fixed=fixed or (origin == "url" and bool(hashes)),
        artifacts=_artifacts(text(item.get("url")) or text(item.get("file")) for item in files),
        requires=tuple(sorted(_needed(entry))),
        problem=_another(name, version, files) if origin == "registry" else "",
    )


def _another(name: str, version: str, files: Iterable[Json]) -> str:
    keys = ("name", "filename", "file", "path", "url")
    return another_file(name, version, (text(item.get(key)) for item in files for key in keys if key in item))


def _is_hidden(source: Json) -> bool:
    """Whether it states a place that cannot be shown, which must not count as none."""
    return any(source.get(key) and not text(source.get(key)) for key in ("git", "url", "type"))


def _marker(entry: Json) -> str:
    return text(entry.get("marker")) or text(entry.get("markers"))


def _source(entry: Json) -> tuple[Origin, str, bool]:
    """Where a package of uv, Poetry or PDM comes from, and whether that place cannot change."""
    source = mapping(entry.get("source"))
    kind = text(source.get("type"))
    git = text(source.get("git")) or text(entry.get("git"))
    if git or kind == "git":
        commit = text(source.get("resolved_reference")) or text(entry.get("revision")) or git.rpartition("#")[2]
        return "vcs", shown_url(git or text(source.get("url"))), is_commit(commit)
    if kind == "legacy" or "registry" in source:
        return "registry", "", False
    url = text(source.get("url")) or text(entry.get("url"))
    if url and kind in {"", "url"}:
        return "url", shown_url(url), is_fixed(url)
    if kind in {"file", "directory"} or {"path", "directory"} & source.keys() or "path" in entry:
        return "path", "", False
    return "registry", "", False


def _needed(entry: Json) -> set[str]:
    stated = entry.get("dependencies")
    names = mapping(stated).keys() if is_mapping(stated) else [_needed_name(item) for item in items(stated)]
    return {normal_name("PyPI", name) for name in names if name}


def _needed_name(item: object) -> str:
    return text(mapping(item).get("name")) if is_mapping(item) else requirement(text(item)).name


def _pylocked(entry: Json) -> Dependency:
    name = text(entry.get("name"))
    if not name:
        return unknown("")
    archive, vcs, directory = mapping(entry.get("archive")), mapping(entry.get("vcs")), entry.get("directory")
    files = [mapping(item) for item in items(entry.get("wheels"))]
    files += [mapping(entry["sdist"])] if "sdist" in entry else []
    hashes = strong(_stated(item) for file in (*files, archive) for item in mapping(file.get("hashes")).items())
    found = Dependency(
        ecosystem="PyPI",
        name=normal_name("PyPI", name),
        version=text(entry.get("version")),
        marker=_marker(entry),
        hashes=hashes,
        artifacts=_artifacts(
            text(item.get("name")) or text(item.get("url")) or text(item.get("path")) for item in files
        ),
        requires=tuple(sorted(_needed(entry))),
        problem=_another(name, text(entry.get("version")), files),
    )
    if vcs:
        commit, url = text(vcs.get("commit-id")), shown_url(text(vcs.get("url")))
        return msgspec.structs.replace(found, origin="vcs", url=url, fixed=is_commit(commit))
    if archive:
        url = shown_url(text(archive.get("url")))
        return msgspec.structs.replace(found, origin="url" if url else "path", url=url, fixed=bool(hashes))
    return msgspec.structs.replace(found, origin="path") if directory is not None else found


def _stated(item: tuple[str, object]) -> str:
    return f"{item[0]}:{text(item[1])}"


def _artifacts(names: Iterable[str]) -> tuple[Artifact, ...]:
    return tuple(sorted({artifact(name.partition("#")[0].partition("?")[0]) for name in names if name}))


def read_pyproject(document: Json) -> tuple[list[Dependency], list[str]]:
    """What a `pyproject.toml` asks for, and what of it cannot be read."""
    project, tool = mapping(document.get("project")), mapping(document.get("tool"))
    stated = [*items(project.get("dependencies")), *items(mapping(document.get("build-system")).get("requires"))]
    for group in mapping(project.get("optional-dependencies")).values():
        stated += items(group)
    for group in mapping(document.get("dependency-groups")).values():
        stated += [item for item in items(group) if not is_mapping(item)]
    stated += items(mapping(tool.get("uv")).get("dev-dependencies"))
    found = [requirement(item) if isinstance(item, str) else unknown("") for item in stated]
    poetry = mapping(tool.get("poetry"))
    tables = [poetry.get("dependencies"), poetry.get("dev-dependencies")]
    tables += [mapping(group).get("dependencies") for group in mapping(poetry.get("group")).values()]
    for table in tables:
        found += [_wished(name, value) for name, value in mapping(table).items() if name.lower() != "python"]
    computed = {"dependencies", "optional-dependencies"} & set(map(text, items(project.get("dynamic"))))
    return found, [f"'{name}' is computed when the project is built" for name in sorted(computed)]


def read_pipfile(document: Json) -> tuple[list[Dependency], list[str]]:
    """What a `Pipfile` asks for, and the registries that it adds to the first."""
    groups = sorted(document.keys() - {"source", "requires", "scripts", "pipenv"})
    found = [_wished(name, value) for group in groups for name, value in whole_mapping(document, group).items()]
    added = [text(mapping(item).get("name")) or "unnamed" for item in whole_list(document, "source")[1:]]
    return found, added


def _wished(name: str, value: object) -> Dependency:
    """An entry of Poetry's own table or a Pipfile's: a specifier in its own language, or a table."""
    table = mapping(value)
    if any(table.get(key) and not text(table.get(key)) for key in ("git", "url", "path", "file")):
        return unknown(name)
    version = text(value) or text(table.get("version"))
    place = next((found for key in ("git", "url", "path", "file") if (found := text(table.get(key)))), "")
    origin: Origin = "vcs" if "git" in table else origin_of(place) if place else "registry"
    stated = version.removeprefix("==")
    pinned = version.startswith("==") and not set(stated) & set("*,|<>=!~^ ")
    return Dependency(
        ecosystem="PyPI",
        name=normal_name("PyPI", name),
        version=stated if pinned and not place else "",
        specifier=version,
        origin=origin,
        url=shown_url(place),
        fixed=is_commit(text(table.get("rev")) or text(table.get("ref"))) or is_fixed(place),
    )
