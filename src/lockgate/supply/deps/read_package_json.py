"""Reads `package.json`: what a JavaScript project asks for, as npm's documentation of that file defines it."""

import re
from collections.abc import Iterator

import msgspec

from lockgate.supply.deps.dependency import Dependency
from lockgate.supply.deps.entries import Json, is_own_folder, mapping, text, whole_mapping
from lockgate.supply.deps.npm_package import is_name, npm_package, split_reference, unread_package

PEER = "peer"
"""Marker of what another package is to bring along: some installers fetch it, others do not."""

# The later ones count where two sections name the same package.
_SECTIONS = ("peerDependencies", "devDependencies", "dependencies", "optionalDependencies")
_EXACT = re.compile(r"[=v\s]*(\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?)\Z")
_SHORTHAND = re.compile(r"[A-Za-z0-9][\w.-]*/[\w.-]+(?:#.*)?\Z")
_SCP = re.compile(r"\Agit@([^:/]+):")
_HOSTS = {
    "github:": "git+https://github.com/",
    "gitlab:": "git+https://gitlab.com/",
    "bitbucket:": "git+https://bitbucket.org/",
    "gist:": "git+https://gist.github.com/",
}
_FOLDERS = ("file:", "link:", "portal:", "./", "../", "~/", "/")


def read_package_json(document: Json) -> Iterator[Dependency]:
    """The packages that a `package.json` asks for. Parts of the project itself are left out.

    A range leaves `version` empty; a version alone is exact, as npm takes it.

    Raises:
        UnreadableError: A section of it is no mapping.
    """
    asked: dict[str, tuple[str, object]] = {}
    for section in _SECTIONS:
        if document.get(section):  # npm takes an empty list for an empty section
            asked |= {name: (section, stated) for name, stated in whole_mapping(document, section).items()}
    optional = {
        name
        for name, facts in mapping(document.get("peerDependenciesMeta")).items()
        if mapping(facts).get("optional") is True
    }
    for name, (section, stated) in asked.items():
        peer = section == "peerDependencies"
        if peer and name in optional:
            continue
        found = _wish(name, stated)
        if found is not None:
            yield msgspec.structs.replace(found, development=section == "devDependencies", marker=PEER if peer else "")


def _wish(name: str, stated: object) -> Dependency | None:
    """What one line asks for; None where it is a part of the project."""
    wanted = text(stated).strip()
    if not is_name(name) or not isinstance(stated, str) or (stated and not wanted and not stated.isspace()):
        return unread_package(name)
    if wanted.startswith("npm:"):
        name, wanted = _alias(wanted.removeprefix("npm:"))
    if wanted.startswith("workspace:"):
        return None
    if wanted.startswith(_FOLDERS):
        path = re.sub(r"\A(?:file|link|portal):(?://)?", "", wanted)
        return None if is_own_folder(path) else npm_package(name, "", place=f"file:{path}")
    place = _place(wanted)
    if place:
        return npm_package(name, "", place=place)
    exact = _EXACT.match(wanted)
    return msgspec.structs.replace(npm_package(name, exact[1] if exact else ""), specifier=wanted)


def _alias(target: str) -> tuple[str, str]:
    name, wanted = split_reference(target)
    return (name, wanted) if name else (target, "")


def _place(wanted: str) -> str:
    """The address that stands where a version would; empty where there is none."""
    for short, full in _HOSTS.items():
        if wanted.startswith(short):
            return full + wanted.removeprefix(short)
    if _SHORTHAND.match(wanted):
        return f"{_HOSTS['github:']}{wanted}"
    if wanted.startswith("git@"):
        return _SCP.sub(r"git+ssh://git@\1/", wanted)
    return wanted if "://" in wanted else ""
