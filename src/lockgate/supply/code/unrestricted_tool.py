"""LG-SUPPLY-110."""

import ast
from collections.abc import Iterator
from typing import ClassVar

from lockgate.core import Card, Check, Confidence, Finding, Location, Severity
from lockgate.supply.code.clients import is_model_library
from lockgate.supply.code.subject import Call, CodeFile

_TOOLS = frozenset(
    {
        "ShellTool", "PythonREPLTool", "PythonAstREPLTool", "PythonREPL", "BashProcess", "PALChain", "LLMMathChain",
        "CodeInterpreterToolSpec", "LocalCommandLineCodeExecutor", "LocalShellTool", "create_python_agent",
        "TerminalTool", "PythonInterpreterTool",
    }
)  # fmt: skip
_SWITCHES = (
    ("allow_dangerous_code", True),
    ("allow_dangerous_requests", True),
    ("use_docker", False),
    ("code_execution_mode", "unsafe"),
    ("permission_mode", "bypassPermissions"),
    ("dangerously_skip_permissions", True),
)
_LOADED = frozenset({"terminal", "python_repl", "shell"})


class UnrestrictedTool(Check[CodeFile], frozen=True):
    """Finds agents that are given a shell or an interpreter without limits.

    Why it matters:
        An agent does what it reads. With a shell in its hands every document that it reads may run commands with the
        rights of this process.

    Fails on:
        A shell as a tool:

            from langchain_community.tools import ShellTool
            tools = [ShellTool()]

    Passes on:
        A tool that does one thing:

            from langchain_core.tools import tool
            @tool
            def weather(city: str) -> str:
                "Say what the weather is like."
                return FORECASTS[city]

    Limits:
        Knows the tools and switches of the common frameworks by name. A tool of your own that runs what it is given
        is found by LG-SUPPLY-104.
    """

    card: ClassVar[Card] = Card(
        id="LG-SUPPLY-110",
        title="Agent with an unrestricted tool",
        severity=Severity.HIGH,
        confidence=Confidence.HIGH,
        maps=(
            "LLM06:2025",
            "ASI02:2026",
            "ASI05:2026",
            "AML.T0053",
        ),
    )

    def inspect(self, subject: CodeFile) -> Iterator[Finding]:
        """Report every tool and switch that sets no limits."""
        for call in subject.calls:
            reason = _reason(call)
            if reason:
                yield self.finding(
                    f"{call.name} {reason}. Give the agent tools that do one thing, or a sandbox without network.",
                    at=Location(subject.ref.uri, call.place, call.line),
                )


def _reason(call: Call) -> str:
    if call.last in _TOOLS and is_model_library(call.name):
        return "runs whatever the model writes"
    for keyword, value in _SWITCHES:
        if call.constant(keyword) == value and call.argument(keyword) is not None:
            return f"lifts the limits of a tool ({keyword}={value!r})"
    imports = call.argument("additional_authorized_imports")
    if imports is not None and isinstance(imports.value, ast.List):
        listed = [item.value for item in imports.value.elts if isinstance(item, ast.Constant)]
        return "lets the model import everything" if "*" in listed else ""
    names = call.argument("0", "tool_names")
    if call.last == "load_tools" and names is not None and isinstance(names.value, ast.List):
        listed = [item.value for item in names.value.elts if isinstance(item, ast.Constant)]
        return "runs whatever the model writes" if _LOADED.intersection(map(str, listed)) else ""
    return ""
