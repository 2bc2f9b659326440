"""How much an input reads like an attack, and what each layer saw of it."""

from typing import TYPE_CHECKING

import msgspec

from lockgate.core import Origin, Span
from lockgate.detect import View, find_hidden, find_injection, fuse, read, smuggled
from lockgate.detect.hidden import styled_away
from lockgate.detect.letters import restyled
from lockgate.detect.pages import read_page
from lockgate.detect.passage import Passage

if TYPE_CHECKING:
    from lockgate.detect.classifier import Classifier

_SUSPECT = 0.5


class Suspicion(msgspec.Struct, frozen=True):
    """What speaks for an injection in one input.

    Attributes:
        score: 0 to 1, of all layers together; calibrated on the development split, monotone in every layer.
        signals: Structural signals, with their weights as scores, in offsets of the input.
        hidden: Text that a reader does not see and that reads like an instruction.
        views: What was decoded, and where it stood.
        signal_score: All signals as one score, 0 to 1.
        linear: Logit of the n-gram model for the window that it suspects most.
        convolution: Logit of the convolutional model for the window that it suspects most.
        quick: What both count for in the score's logit, for the window where that is most.
        encoder: Logit of the encoder for the window that it suspects most; None where it was not asked.
        windows: The windows that the encoder read, its probability as score.
    """

    score: float
    signals: tuple[Span, ...]
    hidden: tuple[Span, ...]
    views: tuple[View, ...]
    signal_score: float
    linear: float
    convolution: float
    quick: float
    encoder: float | None
    windows: tuple[Span, ...]

    @property
    def spans(self) -> tuple[Span, ...]:
        """Everything that speaks for an injection, sorted, each stretch once a label."""
        found = (*self.signals, *self.hidden, *(window for window in self.windows if window.score >= _SUSPECT))
        strongest: dict[tuple[int, int, str], Span] = {}
        for span in sorted(found):
            strongest[span.start, span.end, span.label] = span
        return tuple(strongest.values())


def suspect(text: str, origin: Origin, classifier: "Classifier") -> Suspicion:
    """Ask every layer about an input.

    Args:
        text: Any text.
        origin: Where it comes from.
        classifier: The learned layers.
    """
    reading = read(text)
    signals = find_injection(reading, origin)
    hidden = find_hidden(text, origin)
    views = (*reading.views, *smuggled(text), *restyled(text))
    unseen = styled_away(text)
    passages = (
        Passage(text, 0, len(text)),
        *(Passage(view.text, view.start, view.end, view.encoding) for view in views),
        *(Passage(stretch.text, stretch.start, stretch.end, page=True) for stretch in read_page(text)),
        *([Passage(unseen.text, unseen.start, unseen.end, page=True)] if unseen else []),
    )
    signal_score = fuse((*signals, *hidden))
    found = classifier.assess(passages, foreign=origin is not Origin.USER, signals=signal_score)
    return Suspicion(
        found.score,
        signals,
        hidden,
        views,
        signal_score,
        found.linear,
        found.convolution,
        found.suspicion,
        found.encoder,
        found.windows,
    )
