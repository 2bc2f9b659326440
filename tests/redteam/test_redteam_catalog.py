"""Every check of the folder is registered, documented and has an id of its own."""

import ast
import inspect
from pathlib import Path
from typing import Never

import pytest

import lockgate.redteam
from lockgate.core import Check
from lockgate.redteam import CHECKS

FOLDER = Path(inspect.getfile(lockgate.redteam)).parent


def test_no_check_is_forgotten() -> None:
    written = {
        node.name
        for path in FOLDER.glob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ClassDef) and any(ast.unparse(base).startswith("Check[") for base in node.bases)
    }
    assert written == {check.__name__ for check in CHECKS}


def test_ids_are_unique_and_of_this_stage() -> None:
    ids = [check.card.id for check in CHECKS]
    assert len(set(ids)) == len(ids)
    assert all(name.startswith("LG-REDTEAM-") for name in ids)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.card.id)
def test_the_docstring_is_a_manual_page(check: type[Check[Never]]) -> None:
    manual = inspect.getdoc(check) or ""
    assert manual.splitlines()[0].endswith(".")
    places = [manual.find(f"\n{heading}:\n") for heading in ("Why it matters", "Fails on", "Passes on", "Limits")]
    assert -1 not in places
    assert places == sorted(places)
