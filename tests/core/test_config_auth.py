from typing import Any

import pytest

from lockgate.core.config import parse
from lockgate.core.errors import ConfigError

ISSUER = {"issuer": "https://i.example", "audience": ["a"], "jwks_url": "https://i.example/keys"}
TLS = {"certificate": "c.pem", "key": "/k.pem"}
VAULT = {"address": "https://vault.example"}


def serve(**fields: Any) -> object:
    upstream = {"kind": "openai", "base_url": "https://u.example/v1", "model": "m"}
    return parse({"version": 1, "project": "p", "serve": {"upstream": upstream, **fields}}).serve


@pytest.mark.parametrize(
    "fields",
    [
        {"auth": {"issuers": [ISSUER, {**ISSUER, "issuer": "other"}], "pepper": "vault:gateway#pepper"}},
        {
            "auth": {
                "issuers": [{"issuer": "i", "audience": ["a"], "jwks_file": "keys.json", "tenant_claim": ["a", "b"]}]
            }
        },
        {"auth": {"issuers": [{**ISSUER, "jwks_url": "http://127.0.0.1:8080/keys"}]}},
        {"auth": {"issuers": [{**ISSUER, "jwks_url": "http://[::1]/keys"}]}},
        {"auth": {"issuers": [{"issuer": "https://i.example/realms/a", "audience": ["a"]}]}},
        {"tls": TLS},
        {"tls": {**TLS, "client_ca": "ca.pem", "rules": [{"dns": "a"}], "clients": "optional", "alone": True}},
        {"secrets": {"vault": {**VAULT, "token": "env:T"}}},
        {"secrets": {"vault": {**VAULT, "role_id": "r", "secret_id": "file:/s"}, "aws": {"region": "us-gov-west-1"}}},
    ],
)
def test_settings_that_make_sense_are_accepted(fields: dict[str, Any]) -> None:
    assert serve(**fields)


@pytest.mark.parametrize(
    "fields",
    [
        {"auth": {"issuers": [ISSUER, ISSUER]}},
        {"auth": {"issuers": [{**ISSUER, "jwks_file": "keys.json"}]}},
        {"auth": {"issuers": [{"issuer": "i", "audience": ["a"]}]}},
        {"auth": {"issuers": [{"issuer": "http://i.example", "audience": ["a"]}]}},
        {"auth": {"issuers": [{"issuer": "https://i.example/?a", "audience": ["a"]}]}},
        {"auth": {"issuers": [{**ISSUER, "audience": []}]}},
        {"auth": {"issuers": [{**ISSUER, "tenant": "t", "tenant_claim": "c"}]}},
        {"auth": {"issuers": [{**ISSUER, "algorithms": ["none"]}]}},
        {"auth": {"issuers": [{**ISSUER, "algorithms": ["HS256"]}]}},
        {"auth": {"issuers": [{**ISSUER, "algorithms": []}]}},
        {"auth": {"issuers": [{**ISSUER, "jwks_url": "http://i.example/keys"}]}},
        {"auth": {"issuers": [{**ISSUER, "jwks_url": "http://127.0.0.1.evil.example/keys"}]}},
        {"auth": {"issuers": [{**ISSUER, "jwks_url": "http://localhost@evil.example/keys"}]}},
        {"auth": {"issuers": [{**ISSUER, "jwks_url": "https://i.example/keys\n"}]}},
        {"auth": {"issuers": [{**ISSUER, "tenant": "two words"}]}},
        {"auth": {"issuers": [{**ISSUER, "scope_map": {"x": ["two words"]}}]}},
        {"auth": {"pepper": "plain text"}},
        {"auth": {"leeway_s": 301}},
        {"tls": {**TLS, "rules": [{"dns": "a"}]}},
        {"tls": {**TLS, "alone": True}},
        {"tls": {**TLS, "client_crl": "l.pem"}},
        {"tls": {**TLS, "client_ca": "ca.pem"}},
        {"tls": {**TLS, "client_ca": "ca.pem", "rules": [{"dns": "a", "uri": "b"}]}},
        {"tls": {**TLS, "client_ca": "ca.pem", "rules": [{"tenant": "t"}]}},
        {"tls": {**TLS, "minimum": "1.1"}},
        {"secrets": {"vault": VAULT}},
        {"secrets": {"vault": {**VAULT, "token": "env:T", "role_id": "r", "secret_id": "env:S"}}},
        {"secrets": {"vault": {**VAULT, "role_id": "r"}}},
        {"secrets": {"vault": {**VAULT, "token": "env:T", "secret_id": "env:S"}}},
        {"secrets": {"vault": {**VAULT, "token": "s.plain-token"}}},
        {"secrets": {"vault": {"address": "http://vault.example", "token": "env:T"}}},
        {"secrets": {"aws": {"region": "evil.example/"}}},
    ],
)
def test_settings_that_would_weaken_or_contradict_are_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        serve(**fields)
