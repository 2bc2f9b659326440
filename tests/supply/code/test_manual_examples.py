"""The examples of every manual page: what must fail fails, what must pass passes."""

import inspect
import re
import textwrap

import msgspec
import pytest

from lockgate.core import Check, Status, SubjectRef, run
from lockgate.supply.code import CHECKS, CodeFile, read_facts
from lockgate.supply.code.classic import bandit_version, find_classic
from lockgate.supply.code.classic_risk import ClassicRisk
from lockgate.supply.code.units import read_units

SECTION = re.compile(r"^(Why it matters|Fails on|Passes on|Limits):\n(.*?)(?=^\S|\Z)", re.MULTILINE | re.DOTALL)


def example(check: type[Check[CodeFile]], heading: str) -> bytes:
    sections = dict(SECTION.findall(inspect.cleandoc(check.__doc__ or "")))
    _, _, code = sections[heading].partition("\n\n")
    return textwrap.dedent(code).encode()


def facts(body: bytes, *, classic: bool = False) -> CodeFile:
    found = find_classic([read_units("example.py", body)])[0] if classic else ()
    return msgspec.structs.replace(read_facts(SubjectRef("example.py"), body), classic=found)


def test_bandit_is_here():
    assert bandit_version()


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.card.id)
def test_what_must_fail_fails_and_what_must_pass_passes(check: type[Check[CodeFile]]):
    classic = check is ClassicRisk
    outcome = run(check(), facts(example(check, "Fails on"), classic=classic))
    assert outcome.status is Status.FAILED
    assert all(found.location.path and found.location.line for found in outcome.findings)
    passing = facts(example(check, "Passes on"), classic=classic)
    assert [other.card.id for other in CHECKS if run(other(), passing).status is not Status.PASSED] == []


def test_without_bandit_the_check_says_that_it_did_not_look():
    found = msgspec.structs.replace(facts(b"x = 1"), classic=None)
    outcome = run(ClassicRisk(), found)
    assert (outcome.status, "lockgate[code]" in outcome.reason) == (Status.SKIPPED, True)
    failed = msgspec.structs.replace(found, classic_failed="Bandit ended with code 3.")
    assert run(ClassicRisk(), failed).status is Status.ERRORED
