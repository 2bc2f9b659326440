"""Walks TensorFlow's SavedModel and GraphDef without the framework: operators of all nodes and library functions.

Source: `saved_model.proto`, `meta_graph.proto`, `graph.proto`, `function.proto`, `attr_value.proto` of TensorFlow.
"""

from lockgate.detect.part import Notes
from lockgate.detect.protobuf import Message, Table, fields, shape, walk
from lockgate.detect.source import MalformedError, Source, Window

MAX_NAME = 256
_NODES, _LIBRARY = 1, 2
_META_GRAPH = 2
_SAVED_TOP = {1: 0, 2: 2}
_META_TOP = {1: 2, 2: 2, 3: 2, 4: 2, 5: 2, 6: 2, 7: 2}
_GRAPH_TOP = {1: 2, 2: 2, 3: 0, 4: 2, 5: 2}
_NODE_TOP = {1: 2, 2: 2, 3: 2, 4: 2, 5: 2, 6: 2, 7: 2}
TABLE: Table = {
    "Saved": {1: "number", 2: "Meta"},
    "Meta": {1: "bytes", 2: "Graph", 3: "bytes", 4: "bytes", 5: "bytes", 6: "Asset", 7: "bytes"},
    "Asset": {1: "bytes", 2: "text"},
    "Graph": {1: "Node", 2: "Library", 3: "number", 4: "bytes", 5: "bytes"},
    "Node": {1: "text", 2: "text", 3: "text", 4: "text", 5: "Attribute", 6: "bytes", 7: "bytes"},
    "Attribute": {1: "text", 2: "Value"},
    "Value": {
        1: "List",
        2: "bytes",
        3: "number",
        4: "float",
        5: "number",
        6: "number",
        7: "bytes",
        8: "bytes",
        9: "text",
        10: "Call",
    },
    "List": {
        2: "bytes",
        3: "packed",
        4: "packed",
        5: "packed",
        6: "packed",
        7: "bytes",
        8: "bytes",
        9: "Call",
    },
    "Call": {1: "text", 2: "Attribute"},
    "Library": {1: "Function", 2: "bytes", 3: "bytes"},
    "Function": {
        1: "Signature",
        3: "Node",
        4: "bytes",
        5: "Attribute",
        6: "bytes",
        7: "bytes",
        8: "bytes",
    },
    "Signature": {
        1: "text",
        2: "bytes",
        3: "bytes",
        4: "bytes",
        5: "text",
        6: "text",
        8: "bytes",
        16: "number",
        17: "number",
        18: "number",
        19: "number",
        20: "text",
        21: "number",
    },
}


def looks_like_saved_model(source: Source) -> bool:
    """Whether the outermost fields are a schema version and at least one graph."""
    return shape(source, _SAVED_TOP) >= {1, 2}


def looks_like_graph(source: Source) -> bool:
    """Whether the outermost fields are nodes with a name and an operator."""
    found = shape(source, _GRAPH_TOP)
    if not found & {_NODES, _LIBRARY}:
        return False
    try:
        first = next(field for field in fields(source) if field.wire == 2)  # noqa: PLR2004 - length-delimited
    except (MalformedError, StopIteration):
        return False
    if first.number == _LIBRARY:
        return _NODES in found
    return shape(Window(source, first.start, first.size), _NODE_TOP) >= {1, 2}


def looks_like_meta_graph(source: Source) -> bool:
    """Whether the outermost fields are those of a checkpoint's graph: its description, and a graph."""
    if not shape(source, _META_TOP) >= {1, 2}:
        return False
    graphs = [field for field in fields(source) if field.number == _META_GRAPH]
    return len(graphs) == 1 and looks_like_graph(Window(source, graphs[0].start, graphs[0].size))


def walk_tensorflow(source: Source, notes: Notes) -> None:
    """Note every operator as `tensorflow:Name`, with `local:Name` for functions of the model's own library.

    Raises:
        MalformedError: It breaks the format.
    """
    used: dict[str, str] = {}
    defined: set[str] = set()

    def visit(message: Message, notes: Notes) -> None:
        if message.kind == "Node":
            used.setdefault(message.text(2)[:MAX_NAME], message.place)
        elif message.kind == "Signature":
            defined.add(message.text(1)[:MAX_NAME])
        elif message.kind == "Asset":
            notes.mention("path", message.text(2), message.place)

    root = "Saved" if looks_like_saved_model(source) else "Meta" if looks_like_meta_graph(source) else "Graph"
    walk(source, notes, TABLE, root, visit)
    for name, place in used.items():
        notes.mention("operator", f"{'local' if name in defined else 'tensorflow'}:{name}", place)
