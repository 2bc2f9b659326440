"""Facts about a file of Python code, as its reader finds them and its checks see them."""

import ast
from enum import StrEnum

import msgspec

from lockgate.core import SubjectRef


class Origin(StrEnum):
    """Where a value may come from.

    `client` is an object that asks a model, `model` an answer (or the argument of a tool, which a model chooses),
    `untrusted` what strangers write, `mixed` such text inside of instructions without anything that sets it apart.
    """

    CLIENT = "client"
    MODEL = "model"
    UNTRUSTED = "untrusted"
    MIXED = "mixed"


Origins = frozenset[Origin]
NOWHERE: Origins = frozenset()


class Argument(msgspec.Struct, frozen=True):
    """One argument of a call.

    Attributes:
        name: Position from 0 as a number, or the keyword; `*` and `**` for what is spread.
        value: The expression.
        origins: Where its value may come from.
    """

    name: str
    value: ast.expr
    origins: Origins = NOWHERE


class Call(msgspec.Struct, frozen=True):
    """One call.

    Attributes:
        name: Dotted name with imports resolved (`torch.load`); a call inside of it ends in `()`, what has no name is
            `?`.
        place: Structural place: scope, name, and a number where the scope has several.
        line: Line, 1-based; inside the cell for a notebook.
        arguments: In the order of the code.
        asks: Whether it asks a model.
        looped: Whether it lies in a loop.
    """

    name: str
    place: str
    line: int
    arguments: tuple[Argument, ...]
    asks: bool = False
    looped: bool = False

    @property
    def last(self) -> str:
        """The last part of the name."""
        return self.name.rpartition(".")[2]

    def argument(self, *names: str) -> Argument | None:
        """The first argument that has one of these names or positions."""
        return next((found for name in names for found in self.arguments if found.name == name), None)

    def constant(self, *names: str) -> object:
        """The literal value of such an argument; None where there is none, or it is no literal."""
        found = self.argument(*names)
        return found.value.value if found is not None and isinstance(found.value, ast.Constant) else None

    @property
    def spreads(self) -> bool:
        """Whether it takes keywords that cannot be seen (`**settings`)."""
        return any(found.name == "**" for found in self.arguments)


class Assignment(msgspec.Struct, frozen=True):
    """A literal that is assigned to a dotted name, for instance `litellm.set_verbose = True`.

    Attributes:
        name: Dotted name with imports resolved.
        value: The literal, or the dotted name that is assigned.
        place: Structural place.
        line: Line, 1-based.
    """

    name: str
    value: object
    place: str
    line: int


class Launch(msgspec.Struct, frozen=True):
    """A program that is started as an MCP server.

    Attributes:
        command: The program.
        arguments: Its literal arguments.
        place: Structural place.
        line: Line, 1-based.
    """

    command: str
    arguments: tuple[str, ...]
    place: str
    line: int


class Route(msgspec.Struct, frozen=True):
    """A function that a web framework calls for a request.

    Attributes:
        place: Structural place.
        line: Line, 1-based.
        asks: Whether it asks a model itself.
        guarded: Whether a decorator, a parameter or the application names something that authenticates.
    """

    place: str
    line: int
    asks: bool
    guarded: bool


class SecretMark(msgspec.Struct, frozen=True):
    """A secret in the text.

    Attributes:
        kind: What it is, for instance `aws-access-key`.
        place: Structural place.
        line: Line, 1-based.
        score: How sure the detector is, 0 to 1.
        prompt: Whether it lies in the text of a prompt.
    """

    kind: str
    place: str
    line: int
    score: float
    prompt: bool


class ClassicIssue(msgspec.Struct, frozen=True):
    """What bandit reports.

    Attributes:
        rule: Its id, for instance `B324`.
        text: What it says.
        place: Structural place.
        line: Line, 1-based.
        severity: `LOW`, `MEDIUM` or `HIGH`.
        confidence: Same scale.
    """

    rule: str
    text: str
    place: str
    line: int
    severity: str
    confidence: str


class CodeFile(msgspec.Struct, frozen=True):
    """A file of Python code, a notebook, or the settings of an MCP client.

    Attributes:
        ref: Name and digest.
        calls: Every call, in the order of the code.
        assignments: Literals and names that are assigned to dotted names.
        launches: MCP servers that are started.
        routes: Functions that answer requests.
        secrets: Secrets in its text.
        asks: Whether anything in it asks a model.
        classic: What bandit found; None where bandit is not installed.
        classic_failed: Why bandit could not look; empty otherwise.
        lines: How many lines of code.
    """

    ref: SubjectRef
    calls: tuple[Call, ...] = ()
    assignments: tuple[Assignment, ...] = ()
    launches: tuple[Launch, ...] = ()
    routes: tuple[Route, ...] = ()
    secrets: tuple[SecretMark, ...] = ()
    asks: bool = False
    classic: tuple[ClassicIssue, ...] | None = None
    classic_failed: str = ""
    lines: int = 0
