"""Reads `pnpm-lock.yaml`, versions 5, 6 and 9 of the format, in one document or two (pnpm.io/lockfile)."""

import re
from collections.abc import Iterable, Iterator

from lockgate.supply.deps.dependency import Dependency
from lockgate.supply.deps.entries import Json, UnreadableError, is_own_folder, mapping, text, whole_mapping
from lockgate.supply.deps.lock_yaml import documents
from lockgate.supply.deps.npm_package import npm_package, split_reference, sri, unread_package

_VERSION = re.compile(r"(5|6|9)(\.\d{1,3})?\Z")
_GROUPS = (
    "dependencies",
    "devDependencies",
    "optionalDependencies",
    "configDependencies",
    "packageManagerDependencies",
)


def read_pnpm(content: str) -> Iterator[Dependency]:
    """The packages of a `pnpm-lock.yaml`. Folders of the project are left out: their code is examined where it lies.

    What the project, or an entry of `snapshots`, refers to and no entry describes is told too.

    Raises:
        UnreadableError: It is none, or of a version of the format that is not known.
    """
    found = documents(content)
    if not found:
        raise UnreadableError("it is empty")
    for document in found:
        lock = mapping(document)
        version = _VERSION.match(text(lock.get("lockfileVersion")))
        if not version:
            raise UnreadableError("it states no version of its format that is known")
        yield from _packages(lock, int(version[1]))


def _packages(lock: Json, version: int) -> Iterator[Dependency]:
    packages, snapshots = whole_mapping(lock, "packages"), whole_mapping(lock, "snapshots")
    needs = {_bare(key, version): mapping(value) for key, value in snapshots.items()}
    for key, value in packages.items():
        yield from _package(key, mapping(value), version, needs.get(key, {}))
    described = {_bare(key, version) for key in packages}
    wanted = {*snapshots, *_asked(lock, version), *_needed((*packages.values(), *snapshots.values()), version)}
    for key in sorted({_bare(key, version) for key in wanted} - described):
        yield unread_package(_named(key, version)[0])


def _package(key: str, entry: Json, version: int, snapshot: Json) -> Iterator[Dependency]:
    named, locked = _named(key, version)
    name, locked = text(entry.get("name")) or named, text(entry.get("version")) or locked
    resolution = mapping(entry.get("resolution"))
    kind, place = text(resolution.get("type")), resolution.get("tarball")
    needed = mapping(entry.get("dependencies")) | mapping(snapshot.get("dependencies"))
    if kind == "directory" or "directory" in resolution:
        folder = text(resolution.get("directory"))
        if is_own_folder(folder) and folder:
            return
        place = f"file:{folder}"
    elif kind == "git":
        place = f"git+{text(resolution.get('repo')).removeprefix('git+')}#{text(resolution.get('commit'))}"
    elif kind or not (place or text(resolution.get("integrity"))):
        yield unread_package(name)
        return
    yield npm_package(
        name,
        locked,
        place=place,
        hashes=sri(text(resolution.get("integrity"))),
        development={"true": True, "false": False}.get(text(entry.get("dev"))),
        runs_script=text(entry.get("requiresBuild")) == "true",
        yanked=entry.get("deprecated"),
        requires=needed,
    )


def _bare(key: str, version: int) -> str:
    """A key without the versions of its peers, which stand in brackets since version 6, and with `_` before that."""
    if version >= 6:  # noqa: PLR2004 - of the format
        return key.partition("(")[0]
    return key


def _named(key: str, version: int) -> tuple[str, str]:
    """Name and version that a key states; an empty version where it is a place."""
    stated = _bare(key, version).removeprefix("/")
    if version >= 6:  # noqa: PLR2004 - of the format
        name, rest = split_reference(stated)
        return name, "" if ":" in rest or "/" in rest else rest
    name, _, rest = stated.rpartition("/")
    return name, rest.partition("_")[0]


def _asked(lock: Json, version: int) -> Iterator[str]:
    """Keys of what the folders of the project ask for."""
    for importer in (lock, *mapping(lock.get("importers")).values()):
        for group in _GROUPS:
            for name, value in mapping(mapping(importer).get(group)).items():
                yield from _key(name, text(mapping(value).get("version")) or text(value), version)


def _needed(entries: Iterable[object], version: int) -> Iterator[str]:
    """Keys of what packages ask for."""
    for entry in map(mapping, entries):
        for group in ("dependencies", "optionalDependencies"):
            for name, reference in mapping(entry.get(group)).items():
                yield from _key(name, text(reference), version)


def _key(name: str, reference: str, version: int) -> Iterator[str]:
    """The key of `packages` that a reference means, as pnpm's own `refToRelative` tells it; none for a folder."""
    bare = _bare(reference, version)
    if bare.startswith("link:"):
        return
    if version >= 9:  # noqa: PLR2004 - of the format
        is_key = bare.startswith("@") or "@" in bare.partition(":")[0]
        yield reference if is_key else f"{name}@{reference}"
    elif bare.startswith("file:") or "/" in bare:
        yield reference
    else:
        yield f"/{name}@{reference}" if version >= 6 else f"/{name}/{reference}"  # noqa: PLR2004 - of the format
