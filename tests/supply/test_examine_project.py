"""What the supply gate asks of a whole project: libraries, code and secrets beside the model files."""

import datetime as dt
import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from lockgate.core import Finding, Outcome, Status
from lockgate.core.project import open_project
from lockgate.detect.pickle_names import DIGEST
from lockgate.supply import Supplied, examine_project
from lockgate.supply.deps import default_folder, update

SECRET = "kT9#vQ2m!zLx7Rw4pE"
SHA = "a" * 64
LOCKED = f"torch==2.5.1 --hash=sha256:{SHA}\n"
ERRORED = Status.ERRORED
Examine = Callable[..., Supplied]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LOCKGATE_HOME", str(tmp_path / "home"))
    (tmp_path / "project").mkdir()
    return tmp_path / "project"


@pytest.fixture
def examine(place: Path) -> Examine:
    """Examine a project with these files and supply settings; `meanwhile` happens after the run has begun."""

    def inner(
        files: dict[str, str], supply: str = "", more: str = "", meanwhile: Callable[[], object] = lambda: None
    ) -> Supplied:
        for name, text in files.items():
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            (place / name).write_text(text, "utf-8")
        settings = f"version: 1\nproject: test\n{more}" + (f"supply: {{{supply}}}\n" if supply else "")
        (place / "lockgate.yaml").write_text(settings, "utf-8")
        project = open_project(place)
        taken = project.snapshot()
        meanwhile()
        return examine_project(project, taken, project.products(), lambda _done, _total, _note: None)

    return inner


@pytest.fixture
def database(place: Path, tmp_path: Path) -> Path:
    """A database in which torch below 2.6.0 is vulnerable, updated now."""
    advisory = {
        "id": "GHSA-1",
        "modified": f"{dt.datetime.now(dt.UTC) - dt.timedelta(days=2):%Y-%m-%dT%H:%M:%SZ}",
        "affected": [
            {
                "package": {"ecosystem": "PyPI", "name": "torch"},
                "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "2.6.0"}]}],
            }
        ],
    }
    (tmp_path / "osv").mkdir()
    (tmp_path / "osv/1.json").write_text(json.dumps(advisory), "utf-8")
    update(str(tmp_path / "osv"), default_folder(), now=dt.datetime.now(dt.UTC), progress=lambda _: None)
    return default_folder()


def of(found: Supplied, check: str, status: Status) -> list[Outcome]:
    return [item for item in found.examination.outcomes if item.check == check and item.status is status]


def findings(found: Supplied, check: str = "") -> list[Finding]:
    listed = [finding for outcome in found.examination.outcomes for finding in outcome.findings]
    return [finding for finding in listed if not check or finding.check == check]


def git(folder: Path, *words: str) -> None:
    names = {f"GIT_{who}_{what}": "a@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "GIT_CONFIG_NOSYSTEM": "1", **names}
    subprocess.run(["git", "-C", folder, *words], check=True, capture_output=True, env=environment)


def test_a_vulnerable_library_is_a_finding_and_the_age_of_the_data_is_stated(examine: Examine, database: Path):
    found = examine({"requirements.txt": LOCKED})
    [finding] = findings(found, "LG-SUPPLY-040")
    assert (finding.location.uri, finding.location.line) == ("requirements.txt", 1)
    stated = dt.datetime.fromisoformat(str(found.statistics["vulnerability_data_at"]))
    assert dt.timedelta(days=1) < dt.datetime.now(dt.UTC) - stated < dt.timedelta(days=3)
    assert "requirements.txt" in {ref.uri for ref in found.examination.subjects}


def test_data_older_than_the_settings_allow_does_not_count(examine: Examine, database: Path):
    settings = "dependencies: {max_data_age_days: 1}"
    [errored] = of(examine({"requirements.txt": LOCKED.replace("2.5.1", "2.9.1")}, settings), "LG-SUPPLY-040", ERRORED)
    assert "too long ago" in errored.reason


def test_without_a_database_nothing_is_passed(examine: Examine):
    found = examine({"requirements.txt": LOCKED})
    [errored] = of(found, "LG-SUPPLY-040", ERRORED)
    assert "lockgate db update" in errored.reason
    assert set(found.statistics) == {"allow_lists_sha256"}


def test_advisories_are_absent_only_with_a_reason_and_then_not_looked_up(examine: Examine, database: Path):
    found = examine({"requirements.txt": LOCKED}, 'absent: {vulnerabilities: "our registry blocks them"}')
    [skipped] = of(found, "LG-SUPPLY-040", Status.SKIPPED)
    assert skipped.reason == "declared absent: our registry blocks them"
    assert found.absent == {"LG-SUPPLY-040"}
    assert found.notes == ("Declared absent: known vulnerabilities of libraries (our registry blocks them)",)
    assert set(found.statistics) == {"allow_lists_sha256"}
    # The rest about libraries is examined all the same.
    assert of(found, "LG-SUPPLY-041", Status.PASSED)


def test_code_that_imports_libraries_which_no_file_lists_holds(examine: Examine):
    files = {"app.py": "import json\nimport openai\nfrom shop import prices\n", "shop/prices.py": "A = 1\n"}
    [errored] = of(examine(files), "LG-SUPPLY-040", ERRORED)
    assert errored.subject.uri == "lockgate.yaml"
    assert "imports openai, but no file" in errored.reason
    found = examine({}, 'absent: {dependencies: "the image has them"}')
    assert not of(found, "LG-SUPPLY-040", ERRORED)
    assert {item.reason for item in of(found, "LG-SUPPLY-040", Status.SKIPPED)} == {
        "declared absent: the image has them"
    }


def test_a_library_of_npm_does_not_answer_for_pythons(examine: Examine, database: Path):
    lock = {
        "lockfileVersion": 3,
        "packages": {"": {}, "node_modules/left-pad": {"version": "1.3.0", "resolved": "https://r/x.tgz"}},
    }
    found = examine({"app.py": "import openai\n", "package-lock.json": json.dumps(lock)})
    assert any("imports openai" in item.reason for item in of(found, "LG-SUPPLY-040", ERRORED))
    # A check that has nothing to compare does not run, so it cannot hold the gate.
    assert not [item for item in found.examination.outcomes if item.check == "LG-SUPPLY-043"]


def test_wishes_are_answered_by_the_lock_file_beside_or_above_them_only(examine: Examine, database: Path):
    wish = '[project]\nname = "x"\nversion = "1"\ndependencies = ["torch>=2"]\n'
    lock = '[[package]]\nname = "torch"\nversion = "2.9.1"\nsource = {registry = "https://pypi.org/simple"}\n'
    found = examine({"services/one/pyproject.toml": wish, "uv.lock": lock, "in/requirements.in": "torch\n"})
    assert of(found, "LG-SUPPLY-040", ERRORED) == []
    assert findings(found, "LG-SUPPLY-041") == []
    alone = examine({"uv.lock": "version = 1\n", "services/two/uv.lock": lock})
    assert {item.subject.uri for item in of(alone, "LG-SUPPLY-040", ERRORED)} == {
        "services/one/pyproject.toml",
        "in/requirements.in",
    }


def test_a_library_from_a_repository_needs_an_entry_that_still_holds(examine: Examine, database: Path):
    files = {"requirements.txt": f"My.Fork @ git+https://git.example/fork@{'a' * 40}\nloose\n"}

    def errored(until: str) -> str:
        entry = f"{{name: my-fork, until: {until}, why: our fork}}"
        found = examine(files, f"dependencies: {{unmatched: [{entry}, {entry.replace('my-fork', 'loose')}]}}")
        return " ".join(item.reason for item in of(found, "LG-SUPPLY-040", ERRORED))

    assert "my-fork does not come from a registry" in errored("2020-01-31")
    # What comes from a registry has to be pinned; no entry answers for it.
    assert "my-fork" not in errored("2100-01-31")
    assert "loose has no exact version" in errored("2100-01-31")
    alone = {"requirements.txt": files["requirements.txt"].replace("loose\n", "")}
    found = examine(alone, "dependencies: {unmatched: [{name: my-fork, until: 2100-01-31, why: our fork}]}")
    [skipped] = of(found, "LG-SUPPLY-040", Status.SKIPPED)
    assert skipped.reason == "declared unmatched until 2100-01-31: our fork"
    assert found.absent == {"LG-SUPPLY-040"}
    assert found.notes == ("Declared without a match with advisories until 2100-01-31: my-fork (our fork)",)


def test_licences_are_judged_where_the_settings_allow_some(examine: Examine, database: Path):
    entry = {"version": "1.0.0", "resolved": "https://r/x.tgz", "license": "AGPL-3.0-only"}
    files = {"package-lock.json": json.dumps({"lockfileVersion": 3, "packages": {"": {}, "node_modules/x": entry}})}
    assert not [item for item in examine(files).examination.outcomes if item.check == "LG-SUPPLY-045"]
    [finding] = findings(examine(files, "dependencies: {licences: [MIT]}"), "LG-SUPPLY-045")
    assert "AGPL-3.0-only" in finding.message


def test_code_is_judged_under_its_path_in_the_project(examine: Examine):
    files = {"src/load.py": "import pickle\npickle.load(open('model.pkl', 'rb'))\n"}
    first = findings(examine(files), "LG-SUPPLY-101")
    assert [(item.location.uri, item.location.line) for item in first] == [("src/load.py", 2)]
    assert findings(examine({}), "LG-SUPPLY-101") == first, "what is remembered is the same"
    assert findings(examine({}, 'absent: {code: "reviewed elsewhere"}'), "LG-SUPPLY-101") == []


def test_a_secret_in_code_is_said_once_and_never_shown(examine: Examine):
    found = examine({"app.py": f'password = "{SECRET}"\n', "notes.txt": f"password = '{SECRET}'\n"})
    named = [(item.check, item.location.uri) for item in findings(found)]
    assert named == [("LG-SUPPLY-121", "app.py"), ("LG-SUPPLY-121", "notes.txt")]
    assert SECRET not in repr(found)
    only_code = examine({}, 'absent: {secrets: "searched at the server"}')
    assert [item.check for item in findings(only_code)] == ["LG-SUPPLY-108"]


def test_what_the_data_gate_searches_is_not_searched_again(examine: Examine):
    files = {"rows/a.jsonl": f'{{"a": "password = {SECRET}"}}\n', "prompt.md": f"password = '{SECRET}'\n"}
    more = "data: {rows: [rows/*.jsonl]}\napplication: {system_prompt: prompt.md}\n"
    assert findings(examine(files, more=more), "LG-SUPPLY-121") == []
    assert len(findings(examine(files), "LG-SUPPLY-121")) == 2


def test_a_secret_of_the_history_holds_but_is_no_subject(examine: Examine, place: Path):
    git(place, "init", "-q")
    (place / "app.py").write_text(f'password = "{SECRET}"\n', "utf-8")
    git(place, "add", "app.py")
    git(place, "commit", "-q", "-m", "x")
    found = examine({"app.py": "import os\n"})
    [finding] = findings(found, "LG-SUPPLY-121")
    assert finding.location.uri.startswith("app.py@")
    assert {ref.uri for ref in found.examination.subjects} == {"app.py", "lockgate.yaml"}
    assert findings(examine({}, "history: false"), "LG-SUPPLY-121") == []


def test_a_name_that_looks_like_a_pattern_hides_nothing_in_the_history(examine: Examine, place: Path, build: object):
    git(place, "init", "-q")
    (place / "app.py").write_text(f'password = "{SECRET}"\n', "utf-8")
    (place / "left").mkdir()
    (place / "left/out.py").write_text(f'password = "{SECRET[::-1]}"\n', "utf-8")
    git(place, "add", "app.py", "left/out.py")
    git(place, "commit", "-q", "-m", "x")
    (place / "**").write_bytes(build.gguf())
    found = examine({"app.py": "import os\n"}, more="ignore: [left]\n")
    assert [item.location.uri.partition("@")[0] for item in findings(found, "LG-SUPPLY-121")] == ["app.py"]


def test_a_key_that_cannot_be_read_holds(examine: Examine, place: Path):
    (place.parent / "home").mkdir(exist_ok=True)
    (place.parent / "home/secret-baseline.key").write_text("short", "utf-8")
    [errored] = of(examine({}), "LG-SUPPLY-121", ERRORED)
    assert "key of the baseline" in errored.reason


def test_progress_counts_files_and_arrives(place: Path, examine: Examine):
    examine({"app.py": "import os\n", "notes.txt": "x\n"})
    project = open_project(place)
    seen: list[tuple[int, int]] = []
    examine_project(project, project.snapshot(), project.products(), lambda done, total, _: seen.append((done, total)))
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert {total for _, total in seen} == {3 + 1 + 1 + 3}
    assert seen[-1] == (8, 8)


def test_weights_are_not_searched_for_text(examine: Examine, place: Path, build: object):
    (place / "small.gguf").write_bytes(build.gguf())
    found = examine({})
    assert "small.gguf" not in {item.subject.uri for item in found.examination.outcomes if item.check.endswith("121")}
    assert "small.gguf" in {ref.uri for ref in found.examination.subjects}


def test_a_file_that_changes_during_the_run_is_errored_by_whoever_reads_it(examine: Examine, place: Path):
    def meanwhile() -> None:
        (place / "app.py").write_text("import sys\n", "utf-8")
        (place / "requirements.txt").write_text("numpy==2.0.0\n", "utf-8")

    found = examine({"app.py": "import os\n", "requirements.txt": LOCKED}, meanwhile=meanwhile)
    changed = {item.check for item in found.examination.outcomes if "changed since the run began" in item.reason}
    assert {"LG-SUPPLY-040", "LG-SUPPLY-101", "LG-SUPPLY-121"} <= changed


def test_a_file_that_another_includes_must_not_change_either(examine: Examine, place: Path, database: Path):
    files = {"requirements.txt": "-r more.txt\n", "more.txt": LOCKED}
    found = examine(files, meanwhile=lambda: (place / "more.txt").write_text("numpy==2.0.0\n", "utf-8"))
    assert findings(found, "LG-SUPPLY-041") == []
    assert all("changed since the run began" in item.reason for item in of(found, "LG-SUPPLY-041", ERRORED))
    assert of(found, "LG-SUPPLY-041", ERRORED)


def test_code_that_cannot_be_parsed_may_import_anything(examine: Examine):
    reasons = [item.reason for item in of(examine({"app.py": "def (\n"}), "LG-SUPPLY-040", ERRORED)]
    assert any("what it imports is not known" in reason for reason in reasons)


def test_a_file_that_cannot_be_read_is_errored(examine: Examine, place: Path):
    (place / "requirements.txt").symlink_to("/etc/hosts")
    (place / "app.py").symlink_to("/etc/hosts")
    found = examine({})
    for check, uri in (("040", "requirements.txt"), ("101", "app.py"), ("121", "app.py")):
        assert uri in {item.subject.uri for item in of(found, f"LG-SUPPLY-{check}", ERRORED)}


def test_a_project_without_a_model_says_why(examine: Examine):
    [skipped] = of(examine({}), "LG-SUPPLY-002", Status.SKIPPED)
    assert "absent: {models: ...}" in skipped.reason
    found = examine({}, 'absent: {models: "we call a hosted one"}')
    assert "LG-SUPPLY-002" in found.absent
    assert found.notes == ("Declared absent: model files (we call a hosted one)",)


def test_a_model_file_is_examined_although_models_are_declared_absent(examine: Examine, place: Path, build: object):
    (place / "small.pkl").write_bytes(build.evil)
    assert findings(examine({}, 'absent: {models: "none"}'), "LG-SUPPLY-003")


def test_the_digests_of_the_allow_lists_are_stated(examine: Examine):
    stated = examine({}).statistics["allow_lists_sha256"]
    assert stated["pickle"] == DIGEST
    assert set(stated) == {"pickle", "operators", "keras"}
