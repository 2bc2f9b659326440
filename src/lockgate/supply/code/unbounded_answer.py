"""LG-SUPPLY-114."""

from collections.abc import Iterator
from typing import ClassVar

from lockgate.core import Card, Check, Confidence, Finding, Location, Severity
from lockgate.supply.code.subject import CodeFile

_PAID = (
    "chat.completions.create", "chat.completions.parse", "responses.create", "responses.parse", "litellm.completion",
    "litellm.acompletion",
)  # fmt: skip
_LIMITS = ("max_tokens", "max_completion_tokens", "max_output_tokens", "extra_body")


class UnboundedAnswer(Check[CodeFile], frozen=True):
    """Finds loops that ask a paid model without a limit on the length of the answer.

    Why it matters:
        A model that is talked into endless answers costs money with every turn of the loop.

    Fails on:
        No limit:

            import openai
            client = openai.OpenAI()
            for text in TEXTS:
                client.responses.create(model="m", input=text)

    Passes on:
        A limit:

            import openai
            client = openai.OpenAI()
            for text in TEXTS:
                client.responses.create(model="m", input=text, max_output_tokens=300)

    Limits:
        Looks at direct calls of the OpenAI interfaces and litellm in a loop of the same function. Keywords that are
        spread (`**settings`) are taken to set the limit.
    """

    card: ClassVar[Card] = Card(
        id="LG-SUPPLY-114",
        title="Answers without a limit in a loop",
        severity=Severity.LOW,
        confidence=Confidence.MEDIUM,
        maps=(
            "LLM10:2025",
            "AML.T0034",
        ),
    )

    def inspect(self, subject: CodeFile) -> Iterator[Finding]:
        """Report every question in a loop whose answer has no limit."""
        for call in subject.calls:
            if not (call.looped and call.asks and call.name.endswith(_PAID)) or call.spreads:
                continue
            if call.argument(*_LIMITS) is None:
                yield self.finding(
                    f"{call.name} asks in a loop and sets no limit on the answer. Set a limit of tokens.",
                    at=Location(subject.ref.uri, call.place, call.line),
                )
