import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockgate.report.shown import chance, counted, duration, elapsed, interval, percent, plain, shown


@pytest.mark.parametrize(
    ("hostile", "safe"),
    [
        ("\x1b[2J\x1b]0;owned\x07", "<U+001B>[2J<U+001B>]0;owned<U+0007>"),
        ("invoice\u202efdp.exe", "invoice<U+202E>fdp.exe"),
        ("a\u200bb\ufeffc", "a<U+200B>b<U+FEFF>c"),
        ("tag\U000e0041", "tag<U+E0041>"),
        ("first\nHELD\tlast\r", "first HELD last "),
        ("bad\udcff", "bad<U+DCFF>"),
        ("\x9b31m", "<U+009B>31m"),
        ("grüße, 你好", "grüße, 你好"),
    ],
)
def test_what_could_drive_a_terminal_is_spelled_out(hostile: str, safe: str) -> None:
    assert shown(hostile) == safe


@given(st.text(st.characters(exclude_categories=())), st.integers(1, 50))
def test_shown_text_is_printable_and_bounded(text: str, limit: int) -> None:
    result = shown(text, limit)
    assert result.isprintable()
    assert len(result) <= 11 * limit + 40


def test_what_is_cut_off_is_counted() -> None:
    assert shown("x" * 10_000).endswith("x [... 9,400 more characters]")


@given(st.text(st.characters(exclude_categories=())))
def test_plain_text_encodes_and_changes_only_surrogates(text: str) -> None:
    encoded = plain(text)
    encoded.encode("utf-8")
    if not any("\ud800" <= character <= "\udfff" for character in text):
        assert encoded == text


def test_numbers_read_as_they_are_meant() -> None:
    assert [percent(share) for share in (None, 0, 1 / 60, 26 / 60, 0.997, 1)] == [
        "n/a",
        "0 %",
        "1.7 %",
        "43 %",
        "99.7 %",
        "100 %",
    ]
    assert interval((0.003, 0.0886)) == "0.3 to 8.9 %"
    assert interval((0.3157, 0.559)) == "32 to 56 %"
    assert [duration(seconds) for seconds in (0.04, 12.3, 185)] == ["0.0 s", "12 s", "3 min 5 s"]
    assert [counted(1, "gate"), counted(1200, "gate")] == ["1 gate", "1,200 gates"]
    assert chance(0.034) == "with probability 0.034"
    assert chance(6e-8) == "in fewer than 1 of 10,000 cases"


def test_elapsed_time_is_left_out_when_the_times_make_no_sense() -> None:
    assert elapsed("2026-11-07T10:15:02Z", "2026-11-07T10:16:19Z") == "1 min 17 s"
    assert elapsed("2026-11-07T10:15:02Z", "2026-11-07T10:15:00Z") == "0.0 s"
    assert elapsed("yesterday", "2026-11-07T10:16:19Z") == ""
    assert elapsed("2026-11-07T10:15:02", "2026-11-07T10:16:19Z") == ""
