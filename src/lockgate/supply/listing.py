"""Turns the paths that a user names into one entry for every file, with links resolved inside their root only."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import msgspec

from lockgate.core.files import MAX_FILES


class Entry(msgspec.Struct, frozen=True):
    """A file to look at.

    Attributes:
        shown: Its path as the user would write it.
        root: Folder below which it is opened, without following any link.
        uri: Path below the root; empty if it cannot be opened.
        unreadable: Why it cannot be opened; empty otherwise.
    """

    shown: str
    root: Path
    uri: str = ""
    unreadable: str = ""


def list_files(paths: tuple[Path, ...]) -> tuple[Entry, ...]:
    """Every file below the paths, each once, in the order of the paths and sorted below each.

    Links are followed only where they end inside the named folder, or, in a Hugging Face snapshot, in the `blobs`
    folder of the same repository. Everything else that has a name (devices, folders without permission, links that
    escape, go round or lead to a folder) is an entry that says why it is not read.
    """
    found: dict[str, Entry] = {}
    for path in paths:
        for entry in _below(path):
            if len(found) >= MAX_FILES:
                found[str(path)] = Entry(str(path), path, unreadable=f"It holds more than {MAX_FILES:,} files.")
                break
            found.setdefault(entry.shown, entry)
    return tuple(found.values())


def _below(path: Path) -> Iterator[Entry]:
    try:
        kind = path.stat().st_mode if not path.is_symlink() else path.lstat().st_mode
    except OSError as error:
        yield Entry(str(path), path, unreadable=f"It cannot be read: {_why(error)}.")
        return
    if not stat.S_ISDIR(kind):
        yield _entry(path, path.parent)
        return
    yield from _walk(path)


def _walk(root: Path) -> Iterator[Entry]:
    refused: list[Entry] = []

    def note(error: OSError) -> None:
        name = str(error.filename or root)
        refused.append(Entry(name, root, unreadable=f"It cannot be listed: {_why(error)}."))

    for folder, subfolders, names in os.walk(root, onerror=note, followlinks=False):
        here = Path(folder)
        links = [name for name in subfolders if (here / name).is_symlink()]
        subfolders[:] = sorted(name for name in subfolders if name not in links)
        for name in sorted([*names, *links]):
            yield _entry(here / name, root)
    yield from refused


def _entry(path: Path, root: Path) -> Entry:
    shown = str(path)
    if not shown.isprintable():
        return Entry(ascii(shown), root, unreadable="Its name cannot be written down safely.")
    if not path.is_symlink():
        return Entry(shown, root, path.relative_to(root).as_posix())
    try:
        target = Path(os.path.realpath(path, strict=True))
    except OSError as error:
        return Entry(shown, root, unreadable=f"It is a link that leads nowhere: {_why(error)}.")
    for allowed in _allowed(path, root):
        if target.is_relative_to(allowed) and target != allowed:
            if target.is_dir():
                return Entry(shown, root, unreadable="It is a link to a folder; name the folder itself.")
            return Entry(shown, allowed, target.relative_to(allowed).as_posix())
    return Entry(shown, root, unreadable="It is a link that leads out of the folder.")


def _allowed(link: Path, root: Path) -> Iterator[Path]:
    yield Path(os.path.realpath(root))
    folder = Path(os.path.realpath(link.parent))
    for above in folder.parents:
        blobs = above.parent / "blobs"
        if above.name == "snapshots" and blobs.is_dir() and not blobs.is_symlink():
            yield blobs


def _why(error: OSError) -> str:
    return (error.strerror or type(error).__name__).lower()
