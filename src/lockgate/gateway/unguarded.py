"""What stands in for the guard where it could not judge and `serve.fail_open` says to go on: it lets everything pass.

A text that the guard did judge and blocked never comes here, nor one that is longer than the guard looks at.
"""

from collections.abc import Sequence

from lockgate.core import Action, Origin, Span, Verdict
from lockgate.core.config import ServeConfig, Surface
from lockgate.gateway.routes import CHAT, COMPLETIONS, EMBEDDINGS, MESSAGES, RESPONSES
from lockgate.guard import Guard, Known, Message

_ROUTES: dict[Surface, str] = {
    "chat": CHAT,
    "completions": COMPLETIONS,
    "responses": RESPONSES,
    "messages": MESSAGES,
    "embeddings": EMBEDDINGS,
}


class _Unguarded(Guard):
    """It holds no models and finds nothing."""

    def __init__(self) -> None:
        """Load nothing."""

    def inspect(self, text: str, origin: Origin | str = Origin.USER) -> Verdict:
        del origin
        return Verdict(Action.ALLOW, 0.0, (), text)

    def inspect_messages(self, messages: Sequence[Message], known: Known | None = None) -> Verdict:
        del known
        return Verdict(Action.ALLOW, 0.0, (), "\n".join(message.content for message in messages))

    def blocking(self, text: str) -> tuple[Span, ...]:
        del text
        return ()

    def sensitive(self, text: str, origin: Origin) -> tuple[Span, ...]:
        del text, origin
        return ()


UNGUARDED: Guard = _Unguarded()


def open_routes(serve: ServeConfig) -> frozenset[str]:
    """The routes on which what the guard cannot judge goes on."""
    return frozenset(_ROUTES[surface] for surface in serve.fail_open)
