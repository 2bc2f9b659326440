"""A signer through Sigstore at the deploy gate: who counts, who does not, and nothing without a pinned trust root."""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from lockgate.core.errors import ConfigError
from lockgate.core.project import open_project
from lockgate.core.subject import sha256_hex
from lockgate.evidence import Role, key_for
from lockgate.evidence.signing import seal_path, sign_path
from lockgate.pipeline.approve import write_manifest
from lockgate.pipeline.observer import Silent
from lockgate.pipeline.run import take_through, trust_from
from support.sigstore_instance import ISSUER, WORKFLOW, Instance

Go = Callable[..., str]
ROOT = "security/trusted_root.json"


@pytest.fixture(scope="module")
def instance() -> Instance:
    return Instance()


@pytest.fixture
def model(project: Path, instance: Instance) -> Path:
    """A model that its maker signed through Sigstore, and the instance's trust root beside it."""
    folder = project / "model"
    folder.mkdir()
    (folder / "card.md").write_text("A card.", "utf-8")
    (project / "security").mkdir()
    (project / ROOT).write_text(json.dumps(instance.trusted_root()), "utf-8")
    signed(folder, instance)
    return folder


def signed(folder: Path, instance: Instance, **certificate: str) -> None:
    def seal(payload: bytes) -> bytes:
        return json.dumps(instance.bundle(payload, **certificate)).encode()

    place = folder / "model.sig"
    place.write_bytes(seal_path(folder, seal, signature=place)[0])


def settings(project: Path, *, who: str = f"identity: {WORKFLOW}", issuer: str = ISSUER, digest: str = "") -> str:
    pinned = digest or sha256_hex((project / ROOT).read_bytes())
    return (
        "deploy:\n  signatures:\n    - path: model\n      sigstore:\n"
        f'        trust_root: {ROOT}\n        trust_root_sha256: "{pinned}"\n'
        f'        signers: [{{{who}, issuer: "{issuer}"}}]\n'
    )


def named(project: Path, *, who: str = f"identity: {WORKFLOW}", issuer: str = ISSUER, digest: str = "") -> str:
    """What the trust file says about the signer."""
    pinned = digest or sha256_hex((project / ROOT).read_bytes())
    return f'deploy: {{signed: [model]}}\nsigstore: [{{{who}, issuer: "{issuer}", trust_root_sha256: "{pinned}"}}]\n'


def test_a_signer_whom_the_trust_file_names_opens_the_gate(go: Go, project: Path, model: Path):
    assert go(named(project), settings(project)) == ""
    (model / "extra.md").write_text("Extra.", "utf-8")
    assert "model: extra.md was added: no signature covers it." in go(named(project), settings(project))


def test_a_pattern_counts_as_a_pattern(go: Go, project: Path, model: Path):
    who = f'identity_pattern: "{WORKFLOW.replace("v1", "*")}"'
    assert go(named(project, who=who), settings(project, who=who)) == ""
    assert "only because lockgate.yaml says so" in go(named(project), settings(project, who=who))


def test_a_pinned_policy_names_signers_too(
    project: Path, model: Path, settle: Callable[[str], None], trust: Callable[[str], Path]
):
    settle(settings(project))
    pinned = f'policy: "{sha256_hex((project / "lockgate.yaml").read_bytes())}"\ndeploy: {{signed: [model]}}\n'

    def held() -> str:
        result = take_through(
            open_project(project), trust=trust_from(trust(pinned), project=project), observer=Silent()
        )
        [deploy] = [report.decision for report in result.stages if report.stage == "deploy"]
        return "\n".join(hold.message for hold in deploy.holds)

    assert held() == ""
    settle(settings(project, issuer="https://evil.example.com"))
    assert "only because lockgate.yaml says so" in held()


def test_whoever_edits_the_project_cannot_name_a_signer(go: Go, project: Path, model: Path, instance: Instance):
    signed(model, instance, identity="evil@evil.example")
    held = go("deploy: {signed: [model]}\n", settings(project, who="identity: evil@evil.example"))
    assert "model: evil@evil.example may sign only because lockgate.yaml says so." in held
    for trust in (
        named(project),
        named(project, who="identity: evil@evil.example", issuer="https://other.example.com"),
        named(project, who="identity: evil@evil.example", digest="0" * 64),
    ):
        assert "only because lockgate.yaml says so" in go(trust, settings(project, who="identity: evil@evil.example"))
    assert "and you expect" in go(named(project), settings(project))


def test_another_instance_in_the_pinned_place_does_not_count(go: Go, project: Path, model: Path):
    before, trust = settings(project), named(project)
    other = Instance()
    (project / ROOT).write_text(json.dumps(other.trusted_root()), "utf-8")
    signed(model, other)
    assert f"{ROOT} is not the trust root that lockgate.yaml pins." in go(trust, before)
    assert "only because lockgate.yaml says so" in go(trust, settings(project))


@pytest.mark.parametrize("line", ["        trust_root_sha256", "        trust_root:", "        signers"])
def test_without_a_pinned_trust_root_or_a_signer_nothing_runs(go: Go, project: Path, model: Path, line: str):
    kept = "".join(row for row in settings(project).splitlines(keepends=True) if not row.startswith(line))
    assert kept != settings(project)
    with pytest.raises(ConfigError, match=line.strip().rstrip(":")):
        go(named(project), kept)


def test_a_trust_root_that_is_missing_or_garbage_holds(go: Go, project: Path, model: Path, tmp_path: Path):
    before, trust = settings(project), named(project)
    (project / ROOT).rename(tmp_path / "root.json")
    assert "cannot be read" in go(trust, before)
    (project / ROOT).write_text("{}", "utf-8")
    assert "no trust root of Sigstore" in go(named(project), settings(project))


def test_a_pattern_that_leaves_open_who_may_sign_holds(go: Go, project: Path, model: Path):
    who = 'identity_pattern: "*"'
    assert "leaves open who may sign" in go(named(project, who=who), settings(project, who=who))


def test_trusted_keys_count_beside_signers(go: Go, project: Path, model: Path):
    place = model / "model.sig"
    place.write_bytes(sign_path(model, key_for(Role.BUILDER), signature=place)[0])
    assert go(named(project), settings(project)) == ""


def test_a_signature_through_sigstore_needs_a_signer_who_may(go: Go, model: Path):
    assert "signed through Sigstore" in go("deploy: {signed: [model]}\n", "deploy: {signatures: [{path: model}]}\n")


def test_on_first_use_the_settings_are_believed(project: Path, model: Path, home: Path, settle: Callable[[str], None]):
    settle(settings(project))
    write_manifest(project)
    result = take_through(open_project(project), trust=trust_from(None, project=project), observer=Silent())
    [deploy] = [report.decision for report in result.stages if report.stage == "deploy"]
    assert [hold.message for hold in deploy.holds if "model" in hold.message] == []


def test_without_the_package_the_gate_is_held(go: Go, project: Path, model: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "sigstore.models", None)
    assert "pip install 'lockgate[sigstore]'" in go(named(project), settings(project))


@pytest.mark.parametrize("more", ["sigstore: [{identity: a, issuer: b}]\n", "sigstore: [{issuer: b, name: c}]\n"])
def test_a_trust_file_with_a_mistake_is_refused(go: Go, model: Path, more: str):
    with pytest.raises(Exception, match="malformed"):
        go(more)
