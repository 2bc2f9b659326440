"""Turns the bytes of a file into the facts that checks judge."""

import ast
import json
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator
from typing import cast

from lockgate.core import SubjectRef
from lockgate.detect.secrets import find_secrets
from lockgate.supply.code.clients import is_model_library
from lockgate.supply.code.names import imports_of
from lockgate.supply.code.subject import CodeFile, Launch, SecretMark
from lockgate.supply.code.units import MAX_BYTES, Unit, read_units
from lockgate.supply.code.walk import Walk
from lockgate.supply.errors import SupplyError

_PROMPT_WORDS = ("prompt", "instruction", "system_message", "persona")
_SETTINGS = frozenset({"mcp.json", ".mcp.json", "claude_desktop_config.json"})
_COMMAND, _ARGUMENTS = "command", "args"


def is_settings(name: str) -> bool:
    """Whether a file of that name holds the MCP servers of a client."""
    return name.rpartition("/")[2] in _SETTINGS


def read_facts(ref: SubjectRef, body: bytes) -> CodeFile:
    """Everything that checks need to know about a file.

    Raises:
        SupplyError: It cannot be parsed, or is larger or deeper than what is read.
    """
    if is_settings(ref.uri):
        return _settings(ref, body)
    units = read_units(ref.uri, body)
    try:
        return _code(ref, units)
    except RecursionError as error:
        raise SupplyError("Its code is nested too deeply to be followed.", remedy="Write it flatter.") from error


def _code(ref: SubjectRef, units: tuple[Unit, ...]) -> CodeFile:
    imports = imports_of(node for unit in units for node in unit.nodes)
    walk = Walk(imports, {}, {})
    walk.units(units)
    if walk.sink.any_origin or walk.attributes or walk.returned:
        # Functions that are called before they are written, and attributes that another method sets.
        again = Walk(imports, walk.returned, walk.attributes)
        again.units(units)
        walk = again
    calls = tuple(walk.sink.calls)
    asks = any(call.asks for call in calls) or any(is_model_library(name) for name in imports.values())
    return CodeFile(
        ref,
        calls=calls,
        assignments=tuple(walk.assignments),
        launches=tuple(_launches(units)),
        routes=tuple(walk.routes),
        secrets=tuple(_secrets(units)),
        asks=asks,
        lines=sum(unit.text.count("\n") + 1 for unit in units),
    )


def _launches(units: tuple[Unit, ...]) -> Iterator[Launch]:
    """Calls and mappings with a `command` and literal `args`."""
    seen: Counter[str] = Counter()
    for unit in units:
        for node in unit.nodes:
            if not isinstance(node, ast.Call | ast.Dict):
                continue
            fields = _fields(node)
            command = _text(fields.get(_COMMAND))
            arguments = fields.get(_ARGUMENTS)
            if command and isinstance(arguments, ast.List | ast.Tuple):
                name = command.rpartition("/")[2]
                seen[f"{unit.place}/{name}"] += 1
                number = seen[f"{unit.place}/{name}"]
                texts = tuple(_text(item) for item in arguments.elts)
                yield Launch(command, texts, f"{unit.place}/mcp-server/{name}#{number}".lstrip("/"), node.lineno)


def _fields(node: ast.AST) -> dict[str, ast.expr]:
    if isinstance(node, ast.Call):
        return {item.arg: item.value for item in node.keywords if item.arg}
    if isinstance(node, ast.Dict):
        pairs = zip(node.keys, node.values, strict=True)
        return {_text(key): value for key, value in pairs if key is not None}
    return {}


def _text(node: ast.expr | None) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def _secrets(units: tuple[Unit, ...]) -> Iterator[SecretMark]:
    for unit in units:
        spans = find_secrets(unit.text)
        if not spans:
            continue
        starts = [0]
        for line in unit.text.splitlines(keepends=True):
            starts.append(starts[-1] + len(line))
        prompts = _prompt_lines(unit.nodes)
        seen: Counter[str] = Counter()
        for span in spans:
            kind = span.label.removeprefix("secret.")
            line = bisect_right(starts, span.start)
            seen[kind] += 1
            place = f"{unit.place}/secret/{kind}#{seen[kind]}".lstrip("/")
            yield SecretMark(kind, place, line, span.score, any(first <= line <= last for first, last in prompts))


def _prompt_lines(nodes: tuple[ast.AST, ...]) -> list[tuple[int, int]]:
    """First and last line of every literal that is named like a prompt or is the content of a message."""
    found: list[tuple[int, int]] = []
    for node in nodes:
        values: list[ast.expr | None] = []
        if isinstance(node, ast.Assign) and any(map(_is_prompt_name, node.targets)):
            values = [node.value]
        elif isinstance(node, ast.Dict):
            fields = _fields(node)
            values = [fields.get("content")] if "role" in fields else []
        elif isinstance(node, ast.keyword) and _names_prompt(node.arg or ""):
            values = [node.value]
        found += [(value.lineno, value.end_lineno or value.lineno) for value in values if value is not None]
    return found


def _is_prompt_name(target: ast.expr) -> bool:
    name = target.id if isinstance(target, ast.Name) else target.attr if isinstance(target, ast.Attribute) else ""
    return _names_prompt(name)


def _names_prompt(name: str) -> bool:
    return any(word in name.lower() for word in _PROMPT_WORDS)


def _settings(ref: SubjectRef, body: bytes) -> CodeFile:
    if len(body) > MAX_BYTES:
        raise SupplyError(f"It is larger than {MAX_BYTES:,} bytes.", remedy="Split it.")
    try:
        found: object = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise SupplyError("It is no JSON that can be parsed.", remedy="Correct it.") from error
    document = _mapping(found)
    launches: list[Launch] = []
    for section in ("mcpServers", "servers"):
        for name, entry in sorted(_mapping(document.get(section)).items()):
            facts = _mapping(entry)
            command, arguments = facts.get(_COMMAND), facts.get(_ARGUMENTS)
            if isinstance(command, str):
                listed = cast("list[object]", arguments) if isinstance(arguments, list) else []
                texts = tuple(item if isinstance(item, str) else "" for item in listed)
                launches.append(Launch(command, texts, f"/{section}/{name}", 1))
    return CodeFile(ref, launches=tuple(launches), lines=body.count(b"\n") + 1)


def _mapping(value: object) -> dict[str, object]:
    return cast("dict[str, object]", value) if isinstance(value, dict) else {}
