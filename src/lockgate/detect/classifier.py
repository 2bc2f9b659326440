"""The learned part of injection detection: two quick models for every window, an encoder where they are unsure."""

from collections.abc import Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from lockgate.core import Span
from lockgate.detect.convolution import ConvolutionalModel
from lockgate.detect.encoder import Encoder
from lockgate.detect.ngrams import LinearModel, hash_ngrams
from lockgate.detect.passage import Passage
from lockgate.detect.pieces import Pieces

MAX_WINDOWS = 2
"""Windows of one text that the encoder reads: those that the quick models suspect most."""

NEAR = 0.125
"""How much less than the first another window may be suspected to be read too, in the logit of the whole."""

LIMIT = 4.0
"""Beyond this a quick model's logit counts as this: it is sure of much that it never saw."""


class Weights(msgspec.Struct, frozen=True):
    """What each layer counts for in the logit of the whole.

    Attributes:
        linear: Of the n-gram model's logit.
        convolution: Of the convolutional model's logit.
        encoder: Of the encoder's logit.
        signals: Of the signals' score, 0 to 1.
        bias: Added.
    """

    linear: float
    convolution: float
    encoder: float
    signals: float
    bias: float


class Calibration(msgspec.Struct, frozen=True):
    """What makes one probability of what the layers say, fitted on the development split.

    Attributes:
        weights: Of the layers.
        typical: What the encoder is taken to have said where it was not asked: its median for harmless texts.
        ask_user: Suspicion of the quick models from which on the encoder is asked about a window of a user's words.
        ask_foreign: The same for any other text.
        ask_signals: Score of the signals from which on it is asked in any case.
        thresholds: Score from which an input is blocked, by sensitivity.
    """

    weights: Weights
    typical: float
    ask_user: float
    ask_foreign: float
    ask_signals: float
    thresholds: dict[str, float]


class Assessment(msgspec.Struct, frozen=True):
    """What the learned layers and the signals say together.

    Attributes:
        score: 0 to 1, calibrated; more evidence of any kind never lowers it.
        linear: Highest logit of the n-gram model.
        convolution: Highest logit of the convolutional model.
        suspicion: What both add to the logit of the whole, for the window where that is most.
        encoder: Highest logit of the encoder; None where it was not asked.
        windows: The windows that the encoder read, with its probability as score.
    """

    score: float
    linear: float
    convolution: float
    suspicion: float
    encoder: float | None
    windows: tuple[Span, ...]


class Classifier:
    """Scores texts. Thread-safe: holds constants only.

    Args:
        linear: Reads n-grams.
        pieces: Cuts what the other two read.
        convolution: Reads every window.
        encoder: Reads what the quick models suspect.
        calibration: Puts their opinions together.
    """

    def __init__(
        self,
        linear: LinearModel,
        pieces: Pieces,
        convolution: ConvolutionalModel,
        encoder: Encoder,
        calibration: Calibration,
    ) -> None:
        self._linear = linear
        self._pieces = pieces
        self._convolution = convolution
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
        rows = [self._pieces.ids(text) for text, _ in windows]
        linear = self._linear_logits([text for text, _ in windows])
        convolution = self._convolution.logits(rows, foreign=foreign)
        fitted, weights = self.calibration, self.calibration.weights
        suspicion = suspicion_of(linear, convolution, weights)
        ask = fitted.ask_foreign if foreign else fitted.ask_user
        order = np.argsort(suspicion)[::-1][:MAX_WINDOWS]
        least = max(ask, float(suspicion[order[0]]) - NEAR)
        wanted = int(np.count_nonzero(suspicion[order] >= least))
        if not wanted and signals >= fitted.ask_signals:
            wanted = 1
        asked, best, spans = order[:wanted], None, ()
        if wanted:
            logits = self._encoder.logits([rows[int(index)] for index in asked], foreign=foreign)
            best = float(logits.max())
            places = (windows[int(index)][1] for index in asked)
            spans = tuple(sorted(_read(where, logit) for where, logit in zip(places, logits, strict=True)))
        highest = float(suspicion.max())
        opinion = fitted.typical if best is None else best
        whole = highest + weights.encoder * opinion + weights.signals * signals + weights.bias
        return Assessment(_sigmoid(whole), float(linear.max()), float(convolution.max()), highest, best, spans)

    def _linear_logits(self, texts: Sequence[str]) -> NDArray[np.float32]:
        edges: list[tuple[int, int]] = []
        position = 0
        for text in texts:
            edges.append((position, position + len(text)))
            position += len(text) + 1
        return self._linear.score(hash_ngrams("\n".join(texts)), edges)


def suspicion_of(
    linear: NDArray[np.floating], convolution: NDArray[np.floating], weights: Weights
) -> NDArray[np.floating]:
    """What the quick models add to the logit of the whole, window by window."""
    return weights.linear * np.clip(linear, -LIMIT, LIMIT) + weights.convolution * np.clip(convolution, -LIMIT, LIMIT)


def _read(where: Span, logit: float) -> Span:
    return Span(where.start, where.end, where.label, _sigmoid(float(logit)))


def _sigmoid(logit: float) -> float:
    return float(1.0 / (1.0 + np.exp(-np.clip(logit, -60.0, 60.0))))
