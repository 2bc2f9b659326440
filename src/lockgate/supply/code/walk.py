"""Walks the statements of a file scope by scope, in the order in which they run."""

import ast
from collections.abc import Iterator, Sequence

from lockgate.supply.code.clients import is_route_decorator, is_tool_decorator
from lockgate.supply.code.flow import Flow
from lockgate.supply.code.names import dotted
from lockgate.supply.code.sink import Sink
from lockgate.supply.code.subject import NOWHERE, Assignment, Origin, Origins, Route
from lockgate.supply.code.units import Unit

_Function = ast.FunctionDef | ast.AsyncFunctionDef
_LOOPS = (ast.For, ast.AsyncFor, ast.While)
_GUARDS = (
    "depends",
    "security",
    "auth",
    "login",
    "require",
    "current_user",
    "permission",
    "token",
    "api_key",
    "apikey",
)


class Walk:
    """One pass over the code of a file.

    Args:
        imports: Local names and what imports give them.
        returned: Functions of the file and where what they return may come from, as an earlier pass found.
        attributes: `self.` names that any method sets, as an earlier pass found.
    """

    def __init__(self, imports: dict[str, str], returned: dict[str, Origins], attributes: dict[str, Origins]) -> None:
        self.sink = Sink()
        self.assignments: list[Assignment] = []
        self.routes: list[Route] = []
        self.returned: dict[str, Origins] = {}
        self.attributes = dict(attributes)
        self._imports = imports
        self._before = returned
        self._cell = ""

    def units(self, units: tuple[Unit, ...]) -> None:
        """Walk the pieces of a file as one scope, in their order."""
        flow = self._flow(self.attributes)
        for unit in units:
            self._cell = self.sink.scope = unit.place
            self._block(unit.tree.body, flow, certain=True)

    def _flow(self, known: dict[str, Origins]) -> Flow:
        return Flow(self._imports, self._before, self.sink, known)

    def _block(self, statements: Sequence[ast.stmt], flow: Flow, *, certain: bool) -> None:
        for statement in statements:
            self._statement(statement, flow, certain=certain)

    def _statement(self, node: ast.stmt, flow: Flow, *, certain: bool) -> None:
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                self._function(node, flow)
            case ast.ClassDef():
                self._class(node, flow)
            case ast.Assign() | ast.AnnAssign() | ast.AugAssign():
                self._assign(node, flow, certain=certain)
            case ast.Return():
                self._return(flow.value(node.value))
            case ast.If():
                self._branches(node, flow)
            case ast.For() | ast.AsyncFor() | ast.While():
                self._loop(node, flow)
            case ast.With() | ast.AsyncWith():
                for item in node.items:
                    origins = flow.value(item.context_expr)
                    if item.optional_vars is not None:
                        flow.bind(item.optional_vars, origins, replace=certain)
                self._block(node.body, flow, certain=certain)
            case _:
                self._compound(node, flow)

    def _compound(self, node: ast.stmt, flow: Flow) -> None:
        """What remains: its expressions, and its blocks as if each may run."""
        for child in _parts(node):
            if isinstance(child, ast.stmt):
                self._statement(child, flow, certain=False)
            else:
                flow.value(child)

    def _branches(self, node: ast.If, flow: Flow) -> None:
        branch: ast.If | None = node
        while branch is not None:
            flow.value(branch.test)
            self._block(branch.body, flow, certain=False)
            following = branch.orelse
            branch = following[0] if len(following) == 1 and isinstance(following[0], ast.If) else None
            if branch is None:
                self._block(following, flow, certain=False)

    def _loop(self, node: ast.For | ast.AsyncFor | ast.While, flow: Flow) -> None:
        if isinstance(node, ast.While):
            flow.value(node.test)
        else:
            flow.bind(node.target, flow.value(node.iter), replace=False)
        self.sink.loops += 1
        if self.sink.recording:
            # What the end of the body sets is seen by its beginning.
            self.sink.recording = False
            self._block(node.body, flow, certain=False)
            self.sink.recording = True
        self._block(node.body, flow, certain=False)
        self.sink.loops -= 1
        self._block(node.orelse, flow, certain=False)

    def _assign(self, node: ast.Assign | ast.AnnAssign | ast.AugAssign, flow: Flow, *, certain: bool) -> None:
        origins = flow.value(node.value)
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        replace = certain and not isinstance(node, ast.AugAssign)
        for target in targets:
            flow.bind(target, origins, replace=replace)
            if isinstance(target, ast.Attribute | ast.Name) and node.value is not None:
                self._note(target, node.value, origins)

    def _note(self, target: ast.Attribute | ast.Name, value: ast.expr, origins: Origins) -> None:
        name = dotted(target, self._imports)
        if name.startswith("self.") and origins:
            self.attributes[name] = self.attributes.get(name, NOWHERE) | origins
        if not self.sink.recording or not isinstance(target, ast.Attribute):
            return
        if isinstance(value, ast.Constant):
            self.assignments.append(Assignment(name, value.value, self.sink.place(name), target.lineno))
        elif isinstance(value, ast.Attribute):
            assigned = dotted(value, self._imports)
            self.assignments.append(Assignment(name, assigned, self.sink.place(name), target.lineno))

    def _return(self, origins: Origins) -> None:
        name = self.sink.scope.rpartition("/")[2].rpartition(".")[2]
        if origins - {Origin.MIXED}:
            self.returned[name] = self.returned.get(name, NOWHERE) | origins

    def _class(self, node: ast.ClassDef, flow: Flow) -> None:
        for expression in [*node.decorator_list, *node.bases, *(keyword.value for keyword in node.keywords)]:
            flow.value(expression)
        self._inside(node.name, node.body, self._flow(flow.known))

    def _function(self, node: _Function, flow: Flow) -> None:
        settings = node.args
        for expression in [*node.decorator_list, *settings.defaults, *(item for item in settings.kw_defaults if item)]:
            flow.value(expression)
        decorators = [dotted(item, self._imports) for item in node.decorator_list]
        inner = self._flow({**flow.known, **self.attributes})
        origin = self._parameter_origin(decorators)
        for parameter in _parameters(settings):
            inner.known[parameter] = origin
        for default in ("self", "cls", "request", "ctx", "context"):
            if default in inner.known:
                inner.known[default] = NOWHERE
        loops, self.sink.loops = self.sink.loops, 0
        place = self._inside(node.name, node.body, inner)
        self.sink.loops = loops
        if self.sink.recording and any(map(is_route_decorator, decorators)):
            asks = place in self.sink.asked or any(scope.startswith(f"{place}.") for scope in self.sink.asked)
            self.routes.append(Route(place, node.lineno, asks, guarded=_is_guarded(node)))

    def _parameter_origin(self, decorators: list[str]) -> Origins:
        if any(map(is_tool_decorator, decorators)):
            return frozenset({Origin.MODEL})
        return frozenset({Origin.UNTRUSTED}) if any(map(is_route_decorator, decorators)) else NOWHERE

    def _inside(self, name: str, body: Sequence[ast.stmt], flow: Flow) -> str:
        outer = self.sink.scope
        joint = "." if outer != self._cell else "/" if outer else ""
        self.sink.scope = f"{outer}{joint}{name}"
        place = self.sink.scope
        self._block(body, flow, certain=True)
        self.sink.scope = outer
        return place


def _parts(node: ast.AST) -> Iterator[ast.stmt | ast.expr]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.stmt | ast.expr):
            yield child
        elif isinstance(child, ast.ExceptHandler | ast.match_case):
            yield from _parts(child)


def _parameters(settings: ast.arguments) -> list[str]:
    named = [*settings.posonlyargs, *settings.args, *settings.kwonlyargs]
    spread = [item for item in (settings.vararg, settings.kwarg) if item is not None]
    return [item.arg for item in [*named, *spread]]


def _is_guarded(node: _Function) -> bool:
    """Whether its decorators or parameters name something that authenticates."""
    parts: list[ast.AST] = [*node.decorator_list, node.args]
    words = [word for part in parts for found in ast.walk(part) for word in _words(found)]
    return any(guard in word.lower() for word in words for guard in _GUARDS)


def _words(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Name):
        yield node.id
    elif isinstance(node, ast.Attribute | ast.keyword | ast.arg):
        yield (node.attr if isinstance(node, ast.Attribute) else node.arg) or ""
