"""The learned part of injection detection: two quick models for every window, an encoder where they are unsure."""

import math
from collections.abc import Sequence
from itertools import chain
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from lockgate.core import Span
from lockgate.detect.closer import paragraphs_of, sayings_of
from lockgate.detect.convolution import ConvolutionalModel
from lockgate.detect.encoder import Encoder
from lockgate.detect.figures import says_nothing
from lockgate.detect.ngrams import LinearModel, hash_ngrams
from lockgate.detect.passage import Passage, Window
from lockgate.detect.pieces import Pieces
from lockgate.detect.windows import readable

MAX_WINDOWS, MOST_WINDOWS = 4, 12
"""Windows that the encoder reads of a text of some 4,000 characters, and of one of any length: the most suspected."""

LONG = 12
"""Windows beyond which it reads one more for every two, up to the most."""

NEAR = 0.4
"""How much less than the first another window may be suspected to be read too, in the logit of the whole."""

SURE = 6.0
"""Logit of the encoder from which on no other window could change a verdict, so that none is read."""

UNSURE_FROM_USERS, UNSURE_FROM, UNSURE_TO = 1.0, -1.5, 3.6
"""Logits of the encoder between which it looks at the parts of a window too: few harmless windows get that far.

Below the first, the parts of a user's words changed no verdict on any row of ours.
"""

PARTS_OF_USERS, PARTS_OF_LONG = 0.5, 0.8
"""How far a part moves its window's logit towards its own: in a user's words, and in another text of many windows.

In a short document the rest of the window may well be what the part means: an example, a quotation.
"""

MANY = 7
"""Windows of a text of some 2,500 characters."""

MOST_PARTS, MOST_PARTS_OF_USERS = 3, 1
"""Parts of a window that the encoder reads, the most suspected: of a long text, and of a user's words."""

LIMIT = 4.0
"""Beyond this a quick model's logit counts as this: it is sure of much that it never saw."""

_SOURCE, _FIGURES = "source", "figures"
# Beyond this a logistic function is 0 or 1 for any purpose.
_MOST = 60.0


class Weights(msgspec.Struct, frozen=True):
    """What each layer counts for in the logit of the whole.

    Attributes:
        linear: Of the n-gram model's logit.
        convolution: Of the convolutional model's logit.
        encoder: Of the encoder's logit.
        signals: Of the signals' score, 0 to 1.
        bias: Added.
        foreign: Added for a text that comes from elsewhere than the user: harmless documents hold more that looks like
            an attack than harmless questions do.
    """

    linear: float
    convolution: float
    encoder: float
    signals: float
    bias: float
    foreign: float = 0.0


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


class _Quick(NamedTuple):
    """What the quick models say, row of pieces by row; `owners` are the places of the windows that the rows are of."""

    rows: list[list[int]]
    owners: list[int]
    linear: NDArray[np.floating]
    convolution: NDArray[np.floating]
    suspicion: NDArray[np.floating]


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
        first, *others = [passage.windows() for passage in passages]
        windows = [*first, *(window for some in others for window in some)]
        quick = self._quick([window.text for window in windows], foreign=foreign)
        source = len(first) if any(passage.page for passage in passages) else 0
        fitted, weights = self.calibration, self.calibration.weights
        ask = fitted.ask_foreign if foreign else fitted.ask_user
        kinds = _kinds(windows, quick, source, ask)
        asked = _asked(quick.suspicion, ask, kinds, least=int(signals >= fitted.ask_signals))
        unsure = UNSURE_FROM if foreign else UNSURE_FROM_USERS
        read: list[tuple[float, Span]] = []
        for index in asked:
            # One by one: together they would take as long, and short ones longer.
            window, logit = windows[quick.owners[index]], self._encoder.logit(quick.rows[index], foreign=foreign)
            if unsure < logit < UNSURE_TO:
                logit = self._closer(window, logit, foreign=foreign)
            read.append((logit, window.where))
            if logit >= SURE:
                break
        best = max((logit for logit, _ in read), default=None)
        spans = tuple(sorted(_read(where, logit) for logit, where in read))
        highest = float(quick.suspicion.max())
        opinion = fitted.typical if best is None else best
        origin = weights.foreign * foreign + weights.bias
        whole = highest + weights.encoder * opinion + weights.signals * signals + origin
        linear, convolution = float(quick.linear.max()), float(quick.convolution.max())
        return Assessment(_sigmoid(whole), linear, convolution, highest, best, spans)

    def _closer(self, window: Window, logit: float, *, foreign: bool) -> float:
        """The logit of a window in the light of its parts; never less than without them."""
        if foreign and window.siblings < MANY:
            return logit
        parts = paragraphs_of(window.raw) if foreign else sayings_of(window.raw)
        texts = [text for text in map(readable, parts) if text]
        if not texts:
            return logit
        quick = self._quick(texts, foreign=foreign)
        order: list[int] = quick.suspicion.argsort()[::-1].tolist()
        most = MOST_PARTS if foreign else MOST_PARTS_OF_USERS
        highest = max(self._encoder.logit(quick.rows[index], foreign=foreign) for index in order[:most])
        share = PARTS_OF_LONG if foreign else PARTS_OF_USERS
        return max(logit, logit + share * (highest - logit))

    def _quick(self, texts: Sequence[str], *, foreign: bool) -> "_Quick":
        cut = [self._pieces.rows(text) for text in texts]
        rows, owners = list(chain.from_iterable(cut)), [place for place, some in enumerate(cut) for _ in some]
        linear, convolution = self._linear_logits(texts)[owners], self._convolution.logits(rows, foreign=foreign)
        suspicion = suspicion_of(linear, convolution, self.calibration.weights)
        return _Quick(rows, owners, linear, convolution, suspicion)

    def _linear_logits(self, texts: Sequence[str]) -> NDArray[np.float32]:
        edges: list[tuple[int, int]] = []
        position = 0
        for text in texts:
            edges.append((position, position + len(text)))
            position += len(text) + 1
        return self._linear.score(hash_ngrams("\n".join(texts)), edges)


def _kinds(windows: Sequence[Window], quick: _Quick, source: int, ask: float) -> list[str]:
    """Of what kind each row of pieces is, where one row of that kind is enough.

    A page's source says nothing else than the page's text, but for what a page leaves out. Figures, which the learned
    layers can make anything of, say nothing.
    """
    suspected = {quick.owners[index] for index in np.flatnonzero(quick.suspicion >= ask).tolist()}
    several = suspected if len(suspected) > 1 else set[int]()
    figures = {owner for owner in several if says_nothing(windows[owner].text)}
    return [_SOURCE if owner < source else _FIGURES if owner in figures else "" for owner in quick.owners]


def _asked(suspicion: NDArray[np.floating], ask: float, kinds: Sequence[str], *, least: int) -> list[int]:
    """Which rows of pieces the encoder reads, most suspected first.

    Args:
        suspicion: Of the quick models, a value a row.
        ask: From which on the encoder is asked at all.
        kinds: Of each row; of a kind with a name only the most suspected one is read.
        least: How many are read in any case.
    """
    order: list[int] = suspicion.argsort()[::-1].tolist()
    near = float(suspicion[order[0]]) - NEAR
    first = {kind: next(index for index in order if kinds[index] == kind) for kind in set(kinds) - {""}}
    most = min(MOST_WINDOWS, MAX_WINDOWS + max(0, kinds.count("") - LONG) // 2)
    order = [index for index in order if first.get(kinds[index], index) == index][:most]
    return [index for place, index in enumerate(order) if place < least or suspicion[index] >= max(ask, near)]


def suspicion_of(
    linear: NDArray[np.floating], convolution: NDArray[np.floating], weights: Weights
) -> NDArray[np.floating]:
    """What the quick models add to the logit of the whole, window by window."""
    return weights.linear * _bounded(linear) + weights.convolution * _bounded(convolution)


def _bounded(logits: NDArray[np.floating]) -> NDArray[np.floating]:
    return np.minimum(np.maximum(logits, -LIMIT), LIMIT)


def _read(where: Span, logit: float) -> Span:
    return Span(where.start, where.end, where.label, _sigmoid(float(logit)))


def _sigmoid(logit: float) -> float:
    return 1.0 / (1.0 + math.exp(-min(max(logit, -_MOST), _MOST)))
