"""Letting the guard decide on several texts at once, and putting its words in their place."""

from collections.abc import Callable, Iterator, Sequence
from typing import cast

import msgspec

from lockgate.core import Action, Origin, Verdict
from lockgate.gateway.errors import GUARD_ERROR, ApiError, content_filtered, guard_failed
from lockgate.guard import Guard, Vault, inspect_reversibly
from lockgate.guard.vault import tokens

JsonContainer = dict[str, object] | list[object]

ORIGINS = {
    "system": Origin.USER,
    "developer": Origin.USER,
    "user": Origin.USER,
    "assistant": Origin.MODEL,
    "tool": Origin.TOOL,
}


class Slot(msgspec.Struct):
    """A place in a document whose text the guard must see.

    Attributes:
        text: What stands there now.
        role: Who is taken to have said it: a role of the chat format.
        container: The object or list that holds it; None where the text cannot be replaced (a key, a number).
        key: Its key or index there.
    """

    text: str
    role: str
    container: JsonContainer | None = None
    key: str | int = ""

    def replace(self, text: str) -> bool:
        """Put `text` in its place; False where that is impossible."""
        match self.container, self.key:
            case dict() as holder, str() as key:
                holder[key] = text
            case list() as holder, int() as index:
                holder[index] = text
            case _:
                return False
        self.text = text
        return True


class Judgement(msgspec.Struct, frozen=True):
    """What the guard decided on all slots together: ALLOW or REDACT, since everything else is an error."""

    action: Action = Action.ALLOW
    labels: tuple[str, ...] = ()
    score: float = 0.0

    def joined(self, other: "Judgement") -> "Judgement":
        """On these slots and others."""
        action = Action.REDACT if Action.REDACT in {self.action, other.action} else self.action
        labels = tuple(dict.fromkeys((*self.labels, *other.labels)))
        return Judgement(action, labels, max(self.score, other.score))


def judge(
    guard: Guard, slots: Sequence[Slot], whole: Callable[[], Verdict], *, what: str, vault: Vault | None = None
) -> Judgement:
    """Judge the whole, redact slot by slot if need be, and judge the whole again.

    Args:
        guard: Who decides.
        slots: Every text that will travel; replaced in place where the guard redacts.
        whole: Gives the guard's verdict on all slots as they stand.
        what: `request` or `answer`, for the message.
        vault: Keeps what is redacted and gives tokens for it; None redacts for good.

    Raises:
        ApiError: 400 `content_filter` when the guard blocks or what it wants redacted cannot be; 503 when it erred.
    """
    verdict = whole()
    if verdict.action is Action.ALLOW:
        if vault is not None and any(tokens(slot.text) for slot in slots):
            _give_tokens(guard, slots, vault)
        return Judgement(score=verdict.score)
    if verdict.action is not Action.REDACT:
        raise refusal(verdict, what=what)
    found = list(verdict.reasons)
    for slot in slots:
        single = _inspect(guard, slot, vault)
        if single.action is Action.ALLOW:
            if single.text != slot.text:
                slot.replace(single.text)
            continue
        if single.action is not Action.REDACT or not slot.replace(single.text):
            raise refusal(single, what=what)
        found += single.reasons
    again = whole()
    if again.action is not Action.ALLOW:
        raise refusal(again, what=what)
    return Judgement(Action.REDACT, tuple(dict.fromkeys(reason.span.label for reason in found)), verdict.score)


def _inspect(guard: Guard, slot: Slot, vault: Vault | None) -> Verdict:
    origin = ORIGINS[slot.role]
    return guard.inspect(slot.text, origin) if vault is None else inspect_reversibly(guard, slot.text, vault, origin)


def _give_tokens(guard: Guard, slots: Sequence[Slot], vault: Vault) -> None:
    """What a caller wrote that only looks like a token gets one of its own, so that it can call up nothing."""
    for slot in slots:
        slot.replace(_inspect(guard, slot, vault).text)


def refusal(verdict: Verdict, *, what: str) -> ApiError:
    """What a caller is told when a verdict lets nothing pass: 400 `content_filter`, or 503 when the guard erred."""
    labels = labels_of(verdict)
    if GUARD_ERROR in labels:
        return guard_failed(GUARD_ERROR)
    return content_filtered(labels, verdict.score, what=what)


def labels_of(verdict: Verdict) -> tuple[str, ...]:
    """The labels behind a verdict, each once."""
    return tuple(dict.fromkeys(reason.span.label for reason in verdict.reasons))


def strings(container: JsonContainer, key: str | int, *, role: str) -> Iterator[Slot]:
    """Every text, object key and number at or below one place of a JSON document."""
    value = container[key] if isinstance(container, dict) else container[cast("int", key)]  # pyright: ignore[reportArgumentType] - key fits container
    match value:
        case str():
            yield Slot(value, role, container, key)
        case dict():
            inner = cast("dict[str, object]", value)
            for name in inner:
                yield Slot(name, role)
                yield from strings(inner, name, role=role)
        case list():
            items = cast("list[object]", value)
            for index in range(len(items)):
                yield from strings(items, index, role=role)
        case bool() | None:
            pass
        case _:
            yield Slot(str(value), role)
