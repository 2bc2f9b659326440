"""What every layer of the guard says of every row, each asked once."""

import copy
import time
from collections.abc import Callable, Sequence

import msgspec
import numpy as np
from guard_parts.measures import Flags, Floats
from guard_parts.progress import counted
from guard_parts.rows import Row

from lockgate.core import Action, Origin
from lockgate.guard import Guard, Suspicion
from lockgate.guard.suspicion import suspect
from lockgate.guard.weights import load_classifier

SENSITIVITIES = ("strict", "balanced", "permissive")
DEFAULT = "balanced"
_CERTAIN = 1e3


class Layers(msgspec.Struct, frozen=True):
    """Of each row, in their order.

    Attributes:
        scores: By layer or combination, the higher, the more suspicious; `everything` is what a user gets.
        blocked: Verdicts by sensitivity.
        asked: Whether the encoder was asked.
        ms: Processor time of `inspect`, in milliseconds.
        failed: Rows that were blocked because the guard erred.
        too_long: Rows that were blocked because of their length; every layer counts them as certain.
    """

    scores: dict[str, Floats]
    blocked: dict[str, Flags]
    asked: Flags
    ms: Floats
    failed: int
    too_long: int


class _Seen(msgspec.Struct, frozen=True):
    signals: float
    linear: float
    convolution: float
    quick: float
    encoder: float
    always: float
    score: float
    blocked: bool
    ms: float
    asked: bool
    labels: frozenset[str]


def judge(rows: Sequence[Row]) -> Layers:
    """Inspect every row, and ask each layer for its own opinion."""
    guard, everyone = Guard.default(), asking_always()
    seen = [_look(guard, everyone, row) for row in counted(rows, "guard")]
    fitted = load_classifier().calibration
    signals = np.array([one.signals for one in seen])
    quick = np.array([one.quick for one in seen])
    scores = np.array([one.score for one in seen])
    blocked = np.array([one.blocked for one in seen], dtype=np.bool_)
    otherwise = blocked & (scores < guard.threshold)
    thresholds = {name: fitted.thresholds[name] for name in SENSITIVITIES}
    return Layers(
        scores={
            "signals alone": signals,
            "n-grams alone": np.array([one.linear for one in seen]),
            "convolution alone": np.array([one.convolution for one in seen]),
            "encoder alone, asked always": np.array([one.encoder for one in seen]),
            "everything but the encoder": quick + fitted.weights.signals * signals,
            "everything, encoder asked always": np.array([one.always for one in seen]),
            "everything": scores,
        },
        blocked={
            name: blocked if name == DEFAULT else (scores >= limit) | otherwise for name, limit in thresholds.items()
        },
        asked=np.array([one.asked for one in seen], dtype=np.bool_),
        ms=np.array([one.ms for one in seen]),
        failed=sum("guard.error" in one.labels for one in seen),
        too_long=sum("guard.too-long" in one.labels for one in seen),
    )


def asking_always() -> Callable[[str, str], Suspicion]:
    """What `Guard.explain` gives, of a guard whose encoder is asked about every text."""
    classifier = copy.copy(load_classifier())
    classifier.calibration = msgspec.structs.replace(
        classifier.calibration, ask_user=float("-inf"), ask_foreign=float("-inf")
    )
    return lambda text, origin: suspect(text, Origin(origin), classifier)


def _look(guard: Guard, everyone: Callable[[str, str], Suspicion], row: Row) -> _Seen:
    began = time.process_time()
    verdict = guard.inspect(row.text, row.origin)
    ms = 1_000 * (time.process_time() - began)
    labels = frozenset(reason.span.label for reason in verdict.reasons)
    if len(row.text) > guard.config.max_chars:
        return _Seen(
            1.0, _CERTAIN, _CERTAIN, _CERTAIN, _CERTAIN, 1.0, 1.0, blocked=True, ms=ms, asked=False, labels=labels
        )
    found = guard.explain(row.text, row.origin)
    always = found if found.encoder is not None else everyone(row.text, row.origin)
    return _Seen(
        found.signal_score,
        found.linear,
        found.convolution,
        found.quick,
        float("nan") if always.encoder is None else always.encoder,
        always.score,
        verdict.score,
        blocked=verdict.action is Action.BLOCK,
        ms=ms,
        asked=found.encoder is not None,
        labels=labels,
    )
