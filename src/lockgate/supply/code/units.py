"""Reads Python files and notebooks into syntax trees, within bounds. The code is never run."""

import ast
import io
import json
import re
import tokenize
import warnings
from typing import cast

import msgspec

from lockgate.supply.errors import SupplyError

MAX_BYTES = 4 << 20
MAX_DEPTH = 120
MAX_CELLS = 10_000
# Cells and lines that notebooks hand to other programs.
_MAGIC = ("%", "!", "?")
# `name?` and `name??` ask the notebook for help.
_HELP = re.compile(r"\s*[\w.%]+\?{1,2}\s*")
_PYTHON_CELLS = ("%%time", "%%timeit", "%%capture", "%%prun")
_TOP_LEVEL_AWAIT = ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT


class Unit(msgspec.Struct, frozen=True):
    """A piece of code that is parsed on its own.

    Attributes:
        place: Where in the file: empty for a file, `cells/3` in a notebook.
        text: The code as it stands.
        python: The same lines without what speaks to the notebook or the shell.
        tree: Its syntax tree.
        nodes: Every node of the tree, outer ones before inner ones.
    """

    place: str
    text: str
    python: str
    tree: ast.Module
    nodes: tuple[ast.AST, ...]


def read_units(name: str, body: bytes) -> tuple[Unit, ...]:
    """The code of a file.

    Args:
        name: Its path; `.ipynb` is a notebook, everything else is Python.
        body: Its bytes.

    Raises:
        SupplyError: It cannot be parsed, or is larger or deeper than what is read.
    """
    if len(body) > MAX_BYTES:
        raise SupplyError(f"It is larger than {MAX_BYTES:,} bytes.", remedy="Split it.")
    if name.endswith(".ipynb"):
        return tuple(_unit(f"cells/{number}", text) for number, text in _cells(body))
    return (_unit("", _decoded(body)),)


def _decoded(body: bytes) -> str:
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(body).readline)
        return io.IncrementalNewlineDecoder(None, translate=True).decode(body.decode(encoding))
    except (SyntaxError, UnicodeDecodeError, LookupError) as error:
        raise SupplyError("It is not text in the encoding that it declares.", remedy="Save it as UTF-8.") from error


def _unit(place: str, text: str) -> Unit:
    where = f" ({place})" if place else ""
    try:
        python, tree = (text, _parsed(text)) if not place else _parsed_cell(text)
    except SyntaxError as error:
        line = f"line {error.lineno}" if error.lineno else "its structure"
        remedy = "Correct it, or leave it out with --exclude."
        raise SupplyError(f"It is no Python that can be parsed{where}: {line}.", remedy=remedy) from error
    except (ValueError, RecursionError, MemoryError, OverflowError) as error:
        raise SupplyError(f"It is no Python that can be parsed{where}: {type(error).__name__}.") from error
    nodes = _nodes(tree)
    if nodes is None:
        raise SupplyError(f"Its code is nested deeper than {MAX_DEPTH} levels{where}.", remedy="Write it flatter.")
    return Unit(place, text, python, tree, nodes)


def _parsed(text: str) -> ast.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return cast("ast.Module", compile(text, "<code>", "exec", _TOP_LEVEL_AWAIT, dont_inherit=True))


def _parsed_cell(text: str) -> tuple[str, ast.Module]:
    """A cell as it stands, else without commands at the start of a line, else without any."""
    for python in (text, _without_commands(text, indented=False)):
        try:
            return python, _parsed(python)
        except SyntaxError:
            continue
    python = _without_commands(text, indented=True)
    return python, _parsed(python)


def _without_commands(text: str, *, indented: bool) -> str:
    lines: list[str] = []
    goes_on = False
    for line in text.split("\n"):
        # A command for the shell may go on behind a backslash.
        python = "" if goes_on else _python(line, indented=indented)
        goes_on = python != line and line.endswith("\\")
        lines.append(python)
    return "\n".join(lines)


def _nodes(tree: ast.Module) -> tuple[ast.AST, ...] | None:
    """All nodes; None where they are too deep. Chains of `elif` and sums count as flat: they are walked in a loop."""
    nodes: list[ast.AST] = [tree]
    depths = [0]
    for node, depth in zip(nodes, depths, strict=True):
        if depth > MAX_DEPTH:
            return None
        flat = _continues(node)
        for child in ast.iter_child_nodes(node):
            nodes.append(child)
            depths.append(depth if child is flat else depth + 1)
    return tuple(nodes)


def _continues(node: ast.AST) -> ast.AST | None:
    if isinstance(node, ast.If) and len(node.orelse) == 1 and isinstance(node.orelse[0], ast.If):
        return node.orelse[0]
    return node.left if isinstance(node, ast.BinOp) and isinstance(node.left, ast.BinOp) else None


def _cells(body: bytes) -> list[tuple[int, str]]:
    try:
        notebook: object = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise SupplyError("It is a notebook that cannot be parsed.", remedy="Save it again.") from error
    cells = cast("dict[object, object]", notebook).get("cells") if isinstance(notebook, dict) else None
    if not isinstance(cells, list):
        raise SupplyError("It is a notebook without cells.", remedy="Save it in notebook format 4.")
    listed = cast("list[object]", cells)
    if len(listed) > MAX_CELLS:
        raise SupplyError(f"It has more than {MAX_CELLS:,} cells.", remedy="Split it.")
    found = ((number, _code(cell)) for number, cell in enumerate(listed))
    return [(number, text) for number, text in found if text]


def _code(cell: object) -> str:
    facts = cast("dict[object, object]", cell) if isinstance(cell, dict) else {}
    if facts.get("cell_type") != "code":
        return ""
    source = facts.get("source")
    if isinstance(source, list):
        source = "".join(part for part in cast("list[object]", source) if isinstance(part, str))
    if not isinstance(source, str):
        raise SupplyError("It is a notebook with a cell that has no source.", remedy="Save it in notebook format 4.")
    if source.startswith("%%") and not source.startswith(_PYTHON_CELLS):
        return ""
    return source


def _python(line: str, *, indented: bool) -> str:
    """The line, or Python that does nothing where it speaks to the notebook or the shell."""
    bare = line.lstrip()
    if (bare.startswith(_MAGIC) or _HELP.fullmatch(bare)) and (indented or bare == line):
        return f"{line[: len(line) - len(bare)]}pass"
    target, equals, rest = line.partition("=")
    return f"{target}= None" if equals and rest.lstrip().startswith(("!", "%")) else line
