"""Tables are read by their headings, and what only looks like one is left alone."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockgate.detect import find_pii
from lockgate.guard import Guard


def _found(text: str) -> list[tuple[str, str]]:
    return [(span.label, text[span.start : span.end]) for span in find_pii(text)]


@pytest.mark.parametrize(
    ("text", "values"),
    [
        (
            "id,first_name,phone\n1,Zorblax,98392 69971\n2,Qwert,98010 11223\n",
            ["Zorblax", "98392 69971", "Qwert", "98010 11223"],
        ),
        ("id;Nachname;Telefon\r\n7;Zorblax;98392 69971\r\n", ["Zorblax", "98392 69971"]),
        ('"Phone","Surname"\n"98392 69971","Zorblax, Q."\n', ["98392 69971", "Zorblax, Q."]),
        ("| Full name | Mobile |\n|:----|----:|\n| Zorblax Quux | 98392 69971 |\n", ["Zorblax Quux", "98392 69971"]),
        (
            "Last Name\tDate of birth\tAddress\nZorblax\t12.03.1984\tBrunnenweg 5\n",
            ["Zorblax", "12.03.1984", "Brunnenweg 5"],
        ),
        ("x\n\nprénom,téléphone\nZoë,98392 69971\n\nnoch,eine\n", ["Zoë", "98392 69971"]),
        ("a,b\n1,2\nsurname,age,city\nZorblax,44,Bath\n", ["Zorblax"]),
        ("name,email\nMaria Zorblax,m@example.org\n", ["Maria Zorblax", "m@example.org"]),
    ],
)
def test_cells_are_found_by_the_heading_of_their_column(text: str, values: list[str]) -> None:
    assert [value for _, value in _found(text)] == values


@pytest.mark.parametrize(
    "text",
    [
        "name,price\nApple,3\nPear,4\n",
        "name,address\nHarbour Cafe,\nOld Mill,\n",
        "Please leave your name, address, phone\nat the desk, thank you, bye\n",
        "first_name: please fill in\nZorblax,98392\n",
        "phone,model,price\nGalaxy S24,SM-921,799\nPixel 9,GA0,699\n",
        "phone,extension\nn/a,12\n-,\n,\n",
        "surname 1, surname 2\nZorblax, Quux\n",
        "id,city,phone\n98-53937-97971,Bath,\n",
        "phone,tablet,desktop\n3120457,1204551,9920113\n",
        "last_name,city\n,\n\nZorblax,Bath\n",
        "phone",
        "phone,\n",
        ",phone,\n\n\n",
    ],
)
def test_other_cells_are_left_alone(text: str) -> None:
    assert _found(text) == []


def test_a_prompt_loses_what_the_heading_announces_and_stays_a_table() -> None:
    text = "Sort this, please:\nid,last_name,phone\n1,Zorblax,98392 69971\n"
    assert Guard.default().inspect(text, "user").text == "Sort this, please:\nid,last_name,phone\n1,[NAME],[PHONE]\n"


_CELL = st.sampled_from(
    ["phone", "last_name", "Zorblax", "98392 69971", '"', '""', " ", "x,y", "12.03.1984", "é", "|", "\r"]
)


@given(st.lists(st.lists(_CELL, max_size=5).map(",".join), max_size=8).map("\n".join))
def test_every_span_is_a_cell(text: str) -> None:
    for span in find_pii(text):
        assert 0 <= span.start < span.end <= len(text)
        assert "\n" not in text[span.start : span.end]


@pytest.mark.parametrize(
    "row", ["phone,name\n", '"phone,"\n', "phone,\n\n", ",phone" * 9 + "\n", "1,98392 69971\n", '""' * 30 + "\n"]
)
def test_time_grows_with_the_length(row: str) -> None:
    def taken(size: int) -> float:
        text = "id,phone\n" + (row * size)[:size]
        begun = time.process_time()
        find_pii(text)
        return time.process_time() - begun

    taken(8_000)
    assert taken(160_000) < 60 * max(taken(16_000), 0.002)
