# ruff: noqa: RUF001 - letters that look like others are what it is about
"""What is looked up for a whole text at once is what would be found character by character."""

import re
import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from lockgate.detect.codepoints import CodePoints, Folds, codes_of, text_of, traits_of
from lockgate.detect.confusables import CONFUSABLE, SAME, STYLED
from lockgate.detect.invisible import HIDDEN

_ANY = st.text(st.characters(exclude_categories=[]), max_size=40)


def _bare(character: str) -> str:
    return "" if character in HIDDEN else unicodedata.normalize("NFKD", character)


_FOLDS = Folds(_bare)
_NUMBERS = CodePoints(lambda character: ord(character) % 7 + 1, "uint16")


@given(_ANY)
def test_a_text_is_its_code_points(text: str) -> None:
    assert text_of(codes_of(text)) == text
    assert _NUMBERS.of(codes_of(text)).tolist() == [ord(character) % 7 + 1 for character in text]


@given(st.text(st.one_of(st.sampled_from("aéßﬃ한½\x00\u200b\u0301😀\ud800𠀀\U000e0041"), st.characters()), max_size=40))
def test_characters_are_replaced_together_as_one_by_one(text: str) -> None:
    folded, offsets = _FOLDS.apply(text)
    assert folded == "".join(map(_bare, text))
    assert list(offsets) == [*(index for index, old in enumerate(text) for _ in _bare(old)), len(text)]


@given(st.text(st.sampled_from("ab1 _-аоеѕбжéß₳\u0301\u20dd\u200b𝐢🇦ᴀ你\x00\ud800𠀀\U000e0041"), max_size=30))
def test_what_a_text_holds_is_seen_at_a_glance(text: str) -> None:
    found = traits_of(text)
    assert found.hidden == any(character in HIDDEN for character in text)
    assert found.marked == any(character in "\u0301\u20dd" for character in text)
    assert found.styled == any(ord(character) in STYLED for character in text)
    words = re.findall(r"(?:[^\W_]|₳)+", text)
    mixed = any(set(map(ord, word)) & CONFUSABLE.keys() and re.search("[a-zA-Z]", word) for word in words)
    shaped = any(all(ord(character) in SAME for character in word) for word in words)
    assert found.imitating or not mixed
    assert mixed or shaped or not found.imitating
