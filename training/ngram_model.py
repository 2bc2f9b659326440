"""The n-gram model: logistic regression over hashed n-grams, fitted on windows of the training texts.

An attack of many windows has one that carries it and others that are harmless, and nobody says which. So the model is
fitted twice: once on all windows, then with each attack reduced to the window that the first fit suspects most
(multiple-instance learning, Andrews et al., 2002).
"""

import random
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import msgspec
import numpy as np
from numpy.typing import NDArray

from lockgate.detect.ngrams import BITS, LinearModel, hash_ngrams
from lockgate.detect.pages import read_page
from lockgate.detect.windows import cut_windows, readable
from training.errors import TrainingError
from training.rows import Row

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix
    from sklearn.linear_model import SGDClassifier

Floats: TypeAlias = NDArray[np.float64]
Indices: TypeAlias = NDArray[np.int64]

WEIGHTS = "linear.npz"

_READ = 8000
_WINDOWS = 3
_PENALTY = 2e-6
_EPOCHS = 6
_SOURCE_POWER = -0.4


class Windows(msgspec.Struct, frozen=True):
    """Windows of many texts.

    Attributes:
        texts: Of the windows.
        labels: Of the text that each comes from.
        rows: Number of that text.
    """

    texts: list[str]
    labels: Indices
    rows: Indices


def windows_of(text: str, blank: str = "") -> list[str]:
    """The windows of a text's first 8,000 characters as the guard reads them; `blank` alone where all are empty."""
    start = text[:_READ]
    return [window for window in (readable(start[a:b]) for a, b in cut_windows(start)) if window] or [blank]


def page_windows_of(text: str) -> list[str]:
    """The same of what a page of markup says; none where the text is no page."""
    stretches = read_page(text[:_READ])
    found = (readable(each.text[a:b]) for each in stretches for a, b in cut_windows(each.text))
    return [window for window in found if window]


def suspicion(model: LinearModel, window: str) -> float:
    """The model's logit for one window."""
    return float(model.score(hash_ngrams(window), [(0, len(window))])[0])


def train_linear(rows: Sequence[Row], work: Path) -> LinearModel:
    """Fit the model and write it into `work`."""
    windows = _windows(rows)
    features = matrix(windows.texts)
    weights = _weights(rows, windows)
    first = _fit(features, windows.labels, weights)
    kept = _hottest(windows, features @ first.coef_[0])
    final = _fit(features[kept], windows.labels[kept], weights[kept])
    model = LinearModel(final.coef_[0].astype(np.float32), float(final.intercept_[0]))
    np.savez(work / WEIGHTS, w=model.weights, b=model.bias)
    return model


def read_linear(work: Path) -> LinearModel:
    """The model that `train_linear` wrote.

    Raises:
        TrainingError: There is none.
    """
    path = work / WEIGHTS
    if not path.is_file():
        raise TrainingError(f"{path} is missing.", remedy="Run 'python -m training linear' first.")
    with np.load(path, allow_pickle=False) as stored:
        return LinearModel(stored["w"], float(stored["b"]))


def matrix(texts: Sequence[str]) -> "csr_matrix":
    """Features [texts, 2 ** BITS]: how often each bucket occurs over the square root of all n-grams of the text."""
    from scipy.sparse import csr_matrix

    indices, values, edges = [], [], [0]
    for text in texts:
        found = hash_ngrams(text).hashes
        hashes = np.concatenate(found) if found else np.zeros(0, np.uint32)
        buckets, counts = np.unique(hashes, return_counts=True)
        indices.append(buckets.astype(np.int32))
        values.append((counts / np.sqrt(max(len(hashes), 1))).astype(np.float32))
        edges.append(edges[-1] + len(buckets))
    return csr_matrix((np.concatenate(values), np.concatenate(indices), np.array(edges)), shape=(len(texts), 2**BITS))


def _windows(rows: Sequence[Row], seed: int = 0) -> Windows:
    """At most three windows a row, drawn at random."""
    draw = random.Random(seed)
    texts: list[str] = []
    labels: list[int] = []
    numbers: list[int] = []
    for number, row in enumerate(rows):
        found = windows_of(row.text) + page_windows_of(row.text)
        found = draw.sample(found, _WINDOWS) if len(found) > _WINDOWS else found
        texts += found
        labels += [row.label] * len(found)
        numbers += [number] * len(found)
    return Windows(texts, np.array(labels), np.array(numbers))


def _weights(rows: Sequence[Row], windows: Windows) -> Floats:
    """A source's weight grows with the 0.6th power of its size, a text's with the square root of its windows."""
    keys = [(row.source, row.label) for row in rows]
    sizes: dict[tuple[str, int], int] = {}
    for key in keys:
        sizes[key] = sizes.get(key, 0) + 1
    counts = np.bincount(windows.rows, minlength=len(rows))
    weights = np.array([sizes[keys[row]] ** _SOURCE_POWER / counts[row] ** 0.5 for row in windows.rows])
    return weights / weights.mean()


def _hottest(windows: Windows, scores: Floats) -> NDArray[np.bool_]:
    """Which windows to keep: all harmless ones, and of each attack the one with the highest score."""
    kept = windows.labels == 0
    best: dict[int, int] = {}
    for index in np.flatnonzero(windows.labels):
        row = int(windows.rows[index])
        if row not in best or scores[index] > scores[best[row]]:
            best[row] = int(index)
    kept[list(best.values())] = True
    return kept


def _fit(features: "csr_matrix", labels: Indices, weights: Floats) -> "SGDClassifier":
    from sklearn.linear_model import SGDClassifier

    model = SGDClassifier(loss="log_loss", alpha=_PENALTY, max_iter=_EPOCHS, tol=None, average=True, random_state=0)
    return model.fit(features, labels, sample_weight=weights)
