"""LG-SUPPLY-106."""

from collections.abc import Iterator
from typing import ClassVar

from lockgate.core import Card, Check, Confidence, Finding, Location, Severity
from lockgate.supply.code.subject import Call, CodeFile, Origin

_MARKUP = frozenset(
    {
        "markupsafe.Markup", "flask.Markup", "jinja2.Markup", "django.utils.safestring.mark_safe",
        "flask.render_template_string", "fastapi.responses.HTMLResponse", "starlette.responses.HTMLResponse",
        "IPython.display.HTML", "IPython.core.display.HTML", "IPython.display.Javascript",
        "streamlit.components.v1.html",
    }
)  # fmt: skip


class RenderedAnswer(Check[CodeFile], frozen=True):
    """Finds a model's answer that a page shows as HTML without escaping.

    Why it matters:
        Markup from an answer runs scripts in the reader's session, and an image whose address holds data sends that
        data away as soon as it is shown.

    Fails on:
        An answer is declared safe:

            import openai
            from markupsafe import Markup
            reply = openai.OpenAI().responses.create(model="m", input="Greet.").output_text
            page = Markup(reply)

    Passes on:
        An answer is escaped:

            import openai
            from markupsafe import Markup, escape
            reply = openai.OpenAI().responses.create(model="m", input="Greet.").output_text
            page = Markup(escape(reply))

    Limits:
        Knows the usual ways to mark text as safe. Templates that switch escaping off are not read.
    """

    card: ClassVar[Card] = Card(
        id="LG-SUPPLY-106",
        title="Model output that is shown as markup",
        severity=Severity.HIGH,
        confidence=Confidence.MEDIUM,
        maps=(
            "LLM05:2025",
            "ASI09:2026",
            "AML.T0077",
        ),
    )

    def inspect(self, subject: CodeFile) -> Iterator[Finding]:
        """Report every way from an answer to unescaped markup."""
        for call in subject.calls:
            argument = call.argument("0", "content", "body", "data", "source")
            if _shows(call) and argument and Origin.MODEL in argument.origins:
                yield self.finding(
                    f"{call.name} shows what a model wrote as markup. Escape it, or allow listed elements only.",
                    at=Location(subject.ref.uri, call.place, call.line),
                )


def _shows(call: Call) -> bool:
    return call.name in _MARKUP or (call.last in {"markdown", "write"} and call.constant("unsafe_allow_html") is True)
