"""Fits what makes one score of the layers' opinions, and the thresholds, from the development rows.

1. Every development row goes through the guard's own code, with the encoder always asked.
2. The encoder's logit, a tenth of the n-gram logit and a quarter of the signals' score make one sum; the two shares
   were chosen among four each by recall at 1 % false positives on these rows. Logistic regression turns the sum into a
   probability; each of the sets (validation, sources that were kept out, our own) and each label has a weight that
   falls with the square root of its size.
3. `ask`: the n-gram logit below which lie 1 % of the users' attacks that the whole would block at `balanced`. The guard
   gates only texts of users by it. Where the encoder is not asked, it counts as if it had given its median opinion of
   harmless texts.
4. Thresholds: see `threshold_at`.
"""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeAlias

import msgspec
import numpy as np
from numpy.typing import NDArray

from lockgate.core import Origin
from lockgate.detect.classifier import LINEAR_LIMIT, Calibration, Classifier
from lockgate.detect.stored import read_classifier
from lockgate.guard.suspicion import suspect
from training.errors import TrainingError
from training.package_settings import recalibrate
from training.rows import VALIDATION, Row, public_split, read_corpus, read_public

Floats: TypeAlias = NDArray[np.float64]
Flags: TypeAlias = NDArray[np.bool_]

RATES = {"strict": 0.03, "balanced": 0.01, "permissive": 0.0025}
"""Share of harmless texts that each sensitivity may flag."""

SHARES = (0.1, 1.0, 0.25)
"""What the n-gram model, the encoder and the signals count for, relative to each other."""

ASK_SIGNALS = 0.2
_READ = 20_000
_UNASKED_ATTACKS = 0.01
_SMALL_SOURCE = 50
_ALWAYS = -1e9
_ROUNDED = 6


class Opinions(msgspec.Struct, frozen=True):
    """What the layers make of the development rows, one value a row.

    Attributes:
        linear: Highest logit of the n-gram model.
        encoder: Highest logit of the encoder.
        signals: Score of the structural signals, 0 to 1.
        attack: Whether the row is one.
        user: Whether it comes from a user.
        sets: Name of its set.
        sources: Name of its source.
    """

    linear: Floats
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
    classifier.calibration = msgspec.structs.replace(classifier.calibration, ask=_ALWAYS)
    rows = [(name, row) for name, found in sets.items() for row in found]
    with ThreadPoolExecutor() as pool:
        found = list(pool.map(lambda pair: suspect(pair[1].text[:_READ], Origin(pair[1].origin), classifier), rows))
    return Opinions(
        linear=np.array([each.linear for each in found]),
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
    linear, encoder, signals, bias = _weights(opinions)
    whole = linear * _clipped(opinions.linear) + encoder * opinions.encoder + signals * opinions.signals + bias
    found = opinions.attack & opinions.user
    found &= _probability(whole) >= threshold_at(_probability(whole), opinions, RATES["balanced"])
    ask = float(np.quantile(opinions.linear[found], _UNASKED_ATTACKS)) if found.any() else _ALWAYS
    typical = float(np.median(opinions.encoder[~opinions.attack]))
    fitted = Calibration(
        ask=round(ask, _ROUNDED),
        ask_signals=ASK_SIGNALS,
        encoder=encoder,
        linear=linear,
        signals=signals,
        bias=bias,
        unasked=(linear, bias + encoder * typical),
        thresholds={},
    )
    scores = scores_of(opinions, fitted)
    thresholds = {name: threshold_at(scores, opinions, rate) for name, rate in RATES.items()}
    return msgspec.structs.replace(fitted, thresholds=thresholds)


def scores_of(opinions: Opinions, fitted: Calibration) -> Floats:
    """Each row's score as the guard gives it with this calibration."""
    unasked = opinions.user & (opinions.linear < fitted.ask) & (opinions.signals < fitted.ask_signals)
    slope, bias = fitted.unasked
    clipped = _clipped(opinions.linear)
    asked = fitted.encoder * opinions.encoder + fitted.linear * clipped + fitted.bias
    logits = np.where(unasked, slope * clipped + bias, asked)
    return _probability(logits + fitted.signals * opinions.signals)


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


def _weights(opinions: Opinions) -> tuple[float, float, float, float]:
    """Weights of the n-gram model, the encoder and the signals, and the bias."""
    from sklearn.linear_model import LogisticRegression

    layers = np.stack([_clipped(opinions.linear), opinions.encoder, opinions.signals], axis=1)
    total = layers @ np.array(SHARES)
    model = LogisticRegression(C=1.0).fit(total[:, None], opinions.attack, sample_weight=_row_weights(opinions))
    slope = float(model.coef_[0][0])
    if slope <= 0:
        raise TrainingError("No layer tells attacks from harmless texts.", remedy="Train for longer, or on other data.")
    linear, encoder, signals = (share * slope for share in SHARES)
    return linear, encoder, signals, float(model.intercept_[0])


def _row_weights(opinions: Opinions) -> Floats:
    sets, labels = opinions.sets, opinions.attack
    of_set = {name: np.count_nonzero(sets == name) for name in np.unique(sets)}
    of_label = {label: np.count_nonzero(labels == label) for label in (True, False)}
    weights = np.array(
        [(of_set[name] * of_label[bool(label)]) ** -0.5 for name, label in zip(sets, labels, strict=True)]
    )
    return weights / weights.mean()


def _clipped(linear: Floats) -> Floats:
    return np.clip(linear, -LINEAR_LIMIT, LINEAR_LIMIT)


def _probability(logits: Floats) -> Floats:
    return 1.0 / (1.0 + np.exp(-np.clip(logits, -60.0, 60.0)))
