"""The convolutional model reads every window as if it stood alone, and refuses weights that do not fit."""

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lockgate.detect.convolution import DILATION, FIRST_TAPS, SECOND_TAPS, ConvolutionalModel, ConvolutionLayers

PIECES, WIDTH, CHANNELS, UNITS = 50, 8, 12, 6
ROWS = st.lists(st.lists(st.integers(0, PIECES - 1), max_size=20), min_size=1, max_size=6)


def layers() -> ConvolutionLayers:
    draw = np.random.default_rng(0)

    def some(*shape: int) -> "np.ndarray[tuple[int, ...], np.dtype[np.float32]]":
        return draw.normal(size=shape).astype(np.float32)

    return ConvolutionLayers(
        scale=np.full(WIDTH, 0.01, dtype=np.float32),
        origin=some(2, WIDTH),
        first=some(FIRST_TAPS * WIDTH, CHANNELS),
        first_bias=some(CHANNELS),
        second=some(SECOND_TAPS * CHANNELS, CHANNELS),
        second_bias=some(CHANNELS),
        hidden=some(2 * CHANNELS, UNITS),
        hidden_bias=some(UNITS),
        output=some(UNITS),
        output_bias=some(1),
    )


WORDS = np.random.default_rng(1).integers(-127, 128, size=(PIECES, WIDTH)).astype(np.int8)
MODEL = ConvolutionalModel(WORDS, layers())


def plainly(row: list[int], *, foreign: bool) -> float:
    """The same network written as its formula says, one window and one place at a time."""
    net = layers()
    states = WORDS[row].astype(np.float32) * net.scale + net.origin[int(foreign)]

    def around(values: "np.ndarray", place: int, taps: int, dilation: int) -> "np.ndarray":
        reach = taps // 2
        near = [place + (tap - reach) * dilation for tap in range(taps)]
        return np.concatenate([values[at] if 0 <= at < len(values) else np.zeros(values.shape[1]) for at in near])

    first = [around(states, at, FIRST_TAPS, 1) @ net.first + net.first_bias for at in range(len(row))]
    first = np.maximum(np.array(first), 0)
    second = [around(first, at, SECOND_TAPS, DILATION) @ net.second + net.second_bias for at in range(len(row))]
    second = np.maximum(np.array(second) + first, 0)
    pooled = np.concatenate((second.max(0), second.mean(0)))
    hidden = np.maximum(pooled @ net.hidden + net.hidden_bias, 0)
    return float((hidden @ net.output + net.output_bias)[0])


@given(rows=ROWS, foreign=st.booleans())
@settings(max_examples=60, deadline=None)
def test_windows_read_together_score_as_each_alone(rows: list[list[int]], *, foreign: bool) -> None:
    found = MODEL.logits(rows, foreign=foreign)
    assert found == pytest.approx([plainly(row or [0], foreign=foreign) for row in rows], rel=1e-3, abs=1e-3)


@pytest.mark.parametrize("name", ["scale", "origin", "first", "second", "hidden", "output"])
def test_weights_that_do_not_fit_are_refused(name: str) -> None:
    net = layers()
    wrong = msgspec.structs.replace(net, **{name: getattr(net, name)[:-1]})
    with pytest.raises(ValueError, match="do not fit"):
        ConvolutionalModel(WORDS, wrong)


def test_embeddings_of_another_kind_are_refused() -> None:
    with pytest.raises(ValueError, match="do not fit"):
        ConvolutionalModel(WORDS.astype(np.float32), layers())  # pyright: ignore[reportArgumentType] - what a damaged file holds
