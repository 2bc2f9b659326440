"""Tells which wishes of a project a lock file of the same project answers."""

from collections.abc import Iterable
from pathlib import PurePath

import msgspec

from lockgate.supply.deps.dependency import Dependency, Listing


class FixedVersions(msgspec.Struct, frozen=True):
    """Libraries that files fix to one version.

    Attributes:
        folders: For each ecosystem and name, the folders of the files that do.
    """

    folders: dict[tuple[str, str], frozenset[PurePath]]

    def elsewhere(self, listing: Listing, item: Dependency) -> bool:
        """Whether a wish for a library is answered by a lock file beside it, or in a folder above as in a workspace.

        A folder `requirements` beside it counts as the same folder.

        What is installed is then examined there. A requirements file is no wish: an installer is given it as it is.
        """
        wish = listing.role == "declaration" or listing.ref.uri.endswith(".in")
        if not wish or item.version or item.problem or item.origin != "registry":
            return False
        here = PurePath(listing.ref.uri).parent
        around = {folder / part for folder in (here, *here.parents) for part in ("", "requirements")}
        return not around.isdisjoint(self.folders.get((item.ecosystem, item.name), ()))


def fixed_versions(listings: Iterable[Listing]) -> FixedVersions:
    """What lock files, and requirements with exact versions, fix."""
    found: dict[tuple[str, str], set[PurePath]] = {}
    for listing in listings:
        if listing.role in {"lock", "requirements"}:
            for item in listing.dependencies:
                if item.version and not item.problem:
                    found.setdefault((item.ecosystem, item.name), set()).add(PurePath(listing.ref.uri).parent)
    return FixedVersions({name: frozenset(folders) for name, folders in found.items()})
