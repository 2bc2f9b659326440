"""Reads what a `setup.py` or `setup.cfg` asks for. A `setup.py` is parsed and never run."""

import ast
import configparser
import io
import tokenize
import warnings
from collections import Counter
from collections.abc import Callable, Iterator

from lockgate.supply.deps.dependency import Dependency
from lockgate.supply.deps.entries import UnreadableError, requirement
from lockgate.supply.deps.read_requirements import read_requirements

_LISTS = ("install_requires", "setup_requires", "tests_require")
_EXTRAS = "extras_require"
_MAKERS = frozenset({"setuptools", "distutils", "skbuild"})
_MAX_STEPS = 20_000
_MAX_SOURCE = 256 << 10
_ENCODINGS = frozenset({"utf-8", "ascii", "iso-8859-1"})
_UNTOLD = "what it asks for cannot be told without running it"

Load = Callable[[str], str]
Wishes = tuple[list[Dependency], list[str]]


def read_setup_py(content: str) -> Wishes:
    """The requirements of a `setup.py`, and what of it is computed.

    Lists of literal texts are read, also through names that are bound once, and joined by `+`. A file that neither
    calls `setup` nor imports what offers it is a module like any other and asks for nothing.

    Raises:
        UnreadableError: It is no Python, is larger than 256 Ki characters, or declares a rare encoding.
    """
    if len(content) > _MAX_SOURCE:
        raise UnreadableError(f"it is larger than {_MAX_SOURCE:,} characters")
    try:
        # Python itself would read another text than this one, in UTF-7 for one.
        if tokenize.detect_encoding(io.BytesIO(content.encode()).readline)[0] not in _ENCODINGS:
            raise UnreadableError("it declares an encoding other than UTF-8 and Latin-1")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(content)
        return _in_tree(tree)
    except (SyntaxError, RecursionError, MemoryError) as error:
        raise UnreadableError("it is no Python that can be parsed") from error


def _in_tree(tree: ast.Module) -> Wishes:
    nodes = list(ast.walk(tree))
    names = {"setup", *_aliases(nodes)}
    known = any(map(_mentions_maker, nodes))
    calls = [node for node in nodes if isinstance(node, ast.Call) and _is_setup(node.func, names, known=known)]
    if not calls:
        return [], [_UNTOLD] if known else []
    spoken = sum(isinstance(node, ast.Name) and node.id in names and isinstance(node.ctx, ast.Load) for node in nodes)
    unread = [_UNTOLD] if spoken > sum(isinstance(call.func, ast.Name) for call in calls) else []
    literals = _Literals(_constants(nodes))
    found: list[Dependency] = []
    for call in calls:
        if call.args or any(keyword.arg is None for keyword in call.keywords):
            unread.append(_UNTOLD)
        for keyword in call.keywords:
            if keyword.arg in _LISTS or keyword.arg == _EXTRAS:
                try:
                    found += literals.wishes(keyword.value, keyword.arg)
                except (ValueError, RecursionError):
                    unread.append(f"'{keyword.arg}' is computed when the project is built")
    return found, sorted(set(unread))


def _aliases(nodes: list[ast.AST]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, ast.ImportFrom):
            yield from (alias.asname for alias in node.names if alias.name == "setup" and alias.asname)


def _mentions_maker(node: ast.AST) -> bool:
    """Whether a file imports what offers `setup`, or names it in a text as `__import__` would need it."""
    if isinstance(node, ast.ImportFrom):
        return not _MAKERS.isdisjoint((node.module or "").split("."))
    if isinstance(node, ast.Import):
        return any(not _MAKERS.isdisjoint(alias.name.split(".")) for alias in node.names)
    return isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.split(".")[0] in _MAKERS


def _is_setup(function: ast.expr, names: set[str], *, known: bool) -> bool:
    if isinstance(function, ast.Attribute):
        return known and function.attr == "setup"
    return isinstance(function, ast.Name) and function.id in names


def _constants(nodes: list[ast.AST]) -> dict[str, ast.expr]:
    """What names are bound to that are bound once and never touched again."""
    bound: dict[str, ast.expr] = {}
    times: Counter[str] = Counter()
    for node in nodes:
        if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            bound[node.targets[0].id] = node.value
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value is not None:
            bound[node.target.id] = node.value
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store | ast.Del):
            times[node.id] += 1
        elif isinstance(node, ast.Attribute | ast.Subscript) and isinstance(node.value, ast.Name):
            times[node.value.id] += 2  # perhaps `requires.append(...)`
        else:
            times.update(_bound_otherwise(node))
    return {name: value for name, value in bound.items() if times[name] == 1}


def _bound_otherwise(node: ast.AST) -> Iterator[str]:
    """Names that an import, a definition or a parameter binds: `try: from app import REQUIRES` before a list of it."""
    if isinstance(node, ast.Import | ast.ImportFrom):
        yield from ((alias.asname or alias.name).partition(".")[0] for alias in node.names)
    elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        yield node.name
    elif isinstance(node, ast.arg):
        yield node.arg


class _Literals:
    """Reads lists that are written out, in a bounded number of steps: names that name names could multiply."""

    def __init__(self, constants: dict[str, ast.expr]) -> None:
        self._constants = constants
        self._steps = 0

    def wishes(self, value: ast.expr, name: str) -> list[Dependency]:
        """The requirements of one argument of `setup`.

        Raises:
            ValueError: Something in it is computed.
        """
        if name != _EXTRAS:
            return [requirement(text, line=line) for text, line in self._texts(value)]
        value = self._constants.get(value.id, value) if isinstance(value, ast.Name) else value
        if not isinstance(value, ast.Dict) or None in value.keys:
            raise ValueError(name)
        return [requirement(text, line=line) for item in value.values for text, line in self._texts(item)]

    def _texts(self, value: ast.expr) -> Iterator[tuple[str, int]]:
        self._steps += 1
        if self._steps > _MAX_STEPS:
            raise ValueError("too many steps")
        if isinstance(value, ast.Constant) and isinstance(value.value, str):
            lines = map(str.strip, value.value.splitlines())
            yield from ((line, value.lineno) for line in lines if line and not line.startswith("#"))
        elif isinstance(value, ast.List | ast.Tuple | ast.Set):
            for item in value.elts:
                yield from self._texts(item)
        elif isinstance(value, ast.Name) and value.id in self._constants:
            yield from self._texts(self._constants[value.id])
        elif isinstance(value, ast.BinOp) and isinstance(value.op, ast.Add):
            yield from self._texts(value.left)
            yield from self._texts(value.right)
        else:
            raise ValueError("computed")


def read_setup_cfg(content: str, uri: str, load: Load) -> Wishes:
    """The requirements of a `setup.cfg`, with those of files that it names by `file:`, and what of it is computed.

    Raises:
        UnreadableError: It is not in the format that its name announces.
    """
    reader = configparser.RawConfigParser()
    # setuptools takes install-requires for install_requires; two that mean the same are refused as repeated.
    reader.optionxform = lambda optionstr: optionstr.lower().replace("-", "_")
    try:
        # setuptools opens it as text, where a lone carriage return ends a line and so a comment.
        reader.read_string(content.replace("\r\n", "\n").replace("\r", "\n"))
    except configparser.Error as error:
        raise UnreadableError("it is not in the format of setup.cfg") from error
    stated = [(name, reader.get("options", name)) for name in _LISTS if reader.has_option("options", name)]
    if reader.has_section("options.extras_require"):
        stated += [(_EXTRAS, value) for _, value in reader.items("options.extras_require")]
    found: list[Dependency] = []
    unread: list[str] = []
    for name, value in stated:
        lines = value or ""
        if lines.strip().startswith("attr:"):
            unread.append(f"'{name}' is computed when the project is built")
            continue
        if lines.strip().startswith("file:"):
            lines = "\n".join(f"-r {part.strip()}" for part in lines.strip().removeprefix("file:").split(","))
        read = read_requirements(lines, uri, load)
        found += read.dependencies
        unread += read.unread
    return found, unread
