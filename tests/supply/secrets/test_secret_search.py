"""What a search sees in text, notebooks and binaries, and that no bytes break it."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lockgate.supply.secrets import search
from lockgate.supply.secrets.search import OVERLAP, WINDOW, pieces

KEY = b"k" * 32
SECRET = "kT9#vQ2m!zLx7Rw4pE"
LINE = f'password = "{SECRET}"'


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "latin-1"])
def test_text_in_any_encoding(encoding: str):
    (mark,) = search("a.txt", f"first\n{LINE}\n".encode(encoding), KEY)
    assert (mark.line, mark.place) == (2, f"{mark.kind}#1")


def test_text_that_is_no_utf8():
    assert search("a.txt", b"caf\xe9\n" + LINE.encode(), KEY)[0].line == 2


@pytest.mark.parametrize("encoding", ["ascii", "utf-16-le", "utf-16-be"])
def test_strings_of_a_binary(encoding: str):
    body = b"\x7fELF\x00\x01\x02\x00" + LINE.encode(encoding) + b"\x00\xff\xfe\x00" * 9
    marks = search("a.bin", body, KEY)
    assert [mark.line for mark in marks] == [0]
    assert marks[0].place.startswith("strings/")


def test_notebooks_are_searched_by_cell_and_output():
    cells = [
        {"cell_type": "markdown", "source": ["# hello"]},
        {"cell_type": "code", "source": ["import os\n", LINE], "outputs": []},
        {"cell_type": "code", "source": "x", "outputs": [{"text": [f"{LINE}\n"]}, {"data": {"text/html": "<b>"}}]},
    ]
    body = json.dumps({"cells": cells, "metadata": {"note": LINE}, "nbformat": 4}).encode()
    places = [mark.place.rpartition("/")[0] for mark in search("a.ipynb", body, KEY)]
    assert "cells/1" in places
    assert "notebook" in places


def test_outputs_are_searched_even_where_the_source_is_clean():
    cells = [{"cell_type": "code", "source": "x", "outputs": [{"text": [f"{LINE}\n"]}]}]
    (mark,) = search("a.ipynb", json.dumps({"cells": cells}).encode(), KEY)
    assert mark.place.startswith("cells/0/outputs/")


def test_what_is_no_notebook_is_text():
    for body in (LINE, f"[{json.dumps(LINE)}]", json.dumps({"cells": LINE}), f'{{"cells": 3, "x": "\\n{SECRET}"'):
        assert next(pieces("a.ipynb", body.encode())).lined


@pytest.mark.parametrize("offset", [-OVERLAP - 40, -OVERLAP, -OVERLAP // 2 - 20, -30, -5, 0, 40])
def test_a_secret_on_the_border_of_windows_is_found_once(offset: int):
    filler = "x = 1\n" * ((WINDOW + offset) // 6)
    after = "\ny = 2" * 9000
    marks = search("a.txt", f"{filler}{LINE}{after}".encode(), KEY)
    assert [mark.line for mark in marks] == [filler.count("\n") + 1]


def test_the_tag_depends_on_the_value_and_the_key_only():
    one = search("a.txt", LINE.encode(), KEY)[0].tag
    assert search("b.txt", f"\n\n{LINE}".encode(), KEY)[0].tag == one
    assert search("a.txt", LINE.encode(), b"x" * 32)[0].tag != one


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(["a.txt", "a.ipynb"]), st.binary(max_size=400))
def test_no_bytes_break_it(name: str, body: bytes):
    for mark in search(name, body, KEY):
        assert mark.place
        assert mark.line >= 0


NESTED = st.recursive(
    st.none() | st.text(max_size=20) | st.integers(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=200, deadline=None)
@given(NESTED)
def test_no_notebook_breaks_it_and_no_text_is_lost(value: object):
    body = json.dumps({"cells": [value, {"cell_type": "code", "source": LINE, "outputs": value}], "x": value}).encode()
    assert any("cells/1/" in mark.place for mark in search("a.ipynb", body, KEY))


def test_deep_nesting_is_searched_all_the_same():
    deep = f"{'[' * 60}{json.dumps(LINE)}{']' * 60}"
    assert search("a.ipynb", f'{{"cells": [{deep}]}}'.encode(), KEY)
    assert list(pieces("a.ipynb", b"[" * 100_000))
