"""Follows values through one function at a time: where may what is passed to a call come from?

A value is followed through assignments, containers, text formatting, methods and calls inside a scope, and through
functions of the same file that return it. Assignments in branches add to what a name may hold, others replace it.
"""

import ast
from collections.abc import Iterable

from lockgate.supply.code.clients import cleans, is_answering, is_fetched, is_request, makes_client
from lockgate.supply.code.names import dotted
from lockgate.supply.code.sink import Sink
from lockgate.supply.code.subject import NOWHERE, Argument, Origin, Origins

_CLIENT: Origins = frozenset({Origin.CLIENT})
_MODEL: Origins = frozenset({Origin.MODEL})
_UNTRUSTED: Origins = frozenset({Origin.UNTRUSTED})
_ADDING = frozenset({"append", "extend", "insert", "add", "update", "appendleft", "setdefault", "write"})
_PLAIN = (ast.Constant, ast.Compare, ast.Slice)
_MIN_INSTRUCTION = 12
_FENCES = ("```", '"""', "'''", "---", "===")


class Flow:
    """The names of one scope and where their values may come from.

    Args:
        imports: Local names and what imports give them.
        returned: Functions of this file and where what they return may come from.
        sink: Is told every call.
        known: Names of the scopes around this one.
    """

    def __init__(
        self, imports: dict[str, str], returned: dict[str, Origins], sink: Sink, known: dict[str, Origins]
    ) -> None:
        self.known = dict(known)
        self._imports = imports
        self._returned = returned
        self._sink = sink

    def bind(self, target: ast.expr, origins: Origins, *, replace: bool) -> None:
        """Let a target hold a value."""
        if isinstance(target, ast.Tuple | ast.List):
            for item in target.elts:
                self.bind(item, origins, replace=replace)
        elif isinstance(target, ast.Starred):
            self.bind(target.value, origins, replace=replace)
        elif isinstance(target, ast.Subscript):
            self.value(target.slice)
            self.bind(target.value, origins, replace=False)
        elif isinstance(target, ast.Name | ast.Attribute):
            name = self._key(target)
            held = NOWHERE if replace else self.known.get(name, NOWHERE)
            if origins or name in self.known:
                self.known[name] = held | origins

    def value(self, node: ast.expr | None) -> Origins:
        """Where an expression's value may come from. Every call in it is told to the sink, once."""
        match node:
            case None | ast.Constant():
                found = NOWHERE
            case ast.Name():
                found = self.known.get(node.id, NOWHERE)
            case ast.Call():
                found = self._call(node)
            case ast.Attribute():
                found = self._attribute(node)
            case ast.JoinedStr():
                found = self._joined(node)
            case ast.BinOp():
                found = self._operation(node)
            case _:
                found = self._other(node)
        return found

    def _other(self, node: ast.expr) -> Origins:
        if isinstance(node, ast.Subscript):
            self.value(node.slice)
            return self.value(node.value)
        if isinstance(node, ast.NamedExpr):
            origins = self.value(node.value)
            self.bind(node.target, origins, replace=True)
            return origins
        if isinstance(node, ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp):
            return self._comprehension(node)
        if isinstance(node, ast.Dict):
            return self._mapping(node)
        found = self._all(child for child in ast.iter_child_nodes(node) if isinstance(child, ast.expr))
        return NOWHERE if isinstance(node, _PLAIN) else found

    def _all(self, nodes: Iterable[ast.expr]) -> Origins:
        found = NOWHERE
        for node in nodes:
            found |= self.value(node)
        return found

    def _key(self, node: ast.expr) -> str:
        return node.id if isinstance(node, ast.Name) else dotted(node, {})

    def _attribute(self, node: ast.Attribute) -> Origins:
        found = self.value(node.value) | self.known.get(self._key(node), NOWHERE)
        return found | _UNTRUSTED if is_request(dotted(node, self._imports)) else found

    def _comprehension(self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp) -> Origins:
        for generator in node.generators:
            self.bind(generator.target, self.value(generator.iter), replace=True)
            self._all(generator.ifs)
        if isinstance(node, ast.DictComp):
            return self.value(node.key) | self.value(node.value)
        return self.value(node.elt)

    def _mapping(self, node: ast.Dict) -> Origins:
        found = self._all(node.values)
        self._all(key for key in node.keys if key is not None)
        if Origin.UNTRUSTED in found and _is_system_message(node):
            return found | {Origin.MIXED}
        return found

    def _joined(self, node: ast.JoinedStr) -> Origins:
        found, text, mixed = NOWHERE, "", False
        for part in node.values:
            if isinstance(part, ast.Constant):
                text += str(part.value)
                continue
            origins = self.value(part.value) if isinstance(part, ast.FormattedValue) else self.value(part)
            mixed = mixed or (Origin.UNTRUSTED in origins and not _sets_apart(text))
            found |= origins
            text += "\x00"
        instructs = mixed and _instructs(text)
        return found | {Origin.MIXED} if instructs else found

    def _operation(self, node: ast.BinOp) -> Origins:
        """A sum or a formatting; long sums are walked without recursion."""
        parts: list[ast.expr] = []
        left: ast.expr = node
        while isinstance(left, ast.BinOp):
            parts.append(left.right)
            left = left.left
        found, text, mixed = NOWHERE, "", False
        for part in [left, *reversed(parts)]:
            if isinstance(part, ast.Constant):
                text += str(part.value)
                continue
            origins = self.value(part)
            before = text.partition("%")[0] if isinstance(node.op, ast.Mod) else text
            mixed = mixed or (Origin.UNTRUSTED in origins and not _sets_apart(before))
            found |= origins
        return found | {Origin.MIXED} if mixed and _instructs(text) else found

    def _call(self, node: ast.Call) -> Origins:
        name = dotted(node.func, self._imports)
        method = isinstance(node.func, ast.Attribute)
        receiver = self.value(node.func.value if isinstance(node.func, ast.Attribute) else node.func)
        arguments = self._arguments(node)
        carried = receiver.union(*(item.origins for item in arguments))
        names = frozenset(item.name for item in arguments)
        on_client = Origin.CLIENT in receiver
        # The object itself is called: `generate = pipeline(...)`, then `generate(prompt)`.
        asks = (on_client and not method) or is_answering(name, names, on_client=on_client)
        self._sink.call(node, name, arguments, asks=asks)
        if asks:
            return _MODEL
        self._add_to_receiver(node, arguments)
        if cleans(name):
            return NOWHERE
        return self._result(node, name, carried)

    def _result(self, node: ast.Call, name: str, carried: Origins) -> Origins:
        found = carried | self._returned.get(name.removeprefix("self."), NOWHERE)
        if makes_client(name):
            found |= _CLIENT
        if is_fetched(name):
            found |= _UNTRUSTED
        if name.endswith(".format") and Origin.UNTRUSTED in carried and _formats_instructions(node):
            found |= {Origin.MIXED}
        return found

    def _arguments(self, node: ast.Call) -> tuple[Argument, ...]:
        found: list[Argument] = []
        for number, value in enumerate(node.args):
            name = "*" if isinstance(value, ast.Starred) else str(number)
            found.append(Argument(name, value, self.value(value)))
        found += [Argument(item.arg or "**", item.value, self.value(item.value)) for item in node.keywords]
        return tuple(found)

    def _add_to_receiver(self, node: ast.Call, arguments: tuple[Argument, ...]) -> None:
        function = node.func
        if isinstance(function, ast.Attribute) and function.attr in _ADDING:
            origins = NOWHERE.union(*(item.origins for item in arguments))
            self.bind(function.value, origins, replace=False)


def _is_system_message(node: ast.Dict) -> bool:
    return any(
        isinstance(key, ast.Constant)
        and key.value == "role"
        and isinstance(value, ast.Constant)
        and value.value in {"system", "developer"}
        for key, value in zip(node.keys, node.values, strict=True)
    )


def _instructs(text: str) -> bool:
    """Whether literal text beside a value reads like instructions: several words."""
    return len(text) >= _MIN_INSTRUCTION and text.count(" ") > 1


def _sets_apart(before: str) -> bool:
    """Whether the text before a value opens something that ends behind it: a tag, a fence, quotes, a bracket."""
    line = before.rstrip("\n").rpartition("\n")[2].strip()
    return line.startswith(_FENCES) or line.endswith((">", "<<<", "]", "###", *_FENCES))


def _formats_instructions(node: ast.Call) -> bool:
    function = node.func
    template = function.value if isinstance(function, ast.Attribute) else None
    if not isinstance(template, ast.Constant) or not isinstance(template.value, str):
        return False
    return _instructs(template.value) and not _sets_apart(template.value.partition("{")[0])
