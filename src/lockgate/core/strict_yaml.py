"""YAML as settings need it: plain data, no aliases, no duplicate keys, bounded."""

from collections.abc import Hashable
from typing import Any, Protocol, cast

import yaml

from lockgate.core.errors import ConfigError

MAX_BYTES = 1 << 20
MAX_DEPTH = 32


class _Mark(Protocol):
    line: int
    column: int


class _RefusedError(Exception):
    """What this dialect refuses, and where."""

    def __init__(self, problem: str, mark: _Mark | None) -> None:
        super().__init__(problem)
        self.place = f" line {mark.line + 1}, column {mark.column + 1}" if mark else ""


class _StrictLoader(yaml.SafeLoader):
    """Refuses what makes a settings file ambiguous or explosive."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:  # noqa: FBT001, FBT002 - PyYAML's signature
        seen: set[Hashable] = set()
        for key_node, _ in node.value:
            key = cast("object", self.construct_object(key_node, deep=True))  # pyright: ignore[reportUnknownMemberType] - untyped in PyYAML's stubs
            if not isinstance(key, str):
                raise _RefusedError("keys must be text", key_node.start_mark)
            if key in seen:
                raise _RefusedError(f"the key {key!r} appears twice", key_node.start_mark)
            seen.add(key)
        return super().construct_mapping(node, deep=deep)


def _refuse_anchors(text: str) -> None:
    depth = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if isinstance(event, yaml.NodeEvent) and event.anchor is not None:
            raise _RefusedError("anchors and aliases are refused", event.start_mark)
        if isinstance(event, yaml.ScalarEvent) and any("\ud800" <= char <= "\udfff" for char in event.value):
            raise _RefusedError("half of a surrogate pair is refused", event.start_mark)
        if depth > MAX_DEPTH:
            raise _RefusedError("nested too deeply", event.start_mark)


def load(body: bytes, *, name: str) -> object:
    """Parse one YAML document into plain dicts, lists and scalars.

    Args:
        body: The file's bytes, UTF-8, at most 1 MiB.
        name: What to call it in an error.

    Raises:
        ConfigError: It is too large, not UTF-8, not YAML, or uses anchors, tags, duplicate or non-text keys.
    """
    if len(body) > MAX_BYTES:
        raise ConfigError(
            f"{name} is larger than {MAX_BYTES:,} bytes.", remedy="Settings are short: is this the file you meant?"
        )
    try:
        text = body.decode("utf-8")
        _refuse_anchors(text)
        loader = _StrictLoader(text)
        try:
            return loader.get_single_data()
        finally:
            loader.dispose()
    except UnicodeDecodeError as error:
        raise ConfigError(f"{name} is not UTF-8 (byte {error.start}).", remedy="Save it as UTF-8.") from error
    except _RefusedError as error:
        raise ConfigError(f"{name}{error.place}: {error}.", remedy="Correct that line.") from error
    except yaml.MarkedYAMLError as error:
        refused = _RefusedError(error.problem or "not valid YAML", error.problem_mark)
        raise ConfigError(f"{name}{refused.place}: {refused}.", remedy="Correct that line.") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise ConfigError(f"{name} is not valid YAML.", remedy="Check its indentation and characters.") from error
