"""Fits what makes one score of the layers' opinions, and the thresholds, from the development rows.

1. Every development row goes through the guard's own code, with the encoder always asked.
2. The logits of the n-gram model, of the convolutional model and of the encoder and the signals' score make one sum, by
   fixed shares that were chosen among a few by recall at 1 % false positives on these rows; so was what is taken off
   for a text that is not a user's, which brings the rates of false positives of both origins together. Logistic
   regression turns the sum into a probability; each of the sets (validation, sources that were kept out, our own) and
   each label has a weight that falls with the square root of its size.
3. `ask_user` and `ask_foreign`: the suspicion of the two quick models below which lie 5 % of a user's attacks, or 1 %
   of those in other texts, that the whole would block at `balanced`, in the set where that is lowest. Where the
   encoder is not asked, it counts as if it had given its median opinion of harmless texts.
4. Thresholds: see `threshold_at`.
"""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeAlias

import msgspec
import numpy as np
from numpy.typing import NDArray

from lockgate.core import Origin
from lockgate.detect.classifier import Calibration, Classifier, Weights
from lockgate.detect.stored import read_classifier
from lockgate.guard.suspicion import suspect
from training.errors import TrainingError
from training.package_settings import recalibrate
from training.rows import VALIDATION, Row, public_split, read_corpus, read_public

Floats: TypeAlias = NDArray[np.float64]
Flags: TypeAlias = NDArray[np.bool_]

RATES = {"strict": 0.03, "balanced": 0.01, "permissive": 0.0025}
"""Share of harmless texts that each sensitivity may flag."""

SHARES = Weights(linear=0.025, convolution=0.1, encoder=1.0, signals=0.25, bias=0.0, foreign=-0.33)
"""What the layers and the origin count for, relative to each other."""

ASK_SIGNALS = 0.2
_READ = 20_000
_UNASKED_OF_USERS, _UNASKED_OF_OTHERS = 0.05, 0.01
_SMALL_SOURCE = 50
_ALWAYS = -1e9
_ROUNDED = 6


class Opinions(msgspec.Struct, frozen=True):
    """What the layers make of the development rows, one value a row.

    Attributes:
        suspicion: Of the quick models, each by its share.
        encoder: Highest logit of the encoder.
        signals: Score of the structural signals, 0 to 1.
        attack: Whether the row is one.
        user: Whether it comes from a user.
        sets: Name of its set.
        sources: Name of its source.
    """

    suspicion: Floats
    encoder: Floats
    signals: Floats
    attack: Flags
    user: Flags
    sets: NDArray[np.str_]
    sources: NDArray[np.str_]


def calibrate(data: Path, package: Path) -> Calibration:
    """Fit the calibration of the weights in `package` and write it there.

    Raises:
        TrainingError: Data or weights are missing, or the sets lack attacks or harmless rows.
    """
    try:
        classifier = read_classifier(package)
    except (OSError, ValueError, RuntimeError) as error:
        raise TrainingError(f"{package} holds no weights.", remedy="Run 'python -m training export' first.") from error
    sets = {
        "validation": read_public(data, VALIDATION),
        "other sources": public_split(data).development,
        "own": read_corpus().development,
    }
    fitted = fit(opinions_of(sets, classifier))
    recalibrate(fitted, package)
    return fitted


def opinions_of(sets: dict[str, list[Row]], classifier: Classifier) -> Opinions:
    """Ask every layer about every row; from here on this classifier asks its encoder about everything."""
    classifier.calibration = msgspec.structs.replace(
        classifier.calibration, weights=SHARES, ask_user=_ALWAYS, ask_foreign=_ALWAYS
    )
    rows = [(name, row) for name, found in sets.items() for row in found]
    with ThreadPoolExecutor() as pool:
        found = list(pool.map(lambda pair: suspect(pair[1].text[:_READ], Origin(pair[1].origin), classifier), rows))
    return Opinions(
        suspicion=np.array([each.quick for each in found]),
        encoder=np.array([each.encoder for each in found], dtype=np.float64),
        signals=np.array([each.signal_score for each in found]),
        attack=np.array([row.label == 1 for _, row in rows]),
        user=np.array([row.origin == "user" for _, row in rows]),
        sets=np.array([name for name, _ in rows]),
        sources=np.array([row.source for _, row in rows]),
    )


def fit(opinions: Opinions) -> Calibration:
    """The calibration for these opinions.

    Raises:
        TrainingError: Attacks or harmless rows are missing, or no layer tells them apart.
    """
    if opinions.attack.all() or not opinions.attack.any():
        raise TrainingError("The development rows hold no attacks, or nothing else.")
    slope, bias = _slope(opinions)
    scale = {name: slope * share for name, share in msgspec.structs.asdict(SHARES).items()}
    fitted = Calibration(
        weights=Weights(**(scale | {"bias": bias})),
        typical=round(float(np.median(opinions.encoder[~opinions.attack])), _ROUNDED),
        ask_user=_ALWAYS,
        ask_foreign=_ALWAYS,
        ask_signals=ASK_SIGNALS,
        thresholds={},
    )
    scores = scores_of(opinions, fitted)
    blocked = opinions.attack & (scores >= threshold_at(scores, opinions, RATES["balanced"]))
    fitted = msgspec.structs.replace(
        fitted,
        ask_user=_ask(opinions, blocked & opinions.user, slope, _UNASKED_OF_USERS),
        ask_foreign=_ask(opinions, blocked & ~opinions.user, slope, _UNASKED_OF_OTHERS),
    )
    scores = scores_of(opinions, fitted)
    thresholds = {name: threshold_at(scores, opinions, rate) for name, rate in RATES.items()}
    return msgspec.structs.replace(fitted, thresholds=thresholds)


def scores_of(opinions: Opinions, fitted: Calibration) -> Floats:
    """Each row's score as the guard gives it with this calibration."""
    weights = fitted.weights
    suspicion = weights.encoder / SHARES.encoder * opinions.suspicion
    asked = suspicion >= np.where(opinions.user, fitted.ask_user, fitted.ask_foreign)
    asked |= opinions.signals >= fitted.ask_signals
    encoder = np.where(asked, opinions.encoder, fitted.typical)
    origin = weights.foreign * ~opinions.user + weights.bias
    return _probability(suspicion + weights.encoder * encoder + weights.signals * opinions.signals + origin)


def threshold_at(scores: Floats, opinions: Opinions, rate: float) -> float:
    """The score from which on at most `rate` of the harmless rows are flagged.

    Every source counts the same, whatever its size, so the share is the mean over the sources and no single one
    decides; sources of fewer than 50 harmless rows count as one together.
    """
    harmless = ~opinions.attack
    return _threshold(scores[harmless], opinions.sources[harmless], rate)


def _threshold(scores: Floats, sources: NDArray[np.str_], rate: float) -> float:
    names, sizes = np.unique(sources, return_counts=True)
    small = np.isin(sources, names[sizes < _SMALL_SOURCE])
    _, index, sizes = np.unique(np.where(small, "", sources), return_inverse=True, return_counts=True)
    shares = 1.0 / (sizes[index] * len(sizes))
    order = np.argsort(-scores, kind="stable")
    values, flagged = scores[order], np.cumsum(shares[order])
    # Equal scores are flagged together, so a threshold lies between two different ones.
    ends = np.flatnonzero(np.append(values[1:] < values[:-1], True))
    allowed = ends[flagged[ends] <= rate]
    if not len(allowed):
        return float(np.nextafter(values[0], np.inf))
    last = int(allowed[-1])
    return float((values[last] + values[last + 1]) / 2) if last + 1 < len(values) else float(values[last])


def _ask(opinions: Opinions, blocked: Flags, slope: float, unasked: float) -> float:
    found = [slope * opinions.suspicion[blocked & (opinions.sets == name)] for name in np.unique(opinions.sets)]
    lowest = min((float(np.quantile(some, unasked)) for some in found if len(some)), default=_ALWAYS)
    return round(lowest, _ROUNDED)


def _slope(opinions: Opinions) -> tuple[float, float]:
    """What the sum of the layers by their shares is multiplied with, and the bias."""
    from sklearn.linear_model import LogisticRegression

    total = opinions.suspicion + SHARES.encoder * opinions.encoder + SHARES.signals * opinions.signals
    total += SHARES.foreign * ~opinions.user
    model = LogisticRegression(C=1.0).fit(total[:, None], opinions.attack, sample_weight=_row_weights(opinions))
    slope = float(model.coef_[0][0])
    if slope <= 0:
        raise TrainingError("No layer tells attacks from harmless texts.", remedy="Train for longer, or on other data.")
    return slope, float(model.intercept_[0])


def _row_weights(opinions: Opinions) -> Floats:
    sets, labels = opinions.sets, opinions.attack
    of_set = {name: np.count_nonzero(sets == name) for name in np.unique(sets)}
    of_label = {label: np.count_nonzero(labels == label) for label in (True, False)}
    weights = np.array(
        [(of_set[name] * of_label[bool(label)]) ** -0.5 for name, label in zip(sets, labels, strict=True)]
    )
    return weights / weights.mean()


def _probability(logits: Floats) -> Floats:
    return 1.0 / (1.0 + np.exp(-np.clip(logits, -60.0, 60.0)))
