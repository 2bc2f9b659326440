import pytest

from lockgate.detect.policy_terms import find_terms, prepare_terms

TERMS = prepare_terms(("Project Heron", "kestrel", "größe", "секрет", "機密", "C++", "سر"))


@pytest.mark.parametrize(
    "text",
    [
        "About project heron.", "PROJECT  HERON!", "project\nheron", "a kestrel flies", "k e s t r e l",
        "k\u200bestrel",
        "kestr\u0435l", "\uff4b\uff45strel", "Die Größe", "die GRÖSSE", "это секрет!", "这是機密文件", "هذا سر كبير",
        "write C++ now", "k.e.s.t.r.e.l",
    ],
)  # fmt: skip
def test_terms_are_found_however_they_are_dressed(text: str) -> None:
    assert [span.label for span in find_terms(text, TERMS)] == ["term.policy"]


@pytest.mark.parametrize(
    "text", ["kestrels and kestrelike", "subproject heron", "project  herons", "секретарь", "projectheron", "C+ C", ""]
)
def test_parts_of_other_words_are_left_alone(text: str) -> None:
    assert find_terms(text, TERMS) == ()


def test_the_span_covers_what_was_written() -> None:
    text = "the k\u200be\u200bstrel, yes"
    assert [text[span.start : span.end] for span in find_terms(text, TERMS)] == ["k\u200be\u200bstrel"]


def test_no_terms_find_nothing() -> None:
    assert find_terms("kestrel", prepare_terms(())) == ()
