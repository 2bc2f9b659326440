"""Readers of JSON, YAML and TOML that strangers write: a value of any type in any place is an answer, never a crash."""

import json
from collections.abc import Callable

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from lockgate.core.errors import ConfigError
from lockgate.core.subject import SubjectRef
from lockgate.detect.config_tree import walk_json, walk_yaml
from lockgate.detect.part import Notes
from lockgate.detect.source import MalformedError, Memory
from lockgate.supply.bom import problems_of, read_code, read_dependencies, read_mcp_settings
from lockgate.supply.bom.snapshot import CONFIG, README, read_snapshot
from lockgate.supply.code.facts import read_facts
from lockgate.supply.deps.entries import UnreadableError
from lockgate.supply.deps.read import read_bytes
from lockgate.supply.errors import SupplyError

WORDS = """
bomFormat specVersion serialNumber metadata component components services dependencies dependsOn ref bom-ref type name
data hashes alg content externalReferences modelCard purl version source package packages files wheels sdist hash
lockfileVersion requires resolved integrity license licenses dependency default _meta sources url ref git path editable
virtual metadata lock-version archive vcs directory index tool poetry uv pdm project optional-dependencies build-system
dependency-groups include-group dynamic channels pip mcpServers servers command args env cells cell_type source
nbformat architectures quantization_config bits quant_method base_model_name_or_path auto_map auto_mapping _target_
target params types structure weight_map chat_template lc id class_name config module code class_path init_args
""".split()  # noqa: SIM905 - a list of words reads best as one text
TEXTS = st.sampled_from(
    ["", "CycloneDX", "1.6", "library", "code", "a==1.0", "pkg:pypi/a@1", "sha256:00", "1.0", "x.y"]
)
LEAVES = st.none() | st.booleans() | st.integers(-5, 5) | st.floats(allow_nan=False) | TEXTS | st.text(max_size=4)
TREES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(WORDS) | st.text(max_size=3), inner),
    max_leaves=20,
)
OBJECTS = st.dictionaries(st.sampled_from(WORDS), TREES, max_size=8)
HEADED = st.builds(
    lambda tree: {"bomFormat": "CycloneDX", "specVersion": "1.6", "lockfileVersion": 3, "_meta": {}, **tree}, OBJECTS
)
MANY = settings(max_examples=100, deadline=None)
REFUSALS = (ValueError, MalformedError, UnreadableError, ConfigError, SupplyError)


def quietly(read: Callable[[], object]) -> None:
    """Reading may refuse, in the words that it documents, and nothing else."""
    try:
        read()
    except REFUSALS:
        return


@MANY
@given(HEADED)
def test_a_bill_with_odd_types_is_judged(document: dict[str, object]) -> None:
    assert all(isinstance(problem, str) for problem in problems_of(document))


@pytest.mark.parametrize("odd", [[], {}, 3, None, ["library"]])
def test_a_component_whose_type_is_none_is_named(odd: object) -> None:
    document = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": "urn:uuid:3e671687-395b-41f5-a30f-a58921a69b79",
        "metadata": {"component": {"type": "application", "name": "a", "bom-ref": "a"}},
        "components": [{"type": odd, "name": "b", "bom-ref": "b", "data": [{"type": odd}]}],
        "dependencies": [{"ref": "a", "dependsOn": odd or [[]]}],
    }
    assert problems_of(document) == (
        "A component has no name or an unknown type.",
        "b holds data of an unknown type.",
        *(() if odd == ["library"] else ("A dependency does not name what it depends on in a list of texts.",)),
        *(("The dependencies name 'library', which is not listed.",) if odd == ["library"] else ()),
    )


@MANY
@given(HEADED)
def test_files_of_dependencies_with_odd_types_are_read_or_refused(document: dict[str, object]) -> None:
    body = json.dumps(document).encode()
    quietly(lambda: read_dependencies("package-lock.json", body))
    for name in ("package-lock.json", "Pipfile.lock"):
        quietly(lambda name=name: read_bytes(name, body, lambda _uri: ""))
    quietly(lambda: read_bytes("bom.json", body, lambda _uri: "", role="bill"))
    quietly(lambda: read_bytes("environment.yml", yaml.safe_dump(document).encode(), lambda _uri: ""))


def toml(value: object) -> str:
    """A value in TOML; what TOML does not know is left out."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(key)} = {toml(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(toml(item) for item in value) + "]"
    return json.dumps("" if value is None else value)


@MANY
@given(OBJECTS)
def test_lock_files_in_toml_with_odd_types_are_read_or_refused(document: dict[str, object]) -> None:
    document = {"lock-version": "1.0", "version": 1, **document}
    body = "\n".join(f"{json.dumps(key)} = {toml(value)}" for key, value in document.items()).encode()
    for name in ("uv.lock", "poetry.lock", "pdm.lock", "pylock.toml", "pyproject.toml"):
        quietly(lambda name=name: read_bytes(name, body, lambda _uri: ""))
        quietly(lambda name=name: read_dependencies(name, body))


@MANY
@given(TREES)
def test_settings_and_notebooks_with_odd_types_are_read_or_refused(tree: object) -> None:
    body = json.dumps(tree).encode()
    read_snapshot({CONFIG: body, README: b"---\n" + yaml.safe_dump(tree).encode() + b"\n---\n"})
    quietly(lambda: read_mcp_settings("mcp.json", body))
    for document in (tree, {"mcpServers": tree}, {"cells": tree}, {"cells": [tree]}):
        body = json.dumps(document).encode()
        quietly(lambda body=body: read_mcp_settings("mcp.json", body))
        quietly(lambda body=body: read_code("n.ipynb", body))
        for name in ("mcp.json", "n.ipynb"):
            quietly(lambda name=name, body=body: read_facts(SubjectRef(name, "0" * 64), body))


@MANY
@given(TREES)
def test_settings_of_models_with_odd_types_are_walked(tree: object) -> None:
    for name in ("config.json", "modules.json", "model_index.json", "adapter_config.json", "MLmodel"):
        quietly(lambda name=name: walk_json(Memory(json.dumps(tree).encode()), Notes(), name=name))
        quietly(lambda name=name: walk_yaml(Memory(yaml.safe_dump(tree).encode()), Notes(), name=name))
