"""What the detector of personal data finds leaves neither a text nor a stream, whole or in part."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lockgate.core import Action
from lockgate.guard import Guard, StreamGuard

_GUARD = Guard.default()
_VALUES = {
    "Charlotte Okonkwo": "Dear Ms {}, we met at noon.",
    "Sofia Rossi": "{}, rossi@example.org, card 4111 1111 1111 1111",
    "Jonas Weber": "Call +49 30 1234567 (that is {}).",
    "von Üxküll": "Sehr geehrter Herr {},",
    "12 Maple Street, Portland, OR 97201": "I live at {}.",
    "Goethestraße 5a, 60313 Frankfurt am Main": "Anschrift: {}",
    "06 12 34 56 78": "tél. {}",
    "DE89 3704 0044 0532 0130 00": "IBAN {} please",
    "4111 1111 1111 1111": "card {}, thanks",
    "1 85 05 75 704 305 60": "NIR {}",
    "HCBUGL81A22H505W": "CF {}",
    "1984-03-12": "DOB: {}",
    "C01X00T47": "passport no. {}",
    "00481516": "MRN: {}",
}
_FILLERS = ("We open at nine. ", "\n", "湖は静かです。", "é", "\ud800", "\u200b", " 7 ", "Order 20304050. ", "[PHONE] ")
_SENTENCES = st.sampled_from([(value, form.format(value)) for value, form in _VALUES.items()])
_TEXTS = st.lists(st.one_of(_SENTENCES, st.sampled_from([("", filler) for filler in _FILLERS])), max_size=10)


@settings(max_examples=100, deadline=None)
@given(_TEXTS)
def test_every_value_is_redacted_whole_and_for_good(pieces: list[tuple[str, str]]) -> None:
    text = "\n".join(sentence for _, sentence in pieces)
    verdict = _GUARD.inspect(text, "model")
    assert verdict.action is not Action.BLOCK
    assert all(value not in verdict.text for value, _ in pieces if value)
    assert _GUARD.inspect(verdict.text, "model").action is Action.ALLOW


@settings(max_examples=40, deadline=None)
@given(_TEXTS, st.lists(st.integers(1, 120), min_size=1, max_size=4))
def test_stream_redacts_what_the_whole_text_redacts(pieces: list[tuple[str, str]], sizes: list[int]) -> None:
    text = "\n".join(sentence for _, sentence in pieces)
    stream = StreamGuard(_GUARD)
    sent: list[str] = []
    position = turn = 0
    while position < len(text):
        size = sizes[turn % len(sizes)]
        sent.append(stream.push(text[position : position + size]))
        position += size
        turn += 1
    sent.append(stream.finish())
    assert "".join(sent) == _GUARD.inspect(text, "model").text


def test_the_names_of_poets_stay_in_an_answer() -> None:
    poets = "Sofia Rossi wrote it in Rome; Jonas Weber, born 10 December 1815, translated it. Write to shop@example.org"
    assert _GUARD.inspect(poets, "model").text == poets.replace("shop@example.org", "[EMAIL]")


@pytest.mark.parametrize("value", _VALUES)
def test_value_is_redacted_around_invisible_characters(value: str) -> None:
    text = _VALUES[value].format(value[:5] + "\u200b" + value[5:])
    assert value[5:] not in _GUARD.inspect(text, "model").text
