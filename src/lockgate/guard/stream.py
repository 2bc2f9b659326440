"""Guards an answer while it is being written, and sends nothing that would be redacted or blocked."""

from lockgate.core import Reason, Span, Verdict
from lockgate.core.verdict import Action, Origin
from lockgate.guard.engine import Guard, blocked, reason
from lockgate.guard.errors import StreamBlockedError
from lockgate.guard.output import is_unsure
from lockgate.guard.redact import recognised, redact, repeated

STEP = 64
MIN_HOLD = 256


class StreamGuard:
    """Guards one answer.

    The last `hold` characters are always kept back: more than any match needs to be recognised. So is an unfinished
    word, however long, and everything from the start of a match that reaches into what is kept back. The stream is
    inspected whenever it has grown by `STEP` characters, never at the borders of chunks, so how the text is cut makes
    no difference to what is sent. Each inspection covers what is kept back and as much before it.

    A value that is recognised by a cue ("password: ...") is replaced from there on; where it stood bare more than
    `hold` characters earlier, it has been sent.

    Args:
        guard: The guard to ask; the answer is judged as `model`.
    """

    def __init__(self, guard: Guard) -> None:
        self.hold = max(MIN_HOLD, guard.reach)
        self._guard = guard
        self._text = ""
        self._start = 0  # offset of _text[0] in the stream
        self._released = 0
        self._next = STEP
        self._border = 0  # last place at which the stream may be cut without cutting a word
        self._scanned = 0
        self._reasons: list[Reason] = []
        self._known: dict[str, str] = {}
        self._blocked: Verdict | None = None

    @property
    def verdict(self) -> Verdict:
        """The verdict so far; its text is empty, since the text was sent."""
        if self._blocked:
            return self._blocked
        return Verdict(Action.REDACT if self._reasons else Action.ALLOW, 0.0, tuple(self._reasons), "")

    @property
    def held(self) -> str:
        """What was taken and not released, as the model wrote it."""
        return self._text[self._released - self._start :]

    def reads(self, more: int, *, final: bool = False) -> int:
        """How many characters are inspected when `more` of them are pushed, each as often as it is read again."""
        length = len(self._text) + more
        inspections = max(0, (self._start + length - self._next) // STEP + 1) + final
        return inspections * length

    def push(self, chunk: str) -> str:
        """Take the next piece of the answer and return what may be sent now, perhaps nothing.

        Raises:
            StreamBlockedError: The answer must stop here.
        """
        self._text += chunk
        sent: list[str] = []
        while self._next <= self._start + len(self._text):
            self._check_length(self._next, sent)
            sent.append(self._advance(self._next, sent))
        self._check_length(self._start + len(self._text), sent)
        return "".join(sent)

    def finish(self) -> str:
        """Return what was kept back; the answer is complete.

        Raises:
            StreamBlockedError: The answer must stop here.
        """
        end = self._start + len(self._text)
        sent: list[str] = []
        spans, _ = self._inspect(end, sent, final=True)
        return self._release(end, spans)

    def _check_length(self, end: int, sent: list[str]) -> None:
        if end > self._guard.config.max_chars:
            raise self._stopped(blocked((Span(0, self._guard.config.max_chars, "guard.too-long"),)), sent)

    def _advance(self, end: int, sent: list[str]) -> str:
        """Inspect the stream up to `end` and release what has become safe."""
        self._next = end + STEP
        border = self._cut_before(end - self.hold)
        if border <= self._released:
            return ""
        spans, unsure = self._inspect(end, sent)
        for span in sorted((*spans, *unsure), reverse=True):
            if span.start < border < span.end:
                border = span.start
        if border <= self._released:
            # A long match is held back whole; looking less often keeps the work in proportion to its length.
            self._next = end + max(STEP, (end - self._released) // 4)
            return ""
        return self._release(border, spans)

    def _cut_before(self, limit: int) -> int:
        """The last place up to `limit` that is not inside a run of ASCII characters without a blank."""
        for place in range(limit, max(self._scanned, self._released), -1):
            before, after = self._at(place - 1), self._at(place)
            if before.isspace() or after.isspace() or not (before.isascii() and after.isascii()):
                self._border = place
                break
        self._scanned = max(self._scanned, limit)
        return self._border

    def _at(self, place: int) -> str:
        return self._text[place - self._start]

    def _inspect(self, end: int, sent: list[str], *, final: bool = False) -> tuple[tuple[Span, ...], tuple[Span, ...]]:
        """What must be redacted in the stream up to `end`, and what may yet block it; raises where it must stop.

        Offsets count from the start of the stream.
        """
        window = self._text[: end - self._start]
        try:
            blocking = self._guard.blocking(window)
            sensitive = self._guard.sensitive(window, Origin.MODEL)
            self._known.update(recognised(window, sensitive))
            sensitive = tuple(sorted({*sensitive, *repeated(window, self._known)}))
        except Exception:  # noqa: BLE001 - fail closed; the error's own message may quote the answer
            raise self._stopped(blocked((Span(0, end, "guard.error"),)), sent) from None
        refused = (*blocking, *(() if self._guard.config.redact else sensitive))
        unsure = () if final else tuple(span for span in refused if is_unsure(span, len(window)))
        certain = tuple(sorted({*refused} - {*unsure}))
        if certain:
            raise self._stopped(blocked(tuple(map(self._placed, certain))), sent)
        return tuple(map(self._placed, sensitive)), tuple(map(self._placed, unsure))

    def _placed(self, span: Span) -> Span:
        return Span(span.start + self._start, span.end + self._start, span.label, span.score)

    def _stopped(self, verdict: Verdict, sent: list[str]) -> StreamBlockedError:
        self._blocked = verdict
        return StreamBlockedError(verdict, "".join(sent))

    def _release(self, border: int, spans: tuple[Span, ...]) -> str:
        """Take the text up to `border`, redacted, and forget what no later inspection needs."""
        base = self._released
        # A match that began in text that is gone cannot be taken back; the rest of it is still replaced.
        inside = tuple(
            Span(max(span.start, base) - base, span.end - base, span.label)
            for span in spans
            if base < span.end <= border
        )
        text = redact(self._text[base - self._start : border - self._start], inside).text
        self._reasons.extend(reason(Span(base + s.start, base + s.end, s.label)) for s in inside)
        self._released = border
        keep_from = self._word_start(max(self._start, border - self.hold))
        self._text = self._text[keep_from - self._start :]
        self._start = keep_from
        return text

    def _word_start(self, place: int) -> int:
        """The start of the word around `place`, so that a window does not begin in the middle of a token."""
        while place > self._start and not self._at(place - 1).isspace() and self._at(place - 1).isascii():
            place -= 1
        return place
