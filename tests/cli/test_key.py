import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from lockgate.core.project import open_project
from lockgate.gateway.keys import KeyStore, list_keys

Run = Callable[..., tuple[int, str, str]]
DAY = 86_400


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "project").mkdir()
    (tmp_path / "project/lockgate.yaml").write_text("version: 1\nproject: p\n")
    return tmp_path / "project"


@pytest.fixture
def key(project: Path, run: Run) -> Run:
    """Runs `lockgate key VERB --project ...`."""

    def call(verb: str, *arguments: str) -> tuple[int, str, str]:
        return run("key", verb, "--project", project, *arguments)

    return call


def test_a_key_with_tenant_scopes_and_expiry_is_made_and_listed(key: Run, project: Path) -> None:
    code, out, _ = key(
        "create",
        "--name",
        "ci",
        "--tenant",
        "north",
        "--scope",
        "guard",
        "--scope",
        "a:b",
        "--expires",
        "90d",
        "--json",
    )
    made = json.loads(out)
    assert (code, set(made)) == (0, {"id", "key"})
    row = json.loads(key("list", "--json")[1])["keys"][0]
    assert (row["id"], row["tenant"], row["scopes"], row["state"]) == (made["id"], "north", ["a:b", "guard"], "valid")
    ends_in = list_keys(open_project(project))[0].ends_at() - time.time()
    assert 89.9 * DAY < ends_in < 90.1 * DAY
    line = key("list")[1]
    assert all(word in line for word in (made["id"], "north", "guard", "until", "ci"))


def test_a_rotated_key_is_printed_once_and_the_old_one_ends(key: Run, project: Path) -> None:
    old = json.loads(key("create", "--name", "ci", "--json")[1])
    new = json.loads(key("rotate", old["id"], "--grace", "0s", "--json")[1])
    store = KeyStore.open(open_project(project))
    assert store.verify(old["key"]) is None
    assert store.verify(new["key"]) == new["id"]
    states = {row["id"]: (row["state"], row["replaces"]) for row in json.loads(key("list", "--json")[1])["keys"]}
    assert states == {old["id"]: ("expired", ""), new["id"]: ("valid", old["id"])}
    assert key("rotate", old["id"])[0] == 2
    code, out, _ = key("rotate", new["id"])
    assert (code, len(out.split())) == (0, 2)
    assert store.verify(new["key"]) == new["id"]


def test_a_rotation_says_how_long_the_old_key_counts(key: Run, project: Path) -> None:
    old = json.loads(key("create", "--name", "ci", "--json")[1])
    _, out, err = key("rotate", old["id"], "--grace", "1h", "--json")
    ends = list_keys(open_project(project))[0].expires
    assert ends is not None
    assert f"{old['id']} counts until {ends}." in err
    new = json.loads(out)
    assert f"{new['id']} does not count any more." in key("rotate", new["id"], "--grace", "0s")[2]


def test_a_rotation_tells_of_limits_and_rules_that_name_the_old_key(key: Run, project: Path) -> None:
    old = json.loads(key("create", "--name", "ci", "--json")[1])
    upstream = """upstream: {kind: openai, base_url: "http://127.0.0.1:1/v1", model: m}"""
    limits = f"limits: {{rates: [{{per: key, limit: 5, keys: [{old['id']}]}}]}}"
    (project / "lockgate.yaml").write_text(f"version: 1\nproject: p\nserve:\n  {upstream}\n  {limits}\n")
    _, out, err = key("rotate", old["id"], "--json")
    new = json.loads(out)["id"]
    assert f"does not hold for {new}" in err
    assert "does not hold" not in key("rotate", new, "--json")[2]


def test_a_scope_that_no_rule_asks_for_is_told(key: Run, project: Path) -> None:
    assert "forbids nothing" in key("create", "--name", "ci", "--scope", "guard")[2]
    assert not key("create", "--name", "ci")[2]
    rule = """rules: [{id: a, effect: allow, when: '"guard" in caller.scopes'}]"""
    upstream = """upstream: {kind: openai, base_url: "http://127.0.0.1:1/v1", model: m}"""
    (project / "lockgate.yaml").write_text(f"version: 1\nproject: p\nserve:\n  {upstream}\n  {rule}\n")
    assert not key("create", "--name", "ci", "--scope", "guard")[2]


def test_a_row_with_line_breaks_cannot_look_like_two(key: Run, project: Path) -> None:
    key("create", "--name", "ci")
    path = project / ".lockgate/api-keys.json"
    document = json.loads(path.read_text())
    document["keys"][0]["name"] = "ci\nkey-00000000  2026-01-01T00:00:00.000Z  valid"
    path.write_text(json.dumps(document))
    code, out, _ = key("list")
    assert (code, len(out.splitlines())) == (0, 1)


@pytest.mark.parametrize("when", ["2099-01-31", "2099-01-31T12:00:00+02:00", "2099-01-31T12:00:00Z", "52w", "1s"])
def test_an_end_may_be_a_length_a_day_or_a_moment(key: Run, when: str) -> None:
    assert key("create", "--name", "n", "--expires", when)[0] == 0


@pytest.mark.parametrize(
    "when",
    [
        *("", "soon", "90", "-1d", "0s", "1.5d", "99999w", "2020-01-01", "2099-02-30", "2099-01-31T12:00:00"),
        *("9999-12-31", "9999-12-31T23:59:59-12:00"),
    ],
)
def test_an_end_that_means_nothing_or_is_past_is_refused(key: Run, project: Path, when: str) -> None:
    code, _, err = key("create", "--name", "n", "--expires", when)
    assert code == 2
    assert "Traceback" not in err
    assert "Internal" not in err
    assert list_keys(open_project(project)) == ()


@pytest.mark.parametrize(
    "wrong",
    [("--tenant", "two words"), ("--scope", "two words"), ("--name", "n" * 201), ("--name", "\udcff")],
)
def test_names_that_could_not_be_read_again_are_refused(key: Run, wrong: tuple[str, str]) -> None:
    assert key("create", "--name", "n", *wrong)[0] == 2


def test_a_grace_that_is_no_length_or_too_long_is_refused(key: Run) -> None:
    made = json.loads(key("create", "--name", "n", "--json")[1])
    assert key("rotate", made["id"], "--grace", "soon")[0] == 2
    assert key("rotate", made["id"], "--grace", "31d")[0] == 2


def test_an_edited_row_is_shown_as_foreign(key: Run, project: Path) -> None:
    key("create", "--name", "n", "--tenant", "north")
    path = project / ".lockgate/api-keys.json"
    path.write_text(path.read_text().replace("north", "south"))
    assert "foreign" in key("list")[1]
