"""LG-SUPPLY-107."""

from collections.abc import Iterator
from typing import ClassVar

from lockgate.core import Card, Check, Confidence, Finding, Location, Severity
from lockgate.supply.code.subject import CodeFile, Origin

_SYSTEM = frozenset({"system", "instructions", "system_instruction", "system_prompt"})


class MixedPrompt(Check[CodeFile], frozen=True):
    """Finds prompts in which text of strangers stands among the instructions with nothing that sets it apart.

    Why it matters:
        A model follows whatever reads like an instruction. Text from a request, a web page or a tool that is pasted
        into the instructions can replace them.

    Fails on:
        A request's text is pasted into a sentence:

            import openai
            from flask import request
            text = request.args["text"]
            openai.OpenAI().responses.create(model="m", input=f"Translate into French: {text}. Be brief.")

    Passes on:
        The text is a message of its own:

            import openai
            from flask import request
            text = request.args["text"]
            openai.OpenAI().responses.create(model="m", instructions="Translate into French.", input=text)

    Limits:
        Knows web requests, fetched pages, documents, search results and results of tools as untrusted, inside one
        file. A tag, a fence or a bracket before the text counts as setting it apart, which helps but does not stop
        every attack.
    """

    card: ClassVar[Card] = Card(
        id="LG-SUPPLY-107",
        title="Untrusted text inside of instructions",
        severity=Severity.MEDIUM,
        confidence=Confidence.MEDIUM,
        maps=(
            "LLM01:2025",
            "ASI01:2026",
            "AML.T0051.000",
            "AML.T0051.001",
        ),
    )

    def inspect(self, subject: CodeFile) -> Iterator[Finding]:
        """Report every question that mixes the two, and every system message that strangers write."""
        for call in subject.calls:
            if not call.asks:
                continue
            for argument in call.arguments:
                system = argument.name in _SYSTEM and Origin.UNTRUSTED in argument.origins
                if system or Origin.MIXED in argument.origins:
                    yield self.finding(
                        f"{call.name} mixes untrusted text into instructions ({argument.name}). Send it as a "
                        "message of its own, "
                        "or set it apart with marks that it cannot contain.",
                        at=Location(subject.ref.uri, f"{call.place}/{argument.name}", call.line),
                    )
