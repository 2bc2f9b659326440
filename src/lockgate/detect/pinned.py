"""Data files that verdicts rest on, compared with the digests that the code states.

A list that was changed, cut short or mixed up with another version's must not decide anything: reading it is an error,
so a scan stops and a check is ERRORED.
"""

import hashlib
from collections.abc import Iterable, Mapping
from importlib.resources.abc import Traversable

from lockgate.core.errors import LockgateError


class AlteredListError(LockgateError):
    """An allow-list is not the one that this version of Lockgate came with."""


def read_pinned(folder: Traversable, names: Iterable[str], pinned: Mapping[str, str]) -> dict[str, bytes]:
    """The content of each file, in order.

    Args:
        folder: Where they lie.
        names: Their names.
        pinned: SHA-256 of each by its name, 64 lower-case hex digits.

    Raises:
        AlteredListError: One of them is missing, altered, or stated nowhere.
    """
    bodies: dict[str, bytes] = {}
    for name in names:
        try:
            bodies[name] = folder.joinpath(name).read_bytes()
        except OSError:
            bodies[name] = b""
        if hashlib.sha256(bodies[name]).hexdigest() != pinned.get(name):
            raise AlteredListError(
                f"The allow-list {name} is not the one that this version of Lockgate came with.",
                remedy="Install Lockgate again: without its lists nothing is examined.",
            )
    return bodies
