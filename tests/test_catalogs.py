"""No check is forgotten, and every check has a manual page, a proper id and known mappings."""

import importlib
import inspect
import pkgutil
import re
from collections import Counter
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import lockgate
from lockgate.core import Check

PACKAGE = Path(lockgate.__file__).parent
STAGES = sorted(catalog.parent.name for catalog in PACKAGE.glob("*/catalog.py"))
HEADINGS = ("Why it matters:", "Fails on:", "Passes on:", "Limits:")
MAPS = re.compile(r"LLM(0[1-9]|10):2025|ASI(0[1-9]|10):2026|AML\.T\d{4}(\.\d{3})?")

AnyCheck = type[Check[Any]]


def catalogued(stage: str) -> tuple[AnyCheck, ...]:
    return importlib.import_module(f"lockgate.{stage}.catalog").CHECKS


def defined(stage: str) -> set[AnyCheck]:
    """Every check that a module of the stage's folder defines, whether anybody lists it or not."""
    package = importlib.import_module(f"lockgate.{stage}")
    names = [found.name for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")]
    modules = [importlib.import_module(name) for name in names if not name.endswith("__main__")]
    return {check for module in modules for check in checks_of(module)}


def checks_of(module: ModuleType) -> set[AnyCheck]:
    return {
        value
        for _, value in inspect.getmembers(module, inspect.isclass)
        if issubclass(value, Check) and value.__module__ == module.__name__ and hasattr(value, "card")
    }


EVERY = [check for stage in STAGES for check in catalogued(stage)]
by_id = pytest.mark.parametrize("check", EVERY, ids=lambda check: check.card.id)


def test_there_are_stages_to_look_at() -> None:
    assert {"data", "train", "redteam", "deploy", "monitor"} <= set(STAGES)


@pytest.mark.parametrize("stage", STAGES)
def test_the_catalog_lists_every_check_of_its_folder_once(stage: str) -> None:
    assert Counter(catalogued(stage)) == Counter(defined(stage))


@pytest.mark.parametrize("stage", STAGES)
def test_ids_name_their_stage(stage: str) -> None:
    for check in catalogued(stage):
        assert re.fullmatch(rf"LG-{stage.upper()}-\d{{3}}", check.card.id), check.card.id


def test_no_id_is_used_twice() -> None:
    assert [check for check, count in Counter(found.card.id for found in EVERY).items() if count > 1] == []


@by_id
def test_the_docstring_is_a_manual_page(check: AnyCheck) -> None:
    page = inspect.cleandoc(check.__doc__ or "")
    summary = page.partition("\n")[0]
    assert summary.endswith("."), "the first line is one sentence"
    found = [line.strip() for line in page.splitlines() if line.strip() in HEADINGS]
    assert found == list(HEADINGS)
    bodies = re.split("|".join(map(re.escape, HEADINGS)), page)[1:]
    assert all(body.strip() for body in bodies), "no heading stands alone"


@by_id
def test_mappings_are_ids_that_exist(check: AnyCheck) -> None:
    assert check.card.maps, "a check maps to at least one public taxonomy"
    assert [name for name in check.card.maps if not MAPS.fullmatch(name)] == []


@by_id
def test_the_card_is_complete(check: AnyCheck) -> None:
    assert check.card.title
    assert not check.card.title.endswith(".")
    assert re.fullmatch(r"\d+\.\d+\.\d+", check.card.since)
