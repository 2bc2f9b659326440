"""Who is calling: the one question that every request is asked before anything else."""

import asyncio
from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager
from typing import Self

import msgspec

from lockgate.core.config_auth import TlsServerConfig
from lockgate.core.project import Project
from lockgate.gateway.auth.certificate import CertificateCallers
from lockgate.gateway.auth.credential import find_credential
from lockgate.gateway.auth.key_file import STORE_NAME
from lockgate.gateway.auth.key_store import KeyStore, Verifier
from lockgate.gateway.auth.pepper import read_pepper
from lockgate.gateway.auth.refusal import Reason, Refusal
from lockgate.gateway.auth.tokens import TokenVerifier
from lockgate.gateway.caller import Caller
from lockgate.gateway.errors import GatewayError

_DOTS = 2
# Well within the second after which a revoked key must not count, and a system call less for every request.
_LOOK_EVERY_S = 0.2


class Authenticator:
    """Tells who a request comes from. Use `open`, or construct one around a single key.

    Args:
        keys: Knows API keys.
        tokens: Knows tokens; None refuses them all.
        tls: How client certificates count; None ignores them.
    """

    def __init__(self, keys: Verifier, tokens: TokenVerifier | None = None, tls: TlsServerConfig | None = None) -> None:
        self._keys = keys
        self._tokens = tokens
        self._tls = tls if tls is not None and tls.client_ca is not None else None
        self._certificates = CertificateCallers(self._tls.rules if self._tls is not None else ())

    @classmethod
    @asynccontextmanager
    async def open(
        cls, project: Project, *, keys: Verifier | None = None, pepper: bytes | None = None
    ) -> AsyncGenerator[Self]:
        """Open what the `serve` section of a project says; nothing is fetched before it is needed.

        Args:
            project: The project.
            keys: Knows API keys; by default the project's key store.
            pepper: Under which keys and subjects are hashed; by default the project's.

        Raises:
            GatewayError: There is no such section, or the pepper or a file of certificate authorities cannot be used.
        """
        serve = project.config.serve
        if serve is None:
            raise GatewayError("lockgate.yaml has no 'serve' section.", remedy="Add one: it names the upstream.")
        if keys is not None and not serve.auth.issuers:
            yield cls(keys, None, serve.tls)
            return
        if pepper is None:
            pepper = await asyncio.to_thread(read_pepper, project)
        known = keys or KeyStore(project.state / STORE_NAME, pepper, look_every_s=_LOOK_EVERY_S)
        if not serve.auth.issuers:
            yield cls(known, None, serve.tls)
            return
        async with TokenVerifier.open(serve.auth, project_root=project.root, pepper=pepper) as tokens:
            yield cls(known, tokens, serve.tls)

    @property
    def healthy(self) -> bool:
        """Whether anybody can be let in: API keys can be read, or there is another way."""
        return self._tokens is not None or self._certificate_is_enough or self._keys.healthy

    async def authenticate(
        self, headers: Iterable[tuple[bytes, bytes]], certificate: bytes | None = None
    ) -> Caller | Refusal:
        """Who sent these headers. Any bytes may be given; nothing but a valid credential gives a `Caller`.

        It waits for nothing unless a token has to be verified with keys that are not there yet.

        Args:
            headers: Names in lower case, and values, as ASGI gives them.
            certificate: The client certificate of the connection (DER), whose chain TLS has checked.
        """
        presenter = self._presenter(certificate)
        if isinstance(presenter, Refusal):
            return presenter
        credential = find_credential(headers)
        if isinstance(credential, Refusal):
            if credential.reason is Reason.MISSING and presenter is not None and self._certificate_is_enough:
                return presenter
            return credential
        caller = await self._credential(credential)
        return caller if presenter is None or isinstance(caller, Refusal) else _bound(caller, presenter)

    @property
    def _certificate_is_enough(self) -> bool:
        return self._tls is not None and self._tls.alone

    def _presenter(self, certificate: bytes | None) -> Caller | Refusal | None:
        if self._tls is None:
            return None
        if certificate is None:
            return Refusal(Reason.CERTIFICATE_MISSING) if self._tls.clients == "required" else None
        return self._certificates.caller(certificate)

    async def _credential(self, credential: str) -> Caller | Refusal:
        # API keys hold no dot, so that no text can be taken for both.
        if self._tokens is not None and credential.count(".") == _DOTS:
            return await self._tokens.caller(credential)
        return self._keys.caller(credential)


def _bound(caller: Caller, presenter: Caller) -> Caller | Refusal:
    """A credential used over a connection whose certificate names a tenant counts for that tenant only."""
    if not presenter.tenant or caller.tenant == presenter.tenant:
        return caller
    if caller.tenant:
        return Refusal(Reason.TENANT_MISMATCH)
    return msgspec.structs.replace(caller, tenant=presenter.tenant)
