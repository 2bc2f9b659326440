"""Judges inputs and replaces what is private by tokens that a vault turns back in the answer."""

from collections.abc import Sequence

import msgspec

from lockgate.core import Action, Origin, Verdict
from lockgate.guard.engine import Guard, Message, Screening
from lockgate.guard.redact import recognised, repeated
from lockgate.guard.vault import Vault, tokens

_ORIGINS = {"assistant": Origin.MODEL, "tool": Origin.TOOL, "function": Origin.TOOL}


def inspect_reversibly(guard: Guard, text: str, vault: Vault, origin: Origin | str = Origin.USER) -> Verdict:
    """Judge one text as the guard does, and give its values tokens from `vault` instead of placeholders.

    Where the guard would find something in the text with its tokens, the verdict keeps the guard's placeholders, which
    cannot be turned back.

    Returns:
        The guard's verdict; where it is ALLOW or REDACT, its text holds tokens. Use that text also where it is ALLOW:
        what only looks like a token has one of its own there.

    Raises:
        GuardError: The vault is full.
    """
    verdict = guard.inspect(text, origin)
    if verdict.action not in {Action.ALLOW, Action.REDACT}:
        return verdict
    return msgspec.structs.replace(verdict, text=_tokenised(guard, text, verdict, vault, Origin(origin)))


def screen_reversibly(guard: Guard, messages: Sequence[Message], vault: Vault) -> Screening:
    """Judge a conversation as `Guard.screen` does, and give its values tokens from `vault` instead of placeholders.

    Raises:
        GuardError: The vault is full.
    """
    screening = guard.screen(messages)
    if screening.verdict.action not in {Action.ALLOW, Action.REDACT}:
        return screening
    screened = tuple(
        msgspec.structs.replace(
            message,
            content=inspect_reversibly(guard, message.content, vault, _ORIGINS.get(message.role, Origin.USER)).text,
        )
        for message in messages
    )
    text = "\n".join(message.content for message in screened)
    return Screening(msgspec.structs.replace(screening.verdict, text=text), screened)


def _tokenised(guard: Guard, text: str, verdict: Verdict, vault: Vault, origin: Origin) -> str:
    spans = tuple(reason.span for reason in verdict.reasons)
    shown = vault.redact(text, (*spans, *repeated(text, recognised(text, spans)))).text
    ours = tokens(shown)
    left = [
        span
        for span in guard.sensitive(shown, origin)
        if not any(start <= span.start and span.end <= end for start, end in ours)
    ]
    return verdict.text if left else shown
