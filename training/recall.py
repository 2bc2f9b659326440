"""How a model in training does on rows that it is not trained on."""

import math
import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from training.rows import VALIDATION, Row, read_public

Scorer: TypeAlias = Callable[[Sequence[Row]], NDArray[np.float64]]
Sets: TypeAlias = dict[str, list[Row]]

_RATES = (0.01, 0.03, 0.1)
_SEED = 1


def development_sets(folder: Path, public: Sequence[Row], own: Sequence[Row]) -> Sets:
    """A sample of each development set, drawn with a fixed seed: validation, sources that were kept out, our own.

    Raises:
        TrainingError: The validation rows are missing.
    """
    validation = read_public(folder, VALIDATION)
    random.Random(_SEED).shuffle(validation)
    harmless = [row for row in public if not row.label]
    random.Random(_SEED).shuffle(harmless)
    sets = {
        "validation": [row for row in validation if row.label][:350]
        + [row for row in validation if not row.label][:700],
        "other sources": [row for row in public if row.label][:250] + harmless[:450],
        "own": list(own[:700]),
    }
    return {name: rows for name, rows in sets.items() if {row.label for row in rows} == {0, 1}}


def summary(sets: Sets, score: Scorer) -> list[str]:
    """One line a set: recall at 1, 3 and 10 % false positives, and the area under the curve."""
    lines: list[str] = []
    for name, rows in sets.items():
        scores = score(rows)
        attack = np.array([row.label for row in rows]) == 1
        found = " ".join(f"{rate:.0%}:{recall_at(scores, attack, rate):.3f}" for rate in _RATES)
        area = np.mean(scores[attack][:, None] > scores[~attack][None])
        lines.append(f"  {name} ({attack.sum()} attacks, {(~attack).sum()} harmless) {found} area {area:.4f}")
    return lines


def recall_at(scores: NDArray[np.float64], attack: NDArray[np.bool_], rate: float) -> float:
    """The share of attacks that score above what `rate` of the harmless rows exceed."""
    harmless = np.sort(scores[~attack])
    bound = harmless[min(len(harmless) - 1, math.ceil(len(harmless) * (1 - rate)))]
    return float((scores[attack] > bound).mean())
