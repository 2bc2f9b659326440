"""YAML as package managers write their lock files: plain data, every scalar as text, in bounded time and memory.

Versions stay what they are (`1.10` is no number), and nothing in the file chooses a type, so no constructor runs.
"""

from collections.abc import Iterator
from typing import Any

import yaml

from lockgate.supply.deps.entries import UnreadableError

MAX_EVENTS = 2_000_000
MAX_DEPTH = 32
MAX_DOCUMENTS = 4
_OTHER_BREAKS = ("\x85", "\u2028", "\u2029")
"""Lines end here in YAML 1.1, which we read, and not in YAML 1.2, which most package managers read: what stands behind
one could be a comment to one of the two alone."""
_MERGE = "<<"
"""A key whose value some readers spread over the mapping around it."""
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

Yaml = str | list["Yaml"] | dict[str, "Yaml"]


class _Open:
    """A list or mapping that is being filled."""

    def __init__(self, *, mapping: bool) -> None:
        self.value: list[Yaml] | dict[str, Yaml] = {} if mapping else []
        self.key: str | None = None

    def add(self, item: Yaml, line: int) -> None:
        if isinstance(self.value, list):
            self.value.append(item)
        elif self.key is not None:
            self.value[self.key] = item
            self.key = None
        elif not isinstance(item, str):
            raise UnreadableError(f"line {line}: a key that is no text")
        elif item == _MERGE:
            raise UnreadableError(f"line {line}: merged mappings are refused")
        elif item in self.value:
            raise UnreadableError(f"line {line}: a key appears twice")
        else:
            self.key = item


def documents(content: str) -> list[Yaml]:
    """The documents of a lock file; a mapping's keys and all scalars are text.

    Args:
        content: At most what `read_listing` reads.

    Raises:
        UnreadableError: It is no YAML, is too large or too deep, repeats a key, or uses anchors, tags, merged
            mappings or ends of lines that not every reader takes for one, which no package manager writes.
    """
    if any(mark in content for mark in _OTHER_BREAKS):
        raise UnreadableError("it holds ends of lines that not every reader takes for one")
    found: list[Yaml] = []
    stack: list[_Open] = []
    for event in _events(content):
        line = event.start_mark.line + 1
        if isinstance(event, yaml.CollectionStartEvent):
            _refuse(event, line, depth=len(stack))
            stack.append(_Open(mapping=isinstance(event, yaml.MappingStartEvent)))
            continue
        if isinstance(event, yaml.ScalarEvent):
            _refuse(event, line, depth=len(stack))
            item: Yaml = event.value
        elif isinstance(event, yaml.CollectionEndEvent):
            item = stack.pop().value
        elif isinstance(event, yaml.AliasEvent):
            raise UnreadableError(f"line {line}: anchors and aliases are refused")
        else:
            continue
        if stack:
            stack[-1].add(item, line)
        elif len(found) == MAX_DOCUMENTS:
            raise UnreadableError("it holds too many documents")
        else:
            found.append(item)
    return found


def _refuse(event: yaml.NodeEvent, line: int, *, depth: int) -> None:
    if event.anchor is not None or getattr(event, "tag", None) is not None:
        raise UnreadableError(f"line {line}: anchors and tags are refused")
    if depth >= MAX_DEPTH:
        raise UnreadableError(f"line {line}: it is nested too deeply")


def _events(content: str) -> Iterator[Any]:
    try:
        for count, event in enumerate(yaml.parse(content, Loader=_LOADER)):
            if count > MAX_EVENTS:
                raise UnreadableError("it is too large")
            yield event
    except yaml.MarkedYAMLError as error:
        place = f"line {error.problem_mark.line + 1}: " if error.problem_mark else ""
        raise UnreadableError(f"{place}it is no valid YAML") from error
    except yaml.YAMLError as error:
        raise UnreadableError("it is no valid YAML") from error
