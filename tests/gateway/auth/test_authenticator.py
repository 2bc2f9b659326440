import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lockgate.core.project import Project, open_project
from lockgate.gateway.auth.authenticator import Authenticator
from lockgate.gateway.auth.credential import find_credential
from lockgate.gateway.auth.refusal import Reason, Refusal
from lockgate.gateway.caller import Caller
from lockgate.gateway.errors import GatewayError
from lockgate.gateway.keys import EphemeralKey, create, revoke

KEY = EphemeralKey("t")
SECRET = KEY.secret.encode()


def bearer(key: str | bytes) -> list[tuple[bytes, bytes]]:
    return [(b"authorization", b"Bearer " + (key if isinstance(key, bytes) else key.encode()))]


def make(root: Path, auth: str = "{}", more: str = "") -> Project:
    root.mkdir(exist_ok=True)
    (root / "lockgate.yaml").write_text(
        f"""version: 1
project: p
serve:
  upstream: {{kind: openai, base_url: "http://127.0.0.1:1/v1", model: m}}
  auth: {auth}
{more}"""
    )
    return open_project(root)


@pytest.mark.parametrize(
    "headers",
    [
        bearer(SECRET),
        [(b"authorization", b"bearer  " + SECRET + b" ")],
        [(b"x-api-key", SECRET)],
        [(b"api-key", SECRET)],
        [(b"x-api-key", SECRET), *bearer(SECRET)],
        [(b"accept", b"*/*"), (b"x-api-key", b""), *bearer(SECRET)],
    ],
)
async def test_every_client_may_send_the_key_its_own_way(headers: list[tuple[bytes, bytes]]) -> None:
    assert await Authenticator(KEY).authenticate(headers) == Caller("t", name="t")


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ([], Reason.MISSING),
        ([(b"authorization", b"Bearer ")], Reason.MISSING),
        ([(b"x-api-key", b" ")], Reason.MISSING),
        ([(b"authorization", b"")], Reason.MALFORMED),
        ([(b"authorization", b"Basic " + SECRET)], Reason.MALFORMED),
        ([(b"authorization", SECRET)], Reason.MALFORMED),
        (bearer(SECRET + b" x"), Reason.MALFORMED),
        (bearer(SECRET + b"\xff"), Reason.MALFORMED),
        (bearer(b"x" * 16_385), Reason.MALFORMED),
        (bearer(SECRET + b"0"), Reason.UNKNOWN_KEY),
        (bearer("a.b.c"), Reason.UNKNOWN_KEY),
        ([(b"x-api-key", b"other"), *bearer(SECRET)], Reason.AMBIGUOUS),
        ([*bearer(SECRET), *bearer(b"other")], Reason.AMBIGUOUS),
        ([(b"x-api-key", SECRET), (b"authorization", b"Basic x")], Reason.MALFORMED),
        ([(b"proxy-authorization", b"Bearer " + SECRET), (b"cookie", SECRET)], Reason.MISSING),
    ],
)
async def test_anything_else_is_refused_with_401(headers: list[tuple[bytes, bytes]], expected: Reason) -> None:
    refusal = await Authenticator(KEY).authenticate(headers)
    assert refusal == Refusal(expected)
    error = refusal.error()
    assert (error.status, error.code, error.labels) == (401, "invalid_api_key", (f"auth.{expected.value}",))
    assert (b"www-authenticate", b"Bearer") in error.headers()


def test_the_answer_tells_a_guesser_nothing() -> None:
    """Unknown, revoked, expired and ill-formed keys, and tokens that nobody signed, are all answered alike."""
    alike = [Reason.UNKNOWN_KEY, Reason.REVOKED, Reason.EXPIRED, Reason.MALFORMED, Reason.MISSING, Reason.BAD_SIGNATURE]
    alike += [Reason.UNKNOWN_ISSUER, Reason.UNKNOWN_SIGNER, Reason.JWT_MALFORMED, Reason.JWT_ALGORITHM]
    assert len({Refusal(reason).error().body() for reason in alike}) == 1
    assert all(Refusal(reason).error().status in {401, 503} for reason in Reason)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from([b"authorization", b"x-api-key", b"api-key", b"cookie"]),
            st.binary(max_size=60)
            | st.tuples(st.sampled_from([b"Bearer ", b"bearer\t", b"Basic ", b""]), st.binary(max_size=40)).map(
                b"".join
            ),
        ),
        max_size=4,
    )
)
async def test_no_headers_get_in_and_none_raise(headers: list[tuple[bytes, bytes]]) -> None:
    assert isinstance(await Authenticator(KEY).authenticate(headers), Refusal)
    assert isinstance(find_credential(headers), str | Refusal)


async def test_a_project_that_serves_nothing_lets_nobody_in(tmp_path: Path) -> None:
    (tmp_path / "lockgate.yaml").write_text("version: 1\nproject: p\n")
    with pytest.raises(GatewayError, match="no 'serve' section"):
        async with opened(open_project(tmp_path)):
            pass


@asynccontextmanager
async def opened(project: Project, **more: Any) -> AsyncIterator[Authenticator]:
    async with Authenticator.open(project, **more) as authenticator:
        yield authenticator


async def test_a_project_knows_its_keys_and_forgets_them_within_a_second(tmp_path: Path) -> None:
    project = make(tmp_path / "p")
    key_id, secret = create(project, "n", tenant="north", scopes=("guard",))
    async with opened(project) as authenticator:
        assert await authenticator.authenticate(bearer(secret)) == Caller(key_id, "north", frozenset({"guard"}), "n")
        revoke(project, key_id)
        await asyncio.sleep(0.3)
        assert await authenticator.authenticate(bearer(secret)) == Refusal(Reason.REVOKED)
        (project.state / "api-keys.json").write_text("{")
        await asyncio.sleep(0.3)
        for _ in range(3):
            assert await authenticator.authenticate(bearer(secret)) == Refusal(Reason.KEYS_UNAVAILABLE)
    async with opened(project, keys=KEY) as authenticator:
        assert isinstance(await authenticator.authenticate(bearer(SECRET)), Caller)


async def test_a_project_knows_keys_and_tokens_side_by_side(tmp_path: Path, signers: Any, publisher: Any) -> None:
    issuer = f'{{issuer: "https://issuer.example", audience: [gateway], jwks_url: "{publisher.url}", tenant: south}}'
    project = make(tmp_path / "p", f"{{issuers: [{issuer}]}}")
    key_id, secret = create(project, "n")
    async with opened(project) as authenticator:
        assert await authenticator.authenticate(bearer(secret)) == Caller(key_id, name="n")
        caller = await authenticator.authenticate(bearer(signers["ES256"].token(scope="guard")))
        assert isinstance(caller, Caller)
        assert (caller.tenant, caller.scopes) == ("south", {"guard"})
        refusal = await authenticator.authenticate(bearer(signers["ES256"].token(exp=int(time.time()) - 900)))
        assert refusal == Refusal(Reason.JWT_EXPIRED)
    async with opened(project, keys=KEY) as authenticator:
        assert isinstance(await authenticator.authenticate(bearer(signers["RS256"].token())), Caller)


async def test_an_issuer_that_is_down_is_503_and_keys_go_on_working(
    tmp_path: Path, signers: Any, publisher: Any
) -> None:
    publisher.status = 500
    issuer = f'{{issuer: "https://issuer.example", audience: [gateway], jwks_url: "{publisher.url}"}}'
    project = make(tmp_path / "p", f"{{issuers: [{issuer}]}}")
    _, secret = create(project, "n")
    async with opened(project) as authenticator:
        refusal = await authenticator.authenticate(bearer(signers["ES256"].token()))
        assert refusal == Refusal(Reason.ISSUER_UNAVAILABLE)
        assert (refusal.error().status, refusal.error().code) == (503, "keys_unavailable")
        assert isinstance(await authenticator.authenticate(bearer(secret)), Caller)


async def test_replicas_share_a_pepper_from_a_secret_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_PEPPER", "5" * 64)
    project = make(tmp_path / "p", '{pepper: "env:TEST_PEPPER"}')
    key_id, secret = create(project, "n")
    monkeypatch.setenv("LOCKGATE_HOME", str(tmp_path / "another machine"))
    async with opened(project) as authenticator:
        assert await authenticator.authenticate(bearer(secret)) == Caller(key_id, name="n")
    assert not (tmp_path / "another machine").exists()
    for wrong in ("short", ""):
        monkeypatch.setenv("TEST_PEPPER", wrong)
        with pytest.raises(GatewayError):
            async with opened(project):
                pass


async def test_no_key_and_no_token_shows_up_in_what_can_be_printed(
    tmp_path: Path, signers: Any, publisher: Any
) -> None:
    issuer = f'{{issuer: "https://issuer.example", audience: [gateway], jwks_url: "{publisher.url}"}}'
    project = make(tmp_path / "p", f"{{issuers: [{issuer}]}}")
    _, secret = create(project, "n")
    token = signers["ES256"].token(sub="person@example.org")
    async with opened(project) as authenticator:
        shown = [
            repr(await authenticator.authenticate(bearer(text))) for text in (secret, token, secret + "x", token + "x")
        ]
        tokens = authenticator._tokens
        assert tokens is not None
        everything = repr(shown) + repr(vars(authenticator)) + repr(vars(tokens)["_verified"])
    for canary in (secret.removeprefix("lg-"), token, token.split(".")[2], "person@example.org"):
        assert canary not in everything
