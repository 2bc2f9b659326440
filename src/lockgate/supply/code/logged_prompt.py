"""LG-SUPPLY-112."""

import ast
from collections.abc import Iterator
from typing import ClassVar

from lockgate.core import Card, Check, Confidence, Finding, Location, Severity
from lockgate.supply.code.subject import Argument, Call, CodeFile, Origin

_REMEDY = "Log ids, counts and times instead."
_SWITCHES = frozenset({"litellm.set_verbose", "langchain.debug", "langchain.verbose"})
_FUNCTIONS = frozenset(
    {
        "langchain.globals.set_debug", "langchain.globals.set_verbose", "langchain_core.globals.set_debug",
        "langchain_core.globals.set_verbose", "litellm._turn_on_debug",
    }
)  # fmt: skip
_LEVELS = frozenset({"debug", "info", "warning", "error", "critical", "exception", "log"})
_LOGGERS = frozenset({"logging", "logger", "log", "_logger", "_log", "getlogger", "loguru"})
_NAMES = frozenset({"prompt", "prompts", "messages", "system_prompt", "user_prompt", "conversation", "chat_history"})


class LoggedPrompt(Check[CodeFile], frozen=True):
    """Finds prompts and answers that are written to a log.

    Why it matters:
        Prompts and answers hold what users typed: names, health, keys. A log keeps it, copies it to other systems,
        and is read by people who were never meant to see it.

    Fails on:
        A library is told to log everything:

            import litellm
            litellm.set_verbose = True

    Passes on:
        Only what is not personal is logged:

            import logging
            logging.getLogger(__name__).info("answered in %d ms", 120)

    Limits:
        Knows the switches of the common libraries, values that come from a model in this file, and names such as
        `prompt` and `messages`.
    """

    card: ClassVar[Card] = Card(
        id="LG-SUPPLY-112",
        title="Prompt or answer in a log",
        severity=Severity.LOW,
        confidence=Confidence.MEDIUM,
        maps=(
            "LLM02:2025",
            "AML.T0057",
        ),
    )

    def inspect(self, subject: CodeFile) -> Iterator[Finding]:
        """Report every switch, and every log call that carries a conversation."""
        uri = subject.ref.uri
        for item in subject.assignments:
            if item.name in _SWITCHES and item.value is True:
                yield self.finding(f"{item.name} logs every prompt. {_REMEDY}", at=Location(uri, item.place, item.line))
        for call in subject.calls:
            if call.name in _FUNCTIONS and call.constant("0", "value") is True:
                yield self.finding(f"{call.name} logs every prompt. {_REMEDY}", at=Location(uri, call.place, call.line))
            elif subject.asks and _is_log(call) and any(map(_carries, call.arguments)):
                yield self.finding(
                    f"{call.name} logs a conversation. {_REMEDY}", at=Location(uri, call.place, call.line)
                )


def _is_log(call: Call) -> bool:
    owner, _, last = call.name.rpartition(".")
    owner = owner.rpartition(".")[2].removesuffix("()").lower()
    return last in _LEVELS and owner in _LOGGERS


def _carries(argument: Argument) -> bool:
    return Origin.MODEL in argument.origins or any(map(_is_conversation, _shown(argument.value)))


def _shown(value: ast.expr) -> list[ast.expr]:
    """The value itself, or what a formatted text shows of others."""
    if isinstance(value, ast.JoinedStr):
        return [part.value for part in value.values if isinstance(part, ast.FormattedValue)]
    return [value]


def _is_conversation(value: ast.expr) -> bool:
    return isinstance(value, ast.Name) and value.id in _NAMES
