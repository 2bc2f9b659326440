"""Reads JSON: `Pipfile.lock`, npm's `package-lock.json` (versions 1 to 3), and CycloneDX bills of materials."""

from collections.abc import Iterator
from urllib.parse import unquote

import msgspec

from lockgate.supply.deps.dependency import PURL_TYPES, Dependency, Origin, normal_name
from lockgate.supply.deps.entries import (
    Json,
    UnreadableError,
    is_commit,
    items,
    mapping,
    shown_url,
    strong,
    text,
    unknown,
    whole_mapping,
)
from lockgate.supply.deps.npm_package import npm_package, sri

MAX_DEPTH = 64


def read_pipfile_lock(document: Json) -> Iterator[Dependency]:
    """The packages of a `Pipfile.lock`.

    Raises:
        UnreadableError: It is none.
    """
    if "_meta" not in document:
        raise UnreadableError("it has no '_meta'")
    for section in sorted(document.keys() - {"_meta"}):
        for name, value in whole_mapping(document, section).items():
            yield _piped(name, mapping(value), development=section == "develop")


def _piped(name: str, entry: Json, *, development: bool) -> Dependency:
    if any(entry.get(key) and not text(entry.get(key)) for key in ("git", "file", "path")):
        return unknown(name)  # a place that cannot be shown must not count as none
    git, place = text(entry.get("git")), text(entry.get("file")) or text(entry.get("path"))
    origin: Origin = "vcs" if git else "registry"
    if place:
        origin = "url" if "://" in place else "path"
    stated = text(entry.get("version"))
    pinned = stated.startswith("==") and not stated.endswith(".*")
    hashes = strong(text(item) for item in items(entry.get("hashes")))
    return Dependency(
        ecosystem="PyPI",
        name=normal_name("PyPI", name),
        version=stated.removeprefix("==") if pinned else "",
        specifier=stated,
        marker=text(entry.get("markers")),
        hashes=hashes,
        origin=origin,
        url=shown_url(git or place),
        fixed=is_commit(text(entry.get("ref"))) or (origin == "url" and bool(hashes)),
        development=development,
    )


def read_package_lock(document: Json) -> Iterator[Dependency]:
    """The packages of a `package-lock.json` or `npm-shrinkwrap.json`.

    Raises:
        UnreadableError: It is none, or is nested too deeply.
    """
    if "lockfileVersion" not in document:
        raise UnreadableError("it has no 'lockfileVersion'")
    if document.get("packages") is not None:  # npm reads the older part where this one is null
        for path, value in whole_mapping(document, "packages").items():
            entry = mapping(value)
            # Without node_modules it is the project itself or a folder of it; a link points at one of those.
            if "node_modules/" in path and entry.get("link") is not True:
                yield _npm(text(entry.get("name")) or path.rpartition("node_modules/")[2], entry)
        return
    yield from _nested(whole_mapping(document, "dependencies"), 0)


def _nested(packages: Json, depth: int) -> Iterator[Dependency]:
    if depth > MAX_DEPTH:
        raise UnreadableError("it is nested too deeply")
    for name, value in packages.items():
        entry = mapping(value)
        yield _npm(name, entry)
        yield from _nested(whole_mapping(entry, "dependencies"), depth + 1)


def _npm(name: str, entry: Json) -> Dependency:
    version, place = text(entry.get("version")), entry.get("resolved")
    # In version 1 of the format an alias reads npm:real-name@1.2.3, and an address stands where the version would.
    if version.startswith("npm:"):
        name, _, version = version.removeprefix("npm:").rpartition("@")
    if "://" in version or version.startswith(("file:", "github:", "git+")):
        place, version = version, ""
    needed = entry["requires"] if isinstance(entry.get("requires"), dict) else entry.get("dependencies")
    licence = entry.get("license")
    return npm_package(
        name,
        version,
        place=place,
        hashes=sri(text(entry.get("integrity"))),
        bundled=entry.get("inBundle") is True or entry.get("bundled") is True,
        development=entry.get("dev") is True,
        runs_script=entry.get("hasInstallScript") is True,
        yanked=entry.get("deprecated"),
        licence=text(licence) or text(mapping(licence).get("type")),
        requires=mapping(needed),
    )


def read_bill(document: Json) -> Iterator[Dependency]:
    """The PyPI and npm packages of a CycloneDX document, by their package URLs, also nested ones.

    Raises:
        UnreadableError: It is none, or is nested too deeply.
    """
    if document.get("bomFormat") != "CycloneDX":
        raise UnreadableError("it is no CycloneDX document")
    yield from _components(document, 0)


def _components(holder: Json, depth: int) -> Iterator[Dependency]:
    if depth > MAX_DEPTH:
        raise UnreadableError("it is nested too deeply")
    for item in items(holder.get("components")):
        component = mapping(item)
        purl = text(component.get("purl"))
        is_library = text(component.get("type")) in {"library", "framework"}
        if purl.startswith("pkg:"):
            yield from _purl(purl, component, is_library=is_library)
        elif is_library:
            yield unknown(text(component.get("name")))
        yield from _components(component, depth + 1)


def _purl(purl: str, component: Json, *, is_library: bool) -> Iterator[Dependency]:
    kind, _, rest = purl.removeprefix("pkg:").partition("/")
    ecosystem = PURL_TYPES.get(kind.lower())
    if ecosystem is None:
        if is_library:
            problem = f"Advisories about packages of 'pkg:{kind.lower()[:40]}' are not matched."
            yield msgspec.structs.replace(unknown(text(component.get("name"))), problem=problem)
        return
    path, _, version = rest.partition("#")[0].partition("?")[0].rpartition("@")
    name = unquote(path or version)
    yield Dependency(
        ecosystem=ecosystem,
        name=normal_name(ecosystem, name),
        version=unquote(version) if path else text(component.get("version")),
    )
