import asyncio
import logging
import pickle
import time
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lockgate.core.config_auth import SecretsConfig
from lockgate.gateway.errors import GatewayError
from lockgate.gateway.secrets import Secret, Secrets, parse_reference, read_secret
from lockgate.gateway.secrets.local import read_private
from lockgate.gateway.secrets.reference import Reference

VALUE = "sk-canary-book"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "project").mkdir()
    return tmp_path / "project"


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    path = tmp_path / "kept"
    path.write_text(VALUE + "\n")
    path.chmod(0o600)
    return path


def test_a_secret_shows_itself_nowhere() -> None:
    secret = Secret(f" {VALUE}\n", source="t")
    assert secret.reveal() == VALUE
    assert VALUE not in f"{secret} {secret!r} {[secret]} %s" % secret
    with pytest.raises(TypeError):
        pickle.dumps(secret)
    with pytest.raises(TypeError):
        msgspec.json.encode(secret)
    with pytest.raises(TypeError):
        vars(secret)


@pytest.mark.parametrize("value", ["", " \n", "a\nb", "a\rb", "a\0b", "x" * 70_000, "\ud800"])
def test_what_no_header_could_carry_is_no_secret(value: str) -> None:
    with pytest.raises(GatewayError):
        Secret(value, source="t")


NO_VAULT = ["vault:", "vault:a", "vault:#f", "vault:a#", "vault:../sys#f", "vault:a//b#f", "vault:/a#f"]
NO_AWS = ["aws-secretsmanager:", "aws-secretsmanager:#f"]


@pytest.mark.parametrize("text", ["", "x", "env:", "file:", "http://x", "ENV:X", *NO_VAULT, *NO_AWS])
def test_a_reference_that_means_nothing_is_refused(text: str) -> None:
    with pytest.raises(GatewayError, match="cannot be understood"):
        parse_reference(text)


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=60) | st.from_regex(r"(env|file|vault|aws-secretsmanager):[^#]{0,9}(#.{0,9})?"))
def test_any_text_is_a_reference_or_an_error_that_says_so(text: str) -> None:
    try:
        assert str(parse_reference(text)) == text
    except GatewayError:
        return


def test_a_reference_round_trips() -> None:
    assert parse_reference("vault:team/a b#key") == Reference("vault", "team/a b", "key")
    arn = "aws-secretsmanager:arn:aws:secretsmanager:eu-central-1:123456789012:secret:x-AbCdEf"
    assert str(parse_reference(arn)) == arn


def test_environment_and_files_are_read(root: Path, kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_SECRET", VALUE)
    for reference in ("env:TEST_SECRET", f"file:{kept}", "file:../kept"):
        assert read_secret(reference, SecretsConfig(), project_root=root).reveal() == VALUE
    monkeypatch.setenv("TEST_SECRET", "")
    with pytest.raises(GatewayError, match="not set"):
        read_secret("env:TEST_SECRET", SecretsConfig(), project_root=root)


def test_a_file_in_the_project_open_to_others_or_absent_is_refused(root: Path, kept: Path) -> None:
    inside = root / "secret"
    inside.write_text(VALUE)
    inside.chmod(0o600)
    (root.parent / "link").symlink_to(inside)
    (root.parent / "loop").symlink_to(root.parent / "loop")
    for name in (str(inside), "secret", "../link"):
        with pytest.raises(GatewayError, match="inside the project"):
            read_private(name, project_root=root)
    for name in ("../none", "../loop", "..", "\0", "/dev/null/x"):
        with pytest.raises(GatewayError):
            read_private(name, project_root=root)
    kept.chmod(0o640)
    with pytest.raises(GatewayError, match="open to others"):
        read_private(str(kept), project_root=root)
    kept.chmod(0o600)
    kept.write_bytes(b"\xff")
    with pytest.raises(GatewayError, match="cannot be read"):
        read_private(str(kept), project_root=root)
    kept.write_bytes(b"x" * 70_000)
    with pytest.raises(GatewayError, match="too large"):
        read_private(str(kept), project_root=root)


def test_roots_file_may_be_lent_to_a_group(root: Path, kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if kept.stat().st_uid != 0:
        pytest.skip("Only root can make a file of root's.")
    kept.chmod(0o440)
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    assert read_private(str(kept), project_root=root).strip() == VALUE
    for mode in (0o444, 0o460):
        kept.chmod(mode)
        with pytest.raises(GatewayError, match="open to others"):
            read_private(str(kept), project_root=root)


def test_a_source_that_is_not_set_up_is_named(root: Path) -> None:
    for reference, section in (("vault:a#b", "vault"), ("aws-secretsmanager:a", "aws")):
        with pytest.raises(GatewayError, match=f"serve.secrets.{section}"):
            read_secret(reference, SecretsConfig(), project_root=root)


# ruff: noqa: ASYNC240 - tests change small files while a loop runs
async def test_a_secret_is_kept_refreshed_and_dropped_when_its_time_is_over(
    root: Path, kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = time.monotonic()
    monkeypatch.setattr("lockgate.gateway.secrets.book.monotonic", lambda: now)
    reference = f"file:{kept}"
    async with Secrets.open(SecretsConfig(ttl_s=100), project_root=root) as book:
        assert (await book.get(reference)).reveal() == VALUE
        kept.write_text("new")
        now += 49
        assert (await book.get(reference)).reveal() == VALUE
        now += 2
        assert (await book.get(reference)).reveal() == VALUE
        await asyncio.sleep(0.05)
        assert (await book.get(reference)).reveal() == "new"
        kept.unlink()
        now += 60
        assert (await book.get(reference)).reveal() == "new"
        await asyncio.sleep(0.05)
        now += 39
        assert (await book.get(reference)).reveal() == "new"
        now += 2
        with pytest.raises(GatewayError, match="cannot be read"):
            await book.get(reference)
        kept.write_text("back")
        kept.chmod(0o600)
        with pytest.raises(GatewayError, match="cannot be read"):
            await book.get(reference)
        now += 2
        assert (await book.get(reference)).reveal() == "back"


async def test_many_who_ask_at_once_cause_one_fetch(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = 0

    async def slow(self: Secrets, reference: Reference) -> Secret:
        nonlocal asked
        asked += 1
        await asyncio.sleep(0.05)
        return Secret(VALUE, source=str(reference))

    monkeypatch.setattr(Secrets, "_read", slow)
    async with Secrets.open(SecretsConfig(), project_root=root) as book:
        waiting = [asyncio.create_task(book.get("env:X")) for _ in range(50)]
        await asyncio.sleep(0.01)
        waiting[0].cancel()
        found = await asyncio.gather(*waiting[1:])
        assert {secret.reveal() for secret in found} == {VALUE}
        book.forget("env:X")
        await book.get("env:X")
    assert asked == 2


async def test_closing_ends_what_is_under_way(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def never(self: Secrets, reference: Reference) -> Secret:
        await asyncio.sleep(60)
        raise AssertionError

    monkeypatch.setattr(Secrets, "_read", never)
    async with Secrets.open(SecretsConfig(), project_root=root) as book:
        waiting = asyncio.create_task(book.get("env:X"))
        await asyncio.sleep(0.01)
    with pytest.raises(asyncio.CancelledError):
        await waiting


async def test_neither_logs_nor_errors_hold_a_secret(
    root: Path, kept: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("TEST_SECRET", f"{VALUE}\n{VALUE}")
    async with Secrets.open(SecretsConfig(), project_root=root) as book:
        await book.get(f"file:{kept}")
        with pytest.raises(GatewayError) as caught:
            await book.get("env:TEST_SECRET")
        assert VALUE not in repr(book) + repr(vars(book)) + repr(caught.value)
    assert "could not be fetched" in caplog.text
    assert VALUE not in caplog.text
