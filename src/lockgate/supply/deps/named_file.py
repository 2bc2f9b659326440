"""Compares the names of wheels and source archives with the library that an entry of a lock file says they hold."""

import posixpath
from collections.abc import Iterable, Iterator
from urllib.parse import unquote

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from lockgate.supply.deps.entries import MAX_LINE, artifact
from lockgate.supply.deps.versions import MAX_LENGTH, same_key

_ENDINGS = (".tar.gz", ".tar.bz2", ".tar.xz", ".tgz", ".zip")


def another_file(name: str, version: str, files: Iterable[str]) -> str:
    """Why a file that an entry names is none of its own: whoever edits a lock file can have another one fetched by it.

    Args:
        name: The library's name.
        version: Its exact version; empty where the entry states none.
        files: Names or addresses. Those that name neither a wheel nor a source archive are not judged.

    Returns:
        One sentence; empty where every file fits. A version that cannot be told from a file's name fits.
    """
    own, locked = canonicalize_name(name), same_key("PyPI", version) if version else ""
    for stated in files:
        base = posixpath.basename(unquote(stated[:MAX_LINE].partition("#")[0].partition("?")[0]))
        kind = artifact(base)
        if kind == "other":
            continue
        releases = list(_releases(base, own, is_wheel=kind == "wheel"))
        if not releases:
            return "It names a file of another library."
        told = {same_key("PyPI", release) for release in releases if _is_version(release)}
        if locked and told and locked not in told:
            return "It names a file of another version."
    return ""


def _releases(base: str, own: str, *, is_wheel: bool) -> Iterator[str]:
    """What may be the version in the name of a library's file; nothing where it is another library's."""
    stem = next((base[: -len(end)] for end in _ENDINGS if base.lower().endswith(end)), base)
    parts = stem.split("-")
    # A wheel's name tells where the library's ends. That of an old source archive does not.
    cuts = (1,) if is_wheel else range(1, min(len(parts), own.count("-") + 2))
    for cut in cuts:
        if len(parts) > cut and canonicalize_name("-".join(parts[:cut])) == own:
            yield parts[cut].replace("_", "-") if is_wheel else "-".join(parts[cut:])


def _is_version(stated: str) -> bool:
    try:
        Version(stated[: MAX_LENGTH + 1])
    except InvalidVersion:
        return False
    return len(stated) <= MAX_LENGTH
