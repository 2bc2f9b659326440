"""The examples of the manual page, and that a finding never names the value."""

import inspect
import re
import textwrap

import pytest

from lockgate.core import Status, SubjectRef, run
from lockgate.supply.secrets import CHECKS, SecretText, search

SECTION = re.compile(r"^(Fails on|Passes on):\n(.*?)(?=^\S|\Z)", re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize(("heading", "status"), [("Fails on", Status.FAILED), ("Passes on", Status.PASSED)])
def test_the_examples_of_the_manual(heading: str, status: Status):
    (check,) = CHECKS
    code = dict(SECTION.findall(inspect.cleandoc(check.__doc__ or "")))[heading].partition("\n\n")[2]
    body = textwrap.dedent(code).encode()
    outcome = run(check(), SecretText(SubjectRef("a.py"), search("a.py", body, b"k" * 32)))
    assert outcome.status is status
    assert "kT9#" not in repr(outcome)
