import contextlib
import json
from pathlib import Path

import jsonschema
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from lockgate.core import ConfigError, Stage, strict_yaml
from lockgate.core.config import GateRules, parse, schema
from lockgate.core.files import selects
from lockgate.core.project import open_project

MINIMAL = "version: 1\nproject: demo\n"


def load(text: str | bytes) -> object:
    return strict_yaml.load(text.encode() if isinstance(text, str) else text, name="settings.yaml")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: &x 1\nb: *x", "line 1, column 4: anchors"),
        ("a: 1\na: 2", "line 2, column 1: the key 'a' appears twice"),
        ("1: 2", "keys must be text"),
        ("a: [", "line 1"),
        (b"\xff", "not UTF-8 (byte 0)"),
        ("a: !!python/object:os.system x", "could not determine a constructor"),
        ("[" * 100, "nested too deeply"),
        ("a: \x01", "not valid YAML"),
        ('"\\ud800": 1', "half of a surrogate pair"),
        ("a: 2026-99-99", "not valid YAML"),
        (b"a" * (strict_yaml.MAX_BYTES + 1), "larger than"),
        ("a: 1\n---\nb: 2", "line 2"),
    ],
)
def test_ambiguous_or_hostile_yaml_is_refused(text: str | bytes, expected: str):
    with pytest.raises(ConfigError) as caught:
        load(text)
    assert expected in str(caught.value)


@given(st.binary(max_size=200))
def test_any_bytes_give_data_or_an_error(body: bytes):
    with contextlib.suppress(ConfigError):
        load(body)


# YAML has no faithful spelling for control characters and for Unicode's own line ends.
PLAIN = st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]))


@given(
    st.recursive(
        st.none() | st.booleans() | PLAIN,
        lambda inner: st.lists(inner) | st.dictionaries(PLAIN, inner),
        max_leaves=8,
    )
)
def test_plain_data_survives(value: object):
    assert load(yaml.safe_dump(value, allow_unicode=True)) == value


def test_an_error_without_a_mark_is_still_named():
    assert strict_yaml._RefusedError("odd", None).place == ""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (MINIMAL + "modles: []", "unknown key `modles`. Did you mean 'models'?"),
        (MINIMAL + "zzzzzz: 1", "Remove it"),
        (MINIMAL + "models: [{path: m, sha256: short}]", "models[0].sha256"),
        ("version: 1", "missing key `project`"),
        ("version: 2\nproject: x", "version: Invalid enum value 2"),
        ("- 1", "must be a mapping"),
        (MINIMAL + "gates: {launch: {}}", "launch"),
    ],
)
def test_settings_errors_name_the_key_and_the_remedy(text: str, expected: str):
    with pytest.raises(ConfigError) as caught:
        parse(load(text))
    assert expected in str(caught.value)


def test_defaults_are_strict():
    config = parse(load(MINIMAL))
    assert config.rules(Stage.DATA) == GateRules()
    assert config.rules(Stage.DATA).severity == "medium"
    assert config.absent == {}


def test_the_schema_agrees_with_the_parser():
    text = MINIMAL + "gates: {data: {severity: high}}\nserve: {upstream: {kind: embedded, model: m.gguf}}"
    document = load(text)
    jsonschema.validate(document, schema())
    assert parse(document).rules(Stage.DATA).severity == "high"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"version": 1, "project": "x", "nope": 1}, schema())
    json.dumps(schema())


@pytest.mark.parametrize(
    ("pattern", "uri", "expected"),
    [
        ("data/*.jsonl", "data/a.jsonl", True),
        ("data/*.jsonl", "data/sub/a.jsonl", False),
        ("data/**/*.jsonl", "data/a.jsonl", True),
        ("data/**/*.jsonl", "data/x/y/a.jsonl", True),
        ("**", "anything/at/all", True),
        ("data", "data/a", False),
        ("a/b", "a", False),
    ],
)
def test_globs_stay_in_their_folder(pattern: str, uri: str, expected: bool):  # noqa: FBT001 - a table's column
    assert selects(pattern, uri) is expected


def project(tmp_path: Path, text: str) -> Path:
    (tmp_path / "lockgate.yaml").write_text(text)
    return tmp_path


def test_a_missing_folder_or_file_says_what_to_do(tmp_path: Path):
    with pytest.raises(ConfigError, match="not a folder"):
        open_project(tmp_path / "nowhere")
    with pytest.raises(ConfigError, match="lockgate init"):
        open_project(tmp_path)


def test_state_and_products_stay_out_of_the_snapshot(tmp_path: Path):
    opened = open_project(project(tmp_path, MINIMAL + "ignore: [.venv/]\ntrain: {command: [python], output: build/m/}"))
    for uri in (".venv/lib/x.so", "build/m/weights", ".lockgate/ledger.db", "__pycache__/x.pyc", "data/a.txt"):
        (tmp_path / uri).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / uri).write_text(uri)
    (tmp_path / "build/m/link").symlink_to("weights")
    taken = opened.snapshot()
    assert [ref.uri for ref in taken.files] == ["__pycache__/x.pyc", "data/a.txt", "lockgate.yaml"]
    assert taken.digest_of("lockgate.yaml") == opened.policy.sha256
    assert [ref.uri for ref in opened.products().files] == ["build/m/weights"]
    assert [item.ref.uri for item in opened.products().unreadable] == ["build/m/link"]
    assert opened.matching(taken, ("data/*", "*.yaml")) == ("data/a.txt", "lockgate.yaml")
    assert opened.state == tmp_path / ".lockgate"


def test_a_project_without_training_has_no_products(tmp_path: Path):
    opened = open_project(project(tmp_path, MINIMAL))
    assert opened.products().files == ()
    assert opened.snapshot().digest_of("lockgate.yaml")
