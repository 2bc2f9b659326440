"""A calibration is monotone in every layer, and its thresholds keep their promise on every set."""

import msgspec
import numpy as np
import pytest
from training.calibrate import RATES, SHARES, Opinions, fit, scores_of, threshold_at
from training.errors import TrainingError

from lockgate.detect.classifier import Calibration


def opinions(seed: int = 0, *, signals_mislead: bool = False) -> Opinions:
    draw = np.random.default_rng(seed)
    number = 6000
    attack = draw.random(number) < 0.3
    sources = draw.choice(["a", "b", "c", "d"], number, p=[0.8, 0.1, 0.09, 0.01])
    hard = (sources == "b") & ~attack
    signals = np.where(draw.random(number) < np.where(attack, 0.4, 0.02), draw.random(number), 0.0)
    return Opinions(
        suspicion=draw.normal(np.where(attack, 1.0, -4.0), 1.5),
        encoder=draw.normal(np.where(attack, 3.0, np.where(hard, -1.0, -3.0)), 1.2),
        signals=1 - signals if signals_mislead else signals,
        attack=attack,
        user=draw.random(number) < 0.5,
        sets=draw.choice(["validation", "own"], number),
        sources=sources,
    )


@pytest.mark.parametrize("seed", range(3))
def test_thresholds_are_monotone(seed: int) -> None:
    thresholds = fit(opinions(seed)).thresholds
    assert 0 < thresholds["strict"] < thresholds["balanced"] < thresholds["permissive"] <= 1


def test_thresholds_keep_their_promise_on_every_set() -> None:
    found = opinions()
    fitted = fit(found)
    scores = scores_of(found, fitted)
    for name, rate in RATES.items():
        flagged = scores >= fitted.thresholds[name]
        assert np.mean([flagged[~found.attack & (found.sources == source)].mean() for source in "abcd"]) <= rate
        for kind in ("validation", "own"):
            mine = (found.sets == kind) & ~found.attack
            assert np.mean([flagged[mine & (found.sources == source)].mean() for source in "abc"]) <= rate * 2


def test_more_evidence_never_lowers_a_score() -> None:
    found = opinions()
    fitted = fit(found)
    before = scores_of(found, fitted)
    for name in ("suspicion", "encoder", "signals"):
        more = msgspec.structs.replace(found, **{name: getattr(found, name) + 0.1})
        alike = asked(found, fitted) == asked(more, fitted)
        assert (scores_of(more, fitted) >= before)[alike].all()


def asked(found: Opinions, fitted: Calibration) -> "np.ndarray[tuple[int], np.dtype[np.bool_]]":
    suspicion = found.suspicion * fitted.weights.encoder / SHARES.encoder
    return (suspicion >= np.where(found.user, fitted.ask_user, fitted.ask_foreign)) | (
        found.signals >= fitted.ask_signals
    )


def test_layers_count_by_their_fixed_shares_and_never_against_an_attack() -> None:
    weights = fit(opinions(signals_mislead=True)).weights
    assert weights.encoder > 0
    for name in ("linear", "convolution", "signals"):
        share = getattr(SHARES, name) / SHARES.encoder
        assert getattr(weights, name) == pytest.approx(share * weights.encoder)


def test_both_origins_are_flagged_about_as_often_where_documents_look_more_like_attacks() -> None:
    found = opinions()
    found.encoder[~found.user] -= SHARES.foreign
    fitted = fit(found)
    flagged = scores_of(found, fitted) >= fitted.thresholds["balanced"]
    of_users, of_others = (flagged[~found.attack & some].mean() for some in (found.user, ~found.user))
    assert of_others == pytest.approx(of_users, abs=0.005)


def test_the_encoder_is_asked_about_nearly_every_attack_and_few_other_texts() -> None:
    found = opinions()
    fitted = fit(found)
    judged = asked(found, fitted)
    for origin in (found.user, ~found.user):
        assert judged[found.attack & origin].mean() > 0.95
        assert judged[~found.attack & origin].mean() < 0.6


def test_a_threshold_lies_above_what_may_not_be_flagged() -> None:
    scores = np.concatenate((np.linspace(0, 0.5, 99), [0.9]))
    found = Opinions(
        suspicion=scores,
        encoder=scores,
        signals=scores,
        attack=np.zeros(100, dtype=bool),
        user=np.ones(100, dtype=bool),
        sets=np.full(100, "own"),
        sources=np.full(100, "a"),
    )
    assert 0.5 < threshold_at(scores, found, 0.01) < 0.9
    assert threshold_at(scores, found, 0.001) > 0.9
    assert threshold_at(np.full(100, 0.5), found, 0.5) > 0.5


def test_sets_without_attacks_are_refused() -> None:
    found = opinions()
    with pytest.raises(TrainingError, match="no attacks"):
        fit(msgspec.structs.replace(found, attack=np.zeros(len(found.attack), dtype=bool)))
