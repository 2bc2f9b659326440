"""Selects the files of a folder: no virtual environments, nothing that git keeps for itself, no report of ours."""

from collections.abc import Callable, Iterable
from pathlib import Path, PurePosixPath

import msgspec

from lockgate.core.files import selects
from lockgate.supply.listing import Entry, list_files

# A remote's address may hold a password.
_GIT_SETTINGS = frozenset({"config", "credentials"})
# Its pages on the checks show what these find.
_REPORT = (".lockgate", "report")


class LeftOut(msgspec.Struct, frozen=True, order=True):
    """A folder or file that was not examined.

    Attributes:
        path: Which.
        reason: Why.
    """

    path: str
    reason: str


def select(
    paths: tuple[Path, ...], exclude: tuple[str, ...], wanted: Callable[[Entry], bool]
) -> tuple[list[Entry], tuple[LeftOut, ...]]:
    """The files below some paths, each once and sorted, whatever the order of the paths, and what was left out.

    Args:
        paths: Files, which are always selected, and folders.
        exclude: Globs of paths that are left out.
        wanted: Which files of a folder are selected; what cannot be opened always is.
    """
    entries: dict[str, Entry] = {}
    left_out: set[LeftOut] = set()
    for path in sorted(set(paths)):
        folder = path.is_dir() and not path.is_symlink()
        listed = list_files((path,))
        environments = _environments(listed, path) if folder else ()
        for entry in listed:
            reason = _reason(entry, path, environments, exclude)
            if reason is not None:
                left_out.add(reason)
            elif not folder or entry.unreadable or wanted(entry):
                entries.setdefault(entry.shown, entry)
    return [entries[name] for name in sorted(entries)], tuple(sorted(left_out))


def _environments(listed: Iterable[Entry], root: Path) -> tuple[str, ...]:
    found = (entry.shown.removesuffix("/pyvenv.cfg") for entry in listed if entry.shown.endswith("/pyvenv.cfg"))
    return tuple(sorted(folder for folder in found if folder != str(root)))


def _reason(entry: Entry, root: Path, environments: tuple[str, ...], exclude: tuple[str, ...]) -> LeftOut | None:
    for folder in environments:
        if entry.shown.startswith(f"{folder}/"):
            return LeftOut(folder, "a virtual environment; name it to examine it")
    for pattern in exclude:
        if selects(pattern, entry.shown) or (entry.uri and selects(pattern, entry.uri)):
            return LeftOut(pattern, "excluded on request")
    own, inner = root.parts, PurePosixPath(entry.shown).parts[len(root.parts) :]
    for at in range(len(inner) - len(_REPORT)):
        if inner[at : at + len(_REPORT)] == _REPORT:
            return LeftOut(str(PurePosixPath(*own, *inner[: at + len(_REPORT)])), "Lockgate's own report")
    if ".git" not in inner[:-1] or (inner[-2] == ".git" and inner[-1] in _GIT_SETTINGS):
        return None
    return LeftOut(str(PurePosixPath(*own, *inner[: inner.index(".git") + 1])), "the repository's own files")
