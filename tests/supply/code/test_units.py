# ruff: noqa: E501 - one program a line
"""Reading: encodings, notebooks, bounds, and that nothing which is no Python passes for it."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lockgate.core import Status, SubjectRef, run
from lockgate.supply.code import CHECKS, read_facts
from lockgate.supply.code.units import MAX_BYTES, MAX_DEPTH, read_units
from lockgate.supply.errors import SupplyError


def notebook(*sources: str | list[str]) -> bytes:
    return json.dumps({"cells": [{"cell_type": "code", "source": source} for source in sources]}).encode()


@pytest.mark.parametrize(
    "body",
    [
        b"x = (",
        b"\x00",
        b"\xff\xfe",
        b"# coding: nonsense\nx",
        b"9" * 5000,
        b"-" * 100_000 + b"1",
        b"(" * 250 + b")" * 250,
        b"1+" * 60_000 + b"1",
        b"a" + b".b" * (MAX_DEPTH + 2),
        b"x" * (MAX_BYTES + 1),
        b"".join(b" " * depth + b"if 1:\n" for depth in range(99)) + b" " * 99 + b"a" + b".b" * 60,
    ],
    ids=range(11),
)
def test_what_cannot_be_parsed_is_an_error(body: bytes):
    with pytest.raises(SupplyError):
        read_units("a.py", body)


@pytest.mark.parametrize(
    "body",
    [b"", b"\xef\xbb\xbfx = 1", "# coding: latin-1\nx = 'é'".encode("latin-1"), b"x = 1\r\ny = 2\r\n", b"await f()"],
)
def test_what_python_reads_is_read(body: bytes):
    assert read_facts(SubjectRef("a.py"), body).lines


def test_long_chains_that_are_flat_are_read():
    body = b"if a:\n pass\n" + b"elif b:\n f()\n" * 400 + b"x = " + b"'a' + " * 400 + b"g()\n"
    assert len(read_facts(SubjectRef("a.py"), body).calls) == 401


@pytest.mark.parametrize(
    "source",
    [
        "%matplotlib inline\nimport pickle\npickle.load(F)",
        "!pip install x\nimport pickle\nfiles = !ls\npickle.load(F)",
        ["import pickle\n", "if 1:\n", "    !ls\n", "    pickle.load(F)"],
        "%%time\nimport pickle\npickle.load(F)",
        "import pickle\npickle.load?\nF??\nfor x in y:\n    x.y?\npickle.load(F)",
        "!pip install \\\n    x \\\n  y\nimport pickle\npickle.load(F)",
        "import pickle\nx = ('%s'\n % pickle.load(F))",
    ],
)
def test_commands_of_a_notebook_are_no_python(source: str | list[str]):
    (call,) = [item for item in read_facts(SubjectRef("a.ipynb"), notebook("x = 1", source)).calls if item.arguments]
    assert call.place == "cells/1/pickle.load"


def test_a_name_lives_on_in_the_next_cell():
    body = notebook("import openai\nr = openai.OpenAI().responses.create(model='m')", "%%bash\nls", "exec(r.text)")
    facts = read_facts(SubjectRef("a.ipynb"), body)
    failed = {outcome.check for outcome in (run(check(), facts) for check in CHECKS) if outcome.findings}
    assert "LG-SUPPLY-104" in failed


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b'{"cells": 3}', b'{"cells": [{"cell_type": "code", "source": 3}]}', b"[" * 100_000]
)
def test_a_broken_notebook_is_an_error(body: bytes):
    with pytest.raises(SupplyError):
        read_units("a.ipynb", body)


ATOMS = st.sampled_from(
    ["x", "self.a", "1", "'Do what this text says: '", "f'Tell me about {x} now'", "request.args", "OpenAI()", "input"]
)
SHAPES = ("({0})({1})", "{0}.run({1})", "[{0} for x in {1}]", "{{'role': 'system', 'content': {0}, **{1}}}", "{0} + {1}",
          "'%s' % {0}", "(y := {0})", "lambda x: {1}", "{0}[{1}]", "await {0}", "f'a{{{0}}}b'")  # fmt: skip
BLOCKS = ("x = {0}", "for x in {0}:\n {1}", "def f(x):\n return {0}", "class A:\n def f(self):\n  self.a = {0}",
          "with {0} as x:\n {1}", "try:\n {0}\nexcept E:\n {1}", "match {0}:\n case [x]:\n  {1}", "x += {0}",
          "from openai import *\nimport openai as o\no.OpenAI().responses.create(model={0}, input={1})")  # fmt: skip
EXPRESSIONS = st.recursive(
    ATOMS, lambda inner: st.builds(str.format, st.sampled_from(SHAPES), inner, inner), max_leaves=6
)
PROGRAMS = st.lists(st.builds(str.format, st.sampled_from(BLOCKS), EXPRESSIONS, EXPRESSIONS), max_size=5).map("\n".join)


@settings(max_examples=200, deadline=None)
@given(PROGRAMS)
def test_any_program_is_judged_by_every_check(program: str):
    try:
        facts = read_facts(SubjectRef("a.py"), program.encode())
    except SupplyError:
        return
    for check in CHECKS[:-1]:
        assert run(check(), facts).status in {Status.PASSED, Status.FAILED}
    assert len({call.place for call in facts.calls}) == len(facts.calls)


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from(["a.py", "a.ipynb", "mcp.json"]), st.binary(max_size=200) | st.text(max_size=200).map(str.encode)
)
def test_any_bytes_are_read_or_refused(name: str, body: bytes):
    try:
        facts = read_facts(SubjectRef(name), body)
    except SupplyError:
        return
    assert facts.ref.uri == name
