"""Says on the error stream how far long work has come."""

import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

Item = TypeVar("Item")

_QUIET = 2.0
_APART = 5.0


def counted(items: Sequence[Item], name: str) -> Iterator[Item]:
    """The items one by one, with a line now and then once they have taken two seconds."""
    return counted_of(items, len(items), name)


def counted_of(items: Iterable[Item], total: int, name: str) -> Iterator[Item]:
    """The same for items whose number is known only otherwise."""
    began = last = time.monotonic()
    for done, item in enumerate(items):
        now = time.monotonic()
        if now - began > _QUIET and now - last > (_APART if last > began else 0.0):
            say(f"{name}: {done} of {total}")
            last = now
        yield item


def say(line: str) -> None:
    """One line on the error stream."""
    print(f"  {line}", file=sys.stderr, flush=True)
