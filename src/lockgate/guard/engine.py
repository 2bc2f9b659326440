"""Decides on one text, or on a conversation as a whole."""

from collections.abc import Callable, Sequence
from typing import Literal

import msgspec

from lockgate.core import Action, Origin, Reason, Span, Verdict
from lockgate.core.config import GuardConfig
from lockgate.detect import (
    find_exfiltration,
    find_injection,
    find_leaks,
    find_prompt_leak,
    fuse,
    longest_match,
    prepare_prompt,
)
from lockgate.guard.errors import GuardError
from lockgate.guard.memory import Known
from lockgate.guard.output import Output
from lockgate.guard.redact import recognised, redact, repeated
from lockgate.guard.sensitive import find_sensitive
from lockgate.guard.suspicion import Suspicion, suspect
from lockgate.guard.weights import load_classifier

_Judge = Callable[[], Verdict]
Sensitivity = Literal["strict", "balanced", "permissive"]

_FORGED = 0.9
# No role: the user's turns as one text are judged less strictly than a turn, so they are remembered apart.
_TOGETHER = "\n"
_MAX_ROUNDS = 4
_ROLES = {"user": Origin.USER, "assistant": Origin.MODEL, "tool": Origin.TOOL, "function": Origin.TOOL}
_MESSAGES = {
    "injection": "Reads like an instruction that overrides or extracts the application's own.",
    "hidden": "Holds an instruction that a human reader does not see.",
    "leak": "Repeats a protected value or the protected prompt.",
    "exfiltration": "Links to an address that would carry data away.",
    "secret": "Holds a credential.",
    "pii": "Holds personal data.",
    "markup": "Holds markup that acts when it is rendered.",
    "link": "Links to a host that is not listed.",
    "code": "Holds code that harms whoever runs it.",
    "term": "Holds a term that the policy names.",
    "guard.too-long": "Is longer than the guard inspects.",
    "guard.error": "The guard could not finish its inspection.",
    "guard.unstable": "Could not be redacted for good.",
}
_STRICTNESS = (Action.ALLOW, Action.REDACT, Action.HOLD, Action.BLOCK)


class Message(msgspec.Struct, frozen=True):
    """One turn of a conversation.

    Attributes:
        role: `user`, `assistant`, `tool` or `function`; any other role is judged as a user.
        content: Its text.
    """

    role: str
    content: str


class Screening(msgspec.Struct, frozen=True):
    """What came of a conversation.

    Attributes:
        verdict: On the whole; spans and text count over all contents joined by one line feed.
        messages: The turns to use from here on, redacted where needed. Empty where the verdict is BLOCK.
    """

    verdict: Verdict
    messages: tuple[Message, ...]


class Guard:
    """Judges texts. Holds no state that changes, so one guard serves all threads.

    Args:
        config: How to judge.
        protected: Values that no answer may contain, in any simple encoding.
        system_prompt: Text that no answer may repeat at length.

    Attributes:
        config: How it judges.
        threshold: Score from which an input is blocked.

    Raises:
        GuardError: The learned weights are not installed.
    """

    def __init__(self, config: GuardConfig, protected: tuple[str, ...] = (), system_prompt: str = "") -> None:
        self.config = config
        self._protected = tuple(value for value in protected if value.strip())
        self._prompt = prepare_prompt(system_prompt)
        self._output = Output(config.output)
        self._classifier = load_classifier()
        self.threshold = self._classifier.calibration.thresholds[config.sensitivity]

    @classmethod
    def default(cls, sensitivity: Sensitivity = "balanced") -> "Guard":
        """A guard with default settings and nothing to protect but what any application must."""
        return cls(GuardConfig(sensitivity=sensitivity))

    @property
    def reach(self) -> int:
        """How many characters a match in an answer may span before it is recognised."""
        return max(longest_match(self._protected), self._prompt.longest, self._output.reach)

    def inspect(self, text: str, origin: Origin | str = Origin.USER) -> Verdict:
        """Judge one text.

        Args:
            text: Any text.
            origin: `user`, `document` and `tool` are inputs, `model` is an answer.

        Returns:
            BLOCK also when the text is too long or when anything fails inside: a guard that errs does not let pass.
        """
        return self._guarded(text, lambda: self._inspect(text, Origin(origin)))

    def inspect_messages(self, messages: Sequence[Message], known: Known | None = None) -> Verdict:
        """Judge a conversation: every turn, and the user's turns read as one text.

        See `screen` for the redacted turns. Leave out a system prompt of your own: it is judged like a user's text.
        """
        return self.screen(messages, known).verdict

    def screen(self, messages: Sequence[Message], known: Known | None = None) -> Screening:
        """Judge a conversation and give the turns to use from here on.

        Args:
            messages: The turns, in order.
            known: Turns of the same origin that this guard allowed before and need not judge again.
        """
        joined = "\n".join(message.content for message in messages)
        screened: list[Message] = []

        def judge() -> Verdict:
            verdicts = [self._remembered(message, known) for message in messages]
            verdicts = [*verdicts, self._together(messages, known)] if len(messages) > 1 else verdicts
            screened.extend(
                msgspec.structs.replace(message, content=verdict.text)
                for message, verdict in zip(messages, verdicts, strict=False)
            )
            return _combined(messages, verdicts)

        verdict = self._guarded(joined, judge)
        return Screening(verdict, () if verdict.action is Action.BLOCK else tuple(screened))

    def recall(self, messages: Sequence[Message], known: Known) -> Verdict | None:
        """The verdict on a conversation of which nothing is new, in no more time than it takes to read it.

        Args:
            messages: The turns, in order.
            known: What this guard allowed before.

        Returns:
            ALLOW where `known` holds every turn and, where there are several, the user's turns as one text; else None.
        """
        text = "\n".join(message.content for message in messages)
        turns = [(message.role, message.content) for message in messages]
        spoken = _spoken(messages)
        if len(spoken) > 1:
            turns.append((_TOGETHER, " ".join(spoken)))
        scores = [known.memory.recall(known.digest(role, content)) for role, content in turns]
        if len(text) > self.config.max_chars or None in scores:
            return None
        return Verdict(Action.ALLOW, max((score for score in scores if score is not None), default=0.0), (), text)

    def explain(self, text: str, origin: Origin | str = Origin.USER) -> Suspicion:
        """What each layer sees in an input, whatever the verdict; may raise. For people, not for enforcement.

        Raises:
            GuardError: The text is longer than the guard inspects.
        """
        if len(text) > self.config.max_chars:
            raise GuardError("The text is longer than the guard inspects.", remedy="Raise 'guard.max_chars'.")
        return suspect(text, Origin(origin), self._classifier)

    def blocking(self, text: str) -> tuple[Span, ...]:
        """What in an answer must block it, sorted; may raise.

        A protected value in plain sight is not among it where redaction is on: the answer is good without it. One that
        was encoded, spelled or reversed shows an intention, and what else such an answer holds is anybody's guess.
        """
        leaks = find_leaks(text, self._protected)
        plain = _plain(text, self._protected, leaks) if self.config.redact else ()
        hidden = (span for span in leaks if not any(p.start <= span.start and span.end <= p.end for p in plain))
        leaked = (*hidden, *find_prompt_leak(text, self._prompt), *find_exfiltration(text))
        return tuple(sorted((*leaked, *self._output.blocking(text))))

    def sensitive(self, text: str, origin: Origin) -> tuple[Span, ...]:
        """What is replaced in a text rather than refused, sorted; may raise."""
        found = find_sensitive(text, answer=origin is Origin.MODEL)
        if origin is not Origin.MODEL:
            return found
        plain = _plain(text, self._protected, find_leaks(text, self._protected))
        return tuple(sorted((*found, *plain, *self._output.replaced(text))))

    def _guarded(self, text: str, judge: _Judge) -> Verdict:
        whole = (Span(0, len(text), "guard.too-long"),)
        if len(text) > self.config.max_chars:
            return blocked(whole, 1.0)
        try:
            return judge()
        except Exception:  # noqa: BLE001 - fail closed, whatever went wrong; its message may quote the text
            return blocked((Span(0, len(text), "guard.error"),), 1.0)

    def _inspect(self, text: str, origin: Origin) -> Verdict:
        if origin is Origin.MODEL:
            score, blocking = 0.0, self.blocking(text)
        else:
            found = suspect(text, origin, self._classifier)
            score = found.score
            blocking = (found.spans or (Span(0, len(text), "injection.model"),)) if score >= self.threshold else ()
        return self._decided(text, origin, score, blocking)

    def _decided(self, text: str, origin: Origin, score: float, blocking: tuple[Span, ...]) -> Verdict:
        if blocking:
            return blocked(tuple(sorted(blocking)), score)
        spans = self.sensitive(text, origin)
        if not spans:
            return Verdict(Action.ALLOW, score, (), text)
        if not self.config.redact:
            return blocked(spans, score)
        clean = self._redacted(text, spans, origin)
        if clean is None or (origin is Origin.MODEL and self.blocking(clean)):
            return blocked((Span(0, len(text), "guard.unstable"),), score)
        return Verdict(Action.REDACT, score, tuple(map(reason, spans)), clean)

    def _redacted(self, text: str, spans: tuple[Span, ...], origin: Origin) -> str | None:
        """`text` without anything sensitive, None if new matches keep appearing where pieces now meet."""
        for _ in range(_MAX_ROUNDS):
            text = redact(text, (*spans, *repeated(text, recognised(text, spans)))).text
            spans = self.sensitive(text, origin)
            if not spans:
                return text
        return None

    def _remembered(self, message: Message, known: Known | None) -> Verdict:
        if known is None:
            return self._turn(message)
        digest = known.digest(message.role, message.content)
        if (score := known.memory.recall(digest)) is not None:
            return Verdict(Action.ALLOW, score, (), message.content)
        verdict = self._turn(message)
        if verdict.action is Action.ALLOW:
            known.memory.keep(digest, verdict.score)
        return verdict

    def _turn(self, message: Message) -> Verdict:
        origin = _ROLES.get(message.role, Origin.USER)
        verdict = self._inspect(message.content, origin)
        if origin is Origin.MODEL and verdict.action is not Action.BLOCK:
            # A caller writes the history, so an assistant's turn may be forged; only the blatant is refused there.
            signs = find_injection(message.content, origin)
            score = fuse(signs)
            return blocked(signs, score) if score >= _FORGED else verdict
        return verdict

    def _together(self, messages: Sequence[Message], known: Known | None) -> Verdict:
        """The verdict on the user's turns read as one text, so that an attack split over turns is whole again."""
        turns = _spoken(messages)
        if len(turns) < 2:  # noqa: PLR2004 - one turn was judged already
            return Verdict(Action.ALLOW, 0.0, (), "")
        text = " ".join(turns)
        digest = known.digest(_TOGETHER, text) if known else b""
        if known and (score := known.memory.recall(digest)) is not None:
            return Verdict(Action.ALLOW, score, (), "")
        found = suspect(text, Origin.USER, self._classifier)
        if found.score >= self.threshold:
            labels = dict.fromkeys(span.label for span in found.spans) or {"injection.model": None}
            return blocked(tuple(Span(0, 0, label) for label in labels), found.score)
        if known:
            known.memory.keep(digest, found.score)
        return Verdict(Action.ALLOW, found.score, (), "")


def _spoken(messages: Sequence[Message]) -> list[str]:
    """What the user said, turn by turn."""
    return [message.content for message in messages if message.role not in _ROLES or message.role == "user"]


def _plain(text: str, values: tuple[str, ...], leaks: tuple[Span, ...]) -> tuple[Span, ...]:
    """The leaks that are written as the value is, apart from case."""
    written = {value.casefold() for value in values}
    return tuple(span for span in leaks if text[span.start : span.end].casefold() in written)


def blocked(spans: tuple[Span, ...], score: float = 0.0) -> Verdict:
    """A BLOCK verdict for these spans."""
    return Verdict(Action.BLOCK, score, tuple(map(reason, spans)), "")


def reason(span: Span) -> Reason:
    """Why a span matters, in one sentence that does not quote it."""
    return Reason(span, _MESSAGES.get(span.label) or _MESSAGES[span.label.partition(".")[0]])


def _combined(messages: Sequence[Message], verdicts: Sequence[Verdict]) -> Verdict:
    """One verdict of each turn's and, where there is one more, of the turns together."""
    action = max((verdict.action for verdict in verdicts), key=_STRICTNESS.index, default=Action.ALLOW)
    length = sum(len(message.content) + 1 for message in messages) - 1
    reasons: list[Reason] = []
    offset = 0
    for index, verdict in enumerate(verdicts):
        whole = index >= len(messages)
        for item in verdict.reasons:
            span = item.span
            start, end = (0, length) if whole else (span.start + offset, span.end + offset)
            reasons.append(Reason(Span(start, end, span.label, span.score), item.message))
        offset += 0 if whole else len(messages[index].content) + 1
    score = max((verdict.score for verdict in verdicts), default=0.0)
    text = "" if action is Action.BLOCK else "\n".join(v.text for v in verdicts[: len(messages)])
    return Verdict(action, score, tuple(sorted(reasons, key=lambda item: item.span)), text)
