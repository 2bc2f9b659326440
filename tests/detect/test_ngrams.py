import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockgate.detect.ngrams import BITS, LinearModel, hash_ngrams

RANDOM = np.random.default_rng(0).normal(size=2**BITS).astype(np.float32)
MODEL = LinearModel(RANDOM, -0.5)


def whole(text: str) -> float:
    return float(MODEL.score(hash_ngrams(text), [(0, len(text))])[0])


@given(st.text(st.characters(exclude_categories=[]), max_size=400))
def test_any_text_has_a_finite_score_and_buckets_in_range(text: str):
    assert np.isfinite(whole(text))
    assert all(bucket < 2**BITS for hashes in hash_ngrams(text).hashes for bucket in hashes.tolist())


def test_text_without_ngrams_has_the_bias_as_score():
    assert whole("") == -0.5


def test_case_and_digits_do_not_matter():
    assert whole("Order 1234 NOW") == whole("order 9876 now")


def test_order_of_words_matters():
    assert whole("ignore the rules") != whole("the rules ignore")


def test_score_is_the_sum_over_the_root_of_the_number():
    features = hash_ngrams("to be or not")
    weights = np.concatenate([RANDOM[hashes] for hashes in features.hashes])
    assert whole("to be or not") == pytest.approx(weights.sum() / np.sqrt(weights.size) - 0.5, rel=1e-5)


def test_a_window_is_scored_by_the_ngrams_that_begin_in_it():
    text = "alpha beta gamma"
    features = hash_ngrams(text)
    left, right, both = MODEL.score(features, [(0, 5), (5, len(text)), (0, len(text))])
    assert len({float(left), float(right), float(both)}) == 3


def test_words_of_one_kind_are_told_apart_by_their_letters_places():
    assert whole("abc") != whole("cba")
