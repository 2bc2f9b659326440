"""Takes a chat template apart without rendering it.

A chat template is a Jinja program that an inference server runs on every conversation. It is parsed to its syntax tree
and reduced to what matters: which attributes, filters and functions it uses, and which text it can put into a prompt.
"""

from collections.abc import Callable, Iterator

import msgspec
import re2
from jinja2 import Environment, TemplateError, nodes
from jinja2.ext import Extension
from jinja2.parser import Parser

from lockgate.detect.gguf import Template

MAX_TEXTS = 2_000
_NAMED_ATTRIBUTE_FILTERS = {"map": "attribute", "sort": "attribute", "groupby": "attribute", "unique": "attribute"}
_FIRST_IS_ATTRIBUTE = frozenset({"selectattr", "rejectattr", "groupby", "attr"})
_FIRST_IS_FILTER = frozenset({"map"})
_RAISES = "raise_exception"
_COMPUTED = "(computed)"
_INTERNAL = re2.compile(rb"__[A-Za-z]")
MAX_NUMBER = 10_000_000
_MESSAGE_FIELDS = frozenset({"content", "text", "message", "prompt"})


class TemplateFacts(msgspec.Struct, frozen=True):
    """What a chat template uses and says.

    Attributes:
        member: Path inside the archive that holds the model; empty for a file of its own.
        key: The metadata key that holds the template.
        attributes: Attributes and constant text subscripts; `(computed)` where the name is put together at run time.
        filters: Filters.
        calls: Functions that are called by name and that the template does not define itself.
        methods: Methods that are called.
        statements: Statements that load other code: import, include, extends.
        texts: Literal text that it can put into a prompt.
        triggers: Literal text of branches that are taken only if a message contains a certain word that is no markup.
        costs: Powers and numbers so large that rendering could take any time or memory.
        problem: Why it could not be parsed; empty otherwise.
    """

    member: str
    key: str
    attributes: tuple[str, ...] = ()
    filters: tuple[str, ...] = ()
    calls: tuple[str, ...] = ()
    methods: tuple[str, ...] = ()
    statements: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()
    triggers: tuple[str, ...] = ()
    costs: tuple[str, ...] = ()
    problem: str = ""


class _Generation(Extension):
    """Hugging Face's `{% generation %}` block, which only marks what the model said."""

    tags = {"generation"}  # noqa: RUF012 - declared so by Jinja

    def parse(self, parser: Parser) -> nodes.Node | list[nodes.Node]:
        next(parser.stream)
        return parser.parse_statements(("name:endgeneration",), drop_needle=True)


def read_template(template: Template, *, member: str = "") -> TemplateFacts:
    """Take a template apart.

    Args:
        template: Its key and source.
        member: Path inside the archive that holds the model.

    Returns:
        Facts; `problem` says why where it cannot be parsed.
    """
    environment = Environment(  # noqa: S701 - parsed, never rendered
        extensions=["jinja2.ext.do", "jinja2.ext.loopcontrols", _Generation], trim_blocks=True, lstrip_blocks=True
    )
    try:
        tree = environment.parse(template.text)
        defined = frozenset(macro.name for macro in tree.find_all(nodes.Macro))
        walk = _Walk(defined)
        walk.visit(tree)
        if len(walk.texts) > MAX_TEXTS:
            return TemplateFacts(member, template.key, problem=f"it holds more than {MAX_TEXTS:,} pieces of text")
    except (TemplateError, ValueError) as error:
        return TemplateFacts(member, template.key, problem=f"it cannot be parsed ({type(error).__name__})")
    except RecursionError:
        return TemplateFacts(member, template.key, problem="it nests too deeply")
    return walk.facts(member, template.key)


class _Walk:
    """Gathers what a syntax tree uses."""

    def __init__(self, defined: frozenset[str]) -> None:
        self._defined = defined | {"caller"}
        self._found: dict[str, set[str]] = {
            name: set() for name in ("attributes", "filters", "calls", "methods", "statements", "costs")
        }
        self.texts: list[str] = []
        self._triggers: list[str] = []
        self._silent: set[int] = set()
        self._handlers: dict[type[nodes.Node], Callable[[nodes.Node], None]] = {
            nodes.Getattr: self._attribute,
            nodes.Getitem: self._item,
            nodes.Call: self._call,
            nodes.Filter: self._filter,
            nodes.If: self._branch,
            nodes.TemplateData: self._text,
            nodes.Const: self._constant,
            nodes.Pow: self._power,
            nodes.Import: self._statement,
            nodes.FromImport: self._statement,
            nodes.Include: self._statement,
            nodes.Extends: self._statement,
            nodes.Name: self._name,
        }

    def visit(self, tree: nodes.Node) -> None:
        """Note what every node of the tree uses."""
        waiting: list[nodes.Node] = [tree]
        while waiting:
            node = waiting.pop()
            handler = self._handlers.get(type(node))
            if handler is not None:
                handler(node)
            waiting.extend(reversed(list(node.iter_child_nodes())))

    def facts(self, member: str, key: str) -> TemplateFacts:
        """All that was noted."""
        found = {name: tuple(sorted(values)) for name, values in self._found.items()}
        return TemplateFacts(
            member,
            key,
            attributes=found["attributes"],
            filters=found["filters"],
            calls=found["calls"],
            methods=found["methods"],
            statements=found["statements"],
            texts=tuple(self.texts),
            triggers=tuple(self._triggers),
            costs=found["costs"],
        )

    def _attribute(self, node: nodes.Node) -> None:
        if isinstance(node, nodes.Getattr):
            self._found["attributes"].add(node.attr)

    def _item(self, node: nodes.Node) -> None:
        if not isinstance(node, nodes.Getitem):
            return
        if isinstance(node.arg, nodes.Const):
            if isinstance(node.arg.value, str):
                self._found["attributes"].add(node.arg.value)
        elif _builds_text(node.arg):
            self._found["attributes"].add(_COMPUTED)

    def _call(self, node: nodes.Node) -> None:
        if not isinstance(node, nodes.Call):
            return
        if isinstance(node.node, nodes.Name):
            if node.node.name == _RAISES:
                # What it says reaches whoever calls the model, never the model.
                self._silent.update(id(part) for part in node.find_all(nodes.Const))
            if node.node.name not in self._defined:
                self._found["calls"].add(node.node.name)
        elif isinstance(node.node, nodes.Getattr):
            self._found["methods"].add(node.node.attr)

    def _filter(self, node: nodes.Node) -> None:
        if not isinstance(node, nodes.Filter):
            return
        self._found["filters"].add(node.name)
        first = node.args[0] if node.args else None
        if first is not None and node.name in _FIRST_IS_ATTRIBUTE:
            self._note("attributes", first)
        if first is not None and node.name in _FIRST_IS_FILTER:
            self._note("filters", first)
        for option in node.kwargs:
            if option.key == _NAMED_ATTRIBUTE_FILTERS.get(node.name):
                self._note("attributes", option.value)

    def _name(self, node: nodes.Node) -> None:
        if isinstance(node, nodes.Name) and node.name.startswith("_"):
            self._found["attributes"].add(node.name)

    def _statement(self, node: nodes.Node) -> None:
        self._found["statements"].add(type(node).__name__.lower())

    def _text(self, node: nodes.Node) -> None:
        value = node.data if isinstance(node, nodes.TemplateData) else getattr(node, "value", None)
        if isinstance(value, str) and value.strip() and id(node) not in self._silent:
            self.texts.append(value)

    def _constant(self, node: nodes.Node) -> None:
        value = node.value if isinstance(node, nodes.Const) else None
        if isinstance(value, str) and _INTERNAL.match(value.encode()):
            # Nobody says this to a model: it is a name, or the beginning of one, for an access that follows.
            self._found["attributes"].add(value[:64])
        elif isinstance(value, int | float) and abs(value) > MAX_NUMBER:
            self._found["costs"].add(f"the number {value:g}")
        self._text(node)

    def _power(self, _node: nodes.Node) -> None:
        self._found["costs"].add("a power")

    def _branch(self, node: nodes.Node) -> None:
        if isinstance(node, nodes.If) and _looks_for_a_word(node.test):
            self._triggers += [text for part in node.body for text in _emitted(part)]

    def _note(self, what: str, node: nodes.Expr) -> None:
        if not isinstance(node, nodes.Const) or not isinstance(node.value, str):
            self._found[what].add(_COMPUTED)
        elif what == "attributes":
            self._found[what].update(node.value.split("."))
        else:
            self._found[what].add(node.value)


def _builds_text(node: nodes.Expr) -> bool:
    """Whether a subscript puts a text together, which could spell any name; numbers and plain variables cannot."""
    if isinstance(node, nodes.Slice):
        return False
    if isinstance(node, nodes.Concat | nodes.Mod | nodes.Filter):
        return True
    parts = [node, *node.find_all(nodes.Const)]
    return isinstance(node, nodes.Add | nodes.Mul) and any(
        isinstance(part, nodes.Const) and isinstance(part.value, str) for part in parts
    )


def _looks_for_a_word(test: nodes.Node) -> bool:
    """Whether a condition asks if a message contains a word that is no markup of the conversation's format."""
    compares = [*test.find_all(nodes.Compare), *([test] if isinstance(test, nodes.Compare) else [])]
    return any(
        isinstance(compare.expr, nodes.Const)
        and _is_word(compare.expr.value)
        and any(operand.op == "in" and _is_message(operand.expr) for operand in compare.ops)
        for compare in compares
    )


def _is_word(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip()) and value.replace(" ", "").isalnum()


def _is_message(node: nodes.Expr) -> bool:
    for part in [node, *node.find_all((nodes.Getattr, nodes.Getitem, nodes.Name))]:
        if isinstance(part, nodes.Getattr) and part.attr in _MESSAGE_FIELDS:
            return True
        if isinstance(part, nodes.Name) and part.name in _MESSAGE_FIELDS:
            return True
        if isinstance(part, nodes.Getitem) and isinstance(part.arg, nodes.Const) and part.arg.value in _MESSAGE_FIELDS:
            return True
    return False


def _emitted(node: nodes.Node) -> Iterator[str]:
    for output in [node, *node.find_all(nodes.Output)]:
        if not isinstance(output, nodes.Output):
            continue
        for part in output.find_all((nodes.TemplateData, nodes.Const)):
            value: object = part.data if isinstance(part, nodes.TemplateData) else part.value
            if isinstance(value, str) and value.strip():
                yield value
