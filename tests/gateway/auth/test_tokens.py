import asyncio
import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import ECKey, OKPKey, RSAKey

from lockgate.core.config_auth import AuthConfig, IssuerConfig
from lockgate.gateway.auth.issuer import Issuer
from lockgate.gateway.auth.jws import TokenError, parse, signature_holds
from lockgate.gateway.auth.key_set import parse_key_set
from lockgate.gateway.auth.refusal import Reason, Refusal
from lockgate.gateway.auth.tokens import TokenVerifier
from lockgate.gateway.caller import Caller

PEPPER = b"p" * 32
ALGORITHMS = ("RS256", "PS256", "ES256", "EdDSA")


@asynccontextmanager
async def verifying(*issuers: IssuerConfig, root: Path = Path(), **auth: Any) -> AsyncIterator[TokenVerifier]:
    async with TokenVerifier.open(AuthConfig(issuers=issuers, **auth), project_root=root, pepper=PEPPER) as verifier:
        yield verifier


def reason(found: Caller | Refusal) -> Reason | None:
    return found.reason if isinstance(found, Refusal) else None


@pytest.mark.parametrize("algorithm", ALGORITHMS)
async def test_a_token_of_each_algorithm_lets_its_subject_in(signers: Any, publisher: Any, algorithm: str) -> None:
    async with verifying(publisher.settings()) as verifier:
        caller = await verifier.caller(signers[algorithm].token(scope="guard model:small", aud=["other", "gateway"]))
    assert isinstance(caller, Caller)
    assert caller.key_id.startswith("jwt-")
    assert "somebody" not in caller.key_id
    assert caller.scopes == {"guard", "model:small"}


@pytest.mark.parametrize(
    ("algorithm", "key"),
    [
        ("RS256", RSAKey.generate_key(2048)),
        ("ES256", ECKey.generate_key()),
        ("Ed25519", OKPKey.generate_key("Ed25519")),
    ],
    ids=["RS256", "ES256", "Ed25519"],
)
async def test_tokens_and_key_sets_of_another_library_are_understood(publisher: Any, algorithm: str, key: Any) -> None:
    publisher.keys = [key.as_dict(private=False, kid="k", use="sig", alg=algorithm)]
    now = int(time.time())
    claims = {"iss": "https://issuer.example", "aud": "gateway", "sub": "x", "exp": now + 60}
    token = jwt.encode({"alg": algorithm, "kid": "k"}, claims, key, algorithms=[algorithm])
    async with verifying(publisher.settings()) as verifier:
        assert isinstance(await verifier.caller(token), Caller)


def test_the_example_of_rfc_8037_holds() -> None:
    """RFC 8037, appendix A.4. Its payload is text, so it is checked below the claims."""
    row = {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}
    key = parse_key_set(json.dumps({"keys": [row]}).encode()).keys[0].key
    text = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc"
    signature = "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"
    with pytest.raises(TokenError):
        parse(f"{text}.{signature}")
    jws = parse(f"eyJhbGciOiJFZERTQSJ9.e30.{signature}")
    assert not signature_holds(jws, key)
    assert signature_holds(type(jws)(jws.algorithm, None, {}, text.encode(), jws.signature), key)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_key_of_another_family_verifies_nothing(signers: Any, algorithm: str) -> None:
    jws = parse(signers[algorithm].token())
    holds = {name: signature_holds(jws, signer.key.public_key()) for name, signer in signers.items()}
    assert holds == {name: name == algorithm for name in ALGORITHMS}


async def test_every_claim_that_is_wrong_is_refused(signers: Any, publisher: Any) -> None:
    now = int(time.time())
    cases: list[tuple[dict[str, object], Reason]] = [
        ({"iss": "https://issuer.example/"}, Reason.UNKNOWN_ISSUER),
        ({"iss": None}, Reason.UNKNOWN_ISSUER),
        ({"iss": ["https://issuer.example"]}, Reason.UNKNOWN_ISSUER),
        ({"aud": "other"}, Reason.WRONG_AUDIENCE),
        ({"aud": ["other"]}, Reason.WRONG_AUDIENCE),
        ({"aud": {"gateway": 1}}, Reason.WRONG_AUDIENCE),
        ({"aud": None}, Reason.WRONG_AUDIENCE),
        ({"aud": []}, Reason.WRONG_AUDIENCE),
        ({"exp": None}, Reason.BAD_CLAIM),
        ({"exp": str(now + 60)}, Reason.BAD_CLAIM),
        ({"exp": True}, Reason.BAD_CLAIM),
        ({"exp": 2**60}, Reason.BAD_CLAIM),
        ({"exp": -1}, Reason.BAD_CLAIM),
        ({"exp": now - 31}, Reason.JWT_EXPIRED),
        ({"exp": 0}, Reason.JWT_EXPIRED),
        ({"nbf": now + 40}, Reason.JWT_EARLY),
        ({"nbf": "soon"}, Reason.BAD_CLAIM),
        ({"iat": now + 40}, Reason.JWT_EARLY),
        ({"sub": None}, Reason.BAD_CLAIM),
        ({"sub": ""}, Reason.BAD_CLAIM),
        ({"sub": "x" * 257}, Reason.BAD_CLAIM),
        ({"sub": 5}, Reason.BAD_CLAIM),
    ]
    async with verifying(publisher.settings()) as verifier:
        for claims, expected in cases:
            assert reason(await verifier.caller(signers["ES256"].token(**claims))) is expected, claims
        for claims in ({"exp": now - 25}, {"nbf": now + 25}, {"iat": now + 25}, {"iat": None}, {"nbf": now}):
            assert isinstance(await verifier.caller(signers["ES256"].token(**claims)), Caller), claims


async def test_every_header_that_asks_for_something_else_is_refused(signers: Any, publisher: Any) -> None:
    signer = signers["RS256"]
    cases: list[tuple[dict[str, object], Reason]] = [
        *(
            ({"alg": name}, Reason.JWT_ALGORITHM)
            for name in ("none", "None", "NONE", "HS256", "HS512", "RS512", "ES256K")
        ),
        ({"alg": None}, Reason.JWT_ALGORITHM),
        ({"alg": ["RS256"]}, Reason.JWT_ALGORITHM),
        ({"alg": ""}, Reason.JWT_ALGORITHM),
        ({"crit": ["exp"]}, Reason.JWT_HEADER),
        ({"crit": []}, Reason.JWT_HEADER),
        ({"b64": False}, Reason.JWT_HEADER),
        ({"jku": "https://evil.example/keys"}, Reason.JWT_HEADER),
        ({"x5u": "https://evil.example/cert"}, Reason.JWT_HEADER),
        ({"x5c": ["AA"]}, Reason.JWT_HEADER),
        ({"jwk": signer.jwk()}, Reason.JWT_HEADER),
        ({"zip": "DEF"}, Reason.JWT_HEADER),
        ({"enc": "A256GCM"}, Reason.JWT_HEADER),
        ({"typ": "logout+jwt"}, Reason.JWT_HEADER),
        ({"typ": 5}, Reason.JWT_HEADER),
        ({"kid": ""}, Reason.JWT_HEADER),
        ({"kid": 5}, Reason.JWT_HEADER),
        ({"kid": "k" * 257}, Reason.JWT_HEADER),
        ({"alg": "ES256"}, Reason.UNKNOWN_SIGNER),
        ({"alg": "EdDSA", "kid": "key of EdDSA"}, Reason.BAD_SIGNATURE),
        ({"alg": "ES256", "kid": "key of ES256"}, Reason.BAD_SIGNATURE),
        ({"alg": "PS256"}, Reason.BAD_SIGNATURE),
        ({"kid": "key of PS256"}, Reason.BAD_SIGNATURE),
        ({"kid": None}, Reason.UNKNOWN_SIGNER),
        ({"kid": "../../etc/passwd"}, Reason.UNKNOWN_SIGNER),
    ]
    async with verifying(publisher.settings()) as verifier:
        for header, expected in cases:
            assert reason(await verifier.caller(signer.token(header))) is expected, header
        for header in ({"typ": "at+jwt"}, {"typ": None}, {"typ": "JWT", "cty": "x", "x5t": "y", "signer": "z"}):
            assert isinstance(await verifier.caller(signer.token(header)), Caller), header


async def test_a_public_key_is_no_shared_secret(signers: Any, publisher: Any) -> None:
    """The oldest trick: an HMAC whose key is the text of the issuer's public key."""
    public = signers["RS256"].key.public_key()
    texts = [
        public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo),
        public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo),
        json.dumps(signers["RS256"].jwk()).encode(),
    ]
    async with verifying(publisher.settings()) as verifier:
        for text in texts:
            head, body, _ = signers["RS256"].token({"alg": "HS256"}).split(".")
            mac = hmac.new(text, f"{head}.{body}".encode(), hashlib.sha256).digest()
            from_secret = f"{head}.{body}.{_b64(mac)}"
            assert reason(await verifier.caller(from_secret)) is Reason.JWT_ALGORITHM


async def test_only_the_algorithms_of_the_settings_count(signers: Any, publisher: Any) -> None:
    async with verifying(publisher.settings(algorithms=("ES256",))) as verifier:
        assert isinstance(await verifier.caller(signers["ES256"].token()), Caller)
        assert reason(await verifier.caller(signers["RS256"].token())) is Reason.JWT_ALGORITHM


@pytest.mark.parametrize(
    "raw", [b'{"sub":"a","sub":"b"}', b'{"exp":NaN}', b"[]", b"5", b"", b"{}x", b"\xff", b"[" * 50]
)
async def test_a_payload_that_two_parsers_may_read_differently_is_refused(
    signers: Any, publisher: Any, raw: bytes
) -> None:
    async with verifying(publisher.settings()) as verifier:
        assert reason(await verifier.caller(signers["ES256"].token(raw=raw))) is Reason.JWT_MALFORMED


async def test_a_signature_has_one_form_only(signers: Any, publisher: Any) -> None:
    token = signers["ES256"].token()
    head, body, signature = token.split(".")
    last = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    slack = signature[:-1] + last[last.index(signature[-1]) ^ 1]
    twisted = [
        f"{head}.{body}.", f"{head}.{body}", f"{token}.", f".{token}", f"{head}..{signature}", "..", f"{token}=",
        f"{head}.{body}.{signature}==", f"{head}.{body}.{slack}", f"{head}.{body}.{signature[:-2]}",
        f"{head}.{body}.{'A' * 86}", f"{head}.{body[:-1]}.{signature}", f"{token}\n", f" {token}", token.upper(),
        f"{head}.{body}.{signature.replace('_', '/').replace('-', '+')}+",
    ]  # fmt: skip
    async with verifying(publisher.settings()) as verifier:
        assert isinstance(await verifier.caller(token), Caller)
        for text in twisted:
            assert isinstance(await verifier.caller(text), Refusal), text


async def test_what_is_too_large_is_not_looked_at(signers: Any, publisher: Any) -> None:
    async with verifying(publisher.settings(), max_token_bytes=1000) as verifier:
        assert reason(await verifier.caller(signers["ES256"].token(x="y" * 1000))) is Reason.JWT_MALFORMED
    assert publisher.asked == 0


async def test_claims_become_tenant_scopes_and_name(signers: Any, publisher: Any) -> None:
    mapping = {"writers": ("model:large", "model:small"), "readers": ("model:small",)}
    rules = publisher.settings(
        tenant_claim=("org", "id"), scope_claim="groups", scope_map=mapping, name_claim="preferred_username"
    )
    signer = signers["EdDSA"]
    async with verifying(rules) as verifier:
        said = {"org": {"id": "north"}, "groups": ["readers", "admins", 5], "preferred_username": "Kim"}
        caller = await verifier.caller(signer.token(**said))
        assert isinstance(caller, Caller)
        assert (caller.tenant, caller.scopes, caller.name) == ("north", {"model:small"}, "Kim")
        for org in (None, {}, "north", {"id": 5}, {"id": ""}, {"id": "a b"}, {"id": "x\n"}, {"id": ["north"]}):
            assert reason(await verifier.caller(signer.token(org=org))) is Reason.BAD_CLAIM, org
        bare = await verifier.caller(signer.token(org={"id": "north"}, groups={"readers": 1}, preferred_username=5))
        assert isinstance(bare, Caller)
        assert (bare.scopes, bare.name) == (frozenset(), "")
    async with verifying(publisher.settings(tenant="fixed", scope_claim="scp")) as verifier:
        caller = await verifier.caller(signer.token(scp=["guard", "not a scope", ""], org="x"))
        assert isinstance(caller, Caller)
        assert (caller.tenant, caller.scopes) == ("fixed", {"guard"})


async def test_ids_tell_subjects_apart_and_stay_the_same(signers: Any, publisher: Any) -> None:
    async with verifying(publisher.settings()) as verifier:
        found = [await verifier.caller(signers["ES256"].token(sub=name, jti=jti)) for name, jti in ("ax", "ay", "bx")]
    ids = [caller.key_id for caller in found if isinstance(caller, Caller)]
    assert ids[0] == ids[1] != ids[2]


async def test_a_token_is_verified_once_until_it_ends(
    signers: Any, publisher: Any, clock: Any, monkeypatch: Any
) -> None:
    checked = 0

    def counted(*arguments: Any) -> bool:
        nonlocal checked
        checked += 1
        return signature_holds(*arguments)

    monkeypatch.setattr("lockgate.gateway.auth.tokens.signature_holds", counted)
    async with verifying(publisher.settings(), cache_size=3, cache_s=100) as verifier:
        token = signers["ES256"].token(exp=int(time.time()) + 200)
        for _ in range(5):
            assert isinstance(await verifier.caller(token), Caller)
        assert checked == 1
        clock.move(101)
        assert isinstance(await verifier.caller(token), Caller)
        assert checked == 2
        clock.move(130)
        assert reason(await verifier.caller(token)) is Reason.JWT_EXPIRED
        for number in range(20):
            await verifier.caller(signers["ES256"].token(jti=str(number), exp=int(time.time()) + 900))
        assert len(verifier._verified) == 3


async def test_a_withdrawn_key_ends_remembered_tokens_too(signers: Any, publisher: Any, clock: Any) -> None:
    async with verifying(publisher.settings(refresh_s=10), cache_s=3600) as verifier:
        token, other = signers["ES256"].token(), signers["RS256"].token()
        assert isinstance(await verifier.caller(token), Caller)
        assert isinstance(await verifier.caller(other), Caller)
        publisher.keys = [signers["RS256"].jwk()]
        clock.move(11)
        await verifier.caller(token)
        await asyncio.sleep(0.1)
        assert reason(await verifier.caller(token)) is Reason.UNKNOWN_SIGNER
        assert isinstance(await verifier.caller(other), Caller)


async def test_the_issuer_chooses_the_keys_and_another_cannot_speak_for_it(
    signers: Any, publisher: Any, tmp_path: Any
) -> None:
    (tmp_path / "keys.json").write_text(json.dumps({"keys": [signers["EdDSA"].jwk()]}))
    second = IssuerConfig(issuer="https://second.example", audience=("gateway",), jwks_file="keys.json")
    publisher.keys = [signers["ES256"].jwk()]
    async with verifying(publisher.settings(), second, root=tmp_path) as verifier:
        assert isinstance(await verifier.caller(signers["EdDSA"].token(iss="https://second.example")), Caller)
        assert reason(await verifier.caller(signers["EdDSA"].token())) is Reason.UNKNOWN_SIGNER
        assert (
            reason(await verifier.caller(signers["ES256"].token(iss="https://second.example"))) is Reason.UNKNOWN_SIGNER
        )


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    text=st.text(max_size=200)
    | st.binary(max_size=120).map(lambda raw: raw.decode("latin-1"))
    | st.from_regex(r"[A-Za-z0-9_=-]{0,60}\.[A-Za-z0-9_=-]{0,60}\.[A-Za-z0-9_=-]{0,60}")
    | st.tuples(
        st.dictionaries(
            st.sampled_from(["alg", "kid", "typ", "crit", "jku"]), st.sampled_from(["none", "RS256", "", "k"])
        ),
        st.dictionaries(
            st.sampled_from(["iss", "aud", "sub", "exp", "nbf"]), st.none() | st.floats() | st.text(max_size=5)
        ),
        st.binary(max_size=70),
    ).map(lambda parts: f"{_json(parts[0])}.{_json(parts[1])}.{_b64(parts[2])}")
)
async def test_no_text_gets_in_and_none_raises(text: str) -> None:
    one = IssuerConfig(issuer="https://issuer.example", audience=("gateway",), jwks_file="none.json")
    verifier = TokenVerifier(AuthConfig(issuers=(one,)), {one.issuer: Issuer(one, Path(), None)}, PEPPER)
    assert isinstance(await verifier.caller(text), Refusal)


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(claims=st.dictionaries(st.sampled_from(["aud", "exp", "nbf", "iat", "sub", "org", "groups", "name"]), anything))
async def test_no_signed_claims_raise_and_wrong_ones_never_pass(
    signers: Any, tmp_path_factory: Any, claims: dict[str, object]
) -> None:
    root = tmp_path_factory.getbasetemp()
    (root / "fuzz.json").write_text(json.dumps({"keys": [signers["EdDSA"].jwk()]}))
    named = {"tenant_claim": ("org", "id"), "scope_claim": "groups", "name_claim": "name"}
    one = IssuerConfig(issuer="https://issuer.example", audience=("gateway",), jwks_file="fuzz.json", **named)
    verifier = TokenVerifier(AuthConfig(issuers=(one,)), {one.issuer: Issuer(one, root, None)}, PEPPER)
    for said in (claims, {"org": {"id": "north"}, **claims}):
        found = await verifier.caller(signers["EdDSA"].token(**said))
        if isinstance(found, Caller):
            assert found.tenant
            assert isinstance(said.get("sub", "somebody"), str)
            assert isinstance(said.get("aud", "gateway"), str | list)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.integers(0, 10_000), change=st.integers(1, 255))
async def test_no_changed_token_gets_in(signers: Any, tmp_path_factory: Any, place: int, change: int) -> None:
    token = signers["ES256"].token(jti="x")
    at = place % len(token)
    changed = token[:at] + chr((ord(token[at]) + change) % 256) + token[at + 1 :]
    key = parse_key_set(json.dumps({"keys": [signers["ES256"].jwk()]}).encode()).keys[0].key
    try:
        jws = parse(changed)
    except TokenError:
        return
    assert not signature_holds(jws, key)


def _b64(body: bytes) -> str:
    from base64 import urlsafe_b64encode  # noqa: PLC0415 - used by strategies

    return urlsafe_b64encode(body).rstrip(b"=").decode()


def _json(document: object) -> str:
    return _b64(json.dumps(document).encode())
