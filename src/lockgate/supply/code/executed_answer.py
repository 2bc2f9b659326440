"""LG-SUPPLY-104."""

from collections.abc import Iterator
from typing import ClassVar

from lockgate.core import Card, Check, Confidence, Finding, Location, Severity
from lockgate.supply.code.subject import Argument, Call, CodeFile, Origin

_INTERPRETERS = frozenset(
    {
        "eval", "exec", "compile", "builtins.eval", "builtins.exec", "__import__", "importlib.import_module",
        "os.system", "os.popen", "commands.getoutput", "subprocess.getoutput", "subprocess.getstatusoutput",
        "pickle.loads", "pandas.eval", "code.InteractiveInterpreter().runcode", "runpy.run_path",
        "asyncio.create_subprocess_shell", "asyncio.create_subprocess_exec", "pty.spawn", "timeit.timeit",
    }
)  # fmt: skip
_PROGRAMS = frozenset(
    {f"subprocess.{name}" for name in ("run", "call", "check_call", "check_output", "Popen")}
    | {f"os.{name}" for name in ("execv", "execve", "execvp", "spawnl", "spawnv", "startfile")}
)


class ExecutedAnswer(Check[CodeFile], frozen=True):
    """Finds a model's answer, or an argument that a model chose for a tool, that is executed.

    Why it matters:
        Whoever can write into what the model reads, a web page is enough, can write what the model answers. An answer
        that is executed is code from that page, with the rights of this process.

    Fails on:
        An answer is run:

            import openai
            reply = openai.OpenAI().responses.create(model="m", input="Write a program.")
            exec(reply.output_text)

    Passes on:
        An answer chooses from a list:

            import openai
            reply = openai.OpenAI().responses.create(model="m", input="Which report?")
            REPORTS[int(reply.output_text)]()

    Limits:
        Follows values inside a function and through functions of the same file. What other files do with an answer is
        not seen. A call whose name says that it sanitises or escapes ends the way.
    """

    card: ClassVar[Card] = Card(
        id="LG-SUPPLY-104",
        title="Model output that is executed",
        severity=Severity.CRITICAL,
        confidence=Confidence.MEDIUM,
        maps=(
            "LLM05:2025",
            "ASI05:2026",
            "ASI02:2026",
            "AML.T0050",
        ),
    )

    def inspect(self, subject: CodeFile) -> Iterator[Finding]:
        """Report every way from an answer to an interpreter."""
        for call in subject.calls:
            argument = _executed(call)
            if argument is not None and Origin.MODEL in argument.origins:
                yield self.finding(
                    f"{call.name} executes what a model wrote. Let it choose from a fixed list, or run it in a "
                    "sandbox without "
                    "network and secrets.",
                    at=Location(subject.ref.uri, call.place, call.line),
                )


def _executed(call: Call) -> Argument | None:
    if call.name in _INTERPRETERS:
        return call.argument("0", "args", "command", "cmd", "source", "code", "name")
    return call.argument("0", "args") if call.name in _PROGRAMS else None
