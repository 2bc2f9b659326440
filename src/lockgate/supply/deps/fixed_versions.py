"""Tells which wishes of a project a lock file of the same project answers."""

from collections.abc import Iterable
from pathlib import PurePath

import msgspec

from lockgate.supply.deps.dependency import Dependency, Listing
from lockgate.supply.deps.read_package_json import PEER

_ARCHIVES = "codeload.github.com/"


class FixedVersions(msgspec.Struct, frozen=True):
    """Libraries that files fix to one version.

    Attributes:
        folders: For each ecosystem and name, the folders of the files that do.
        references: The same for npm packages that a lock file fixes at an address or in a repository, by name and
            place.
        locks: Folders of the lock files that list npm packages.
    """

    folders: dict[tuple[str, str], frozenset[PurePath]]
    references: dict[tuple[str, str], frozenset[PurePath]]
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
            # Where the places differ, `npm install` goes by the wish and not by the lock file.
            place = _place(item.url)
            return bool(place) and not around.isdisjoint(self.references.get((item.name, place), ()))
        if item.marker == PEER and not around.isdisjoint(self.locks):
            return True  # what the lock file does not list is not installed
        return not around.isdisjoint(self.folders.get((item.ecosystem, item.name), ()))


def fixed_versions(listings: Iterable[Listing]) -> FixedVersions:
    """What lock files, and requirements with exact versions, fix."""
    versions: dict[tuple[str, str], set[PurePath]] = {}
    references: dict[tuple[str, str], set[PurePath]] = {}
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
                    references.setdefault((item.name, _place(item.url)), set()).add(here)
    return FixedVersions(_frozen(versions), _frozen(references), frozenset(locks))


def _place(url: str) -> str:
    """Host and path of an address or a repository, as all ways to write it have in common."""
    host, _, path = url.partition("://")[2].partition("#")[0].partition("/")
    place = f"{host.lower()}/{path}"
    if place.startswith(_ARCHIVES):  # what pnpm and Yarn fetch for a repository
        place = "github.com/" + "/".join(place.removeprefix(_ARCHIVES).split("/")[:2])
    return place.removesuffix(".git")


def _frozen(found: dict[tuple[str, str], set[PurePath]]) -> dict[tuple[str, str], frozenset[PurePath]]:
    return {key: frozenset(folders) for key, folders in found.items()}
