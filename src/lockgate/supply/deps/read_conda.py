"""Reads conda's `environment.yml`: the packages that pip installs. Conda's own packages are not matched."""

from collections.abc import Callable

from lockgate.supply.deps.dependency import Dependency
from lockgate.supply.deps.entries import UnreadableError, is_list, is_mapping, items, mapping, text
from lockgate.supply.deps.read_requirements import read_requirements

_NOT_COUNTED = {"python", "pip"}


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
    for item in items(listed):
        if is_mapping(item):
            lines += [text(line) for line in items(mapping(item).get("pip"))]
        else:
            others.append(text(item).rpartition("::")[2].split("=")[0].split("<")[0].split(">")[0].strip().lower())
    found = read_requirements("\n".join(lines), uri, load)
    left = sorted({name for name in others if name not in _NOT_COUNTED})
    unread = [f"{len(left)} packages of conda are not matched with advisories, {left[0]} first"] if left else []
    return found.dependencies, [*found.unread, *unread]
