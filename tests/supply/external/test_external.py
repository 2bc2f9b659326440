"""Data sets from outside and third parties: what must be declared, what must match, and what must be reviewed."""

import datetime as dt
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from lockgate.core import Examination, Finding, Severity, Status, sha256_hex
from lockgate.core.project import open_project
from lockgate.supply.external import examine_data_sets, examine_sources
from lockgate.supply.external.in_project import is_third_party
from lockgate.supply.taken import Taken, taken_files

TODAY = dt.datetime.now(dt.UTC).date()
LATER, EARLIER = TODAY + dt.timedelta(days=30), TODAY - dt.timedelta(days=1)
ROWS = '{"q": "When?"}\n'
GOOD = {
    "name": "questions",
    "origin": "https://data.example/questions",
    "revision": "3f2a9c1",
    "licence": "CC-BY-4.0",
    "files": {"train.jsonl": sha256_hex(ROWS.encode())},
    "path": "data/questions",
}
Look = Callable[..., Examination]


@pytest.fixture
def look(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Look:
    monkeypatch.setenv("LOCKGATE_HOME", str(tmp_path_factory.mktemp("home")))

    def inner(
        what: Callable[[object, Taken], Examination],
        supply: dict[str, object],
        files: dict[str, str] | None = None,
        **more: object,
    ) -> Examination:
        for name, text in (files or {}).items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(text, "utf-8")
        settings = {"version": 1, "project": "test", "supply": supply, **more}
        (tmp_path / "lockgate.yaml").write_text(json.dumps(settings), "utf-8")
        project = open_project(tmp_path)
        return what(project, taken_files(tmp_path, project.snapshot()))

    return inner


def findings(found: Examination) -> list[Finding]:
    return [finding for outcome in found.outcomes for finding in outcome.findings]


def test_a_data_set_that_is_declared_in_full_and_lies_there_as_declared_passes(look: Look):
    found = look(examine_data_sets, {"data_sets": [GOOD]}, {"data/questions/train.jsonl": ROWS})
    assert [outcome.status for outcome in found.outcomes] == [Status.PASSED]
    assert look(examine_data_sets, {}).outcomes == ()


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"revision": ""}, "states no revision"),
        ({"revision": "Main"}, "which moves"),
        ({"licence": ""}, "states no licence"),
        ({"licence": "CC-BY-NC-4.0"}, "does not allow"),
        ({"files": {}, "path": ""}, "states no digest"),
    ],
)
def test_what_is_not_declared_is_a_finding(look: Look, change: dict[str, object], expected: str):
    settings = {"data_sets": [{**GOOD, **change}], "data_licences": ["CC-BY-4.0"]}
    [finding] = findings(look(examine_data_sets, settings, {"data/questions/train.jsonl": ROWS}))
    assert expected in finding.message
    assert finding.location.uri == "lockgate.yaml"
    assert finding.severity is Severity.MEDIUM


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"data/questions/train.jsonl": "swapped\n"}, "has the digest"),
        ({}, "is declared and missing"),
        ({"data/questions/train.jsonl": ROWS, "data/questions/more/x.jsonl": ROWS}, "is not declared"),
    ],
)
def test_a_copy_that_differs_is_a_finding(look: Look, files: dict[str, str], expected: str):
    [finding] = findings(look(examine_data_sets, {"data_sets": [GOOD]}, files))
    assert expected in finding.message
    assert finding.location.uri.startswith("data/questions/")
    assert finding.severity is Severity.HIGH


def test_a_folder_outside_the_project_is_errored(look: Look):
    [outcome] = look(examine_data_sets, {"data_sets": [{**GOOD, "path": "../elsewhere"}]}).outcomes
    assert outcome.status is Status.ERRORED


def source(address: str, until: dt.date | None = LATER) -> dict[str, object]:
    day = {} if until is None else {"reviewed_until": until.isoformat()}
    return {"name": "Provider", "kind": "model-api", "address": address, **day}


OPENAI = {"app.py": "from openai import OpenAI\nclient = OpenAI()\nother = OpenAI()\n"}


def test_a_client_in_the_code_needs_a_review_that_counts_today(look: Look):
    [finding] = findings(look(examine_sources, {}, OPENAI))
    assert finding.message.startswith("api.openai.com (an endpoint in the code, 2 places) is not in")
    assert (finding.location.uri, finding.location.line) == ("app.py", 2)
    assert findings(look(examine_sources, {"sources": [source("https://api.openai.com/v1", TODAY)]})) == []
    [over] = findings(look(examine_sources, {"sources": [source("API.openai.com", EARLIER)]}))
    assert over.severity is Severity.HIGH
    assert f"counted until {EARLIER}" in over.message
    [never] = findings(look(examine_sources, {"sources": [source("*.openai.com", None)]}))
    assert "has no review" in never.message


def test_upstreams_servers_and_origins_are_third_parties_too(look: Look):
    upstream = {"kind": "openai", "base_url": "https://models.provider.net/v1", "model": "m"}
    files = {
        "mcp.json": json.dumps({"mcpServers": {"maps": {"url": "https://maps.provider.net/mcp?key=1"}}}),
        "agent.py": 'import x\nx.sse_client("https://tools.provider.net/sse")\n',
    }
    supply = {"data_sets": [{**GOOD, "origin": "https://hub.provider.net/d"}]}
    found = look(
        examine_sources,
        supply,
        files,
        serve={"upstream": upstream, "moderation": {"base_url": "https://moderation.provider.net/v1"}},
        models=[{"path": "m.gguf", "sha256": "0" * 64, "origin": "https://weights.provider.net/m"}],
    )
    hosts = {finding.message.split()[0].partition(".")[0] for finding in findings(found)}
    assert hosts == {"models", "moderation", "maps", "tools", "hub", "weights"}
    covered = look(examine_sources, {**supply, "sources": [source("*.provider.net")]}, serve={"upstream": upstream})
    assert findings(covered) == []


def test_a_repository_of_the_hub_is_one_unless_it_lies_in_the_project(look: Look):
    files = {
        "load.py": 'm = AutoModel.from_pretrained("org/name", revision="abc")\nd = load_dataset("org/rows")\n',
        "own.py": 'm = AutoModel.from_pretrained("models/own")\nn = AutoModel.from_pretrained("./x/y")\n',
        "route.py": 'complete(model="provider/chat-7b")\n',
        "models/own/config.json": "{}",
    }
    [finding] = findings(look(examine_sources, {}, files))
    assert finding.message.startswith("huggingface.co (a model repository, 2 places)")
    assert finding.location.uri == "load.py"
    assert findings(look(examine_sources, {"sources": [source("huggingface.co")]})) == []


def test_a_subdomain_is_covered_only_by_a_star_before_its_domain(look: Look):
    files = {"a.py": 'f(base_url="https://evil-openai.com")\ng(base_url="https://x.api.openai.com")\n'}
    found = findings(look(examine_sources, {"sources": [source("api.openai.com"), source("*.openai.com")]}, files))
    assert [finding.message.split()[0] for finding in found] == ["evil-openai.com"]
    found = findings(look(examine_sources, {"sources": [source("api.openai.com")]}, files))
    assert len(found) == 2


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("api.openai.com", True),
        ("8.8.8.8", True),
        ("2606:4700::1111", True),
        ("127.0.0.1", False),
        ("10.1.2.3", False),
        ("::1", False),
        ("localhost", False),
        ("ollama", False),
        ("models.example", False),
        ("api.example.org", False),
        ("db.internal", False),
        ("notexample.org", True),
        ("", False),
    ],
)
def test_whose_host_it_is(host: str, *, expected: bool):
    assert is_third_party(host) is expected


def test_code_that_cannot_be_parsed_is_errored_and_a_project_that_relies_on_nobody_has_nothing_to_judge(look: Look):
    assert look(examine_sources, {}, {"app.py": "print(1)\n"}).outcomes == ()
    [outcome] = look(examine_sources, {}, {"app.py": "def (:\n"}).outcomes
    assert outcome.status is Status.ERRORED
