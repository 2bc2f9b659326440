"""Reads the code in a TorchScript archive: which operators and classes it names, and what it may not name.

TorchScript is a subset of Python's syntax with a meaning of its own. Most operators only compute; a few read files, and
those of other libraries do whatever they like. Source: the serialisation notes in PyTorch's `torch/csrc/jit/docs`.
"""

import ast
import warnings

from lockgate.detect.pickle_names import REFERENCES
from lockgate.detect.source import MAX_PROBLEMS, FormatProblem, MalformedError, Source

MAX_CODE = 16 << 20
_OPERATORS = frozenset(name.removeprefix("torch.") for name in REFERENCES if name.count(".") == 1)
_NAMESPACES = frozenset({"aten", "prim", "quantized", "prims"})
_PYTHON = frozenset({"eval", "exec", "compile", "open", "__import__", "globals", "locals", "vars", "breakpoint"})


def read_code(source: Source) -> tuple[FormatProblem, ...]:
    """Say what one code member names beyond PyTorch's own operators and the archive's own classes.

    Raises:
        MalformedError: It is too long (`budget`), no text or not what PyTorch writes.
    """
    if source.size > MAX_CODE:
        raise MalformedError("budget", f"Its code is longer than {MAX_CODE:,} bytes.")
    try:
        with warnings.catch_warnings(action="ignore", category=SyntaxWarning):
            tree = ast.parse(source.read(0, source.size))
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise MalformedError("torchscript-code", "Its code is not what PyTorch writes.") from error
    problems: list[FormatProblem] = []
    for node in ast.walk(tree):
        found = _judge(node)
        if found is not None and found not in problems and len(problems) < MAX_PROBLEMS:
            problems.append(found)
    return tuple(problems)


def _judge(node: ast.AST) -> FormatProblem | None:
    if isinstance(node, ast.Import | ast.ImportFrom):
        module = (node.module or "") if isinstance(node, ast.ImportFrom) else ""
        names = [module] if module else [alias.name for alias in node.names]
        if not all(name.partition(".")[0] == "__torch__" for name in names):
            return FormatProblem("torchscript-import", "Its code imports something from outside the archive.")
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _PYTHON:
        return FormatProblem("torchscript-operator", f"Its code calls {node.func.id}, which TorchScript does not have.")
    elif isinstance(node, ast.Attribute):
        return _judge_path(_path(node))
    return None


def _judge_path(path: list[str]) -> FormatProblem | None:
    """Judge a dotted name; what begins with anything but `torch` or `ops` is an attribute of a value."""
    allowed = True
    if path[:1] == ["torch"] and len(path) == 2:  # noqa: PLR2004 - torch.<operator>
        allowed = path[1] in _OPERATORS
    elif path[:1] == ["ops"] and len(path) > 2:  # noqa: PLR2004 - ops.<namespace>.<operator>
        allowed = path[1] in _NAMESPACES and (path[1] != "aten" or path[2] in _OPERATORS)
    if allowed:
        return None
    return FormatProblem("torchscript-operator", f"Its code uses the operator {'.'.join(path)[:100]}.")


def _path(node: ast.expr) -> list[str]:
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return [node.id, *reversed(parts)] if isinstance(node, ast.Name) else []
