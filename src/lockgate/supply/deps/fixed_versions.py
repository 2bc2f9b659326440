"""Tells which wishes of a project a lock file of the same project answers."""

from collections.abc import Iterable
from pathlib import PurePath
from typing import TypeVar

import msgspec

from lockgate.supply.deps.dependency import Dependency, Listing
from lockgate.supply.deps.read_package_json import PEER

Key = TypeVar("Key", str, tuple[str, str])


class FixedVersions(msgspec.Struct, frozen=True):
    """Libraries that files fix to one version.

    Attributes:
        folders: For each ecosystem and name, the folders of the files that do.
        references: The same for npm packages from an address or a repository that a lock file fixes.
        locks: Folders of the lock files that list npm packages.
    """

    folders: dict[tuple[str, str], frozenset[PurePath]]
    references: dict[str, frozenset[PurePath]]
    locks: frozenset[PurePath]

    def elsewhere(self, listing: Listing, item: Dependency) -> bool:
        """Whether a wish for a library is answered by a lock file beside it, or in a folder above as in a workspace.

        A folder `requirements` beside it counts as the same folder.

        What is installed is then examined there. A requirements file is no wish: an installer is given it as it is.
        """
        wish = listing.role == "declaration" or listing.ref.uri.endswith(".in")
        if not wish or item.version or item.problem:
            return False
        here = PurePath(listing.ref.uri).parent
        around = {folder / part for folder in (here, *here.parents) for part in ("", "requirements")}
        if item.origin != "registry":
            return item.ecosystem == "npm" and not around.isdisjoint(self.references.get(item.name, ()))
        if item.marker == PEER and not around.isdisjoint(self.locks):
            return True  # what the lock file does not list is not installed
        return not around.isdisjoint(self.folders.get((item.ecosystem, item.name), ()))


def fixed_versions(listings: Iterable[Listing]) -> FixedVersions:
    """What lock files, and requirements with exact versions, fix."""
    versions: dict[tuple[str, str], set[PurePath]] = {}
    references: dict[str, set[PurePath]] = {}
    locks: set[PurePath] = set()
    for listing in listings:
        if listing.role not in {"lock", "requirements"}:
            continue
        here = PurePath(listing.ref.uri).parent
        for item in listing.dependencies:
            if item.problem:
                continue
            if item.version:
                versions.setdefault((item.ecosystem, item.name), set()).add(here)
            if item.ecosystem == "npm":
                locks.add(here)
                if item.origin != "registry" and item.fixed:
                    references.setdefault(item.name, set()).add(here)
    return FixedVersions(_frozen(versions), _frozen(references), frozenset(locks))


def _frozen(found: dict[Key, set[PurePath]]) -> dict[Key, frozenset[PurePath]]:
    return {key: frozenset(folders) for key, folders in found.items()}
