"""Trust files are read strictly, and roles that must be separate are."""

from pathlib import Path

import pytest
import yaml

from lockgate.core import sha256_hex
from lockgate.evidence import (
    APPROVAL,
    OVERRIDE,
    PREDICATES,
    PROVENANCE,
    TEST_RESULT,
    VERIFICATION_SUMMARY,
    EvidenceError,
    Role,
    create_key,
    first_use_trust,
    key_for,
    load_trust,
    render_trust,
)

POLICY = sha256_hex(b"policy")


@pytest.fixture
def separate(tmp_path: Path) -> Path:
    for role in (Role.BUILDER, Role.SCANNER, Role.APPROVER):
        create_key(role)
    path = tmp_path / "trust.yaml"
    path.write_text(render_trust(POLICY))
    return path


def test_a_rendered_file_gives_each_role_its_predicates(separate: Path) -> None:
    trust = load_trust(separate)
    assert (trust.policy, trust.separate_roles, trust.first_use) == (POLICY, True, False)
    granted = {
        Role.BUILDER: {PROVENANCE},
        Role.SCANNER: {TEST_RESULT},
        Role.APPROVER: {VERIFICATION_SUMMARY, OVERRIDE, APPROVAL},
    }
    for role, predicates in granted.items():
        key = key_for(role)
        assert {predicate for predicate in PREDICATES if trust.allows(key.keyid, predicate)} == predicates
        assert trust.key(key.keyid) == key.public
        assert trust.role(key.keyid) is role
    assert trust.describe() == "trust file trust.yaml: 3 keys (approver, builder, scanner), separate roles"
    assert len(trust.public_keys) == 3


def test_an_unknown_key_is_trusted_with_nothing(separate: Path) -> None:
    trust = load_trust(separate)
    stranger = key_for(Role.LOCAL).keyid
    assert trust.key(stranger) is None
    assert trust.role(stranger) is None
    assert not any(trust.allows(stranger, predicate) for predicate in PREDICATES)


def test_a_local_key_may_sign_everything_and_separates_nothing(tmp_path: Path) -> None:
    key = key_for(Role.LOCAL)
    path = tmp_path / "trust.yaml"
    path.write_text(render_trust())
    trust = load_trust(path)
    assert (trust.policy, trust.separate_roles) == (None, False)
    assert all(trust.allows(key.keyid, predicate) for predicate in PREDICATES)
    assert trust.describe() == "trust file trust.yaml: 1 keys (local), roles are not separated"


def test_first_use_says_what_it_is_worth() -> None:
    assert first_use_trust().keys == ()
    key = key_for(Role.LOCAL)
    trust = first_use_trust()
    assert trust.first_use
    assert all(trust.allows(key.keyid, predicate) for predicate in PREDICATES)
    assert trust.describe() == (
        "first use: signed and verified with keys of this machine; good for trying out, proves nothing to others"
    )


def test_there_is_nothing_to_render_without_a_key() -> None:
    with pytest.raises(EvidenceError, match="no key"):
        render_trust()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"version": 2}, "malformed"),
        ({"extra": 1}, "malformed"),
        ({"separate_roles": "yes"}, "malformed"),
        ({"policy": "abc"}, "malformed"),
        ({"keys": []}, "malformed"),
    ],
)
def test_unknown_settings_are_refused(separate: Path, change: dict[str, object], message: str) -> None:
    separate.write_text(yaml.safe_dump(yaml.safe_load(separate.read_text()) | change))
    with pytest.raises(EvidenceError, match=message):
        load_trust(separate)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"keyid": "0" * 64}, "another id"),
        ({"keyid": "short"}, "malformed"),
        ({"public": "nonsense"}, "not valid PEM"),
        ({"role": "owner"}, "malformed"),
        ({"role": "local"}, "local key"),
        ({"predicates": []}, "malformed"),
        ({"predicates": ["https://example.com/other/v1"]}, "unknown predicate"),
        ({"predicates": [TEST_RESULT]}, "two of them"),
    ],
)
def test_a_key_that_is_not_what_it_says_is_refused(separate: Path, change: dict[str, object], message: str) -> None:
    document = yaml.safe_load(separate.read_text())
    document["keys"][0] |= change
    separate.write_text(yaml.safe_dump(document))
    with pytest.raises(EvidenceError, match=message):
        load_trust(separate)


def test_one_key_cannot_hold_two_roles(separate: Path) -> None:
    document = yaml.safe_load(separate.read_text())
    document["keys"].append(document["keys"][0] | {"role": "approver", "predicates": [OVERRIDE]})
    document["separate_roles"] = False
    separate.write_text(yaml.safe_dump(document))
    with pytest.raises(EvidenceError, match="twice"):
        load_trust(separate)


@pytest.mark.parametrize("content", [b"\xff", b"a: &x 1\nb: *x\n", b"- 1", b"", b"x" * (2 << 20)])
def test_what_is_not_plain_yaml_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "trust.yaml").write_bytes(content)
    with pytest.raises(EvidenceError):
        load_trust(tmp_path / "trust.yaml")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(EvidenceError, match="--trust"):
        load_trust(tmp_path / "missing.yaml")


def test_the_local_key_is_left_out_once_each_role_has_its_own() -> None:
    create_key(Role.LOCAL)
    assert "role: local" in render_trust()
    for role in (Role.BUILDER, Role.SCANNER):
        create_key(role)
    assert "role: local" in render_trust()
    create_key(Role.APPROVER)
    assert "role: local" not in render_trust()
    assert "separate_roles: true" in render_trust()
