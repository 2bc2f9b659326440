"""Walks the schema of a skops archive: which types it names and which loader each part asks for.

Source: the persistence format of skops (`schema.json`, protocols 0 to 4).
"""

import json
from typing import cast

from lockgate.detect.part import Notes
from lockgate.detect.source import MalformedError

MAX_SCHEMA = 64 << 20
MAX_NAME = 300
LOADERS = frozenset(
    """
    BytearrayNode BytesNode ConstructorFromReduceNode CyLossNode DatetimeNode DefaultDictNode DictNode FunctionNode
    JsonNode ListNode LossNode MaskedArrayNode MaskedConstantNode NdArrayNode ObjectNode PartialNode
    RandomGeneratorNode RandomStateNode SGDNode SetNode SliceNode SparseMatrixNode TreeNode TupleNode TypeNode
    DTypeNode CachedNode QuantileForestNode KDTreeNode BallTreeNode
    """.split()  # noqa: SIM905 - a list of words reads best as one text
)


def walk_skops(text: str, notes: Notes) -> None:
    """Note every type as a class and every loader that is not one of the plain ones as code.

    Raises:
        MalformedError: It is no JSON object, or too large.
    """
    if len(text) > MAX_SCHEMA:
        raise MalformedError("budget", f"A schema is longer than {MAX_SCHEMA:,} characters.")
    try:
        tree: object = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise MalformedError("json", "The schema is not valid JSON.") from error
    if not isinstance(tree, dict) or "__loader__" not in tree:
        raise MalformedError("schema", "The schema does not say how its first part is loaded.")
    waiting: list[tuple[object, str]] = [(cast("object", tree), "")]
    while waiting:
        node, place = waiting.pop()
        if isinstance(node, dict):
            fields = cast("dict[str, object]", node)
            _part(fields, notes, place)
            waiting.extend((value, f"{place}/{key[:64]}") for key, value in fields.items())
        elif isinstance(node, list):
            waiting.extend((value, f"{place}/{index}") for index, value in enumerate(cast("list[object]", node)))


def _part(fields: dict[str, object], notes: Notes, place: str) -> None:
    loader = fields.get("__loader__")
    if loader is None:
        return
    if loader not in LOADERS:
        notes.mention("code", f"the loader {str(loader)[:MAX_NAME]}", place)
    module, name = fields.get("__module__"), fields.get("__class__")
    if not isinstance(module, str) or not isinstance(name, str):
        notes.problem("schema", "A part does not name its type.", place)
    elif loader == "FunctionNode":
        _function(fields.get("content"), f"{module}.{name}", notes, place)
    elif loader == "TypeNode":
        content = fields.get("content")
        inner = cast("dict[str, object]", content) if isinstance(content, dict) else {}
        notes.mention("class", f"{inner.get('__module__', module)}.{inner.get('__class__', name)}"[:MAX_NAME], place)
    else:
        notes.mention("class", f"{module}.{name}"[:MAX_NAME], place)
    file = fields.get("file")
    if isinstance(file, str):
        notes.mention("path", file[:MAX_NAME], place)


def _function(content: object, name: str, notes: Notes, place: str) -> None:
    """Older protocols name the function in the content, newer ones as the type; a reader may believe either."""
    notes.mention("function", name[:MAX_NAME], place)
    if isinstance(content, dict):
        fields = cast("dict[str, object]", content)
        notes.mention("function", f"{fields.get('module_path')}.{fields.get('function')}"[:MAX_NAME], place)
