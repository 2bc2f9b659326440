"""Walks settings that come with a model (JSON and YAML) and notes what makes a loader import, fetch or open something.

Sources: the loading code of transformers (`auto_map`, chat templates, hub kernels), sentence-transformers
(`modules.json`), PEFT (`auto_mapping`), diffusers (`model_index.json`), Hydra (`_target_`), MLflow (`MLmodel`),
safetensors index files, jsonpickle, LangChain's serialised objects and Hugging Face tokenizers (`Regex`).
"""

import json
from collections.abc import Callable, Iterable
from pathlib import PurePosixPath
from typing import cast

import msgspec
import yaml

from lockgate.detect.backtracking import why_endless
from lockgate.detect.config_shapes import note_shapes
from lockgate.detect.part import Notes
from lockgate.detect.source import MalformedError, Source

MAX_JSON = 96 << 20
MAX_EXACT_JSON = 8 << 20
MAX_YAML = 4 << 20
MAX_DEPTH = 200
_PYTHON_TAG = "tag:yaml.org,2002:python/"
# Readers of other languages make objects of these, too: SnakeYAML, Psych, js-yaml.
_FOREIGN_TAGS = ("tag:yaml.org,2002:java", "!ruby/", "tag:ruby.yaml.org,2002:", "tag:yaml.org,2002:js/function")
_PLAIN_TAGS = frozenset({"none", "bool", "str", "unicode", "bytes", "int", "long", "float", "list", "tuple", "dict"})
_ON = frozenset({"true", "yes", "on", "y", "1"})
MAX_NAME = 300
MAX_SHOWN = 80
MAX_TEMPLATE = 256 << 10
_JSONPICKLE = frozenset({"py/object", "py/reduce", "py/type", "py/function", "py/class", "py/repr", "py/mod"})


class _Pairs(list[tuple[str, object]]):
    """A mapping with its duplicate keys still visible."""


def walk_json(source: Source, notes: Notes, *, name: str) -> None:
    """Note what a JSON file makes a loader do.

    Args:
        source: The file.
        notes: Where to note it.
        name: The file's name; a few shapes mean something only in a file of a certain name.

    Raises:
        MalformedError: It is no JSON, or too large.
    """
    if source.size > MAX_JSON:
        raise MalformedError("budget", f"It is a JSON file of more than {MAX_JSON:,} bytes.")
    body = source.read(0, source.size)
    try:
        if len(body) <= MAX_EXACT_JSON:
            tree: object = json.loads(body.decode("utf-8-sig"), object_pairs_hook=_Pairs)
        else:
            tree = msgspec.json.decode(body)
    except (ValueError, RecursionError) as error:
        raise MalformedError("json", "It is not valid JSON.") from error
    _walk(tree, notes, PurePosixPath(name).name)


def walk_yaml(source: Source, notes: Notes, *, name: str) -> None:
    """Note what a YAML file makes a loader do. Aliases are followed once, so they cannot multiply.

    Raises:
        MalformedError: It is no YAML, too large or too deep.
    """
    if source.size > MAX_YAML:
        raise MalformedError("budget", f"It is a YAML file of more than {MAX_YAML:,} bytes.")
    try:
        text = source.read(0, source.size).decode("utf-8-sig")
        for document in _documents(text, notes):
            _walk(document, notes, PurePosixPath(name).name)
    except (yaml.YAMLError, ValueError) as error:
        raise MalformedError("yaml", "It is not valid YAML.") from error


def _documents(text: str, notes: Notes) -> Iterable[object]:
    """Every document as pairs, lists and texts."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    stack: list[list[object]] = [[]]
    anchors: dict[str, object] = {}
    kinds: list[bool] = []
    for event in yaml.parse(text, Loader=loader):
        if isinstance(event, yaml.AliasEvent):
            stack[-1].append(anchors.get(event.anchor or ""))
        elif isinstance(event, yaml.ScalarEvent):
            _tag(event.tag, notes)
            stack[-1].append(event.value)
            anchors[event.anchor or ""] = event.value
        elif isinstance(event, yaml.CollectionStartEvent):
            _tag(event.tag, notes)
            if len(stack) > MAX_DEPTH:
                raise MalformedError("depth", "It nests too deeply.")
            inner: list[object] = []
            stack[-1].append(inner)
            anchors[event.anchor or ""] = inner
            stack.append(inner)
            kinds.append(isinstance(event, yaml.MappingStartEvent))
        elif isinstance(event, yaml.CollectionEndEvent):
            _close(stack.pop(), mapping=kinds.pop())
    return stack[0]


def _close(body: list[object], *, mapping: bool) -> None:
    """Turn the keys and values of a finished mapping into pairs, in place, so that aliases see them too."""
    if mapping:
        pairs = _Pairs((str(key), value) for key, value in zip(body[::2], body[1::2], strict=True))
        body[:] = [pairs]


def _tag(tag: str | None, notes: Notes) -> None:
    foreign = bool(tag) and str(tag).startswith(_FOREIGN_TAGS)
    if tag and (foreign or (tag.startswith(_PYTHON_TAG) and tag.removeprefix(_PYTHON_TAG) not in _PLAIN_TAGS)):
        notes.mention("code", f"the YAML tag {tag[:MAX_NAME]}", "tag")


def _walk(tree: object, notes: Notes, file: str) -> None:
    waiting: list[tuple[object, str]] = [(tree, "")]
    seen: set[int] = set()
    while waiting:
        node, place = waiting.pop()
        if isinstance(node, dict):
            node = _Pairs(cast("dict[str, object]", node).items())
        if isinstance(node, list) and id(cast("object", node)) in seen:
            continue
        if isinstance(node, _Pairs):
            seen.add(id(node))
            _mapping(node, notes, place, file)
            waiting.extend((value, f"{place}/{key[:64]}") for key, value in node if _is_nested(value))
        elif isinstance(node, list):
            items = cast("list[object]", node)
            seen.add(id(items))
            waiting.extend((value, f"{place}/{index}") for index, value in enumerate(items) if _is_nested(value))


def _is_nested(value: object) -> bool:
    return isinstance(value, list | dict)


def _mapping(node: _Pairs, notes: Notes, place: str, file: str) -> None:
    fields = dict(node)
    for key, value in node:
        if handler := _HANDLERS.get(key):
            handler(value, notes, f"{place}/{key}")
        elif key in _JSONPICKLE:
            notes.mention("code", f"{key} {_short(value)}", place)
    note_shapes(fields, notes, place, file)
    if file == "modules.json" and isinstance(fields.get("type"), str):
        notes.mention("class", _short(fields["type"]), f"{place}/type")
        _path(fields.get("path"), notes, f"{place}/path")
    if file == "model_index.json":
        _components(node, notes, place)
    if "lc" in fields and isinstance(fields.get("id"), list):
        notes.mention("class", ".".join(_texts(fields["id"]))[:MAX_NAME], f"{place}/id")


def _auto_map(value: object, notes: Notes, place: str) -> None:
    for text in _texts(value):
        notes.mention("code", f"auto_map: {_short(text)}", place)


def _switch(value: object, notes: Notes, place: str) -> None:
    if value == 1 or (isinstance(value, str) and value.strip().lower() in _ON):
        notes.mention("code", "trust_remote_code is switched on", place)


def _remote(value: object, notes: Notes, place: str) -> None:
    for text in _texts(value):
        notes.mention("code", f"{place.rpartition('/')[2]}: {_short(text)}", place)


def _kernel(value: object, notes: Notes, place: str) -> None:
    for text in _texts(value):
        if "/" in text:
            notes.mention("code", f"a kernel from the hub: {_short(text)}", place)


def _target(value: object, notes: Notes, place: str) -> None:
    for text in _texts(value):
        notes.mention("class", _short(text), place)


def _weight_map(value: object, notes: Notes, place: str) -> None:
    for text in _texts(value):
        _path(text, notes, place)


def _path(value: object, notes: Notes, place: str) -> None:
    if isinstance(value, str) and value:
        notes.mention("path", _short(value), place)


def _templates(value: object, notes: Notes, place: str) -> None:
    for text in _texts(value):
        if "{{" in text or "{%" in text or "{#" in text:
            if len(text) > MAX_TEMPLATE:
                raise MalformedError("budget", f"A chat template is longer than {MAX_TEMPLATE:,} characters.")
            notes.mention("template", text, place)


def _pattern(value: object, notes: Notes, place: str) -> None:
    """A pattern of a tokenizer's `Split` or `Replace`, which a backtracking engine matches against every text."""
    if not isinstance(value, str) or not place.endswith("/pattern/Regex"):
        return
    notes.count_pattern()
    if reason := why_endless(value):
        notes.problem("pattern", f"The pattern {value[:MAX_SHOWN]!r} {reason}.", place)


def _auto_mapping(value: object, notes: Notes, place: str) -> None:
    fields = dict(_pairs(value))
    if "parent_library" in fields:
        name = f"{fields['parent_library']}.{fields.get('base_model_class', '')}"
        notes.mention("class", name[:MAX_NAME], place)


def _components(node: _Pairs, notes: Notes, place: str) -> None:
    """`["library", "Class"]` for each component of a diffusion pipeline; its own class may be such a pair too."""
    for key, value in node:
        items = cast("list[object]", value) if isinstance(value, list) else []
        if len(items) == 2 and all(isinstance(item, str) for item in items):  # noqa: PLR2004 - library and class
            notes.mention("class", f"{items[0]}.{items[1]}"[:MAX_NAME], f"{place}/{key[:64]}")


def _pairs(value: object) -> _Pairs:
    if isinstance(value, _Pairs):
        return value
    return _Pairs(cast("dict[str, object]", value).items()) if isinstance(value, dict) else _Pairs()


def _texts(value: object) -> list[str]:
    """Every text at any depth of a value; keys of mappings are not among them."""
    found: list[str] = []
    waiting: list[object] = [value]
    seen: set[int] = set()
    while waiting:
        node = waiting.pop()
        if isinstance(node, str):
            found.append(node)
        elif isinstance(node, list | dict) and id(cast("object", node)) not in seen:
            seen.add(id(cast("object", node)))
            waiting.extend(_values(cast("list[object] | dict[str, object]", node)))
    return found[::-1]


def _values(node: list[object] | dict[str, object]) -> list[object]:
    if isinstance(node, dict):
        return list(node.values())
    return [value for _, value in _pairs(node)] if isinstance(node, _Pairs) else node


def _short(value: object) -> str:
    return str(value)[:MAX_NAME] if isinstance(value, str) else type(value).__name__


_HANDLERS: dict[str, Callable[[object, Notes, str], None]] = {
    "auto_map": _auto_map,
    "trust_remote_code": _switch,
    "custom_pipelines": _remote,
    "custom_pipeline": _remote,
    "custom_generate": _remote,
    "attn_implementation": _kernel,
    "_attn_implementation": _kernel,
    "_target_": _target,
    "loader_module": _target,
    "weight_map": _weight_map,
    "chat_template": _templates,
    "auto_mapping": _auto_mapping,
    "Regex": _pattern,
}
