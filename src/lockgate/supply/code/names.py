"""Names in code: what an import brings in, and what an expression is called."""

import ast
from collections.abc import Iterable

UNNAMED = "?"
_MAX_PARTS = 24


def imports_of(nodes: Iterable[ast.AST]) -> dict[str, str]:
    """Local names and the dotted names that imports give them, wherever in the file the import stands."""
    found: dict[str, str] = {}
    for node in nodes:
        if isinstance(node, ast.Import):
            for alias in node.names:
                top = alias.name.partition(".")[0]
                found[alias.asname or top] = alias.name if alias.asname else top
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            for alias in node.names:
                found[alias.asname or alias.name] = f"{module}.{alias.name}" if module else alias.name
    return found


def dotted(expression: ast.expr, imports: dict[str, str]) -> str:
    """What an expression is called: `torch.load`, `openai.OpenAI().chat`, `?` for what has no name.

    At most 24 parts are named; the rest is `?`.
    """
    parts: list[str] = []
    node = expression
    while len(parts) < _MAX_PARTS:
        suffix = ""
        while isinstance(node, ast.Call | ast.Await):
            if isinstance(node, ast.Await):
                node = node.value
            else:
                node, suffix = node.func, "()"
        if isinstance(node, ast.Name):
            parts.append(imports.get(node.id, node.id) + suffix)
            return ".".join(reversed(parts))
        if not isinstance(node, ast.Attribute):
            break
        parts.append(node.attr + suffix)
        node = node.value
    return ".".join([UNNAMED, *reversed(parts)])
