import asyncio
import json
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lockgate.core.project import Project, open_project
from lockgate.gateway.auth.api_key import moment
from lockgate.gateway.auth.refusal import Reason, Refusal
from lockgate.gateway.caller import Caller
from lockgate.gateway.errors import GatewayError
from lockgate.gateway.keys import EphemeralKey, KeyStore, create, key_states, list_keys, revoke, rotate

HOUR = 3600.0


@pytest.fixture
def project(tmp_path: Path) -> Project:
    (tmp_path / "project").mkdir()
    (tmp_path / "project/lockgate.yaml").write_text("version: 1\nproject: p\n")
    return open_project(tmp_path / "project")


def edit(project: Project, **fields: object) -> None:
    """Change the first key in the file, as somebody would who can write to the project."""
    path = project.state / "api-keys.json"
    document = json.loads(path.read_text())
    document["keys"][0].update(fields)
    path.write_text(json.dumps(document))


def test_a_key_is_shown_once_and_kept_as_a_hash(project: Project) -> None:
    key_id, secret = create(project, "laptop")
    stored = (project.state / "api-keys.json").read_text()
    assert secret.startswith("lg-")
    assert len(secret) == 35
    assert secret.removeprefix("lg-") not in stored
    assert [(key.id, key.name) for key in list_keys(project)] == [(key_id, "laptop")]
    assert KeyStore.open(project).verify(secret) == key_id


def test_a_key_carries_its_tenant_its_scopes_and_its_name(project: Project) -> None:
    key_id, secret = create(project, "batch", tenant="north", scopes=("model:small", "guard", "guard"))
    expected = Caller(key_id, "north", frozenset({"model:small", "guard"}), "batch")
    assert KeyStore.open(project).caller(secret) == expected


@pytest.mark.parametrize(
    "wrong",
    [
        *({"tenant": "no spaces"}, {"tenant": "x\n"}, {"scopes": ("a b",)}, {"scopes": ("x" * 97,)}),
        *({"name": name} for name in ("n" * 201, "", "  ", "a\nkey-00000000  valid", "\x1b[2J", "\udcff", "\u202eb")),
    ],
)
def test_what_could_not_be_read_again_is_refused(project: Project, wrong: dict[str, object]) -> None:
    with pytest.raises(GatewayError, match="cannot be used"):
        create(project, **{"name": "n", **wrong})  # pyright: ignore[reportArgumentType] - that is the test
    assert list_keys(project) == ()


@pytest.mark.parametrize("wrong", ["", "lg-", "x", "\ud800", "é", "lg-" + "0" * 32, "lg-" + "0" * 100_000])
def test_any_other_key_is_nobodys(project: Project, wrong: str) -> None:
    assert KeyStore.open(project).verify(wrong) is None
    create(project, "laptop")
    assert KeyStore.open(project).caller(wrong) == Refusal(Reason.UNKNOWN_KEY)


def test_a_running_gateway_learns_of_new_and_revoked_keys_at_once(project: Project) -> None:
    store = KeyStore.open(project)
    key_id, secret = create(project, "one")
    assert store.verify(secret) == key_id
    other_id, other = create(project, "two")
    assert store.verify(other) == other_id
    revoke(project, key_id)
    assert store.caller(secret) == Refusal(Reason.REVOKED)
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


def test_an_unknown_id_can_be_neither_revoked_nor_rotated(project: Project) -> None:
    with pytest.raises(GatewayError, match="no key 'key-0'"):
        revoke(project, "key-0")
    with pytest.raises(GatewayError, match="no key 'key-0'"):
        rotate(project, "key-0", grace_s=0)


def test_a_key_ends_when_it_expires(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    store, now = KeyStore.open(project), time.time()
    key_id, secret = create(project, "one", expires_at=now + HOUR)
    assert store.verify(secret) == key_id
    monkeypatch.setattr(time, "time", lambda: now + HOUR - 1)
    assert store.verify(secret) == key_id
    monkeypatch.setattr(time, "time", lambda: now + HOUR + 0.001)
    assert store.caller(secret) == Refusal(Reason.EXPIRED)
    assert key_states(project)[list_keys(project)[0].id] == "expired"


def test_a_key_that_is_born_expired_is_not_made(project: Project) -> None:
    with pytest.raises(GatewayError, match="expired already"):
        create(project, "one", expires_at=time.time() - 1)


def test_a_rotated_key_counts_for_its_grace_and_no_longer(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    store, now = KeyStore.open(project), time.time()
    old_id, old = create(project, "one", tenant="north", scopes=("guard",), expires_at=now + 10 * HOUR)
    new_id, new = rotate(project, old_id, grace_s=HOUR)
    assert store.verify(old) == old_id
    assert store.caller(new) == Caller(new_id, "north", frozenset({"guard"}), "one")
    row = list_keys(project)[1]
    assert row.replaces == old_id
    monkeypatch.setattr(time, "time", lambda: now + HOUR + 1)
    assert store.caller(old) == Refusal(Reason.EXPIRED)
    assert store.verify(new) == new_id
    monkeypatch.setattr(time, "time", lambda: now + 10 * HOUR + 60)
    assert store.caller(new) == Refusal(Reason.EXPIRED)


def test_grace_never_lengthens_a_key_and_none_ends_it_at_once(project: Project) -> None:
    store, now = KeyStore.open(project), time.time()
    old_id, _ = create(project, "one", expires_at=now + HOUR)
    rotate(project, old_id, grace_s=10 * HOUR, expires_at=now + 20 * HOUR)
    assert list_keys(project)[0].expires == moment(now + HOUR)
    next_id, following = create(project, "two")
    rotate(project, next_id, grace_s=0)
    assert store.caller(following) == Refusal(Reason.EXPIRED)


def test_a_key_that_is_gone_has_no_successor(project: Project) -> None:
    key_id, _ = create(project, "one")
    with pytest.raises(GatewayError, match="30 days"):
        rotate(project, key_id, grace_s=31 * 24 * HOUR)
    with pytest.raises(GatewayError, match="expired already"):
        rotate(project, key_id, grace_s=0, expires_at=time.time() - 1)
    revoke(project, key_id)
    with pytest.raises(GatewayError, match="not valid any more"):
        rotate(project, key_id, grace_s=0)


def test_a_key_that_was_rotated_is_not_rotated_again(project: Project) -> None:
    old_id, _ = create(project, "one")
    new_id, _ = rotate(project, old_id, grace_s=HOUR)
    with pytest.raises(GatewayError, match=f"rotated already, to '{new_id}'"):
        rotate(project, old_id, grace_s=HOUR)
    rotate(project, new_id, grace_s=HOUR)
    assert [key.expires is None for key in list_keys(project)] == [False, False, True]


def test_an_expiry_beyond_the_calendar_is_refused(project: Project) -> None:
    with pytest.raises(GatewayError, match="too late"):
        create(project, "one", expires_at=253_402_300_800.0)
    key_id, _ = create(project, "one", expires_at=time.time() + HOUR)
    with pytest.raises(GatewayError, match="too late"):
        rotate(project, key_id, grace_s=0, expires_at=1e18)


def test_only_the_owner_can_read_hashes_and_pepper(project: Project, private_home: Path) -> None:
    create(project, "one")
    for path in (project.state / "api-keys.json", private_home / "pepper"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [path.name for path in private_home.iterdir()] == ["pepper"]


def test_a_hash_of_another_machine_is_worth_nothing(project: Project, private_home: Path) -> None:
    _, secret = create(project, "one")
    (private_home / "pepper").write_bytes(b"x" * 32)
    assert KeyStore.open(project).verify(secret) is None
    assert key_states(project)[list_keys(project)[0].id] == "foreign"


@pytest.mark.parametrize(
    "fields",
    [
        {"tenant": "south"},
        {"scopes": ["admin"]},
        {"expires": "2099-01-01T00:00:00Z"},
        {"name": "root"},
        {"id": "key-00000000"},
        {"seal": ""},
        {"seal": "0" * 64},
    ],
)
def test_whoever_can_edit_the_project_cannot_change_what_a_key_may_do(
    project: Project, fields: dict[str, object]
) -> None:
    _, secret = create(project, "one", tenant="north", scopes=("guard",), expires_at=time.time() + HOUR)
    edit(project, **fields)
    assert KeyStore.open(project).caller(secret) == Refusal(Reason.UNKNOWN_KEY)
    assert key_states(project)[list_keys(project)[0].id] == "foreign"
    with pytest.raises(GatewayError, match="not valid any more"):
        rotate(project, list_keys(project)[0].id, grace_s=0)


def test_a_revoked_key_cannot_be_revived_by_deleting_a_word(project: Project) -> None:
    key_id, secret = create(project, "one")
    revoke(project, key_id)
    path = project.state / "api-keys.json"
    document = json.loads(path.read_text())
    del document["keys"][0]["revoked"]
    path.write_text(json.dumps(document))
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


@pytest.mark.parametrize(
    "content",
    [b"", b"{}", b"[1]", b'{"version": 2, "keys": []}', b"\xff", b'{"version": 1, "keys": [', b" " * ((8 << 20) + 1)],
    ids=["empty", "object", "list", "version", "utf8", "cut", "large"],
)
def test_a_damaged_file_of_keys_lets_nobody_in(project: Project, content: bytes) -> None:
    _, secret = create(project, "one")
    store = KeyStore.open(project)
    assert isinstance(store.caller(secret), Caller)
    (project.state / "api-keys.json").write_bytes(content)
    with pytest.raises(GatewayError, match="cannot be read"):
        store.verify(secret)
    assert store.caller(secret) == Refusal(Reason.KEYS_UNAVAILABLE)
    assert Refusal(Reason.KEYS_UNAVAILABLE).error().status == 503
    with pytest.raises(GatewayError, match="cannot be read"):
        create(project, "two")


@pytest.mark.parametrize("shape", ["twice", "day", "link", "folder"])
def test_a_file_of_keys_that_makes_no_sense_lets_nobody_in(project: Project, tmp_path: Path, shape: str) -> None:
    _, secret = create(project, "one")
    path = project.state / "api-keys.json"
    if shape == "twice":
        document = json.loads(path.read_text())
        path.write_text(json.dumps({**document, "keys": document["keys"] * 2}))
    elif shape == "day":
        edit(project, expires="2027-02-30T00:00:00Z")
    elif shape == "link":
        path.rename(tmp_path / "elsewhere")
        path.symlink_to(tmp_path / "elsewhere")
    else:
        path.unlink()
        path.mkdir()
    assert KeyStore.open(project).caller(secret) == Refusal(Reason.KEYS_UNAVAILABLE)


def test_without_permission_nobody_gets_in_and_nothing_is_lost(project: Project, tmp_path: Path) -> None:
    project.state.parent.joinpath("lockgate.yaml").touch()
    (project.root / ".lockgate").write_text("in the way")
    with pytest.raises(GatewayError, match="cannot be used"):
        create(project, "one")
    assert KeyStore.open(project).caller("lg-x") == Refusal(Reason.KEYS_UNAVAILABLE)


def test_a_file_that_could_not_be_read_again_is_not_written(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    create(project, "one")
    before = (project.state / "api-keys.json").read_bytes()
    monkeypatch.setattr("lockgate.gateway.auth.key_file._MAX_STORE", len(before) + 10)
    with pytest.raises(GatewayError, match="too large"):
        create(project, "two")
    assert (project.state / "api-keys.json").read_bytes() == before


CHANGES = """
import json, sys
from pathlib import Path
from lockgate.core.project import open_project
from lockgate.gateway.keys import create, revoke, rotate

project = open_project(Path(sys.argv[1]))
made = []
for number in range(5):
    gone, _ = create(project, f"gone {number}")
    kept, secret = create(project, f"kept {number}")
    revoke(project, gone)
    made.append((gone, kept, secret, rotate(project, kept, grace_s=3600)[0]))
print(json.dumps(made))
"""


def test_processes_that_change_keys_at_the_same_time_lose_nothing(project: Project, private_home: Path) -> None:
    command = [sys.executable, "-c", CHANGES, str(project.root)]
    children = [subprocess.Popen(command, stdout=subprocess.PIPE) for _ in range(2)]
    made = [row for child in children for row in json.loads(child.communicate(timeout=60)[0])]
    store = KeyStore.open(project)
    rows = {key.id: key for key in list_keys(project)}
    assert len(rows) == 3 * len(made) == 30
    for gone, kept, secret, successor in made:
        assert rows[gone].revoked
        assert store.verify(secret) == kept
        assert rows[successor].replaces == kept


def test_an_ephemeral_key_is_known_by_its_name_and_nothing_else() -> None:
    key = EphemeralKey("redteam")
    assert key.verify(key.secret) == "redteam"
    assert key.verify(key.secret[:-1]) is None
    assert key.verify("\ud800") is None
    assert key.secret not in repr(key)
    assert EphemeralKey("t", tenant="north", scopes=frozenset({"guard"})).caller("x") == Refusal(Reason.UNKNOWN_KEY)


@settings(max_examples=300, deadline=None)
@given(text=st.text(max_size=80))
def test_no_text_but_a_key_gets_in(text: str) -> None:
    key = EphemeralKey("t")
    assert key.verify(text) is None
    assert key.verify(key.secret + text) == (None if text else "t")


def test_a_thousand_keys_cost_no_more_than_one(project: Project) -> None:
    pepper_store = KeyStore.open(project)
    create(project, "first")
    path = project.state / "api-keys.json"
    pepper = pepper_store._pepper
    rows = tuple(
        msgspec.structs.replace(list_keys(project)[0], id=f"key-{number:08x}", mac=f"{number:064x}").sealed(pepper)
        for number in range(1000)
    )
    _, secret = create(project, "last")
    mine = list_keys(project)[-1]
    path.write_bytes(msgspec.json.encode({"version": 1, "keys": (*rows, mine)}))
    store = KeyStore.open(project)
    assert store.verify(secret) == mine.id
    started = time.perf_counter()
    for _ in range(1000):
        store.verify(secret)
    assert time.perf_counter() - started < 0.2


async def test_an_endpoint_that_can_read_no_keys_says_so_and_is_not_ready(
    start: Callable[..., Any], caplog: pytest.LogCaptureFixture
) -> None:
    async with start(verifier=None) as world:
        _, secret = create(world.project, "one")
        path = world.project.state / "api-keys.json"
        good = path.read_bytes()
        key = {"authorization": f"Bearer {secret}"}

        async def look() -> tuple[int, int]:
            await asyncio.sleep(0.3)
            served = (await world.send("GET", "/v1/models", headers=key))[0]
            return served, (await world.send("GET", "/readyz"))[0]

        assert await look() == (200, 200)
        path.write_bytes(good[:-9])
        assert await look() == (503, 503)
        assert b"keys" in (await world.send("GET", "/readyz"))[2]
        path.write_bytes(good)
        assert await look() == (200, 200)
    assert caplog.text.count("API keys cannot be verified") == 1
    assert str(path) in caplog.text
