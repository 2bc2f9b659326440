"""What is remembered of words never changes what is read in a text."""

from pathlib import Path

import lockgate_guard_model
from hypothesis import example, given
from hypothesis import strategies as st

from lockgate.detect.pieces import MAX_PIECES, Pieces
from lockgate.detect.remembered import LONGEST_WORD, MOST_WORDS, Remembered
from lockgate.detect.signals import WORD_SIGNALS, possible
from lockgate.detect.words import read_words, word_classes

_MODEL = (Path(lockgate_guard_model.__file__).parent / "pieces.model").read_bytes()
_PIECES = Pieces(_MODEL)
_CLASSES = sorted({chr(code) for signal in WORD_SIGNALS for need in signal.needs for code in need})


@given(st.lists(st.text(st.sampled_from("abci9.é你-\n\ud800"), max_size=30), max_size=12).map(" ".join))
@example("v9.9.9 iii hahaha ---- Dati aggiornati")
@example("eins zwei drei vier fuenf sechs sieben acht neun zehn elf zwoelf")
def test_a_text_has_the_same_pieces_whether_or_not_its_words_were_met(text: str) -> None:
    whole = Pieces(_MODEL)._whole(text)
    assert _PIECES.ids(text) == whole
    for word in text.split():
        assert _PIECES.ids(word) == _PIECES._whole(word)
    assert _PIECES.ids(text) == whole
    rows = _PIECES.rows(text)
    assert rows[0] == whole[:MAX_PIECES]
    assert rows[-1] == whole[-MAX_PIECES:]


def test_what_is_remembered_stays_within_bounds_and_right() -> None:
    lengths = Remembered(len)
    for number in range(MOST_WORDS + 2):
        assert lengths[str(number)] == len(str(number))
    assert len(lengths) <= MOST_WORDS
    assert lengths["a" * (LONGEST_WORD + 1)] == LONGEST_WORD + 1
    assert "a" * (LONGEST_WORD + 1) not in lengths


@given(st.text(st.sampled_from("aIé你_ \n\t'’!.;:?|{}[]\"“«$@1\u3000\x00\u200d"), max_size=40))  # noqa: RUF001 - marks
def test_marks_part_words_for_their_classes_as_they_do_for_the_words(text: str) -> None:
    assert word_classes(text) == read_words(text).classes


@given(st.text(st.sampled_from(_CLASSES)))
def test_a_signal_that_is_not_possible_is_not_there(classes: str) -> None:
    data = classes.encode()
    there = {id(signal) for signal in WORD_SIGNALS if signal.pattern.search(data)}
    assert there <= set(map(id, possible(frozenset(data))))
