"""The demands of a trust file in real runs: held with the reason, opened by what was missing."""

import datetime as dt
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from lockgate.core.gate import GateDecision
from lockgate.core.project import open_project
from lockgate.core.subject import sha256_hex
from lockgate.evidence import Ledger, Role, SigningKey, VerifyKey, key_for, load_trust, parse_checkpoint
from lockgate.evidence.signing import sign_path
from lockgate.pipeline.admission import admit
from lockgate.pipeline.approve import write_approval, write_manifest
from lockgate.pipeline.observer import Silent
from lockgate.pipeline.run import take_through, trust_from
from lockgate.supply.deps import default_folder, update

Go = Callable[..., str]
SECOND = SigningKey(ec.generate_private_key(ec.SECP256R1()))


def also(key: VerifyKey, predicate: str, role: str = "approver") -> str:
    """One more key for the trust file, which ends with its list of keys."""
    pem = "".join(f"      {line}\n" for line in key.pem.splitlines())
    return f'  - keyid: "{key.keyid}"\n    role: {role}\n    public: |\n{pem}    predicates:\n      - {predicate}\n'


def reasons(project: Path, trust: Path) -> str:
    return "\n".join(admit(open_project(project), load_trust(trust)).reasons)


def test_a_small_application_opens_and_is_admitted(go: Go, project: Path, tmp_path: Path):
    assert go() == ""
    assert reasons(project, tmp_path / "trust.yaml") == ""


def test_two_approvals_by_two_keys_open_the_gate(go: Go, project: Path, tmp_path: Path):
    demands = also(SECOND.public, "https://lockgate.dev/approval/v1") + "deploy: {approvals: 2}\n"
    assert "0 of 2 approvals" in go(demands)
    write_approval(open_project(project), key_for(Role.APPROVER), "Read.")
    write_approval(open_project(project), key_for(Role.APPROVER), "Read again.")
    assert "1 of 2 approvals" in go(demands)
    write_approval(open_project(project), SECOND, "Read too.")
    assert go(demands) == ""
    assert reasons(project, tmp_path / "trust.yaml") == ""
    (project / "prompt.md").write_text("Be rude.", "utf-8")
    assert "0 of 2 approvals cover these files (2 more approved other files" in go(demands)


def test_an_approval_of_a_stranger_waits_and_is_mentioned(go: Go, project: Path):
    go()
    write_approval(open_project(project), SECOND, "Let me in.")
    held = go("deploy: {approvals: 1}\n")
    assert "0 of 1 approvals" in held
    assert "1 not signed by a trusted approver" in held


def test_a_revoked_approver_and_a_revoked_file_hold(go: Go, project: Path, tmp_path: Path):
    assert go() == ""
    digest = sha256_hex((project / "prompt.md").read_bytes())
    assert "prompt.md was revoked" in go(f'revoked: {{digests: ["{digest}"]}}\n')
    revoked = f'revoked: {{keys: ["{key_for(Role.APPROVER).keyid}"]}}\n'
    assert "which was revoked" in go(revoked)
    assert "which was revoked" in reasons(project, tmp_path / "trust.yaml")


def test_a_release_goes_only_forward(go: Go, project: Path):
    assert go(settings="deploy: {release: 2}\n") == ""
    assert go(settings="deploy: {release: 2}\n") == ""
    (project / "prompt.md").write_text("Be kinder.", "utf-8")
    assert "approved before with other files" in go(settings="deploy: {release: 2}\n")
    assert go(settings="deploy: {release: 3}\n") == ""
    assert "goes back behind release 3" in go(settings="deploy: {release: 1}\n")
    assert "no release number" in go()
    assert "below 9" in go("deploy: {min_release: 9}\n", settings="deploy: {release: 4}\n")


def test_a_ledger_that_was_rolled_back_is_found_without_being_asked(go: Go, project: Path, tmp_path: Path):
    assert go() == ""
    shutil.copy(project / ".lockgate/ledger.db", tmp_path / "old.db")
    assert go() == ""
    shutil.copy(tmp_path / "old.db", project / ".lockgate/ledger.db")
    assert "The ledger was cut" in reasons(project, tmp_path / "trust.yaml")
    shutil.copy(tmp_path / "old.db", project / ".lockgate/ledger.db")
    assert "was rewritten" in go()


def test_a_new_ledger_is_not_the_one_that_trust_names(go: Go, project: Path):
    assert go() == ""
    with Ledger.open_readonly(project / ".lockgate") as ledger:
        origin = parse_checkpoint(ledger.checkpoint()).origin
    demand = f"deploy: {{ledger: {origin}}}\n"
    assert go(demand) == ""
    (project / ".lockgate/ledger.db").unlink()
    assert "the trust file demands" in go(demand)


def test_a_signature_of_the_maker_is_verified_at_the_gate(go: Go, project: Path, home: Path):
    (project / "model").mkdir()
    (project / "model/card.md").write_text("A card.", "utf-8")
    demands, settings = "deploy: {signed: [model]}\n", "deploy: {signatures: [{path: model}]}\n"
    assert "model must be signed by its maker" in go(demands)
    assert "model is not signed" in go(demands, settings).replace("/", " ").replace(f"{project}", "")
    place = project / "model/model.sig"
    place.write_bytes(sign_path(project / "model", key_for(Role.BUILDER), signature=place)[0])
    assert go(demands, settings) == ""
    (project / "model/extra.md").write_text("Extra.", "utf-8")
    assert "model: extra.md was added" in go(demands, settings)
    place.write_bytes(sign_path(project / "model", SECOND, signature=place)[0])
    assert "another key" in go(demands, settings)


def test_a_predicate_that_trust_requires_is_a_missing_link(go: Go):
    held = go("deploy: {require: {data: ['https://slsa.dev/provenance/v1']}}\n")
    assert "The data stage has no trusted provenance" in held


def test_the_policy_names_itself(go: Go):
    demands = "deploy: {policy_id: boats, min_policy_version: 2}\n"
    assert go(demands, "deploy: {policy_id: boats, policy_version: 2}\n") == ""
    assert "below 2" in go(demands, "deploy: {policy_id: boats, policy_version: 1}\n")
    assert "calls itself" in go(demands, "deploy: {policy_id: cars, policy_version: 2}\n")


def test_an_old_decision_no_longer_admits(go: Go, project: Path, trust: Callable[[str], Path]):
    assert go("deploy: {max_scan_age_hours: 1}\n") == ""
    path = trust("deploy: {max_scan_age_hours: 0.0000001}\n")
    assert "outside the allowed" in reasons(project, path)


@pytest.mark.parametrize("more", ["deploy: {aprovals: 2}\n", "deploy: {approvals: -1}\n", "revoked: {keys: [x]}\n"])
def test_a_trust_file_with_a_mistake_is_refused(go: Go, more: str):
    with pytest.raises(Exception, match="malformed"):
        go(more)


SUPPLIED = """version: 1
project: demo
data: {}
absent: {train: none, redteam: none, monitor: none}
supply:
  history: false
  absent: {models: hosted, MORE}
WAIVERS
"""


def test_libraries_and_secrets_hold_the_supply_gate_until_they_are_declared_or_waived(
    project: Path, home: Path, trust: Callable[[str], Path]
):
    def go(absent: str = "", waivers: str = "") -> GateDecision:
        text = SUPPLIED.replace("WAIVERS", waivers).replace("MORE", absent)
        (project / "lockgate.yaml").write_text(text, "utf-8")
        write_manifest(project)
        path = trust("")
        result = take_through(open_project(project), trust=trust_from(path, project=project), observer=Silent())
        return next(report.decision for report in result.stages if report.stage == "supply")

    (project / "requirements.txt").write_text(f"torch==2.9.1 --hash=sha256:{'a' * 64}\n", "utf-8")
    held = go()
    assert held.decision == "HELD"
    assert "There is no vulnerability database" in held.reasons[0]
    looked = 'vulnerabilities: "the registry looks"'
    opened = go(looked)
    assert opened.decision == "OPEN"
    assert "Declared absent: known vulnerabilities of libraries (the registry looks)" in opened.notes
    (project / "key.txt").write_text("password = 'kT9#vQ2m!zLx7Rw4pE'\n", "utf-8")
    [hold] = go(looked).holds
    assert hold.message.startswith("LG-SUPPLY-121 critical key.txt:1")
    assert hold.finding
    waiver = f"{{finding: {hold.finding.fingerprint}, reason: a test key, owner: security, expires: 2100-01-31}}"
    waived = go(looked, f"waivers: [{waiver}]")
    assert waived.decision == "OPEN"
    assert [item.owner for item in waived.waived] == ["security"]


def test_deploy_judges_the_age_of_the_vulnerability_data_that_supply_used(
    project: Path, home: Path, trust: Callable[[str], Path], tmp_path: Path
):
    now = dt.datetime.now(dt.UTC)
    (tmp_path / "osv").mkdir()
    package = {"package": {"ecosystem": "PyPI", "name": "other"}, "versions": ["1.0"]}
    advisory = {"id": "X-1", "modified": f"{now - dt.timedelta(days=2):%Y-%m-%dT%H:%M:%SZ}", "affected": [package]}
    (tmp_path / "osv/1.json").write_text(json.dumps(advisory), "utf-8")
    update(str(tmp_path / "osv"), default_folder(), now=now, progress=lambda _: None)
    (project / "requirements.txt").write_text(f"torch==2.9.1 --hash=sha256:{'a' * 64}\n", "utf-8")
    text = SUPPLIED.replace("WAIVERS", "").replace(", MORE", "")
    (project / "lockgate.yaml").write_text(text, "utf-8")
    write_manifest(project)

    def held(days: int) -> str:
        path = trust(f"deploy: {{max_vulnerability_data_age_days: {days}}}\n")
        result = take_through(open_project(project), trust=trust_from(path, project=project), observer=Silent())
        return "\n".join(hold.message for hold in result.stages[4].decision.holds)

    assert held(5) == ""
    assert "The vulnerability data is of" in held(1)
    assert "The vulnerability data is of" in reasons(project, tmp_path / "trust.yaml")
