"""Settings of `serve` that say who may come in, and where secrets are kept."""

import re
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

# The look-ahead refuses a line break at the end, which `$` alone lets pass in Python's dialect.
Tenant = Annotated[str, Meta(pattern="^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$(?!\\n)")]
Scope = Annotated[str, Meta(pattern="^[A-Za-z0-9][A-Za-z0-9:._/*-]{0,95}$(?!\\n)")]
SecretRef = Annotated[str, Meta(pattern="^(env|file|vault|aws-secretsmanager):\\S[^\\r\\n]*$(?!\\n)", max_length=1024)]
LocalSecretRef = Annotated[str, Meta(pattern="^(env|file):\\S[^\\r\\n]*$(?!\\n)", max_length=1024)]
Algorithm = Literal["RS256", "PS256", "ES256", "EdDSA"]

# Plain HTTP is for a server on this machine; everything else is asked over TLS.
_LOOPBACK = "http://(localhost|127\\.[0-9.]{5,11}|\\[::1\\])(:[0-9]{1,5})?(/[!-~]*)?"
_LONGEST = 1024
_Url = Annotated[str, Meta(pattern=f"^(https://[!-~]+|{_LOOPBACK})$(?!\\n)", max_length=_LONGEST)]
_ADDRESS = re.compile(f"https://[!-~]+|{_LOOPBACK}")
_Text = Annotated[str, Meta(min_length=1, max_length=256)]
_Claim = _Text | Annotated[tuple[_Text, ...], Meta(min_length=1, max_length=8)]


def is_address(text: str) -> bool:
    """Whether a text is an address that may be asked: `https`, or `http` on this machine."""
    return len(text) <= _LONGEST and _ADDRESS.fullmatch(text) is not None


class _Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A mapping of the settings file that refuses keys it does not know."""


class IssuerConfig(_Section, frozen=True, kw_only=True):
    """Somebody whose JSON Web Tokens are accepted, usually an OpenID Connect provider.

    Attributes:
        issuer: What the `iss` claim must be, character for character.
        audience: One of these must be in the `aud` claim.
        jwks_url: Where its public keys are, `https` unless on this machine. Without it and `jwks_file` the issuer's
            name must be an address, which is asked for its OpenID configuration.
        jwks_file: File with its public keys as a JWK Set, relative to the project; read again when it changes.
        ca_file: PEM file of the authorities that may vouch for the issuer's addresses, in place of the system's,
            relative to the project.
        algorithms: Signature algorithms that are accepted.
        tenant: The tenant of everybody who comes from here, where no claim says it.
        tenant_claim: Claim that names the tenant, or the path to it; a token without it is refused.
        scope_claim: Claim with the scopes, a list or one text with spaces, or the path to it.
        scope_map: Scopes that each value of that claim stands for; where empty, values count as they are.
        name_claim: Claim with the caller's name; events do not carry it.
        refresh_s: Seconds after which the keys are fetched anew.
        cooldown_s: Seconds between two fetches that unknown keys, or failures, bring about.
        max_stale_s: Seconds that keys count after the last fetch that worked, while the issuer is down.
        timeout_s: Seconds that a fetch may take.
    """

    issuer: _Text
    audience: Annotated[tuple[_Text, ...], Meta(min_length=1, max_length=32)]
    jwks_url: _Url | None = None
    jwks_file: _Text | None = None
    ca_file: _Text | None = None
    algorithms: Annotated[tuple[Algorithm, ...], Meta(min_length=1)] = ("RS256", "PS256", "ES256", "EdDSA")
    tenant: Tenant | None = None
    tenant_claim: _Claim | None = None
    scope_claim: _Claim = "scope"
    scope_map: dict[_Text, tuple[Scope, ...]] = {}
    name_claim: _Claim | None = None
    refresh_s: Annotated[float, Meta(ge=1, le=86_400)] = 300.0
    cooldown_s: Annotated[float, Meta(ge=1, le=3_600)] = 10.0
    max_stale_s: Annotated[float, Meta(ge=1, le=604_800)] = 3_600.0
    timeout_s: Annotated[float, Meta(gt=0, le=60)] = 5.0

    def __post_init__(self) -> None:
        if self.jwks_url is not None and self.jwks_file is not None:
            raise ValueError("An issuer has 'jwks_url' or 'jwks_file', not both")
        if self.discovers and (not is_address(self.issuer) or not set("?#").isdisjoint(self.issuer)):
            raise ValueError("An issuer that is no https address needs 'jwks_url' or 'jwks_file'")
        if self.tenant is not None and self.tenant_claim is not None:
            raise ValueError("An issuer has 'tenant' or 'tenant_claim', not both")

    @property
    def discovers(self) -> bool:
        """Whether the issuer itself is asked where its keys are."""
        return self.jwks_url is None and self.jwks_file is None


class CertificateRule(_Section, frozen=True, kw_only=True):
    """Whom a client certificate stands for. A certificate that no rule matches is refused; the first match counts.

    Attributes:
        dns: A DNS name among its subject alternative names.
        uri: A URI among them, for instance a SPIFFE id.
        email: An e-mail address among them.
        subject: Its whole subject as RFC 4514 writes it, for instance `CN=batch,O=Example`.
        tenant: The tenant of whoever presents it.
        scopes: What it may do.
        name: What to call it.
    """

    dns: _Text | None = None
    uri: _Text | None = None
    email: _Text | None = None
    subject: _Text | None = None
    tenant: Tenant | None = None
    scopes: tuple[Scope, ...] = ()
    name: Annotated[str, Meta(max_length=200)] = ""

    def __post_init__(self) -> None:
        if sum(value is not None for value in (self.dns, self.uri, self.email, self.subject)) != 1:
            raise ValueError("A certificate rule matches by exactly one of 'dns', 'uri', 'email' and 'subject'")


class TlsServerConfig(_Section, frozen=True, kw_only=True):
    """TLS of the endpoint itself, and client certificates where a client authority is given.

    Attributes:
        certificate: PEM file of the endpoint's certificate and its chain.
        key: PEM file of its private key, readable by its owner alone.
        client_ca: PEM file of the authorities whose client certificates count.
        client_crl: PEM file of their revocation lists; when given, a certificate without a current list is refused.
        clients: `optional` lets callers in without a certificate if they have a key or a token; `required` does not.
        alone: Whether a certificate is enough, without a key or a token.
        rules: Whom certificates stand for.
        minimum: Oldest version of TLS.
    """

    certificate: _Text
    key: _Text
    client_ca: _Text | None = None
    client_crl: _Text | None = None
    clients: Literal["optional", "required"] = "required"
    alone: bool = False
    rules: tuple[CertificateRule, ...] = ()
    minimum: Literal["1.2", "1.3"] = "1.3"

    def __post_init__(self) -> None:
        if self.client_ca is None and (self.rules or self.client_crl is not None or self.alone):
            raise ValueError("Client certificates need 'client_ca'")
        if self.client_ca is not None and not self.rules:
            raise ValueError("Client certificates need 'rules' that say whom they stand for")


class AuthConfig(_Section, frozen=True, kw_only=True):
    """Who may come in. API keys always work; tokens and certificates when they are set up here.

    Attributes:
        pepper: Where the secret lies under which API keys are hashed; by default a private file in
            `$LOCKGATE_HOME`. Replicas need the same one.
        issuers: Whose JSON Web Tokens are accepted.
        leeway_s: Seconds by which clocks may differ.
        max_token_bytes: Largest token that is looked at.
        cache_s: Seconds after which a token is verified again, before it expires.
        cache_size: Most tokens that are remembered.
    """

    pepper: SecretRef | None = None
    issuers: Annotated[tuple[IssuerConfig, ...], Meta(max_length=32)] = ()
    leeway_s: Annotated[float, Meta(ge=0, le=300)] = 30.0
    max_token_bytes: Annotated[int, Meta(ge=256, le=16_384)] = 8_192
    cache_s: Annotated[float, Meta(ge=0, le=3_600)] = 300.0
    cache_size: Annotated[int, Meta(ge=1, le=1_000_000)] = 10_000

    def __post_init__(self) -> None:
        names = [issuer.issuer for issuer in self.issuers]
        if len(set(names)) != len(names):
            raise ValueError("An issuer is listed twice")


class VaultConfig(_Section, frozen=True, kw_only=True):
    """A Vault or OpenBao server with a key-value store of version 2. A token, or a role with its secret id.

    Attributes:
        address: Where it answers, `https` unless on this machine.
        mount: Where the key-value store is mounted.
        namespace: Its namespace, where it has any.
        token: Where our token lies.
        role_id: The AppRole that we log in as, in place of a token.
        secret_id: Where its secret id lies.
        approle_mount: Where AppRole is mounted.
        ca_file: PEM file of the authorities that may vouch for it, in place of the system's, relative to the project.
    """

    address: _Url
    mount: _Text = "secret"
    namespace: _Text | None = None
    token: LocalSecretRef | None = None
    role_id: _Text | None = None
    secret_id: LocalSecretRef | None = None
    approle_mount: _Text = "approle"
    ca_file: _Text | None = None

    def __post_init__(self) -> None:
        if (self.token is None) == (self.role_id is None) or (self.role_id is None) != (self.secret_id is None):
            raise ValueError("Vault needs either 'token', or 'role_id' with 'secret_id'")


class AwsConfig(_Section, frozen=True, kw_only=True):
    """AWS Secrets Manager. Credentials come from where AWS puts them: environment, web identity, container or instance.

    Attributes:
        region: The region of the secrets.
        endpoint: Another address than the region's own, for instance of a VPC endpoint.
        sts_endpoint: The same for the service that exchanges a web identity.
        instance_metadata: Whether the instance's metadata service may be asked for credentials.
    """

    region: Annotated[str, Meta(pattern="^[a-z]{2}(-[a-z]+)+-[0-9]{1,2}$(?!\\n)")]
    endpoint: _Url | None = None
    sts_endpoint: _Url | None = None
    instance_metadata: bool = False


class SecretsConfig(_Section, frozen=True, kw_only=True):
    """Where `vault:` and `aws-secretsmanager:` references lead, and how long a secret counts.

    Attributes:
        ttl_s: Seconds after which a secret that could not be fetched anew is no longer used.
        timeout_s: Seconds that a fetch may take.
        vault: For `vault:PATH#FIELD`.
        aws: For `aws-secretsmanager:NAME` and `aws-secretsmanager:NAME#FIELD`.
    """

    ttl_s: Annotated[float, Meta(ge=1, le=86_400)] = 300.0
    timeout_s: Annotated[float, Meta(gt=0, le=60)] = 5.0
    vault: VaultConfig | None = None
    aws: AwsConfig | None = None


SECTIONS: tuple[type[msgspec.Struct], ...] = (
    IssuerConfig,
    CertificateRule,
    TlsServerConfig,
    AuthConfig,
    VaultConfig,
    AwsConfig,
    SecretsConfig,
)
