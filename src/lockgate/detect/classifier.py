"""The learned part of injection detection: a linear model for every window, an encoder where that one is unsure."""

from collections.abc import Sequence

import msgspec
import numpy as np

from lockgate.core import Span
from lockgate.detect.encoder import Encoder
from lockgate.detect.ngrams import LinearModel, hash_ngrams
from lockgate.detect.passage import Passage

MAX_WINDOWS = 4
"""Windows of one text that the encoder reads: those that the linear model suspects most."""

LINEAR_LIMIT = 4.0
"""Beyond this the linear model's logit counts as this: it is sure of much that it never saw."""


class Calibration(msgspec.Struct, frozen=True):
    """What makes one probability of what the layers say, fitted on the development split.

    Attributes:
        ask: Linear logit from which on the encoder is asked about a user's words. Anything else it always reads: an
            instruction that merely does not belong to its document has no suspicious n-gram.
        ask_signals: Score of the signals from which on it is asked as well.
        encoder: Weight of the encoder's logit.
        linear: Weight of the linear model's logit.
        signals: Weight of the signals' score, 0 to 1.
        bias: Added.
        unasked: Weight of the linear logit and bias where the encoder was not asked.
        thresholds: Score from which an input is blocked, by sensitivity.
    """

    ask: float
    ask_signals: float
    encoder: float
    linear: float
    signals: float
    bias: float
    unasked: tuple[float, float]
    thresholds: dict[str, float]


class Assessment(msgspec.Struct, frozen=True):
    """What the learned layers and the signals say together.

    Attributes:
        score: 0 to 1, calibrated; more evidence of any kind never lowers it.
        linear: Highest logit of the linear model.
        encoder: Highest logit of the encoder; None where it was not asked.
        windows: The windows that the encoder read, with its probability as score.
    """

    score: float
    linear: float
    encoder: float | None
    windows: tuple[Span, ...]


class Classifier:
    """Scores texts. Thread-safe: holds constants only."""

    def __init__(self, linear: LinearModel, encoder: Encoder, calibration: Calibration) -> None:
        self._linear = linear
        self._encoder = encoder
        self.calibration = calibration

    def assess(self, passages: Sequence[Passage], *, foreign: bool, signals: float = 0.0) -> Assessment:
        """Judge a text by its passages: the original, and what was decoded from it.

        Args:
            passages: At least one.
            foreign: Whether the text comes from elsewhere than the user.
            signals: Score of the structural signals, 0 to 1.
        """
        windows = [window for passage in passages for window in passage.windows()]
        linear = self._linear_logits([text for text, _ in windows])
        fitted = self.calibration
        highest = float(linear.max())
        suspicion = float(np.clip(highest, -LINEAR_LIMIT, LINEAR_LIMIT))
        if not foreign and highest < fitted.ask and signals < fitted.ask_signals:
            slope, bias = fitted.unasked
            return Assessment(_sigmoid(slope * suspicion + fitted.signals * signals + bias), highest, None, ())
        order = np.argsort(linear)[::-1][:MAX_WINDOWS]
        if not foreign:
            # Of a user's windows those that alone would not be asked about stay unread, the first apart.
            order = order[: max(1, int(np.count_nonzero(linear[order] >= fitted.ask)))]
        asked = [windows[int(index)] for index in order]
        logits = self._encoder.logits([text for text, _ in asked], foreign=foreign)
        best = float(logits.max())
        score = _sigmoid(fitted.encoder * best + fitted.linear * suspicion + fitted.signals * signals + fitted.bias)
        spans = (
            Span(where.start, where.end, where.label, _sigmoid(float(logit)))
            for (_, where), logit in zip(asked, logits, strict=True)
        )
        return Assessment(score, highest, best, tuple(sorted(spans)))

    def _linear_logits(self, texts: Sequence[str]) -> "np.ndarray[tuple[int], np.dtype[np.float32]]":
        edges: list[tuple[int, int]] = []
        position = 0
        for text in texts:
            edges.append((position, position + len(text)))
            position += len(text) + 1
        return self._linear.score(hash_ngrams("\n".join(texts)), edges)


def _sigmoid(logit: float) -> float:
    return float(1.0 / (1.0 + np.exp(-np.clip(logit, -60.0, 60.0))))
