"""Walks the JSON in which Keras describes a model, and notes every type and function that loading it would look up.

Source: the serialisation library of Keras 3 (`module`, `class_name`, `config`, `registered_name`) and the shorter form
of Keras 1 and 2 (`class_name`, `config`).
"""

import json
from typing import cast

from lockgate.detect.part import Notes
from lockgate.detect.source import MalformedError

MAX_CONFIG = 32 << 20
MAX_NAME = 300
_FILES = frozenset({"vocabulary", "filepath", "file_path", "origin", "token_count_filename", "proto", "merges"})
_VALUES = frozenset(
    {"__tensor__", "__numpy__", "__bytes__", "__ellipsis__", "__slice__", "__tuple__", "__set__", "__keras_tensor__"}
)
_TYPES = frozenset({"__typespec__", "TypeSpec", "TensorShape", "CompositeTensor", "TUPLE"})


def walk_keras(text: str, notes: Notes) -> None:
    """Note every class as `module.Name` or, without a module, as a bare layer; every function; every file to read.

    Args:
        text: The JSON.
        notes: Where to note it.

    Raises:
        MalformedError: It is no JSON object, or too large.
    """
    if len(text) > MAX_CONFIG:
        raise MalformedError("budget", f"A model's description is longer than {MAX_CONFIG:,} characters.")
    try:
        tree: object = json.loads(text, object_pairs_hook=_mapping_of)
    except (ValueError, RecursionError) as error:
        raise MalformedError("json", "A model's description is not valid JSON.") from error
    waiting: list[tuple[object, str]] = [(tree, "")]
    while waiting:
        node, place = waiting.pop()
        if isinstance(node, dict):
            fields = cast("dict[str, object]", node)
            _mapping(fields, notes, place)
            waiting.extend((value, f"{place}/{key[:64]}") for key, value in fields.items())
        elif isinstance(node, list):
            waiting.extend((value, f"{place}/{index}") for index, value in enumerate(cast("list[object]", node)))


def _mapping_of(pairs: list[tuple[str, object]]) -> dict[str, object]:
    if len({key for key, _ in pairs}) != len(pairs):
        raise ValueError("duplicate key")
    return dict(pairs)


def _mapping(fields: dict[str, object], notes: Notes, place: str) -> None:
    kind = fields.get("class_name")
    if isinstance(kind, str):
        _class(kind, fields, notes, place)
    elif kind is not None and "config" in fields:
        notes.problem("class-name", "It names a class by something that is no text.", place)
    for key in _FILES & fields.keys():
        value = fields[key]
        if isinstance(value, str) and value:
            notes.mention("path", value[:MAX_NAME], f"{place}/{key}")
    function = fields.get("function")
    if isinstance(function, str) and "class_name" not in fields:
        notes.mention("function", f"tf.{function}"[:MAX_NAME], f"{place}/function")


def _class(kind: str, fields: dict[str, object], notes: Notes, place: str) -> None:
    module = fields.get("module")
    if kind in _VALUES or (kind in _TYPES and not module):
        return
    if kind == "function":
        name = fields.get("config")
        said = name if isinstance(name, str) else type(name).__name__
        where = module if isinstance(module, str) and module != "builtins" else "keras"
        notes.mention("function", f"{where}.{said}"[:MAX_NAME], place)
    elif kind == "__lambda__":
        notes.mention("code", "a lambda with its byte code", place)
    elif isinstance(module, str) and module:
        notes.mention("class", f"{module}.{kind}"[:MAX_NAME], place)
    else:
        notes.mention("layer", kind[:MAX_NAME], place)
