"""Walks an ONNX model without its library: operators in every graph, sub-graph and function, and files outside.

Source: `onnx.proto` of the ONNX project (IR version 12 and before).
"""

from lockgate.detect.part import Notes
from lockgate.detect.protobuf import Message, Table, shape, walk
from lockgate.detect.source import MalformedError, Source

MAX_NAME = 256
_EXTERNAL = 1
_TOP = {1: 0, 2: 2, 3: 2, 4: 2, 5: 0, 6: 2, 7: 2, 8: 2, 14: 2, 20: 2, 25: 2, 26: 2}
_GRAPH = 7
_OPSETS = 8
_ENTRY = {1: "text", 2: "text"}
TABLE: Table = {
    "Model": {
        1: "number",
        2: "text",
        3: "text",
        4: "text",
        5: "number",
        6: "text",
        7: "Graph",
        8: "Opset",
        14: "Entry",
        20: "Training",
        25: "Function",
        26: "Devices",
    },
    "Graph": {
        1: "Node",
        2: "text",
        5: "Tensor",
        10: "text",
        11: "Value",
        12: "Value",
        13: "Value",
        14: "Annotation",
        15: "Sparse",
        16: "Entry",
    },
    "Node": {
        1: "text",
        2: "text",
        3: "text",
        4: "text",
        5: "Attribute",
        6: "text",
        7: "text",
        8: "text",
        9: "Entry",
        10: "bytes",
    },
    "Attribute": {
        1: "text",
        2: "float",
        3: "number",
        4: "bytes",
        5: "Tensor",
        6: "Graph",
        7: "packed",
        8: "packed",
        9: "bytes",
        10: "Tensor",
        11: "Graph",
        13: "text",
        14: "bytes",
        15: "bytes",
        20: "number",
        21: "text",
        22: "Sparse",
        23: "Sparse",
    },
    "Tensor": {
        1: "packed",
        2: "number",
        3: "bytes",
        4: "packed",
        5: "packed",
        6: "bytes",
        7: "packed",
        8: "text",
        9: "bytes",
        10: "packed",
        11: "packed",
        12: "text",
        13: "External",
        14: "number",
        16: "Entry",
    },
    "Sparse": {1: "Tensor", 2: "Tensor", 3: "packed"},
    "External": _ENTRY,
    "Entry": _ENTRY,
    "Opset": {1: "text", 2: "number"},
    "Value": {1: "text", 2: "bytes", 3: "text", 4: "Entry"},
    "Annotation": {1: "text", 2: "Entry"},
    "Training": {1: "Graph", 2: "Graph", 3: "Entry", 4: "Entry"},
    "Function": {
        1: "text",
        4: "text",
        5: "text",
        6: "text",
        7: "Node",
        8: "text",
        9: "Opset",
        10: "text",
        11: "Attribute",
        12: "Value",
        13: "text",
        14: "Entry",
    },
    "Devices": {1: "text", 2: "number", 3: "text"},
}


def looks_like_onnx(source: Source) -> bool:
    """Whether the outermost fields are those of a model with a graph."""
    found = shape(source, _TOP)
    return _GRAPH in found and bool(found & {1, _OPSETS})


def walk_onnx(source: Source, notes: Notes) -> None:
    """Note every operator as `domain:name`, every function that the model defines and every file that it would open.

    Operators that the model defines itself are noted as `local:`; what they are made of is walked like the rest.

    Raises:
        MalformedError: It breaks the format.
    """
    used: dict[str, str] = {}
    defined: set[str] = set()

    def visit(message: Message, notes: Notes) -> None:
        if message.kind == "Node":
            used.setdefault(_operator(message.text(7), message.text(4)), message.place)
        elif message.kind == "Function":
            defined.add(_operator(message.text(10), message.text(1)))
        elif message.kind == "External" and message.text(1) == "location":
            notes.mention("path", message.text(2), message.place)
        elif message.kind == "Tensor":
            _tensor(message, notes)
        elif message.kind == "Model" and message.count(_GRAPH) > 1:
            raise MalformedError("duplicate-graph", "It holds more than one graph, so two readers can disagree.")

    walk(source, notes, TABLE, "Model", visit)
    for name, place in used.items():
        notes.mention("operator", name if name not in defined else f"local:{name}", place)
    for name in defined:
        if name.startswith(("ai.onnx:", "ai.onnx.ml:", "com.microsoft:")):
            notes.problem("shadowed-operator", f"It defines an operator in a domain that is not its own: {name}.")


def _operator(domain: str, name: str) -> str:
    return f"{domain or 'ai.onnx'}:{name}"[:MAX_NAME]


def _tensor(message: Message, notes: Notes) -> None:
    if message.number(14) == _EXTERNAL and not message.has(13):
        notes.problem("external-data", "A tensor lies outside the file, but nothing says where.", message.place)
    if message.count(9) > 1:
        notes.problem("duplicate-data", "A tensor holds its bytes twice, so two readers can disagree.", message.place)
