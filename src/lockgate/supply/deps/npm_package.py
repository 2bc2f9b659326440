"""One entry of a JavaScript lock file as a dependency, whichever package manager wrote it."""

import base64
import binascii
import re
from collections.abc import Iterable, Iterator
from typing import TypeGuard
from urllib.parse import unquote

from lockgate.supply.deps.dependency import Dependency, Origin, normal_name
from lockgate.supply.deps.entries import is_commit, is_fixed, shown_url, strong, text

_REGISTRIES = ("https://registry.npmjs.org/", "https://registry.yarnpkg.com/")
_NAME = re.compile(r"(?:@[^/@\s:%?#]+/)?[^/@\s:%?#]+\Z")
_MAX_NAME = 214
# A registry's addresses: .../name/-/name-1.2.3.tgz, with or without the scope before the file.
_TARBALL = re.compile(r"https://[^?#]*?/((?:@[^/]+/)?[^/@]+)/-/(?:@[^/]+/)?([^/?#]+)\.t(?:ar\.)?gz(?:[?#].*)?\Z")
_GITHUB_ARCHIVE = "https://codeload.github.com/"
_PROTOCOLS = ("git+", "git:", "git@", "github:", "gitlab:", "bitbucket:")


def npm_package(
    name: object,
    version: object,
    *,
    place: object = "",
    hashes: Iterable[str] = (),
    repacked: bool = False,
    bundled: bool = False,
    marker: str = "",
    development: bool | None = None,
    runs_script: bool = False,
    yanked: object = "",
    licence: str = "",
    requires: Iterable[str] = (),
) -> Dependency:
    """An entry of a lock file.

    Args:
        name: The package's own name, not that of an alias.
        version: Its exact version.
        place: Where the file says that it is fetched; empty where the registry is meant.
        hashes: Digests that the installer compares, as `algorithm:digits`; weak ones do not count.
        repacked: They are digests of an archive that the installer makes.
        bundled: It comes inside of another package's archive.
        marker: The condition under which it is installed.
        development: Whether it is needed for development alone; None where the file does not say.
        runs_script: Whether the file says that installing it runs a program.
        yanked: Why its makers gave the release up.
        licence: SPDX expression.
        requires: Names of what it needs.

    Returns:
        The dependency. One that cannot be read, and one whose address in a registry is that of another package or
        version than the entry says, has a `problem`.
    """
    fetched = text(place)
    if not is_name(name) or (place and not fetched):
        return unread_package(str(name))
    locked = text(version) or _version_in(name, fetched)
    origin, digests = npm_origin(fetched), strong(hashes)
    return Dependency(
        ecosystem="npm",
        name=normal_name("npm", name),
        version=locked,
        hashes=digests,
        repacked=repacked,
        bundled=bundled,
        origin=origin,
        url="" if origin == "registry" else shown_url(fetched.replace("git+ssh://", "git+https://")),
        fixed=_is_fixed(fetched, origin) or (origin == "url" and bool(digests)),
        marker=marker,
        development=development,
        runs_script=runs_script,
        yanked=_reason(yanked),
        licence=licence,
        requires=tuple(sorted({normal_name("npm", item) for item in requires if is_name(item)})),
        problem=_another(name, locked, fetched),
    )


def _reason(stated: object) -> str:
    words = " ".join(stated.split())[:200] if isinstance(stated, str) else ""
    return words if words.isprintable() else "for a reason that cannot be shown"


def unread_package(shown: str) -> Dependency:
    """An entry that cannot be understood, so that it is not overlooked."""
    readable = shown if text(shown) and _NAME.match(shown) and len(shown) <= _MAX_NAME else "?"
    return Dependency(ecosystem="npm", name=normal_name("npm", readable), problem="Its entry cannot be read.")


def is_name(name: object) -> TypeGuard[str]:
    """Whether it is a name that a registry could hold; what a reader shows is printable."""
    return isinstance(name, str) and bool(text(name)) and len(name) <= _MAX_NAME and _NAME.match(name) is not None


def split_reference(stated: str) -> tuple[str, str]:
    """Name and the rest of `name@rest` or `@scope/name@rest`; an empty name where there is none."""
    name, at, rest = stated[1:].partition("@")
    return (stated[:1] + name, rest) if at else ("", stated)


def npm_origin(place: str) -> Origin:
    """Where an address of a lock file leads."""
    if not place or place.startswith(_REGISTRIES):
        return "registry"
    if place.startswith(_PROTOCOLS) or ("://" in place and place.partition("#")[0].endswith(".git")):
        return "vcs"
    if place.startswith("file:") or "://" not in place:
        return "path"
    # A registry of one's own keeps npm's form of addresses.
    return "registry" if _TARBALL.match(unquote(place)) else "url"


def sri(stated: str) -> Iterator[str]:
    """Digests of Subresource Integrity (W3C) as `algorithm:digits`."""
    for item in stated.split():
        kind, _, body = item.partition("-")
        try:
            yield f"{kind}:{base64.b64decode(body.partition('?')[0], validate=True).hex()}"
        except (binascii.Error, ValueError):
            continue


def _is_fixed(place: str, origin: Origin) -> bool:
    head, _, fragment = place.partition("#")
    if origin == "vcs":
        return is_commit(fragment.rpartition("commit=")[2].partition("&")[0]) or is_fixed(place)
    # What GitHub packs is named by the commit.
    return is_fixed(place) or (head.startswith(_GITHUB_ARCHIVE) and is_commit(head.rpartition("/")[2]))


def _version_in(name: str, place: str) -> str:
    """The version that an address in a registry names, where the entry itself names none."""
    found = _TARBALL.match(unquote(place))
    base = f"{name.rpartition('/')[2]}-"
    return found[2].removeprefix(base) if found and found[2].startswith(base) else ""


def _another(name: str, version: str, place: str) -> str:
    """Why an address contradicts the entry: whoever edits a lock file can have another package fetched by it."""
    found = _TARBALL.match(unquote(place))
    if place.startswith(_REGISTRIES) and not found:
        return "Its address is none of a package in that registry."
    if not found or not version:
        return ""
    own, file = found[1].lower(), found[2]
    base = own.rpartition("/")[2]
    stated = version.removeprefix("v").partition("+")[0]
    if own != name.lower() or not file.lower().startswith(f"{base}-"):
        return "Its address is that of another package."
    if file[len(base) + 1 :].partition("+")[0].lower() != stated.lower():
        return "Its address is that of another version."
    return ""
