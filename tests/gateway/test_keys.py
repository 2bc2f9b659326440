import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from lockgate.core.project import Project, open_project
from lockgate.gateway import EphemeralKey, GatewayError, KeyStore, create, list_keys, revoke


@pytest.fixture
def project(tmp_path: Path) -> Project:
    (tmp_path / "project").mkdir()
    (tmp_path / "project/lockgate.yaml").write_text("version: 1\nproject: p\n")
    return open_project(tmp_path / "project")


def test_a_key_is_shown_once_and_kept_as_a_hash(project: Project) -> None:
    key_id, secret = create(project, "laptop")
    stored = (project.state / "api-keys.json").read_text()
    assert secret.startswith("lg-")
    assert len(secret) == 35
    assert secret.removeprefix("lg-") not in stored
    assert [(key.id, key.name) for key in list_keys(project)] == [(key_id, "laptop")]
    assert KeyStore.open(project).verify(secret) == key_id


@pytest.mark.parametrize("wrong", ["", "lg-", "x", "\ud800", "é", "lg-" + "0" * 32, "lg-" + "0" * 100_000])
def test_any_other_key_is_nobodys(project: Project, wrong: str) -> None:
    assert KeyStore.open(project).verify(wrong) is None
    create(project, "laptop")
    assert KeyStore.open(project).verify(wrong) is None


def test_a_running_gateway_learns_of_new_and_revoked_keys(project: Project) -> None:
    store = KeyStore.open(project)
    key_id, secret = create(project, "one")
    assert store.verify(secret) == key_id
    other_id, other = create(project, "two")
    assert store.verify(other) == other_id
    revoke(project, key_id)
    assert store.verify(secret) is None
    assert store.verify(other) == other_id
    assert [bool(key.revoked) for key in list_keys(project)] == [True, False]
    (project.state / "api-keys.json").unlink()
    assert store.verify(other) is None


def test_revoking_twice_keeps_the_first_moment(project: Project) -> None:
    key_id, _ = create(project, "one")
    revoke(project, key_id)
    before = list_keys(project)
    revoke(project, key_id)
    assert list_keys(project) == before


def test_an_unknown_id_cannot_be_revoked(project: Project) -> None:
    with pytest.raises(GatewayError, match="no key 'key-0'"):
        revoke(project, "key-0")


def test_only_the_owner_can_read_hashes_and_pepper(project: Project, private_home: Path) -> None:
    create(project, "one")
    for path in (project.state / "api-keys.json", private_home / "pepper"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [path.name for path in private_home.iterdir()] == ["pepper"]


def test_a_hash_of_another_machine_is_worth_nothing(project: Project, private_home: Path) -> None:
    _, secret = create(project, "one")
    (private_home / "pepper").write_bytes(b"x" * 32)
    assert KeyStore.open(project).verify(secret) is None


@pytest.mark.parametrize("damage", ["open", "short", "link"])
def test_a_pepper_that_is_open_or_damaged_is_refused(project: Project, private_home: Path, damage: str) -> None:
    create(project, "one")
    pepper = private_home / "pepper"
    if damage == "open":
        pepper.chmod(0o644)
    elif damage == "short":
        pepper.write_bytes(b"x")
    else:
        pepper.rename(private_home / "elsewhere")
        pepper.symlink_to(private_home / "elsewhere")
    with pytest.raises(GatewayError):
        KeyStore.open(project)


@pytest.mark.parametrize("content", [b"", b"{}", b"[1]", b'{"version": 2, "keys": []}', b"\xff"])
def test_a_damaged_file_of_keys_lets_nobody_in(project: Project, content: bytes) -> None:
    _, secret = create(project, "one")
    (project.state / "api-keys.json").write_bytes(content)
    with pytest.raises(GatewayError, match="cannot be read"):
        KeyStore.open(project).verify(secret)


def test_keys_made_at_the_same_time_are_all_kept(project: Project) -> None:
    with ThreadPoolExecutor(4) as threads:
        made = list(threads.map(lambda number: create(project, str(number)), range(20)))
    store = KeyStore.open(project)
    assert all(store.verify(secret) == key_id for key_id, secret in made)
    assert len(list_keys(project)) == 20


def test_an_ephemeral_key_is_known_by_its_name_and_nothing_else() -> None:
    key = EphemeralKey("redteam")
    assert key.verify(key.secret) == "redteam"
    assert key.verify(key.secret[:-1]) is None
    assert key.secret not in repr(key)
