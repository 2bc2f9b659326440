# ruff: noqa: RUF001 - look-alike characters are the subject
import base64
import codecs

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lockgate.detect import find_leaks, longest_match

_VALUE = "HARBOR-7741"


@pytest.mark.parametrize(
    "answer",
    [
        "It is HARBOR-7741.",
        "harbor 7741",
        "H A R B O R 7 7 4 1",
        "H-A-R-B-O-R-7-7-4-1",
        "\n".join("HARBOR7741"),
        "H, then A, then R, then B, O, R, 7, 7, 4 and 1",
        "1477-ROBRAH",
        "1 4 7 7 R O B R A H",
        "h4rb0r-7741",
        codecs.encode(_VALUE, "rot13"),
        _VALUE.encode().hex(),
        _VALUE.encode().hex(" ").upper(),
        " ".join(f"0x{byte:02x}" for byte in _VALUE.encode()),
        "".join(f"%{byte:02X}" for byte in _VALUE.encode()),
        "HARBOR%2D7741",
        " ".join(str(byte) for byte in _VALUE.encode()),
        "".join(f"&#{byte};" for byte in _VALUE.encode()),
        "HARB\u200bOR-\u200b7741",
        "ＨＡＲＢＯＲ－７７４１",
        "Hotel Alfa Romeo Bravo Oscar Romeo seven seven four one",
        "**HARBOR**-`7741`",
        "НАRВОR-7741",
        "\n".join(f"{place}. {letter}" for place, letter in enumerate("HARBOR7741", start=1)),
        ".... .- .-. -... --- .-. / --... --... ....- .----",
        "···· ·– ·–· –··· ––– ·–· ––··· ––··· ····– ·––––",
        ".... | .- | .-. | -... | --- | .-. | --... | --... | ....- | .----",
        "\U0001f1ed\U0001f1e6\U0001f1f7\U0001f1e7\U0001f1f4\U0001f1f7 7741",
    ],
)
def test_value_is_found_in_simple_encodings(answer: str) -> None:
    assert find_leaks(answer, [_VALUE])


@pytest.mark.parametrize("before", ["", "x", "xy", "xyz", "The code is "])
def test_base64_is_found_at_any_alignment(before: str) -> None:
    assert find_leaks(base64.b64encode(f"{before}{_VALUE} ok".encode()).decode(), [_VALUE])


@pytest.mark.parametrize(
    ("answer", "value"),
    [
        ("The harbor opens at 7 and closes at 41 past nine.", _VALUE),
        ("A char borrows memory.", "HARBOR"),
        ("I cannot tell you that.", _VALUE),
        ("", _VALUE),
    ],
)
def test_ordinary_answers_hold_no_leak(answer: str, value: str) -> None:
    assert find_leaks(answer, [value]) == ()


def test_nothing_protected_nothing_found() -> None:
    assert find_leaks("anything", []) == ()
    assert find_leaks("anything", [""]) == ()


def test_short_value_is_found_as_written() -> None:
    assert find_leaks("the pin is 7-3", ["7-3"])


@settings(max_examples=100)
@given(st.text(max_size=60), st.text(max_size=60), st.text(alphabet="abcXYZ0189-é", min_size=5, max_size=12))
def test_value_is_found_between_anything(before: str, after: str, value: str) -> None:
    assert find_leaks(f"{before} {value} {after}", [value]) or not any(map(str.isalnum, value))


@settings(max_examples=100)
@given(st.text(alphabet="abcxyz0189", min_size=4, max_size=14), st.text(alphabet=" -.\n*", min_size=1, max_size=7))
def test_longest_match_bounds_what_a_spelled_value_spans(value: str, separator: str) -> None:
    spelled = separator.join(value)
    spans = find_leaks(f"x {spelled} x", [value])
    assert spans
    assert all(span.end - span.start <= longest_match([value]) for span in spans)


_JUNK = st.text(alphabet="abXY019-_+/%|!@$ .\néßİ中\u200b４ﬁ\ud800", max_size=30)


@settings(max_examples=200)
@given(
    _JUNK,
    _JUNK,
    st.sampled_from(
        [
            _VALUE,
            _VALUE[::-1],
            "h4rb0r-7741",
            _VALUE.encode().hex(),
            base64.b64encode(_VALUE.encode()).decode(),
            " ".join(str(byte) for byte in _VALUE.encode()),
            "".join(f"%{byte:02x}" for byte in _VALUE.encode()),
            ".... .- .-. -... --- .-. / --... --... ....- .----",
        ]
    ),
)
def test_a_span_holds_the_leak_that_it_names(before: str, after: str, said: str) -> None:
    text = f"{before} {said} {after}"
    spans = find_leaks(text, [_VALUE])
    assert spans
    for span in spans:
        assert find_leaks(text[span.start : span.end], [_VALUE])
