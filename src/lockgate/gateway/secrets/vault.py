"""Secrets in Vault or OpenBao: key-value store version 2, by token or AppRole."""

import time
from collections.abc import Callable
from http import HTTPStatus
from typing import TypeVar
from urllib.parse import quote

import aiohttp
import msgspec

from lockgate.core.config_auth import VaultConfig
from lockgate.gateway.bounded_fetch import Fetched, FetchError, fetch
from lockgate.gateway.errors import GatewayError
from lockgate.gateway.secrets.reference import Reference, parse_reference
from lockgate.gateway.secrets.secret import Secret
from lockgate.gateway.strict_json import JsonError, load

# A login is used for this share of its life, so that it does not end under a request.
_LEASE_SHARE = 0.8
_SHORTEST_S = 1.0

_T = TypeVar("_T")


class _Login(msgspec.Struct, frozen=True):
    client_token: str
    lease_duration: float


class _LoginAnswer(msgspec.Struct, frozen=True):
    auth: _Login


class _Version(msgspec.Struct, frozen=True):
    data: dict[str, object]


class _ReadAnswer(msgspec.Struct, frozen=True):
    data: _Version


class VaultReader:
    """Reads fields of secrets (HTTP API of Vault, `kv-v2` and `approle`).

    Args:
        settings: Where it is and who we are.
        session: A session that trusts its certificate.
        local: Reads the `env:` or `file:` secret that lets us in.
    """

    def __init__(
        self, settings: VaultConfig, session: aiohttp.ClientSession, local: Callable[[Reference], Secret]
    ) -> None:
        self._settings = settings
        self._session = session
        self._local = local
        self._login: Secret | None = None
        self._login_until = 0.0

    async def read(self, reference: Reference) -> Secret:
        """The field of a secret, in its newest version.

        Raises:
            GatewayError: Vault cannot be asked, refuses, or has no such field.
        """
        url = f"{self._base}/{_quoted(self._settings.mount)}/data/{_quoted(reference.name)}"
        answer = await self._ask("GET", url, token=await self._token())
        if answer.status == HTTPStatus.FORBIDDEN and self._login is not None:
            self._login = None
            answer = await self._ask("GET", url, token=await self._token())
        if answer.status != HTTPStatus.OK:
            raise _refused(reference, answer.status)
        value = self._decoded(answer, _ReadAnswer).data.data.get(reference.field)
        if not isinstance(value, str):
            raise GatewayError(f"The secret {reference} has no such field.", remedy="Check the field's name.")
        return Secret(value, source=str(reference))

    @property
    def _base(self) -> str:
        return f"{self._settings.address.rstrip('/')}/v1"

    async def _token(self) -> Secret:
        if self._settings.token is not None:
            return self._local(parse_reference(self._settings.token))
        if self._login is None or time.monotonic() >= self._login_until:
            self._login = await self._log_in()
        return self._login

    async def _log_in(self) -> Secret:
        secret_id = self._local(parse_reference(self._settings.secret_id or ""))
        body = msgspec.json.encode({"role_id": self._settings.role_id, "secret_id": secret_id.reveal()})
        url = f"{self._base}/auth/{_quoted(self._settings.approle_mount)}/login"
        answer = await self._ask("POST", url, body=body)
        if answer.status != HTTPStatus.OK:
            raise GatewayError("Vault refused the AppRole login.", remedy="Check 'role_id' and 'secret_id'.")
        login = self._decoded(answer, _LoginAnswer).auth
        self._login_until = time.monotonic() + max(_SHORTEST_S, login.lease_duration * _LEASE_SHARE)
        return Secret(login.client_token, source="of the Vault login")

    async def _ask(self, method: str, url: str, *, token: Secret | None = None, body: bytes | None = None) -> Fetched:
        headers = {"x-vault-request": "true"}
        if token is not None:
            headers["x-vault-token"] = token.reveal()
        if self._settings.namespace is not None:
            headers["x-vault-namespace"] = self._settings.namespace
        try:
            return await fetch(self._session, method, url, headers=headers, body=body)
        except FetchError as error:
            raise GatewayError(f"Vault {error.why}.", remedy="Check 'serve.secrets.vault.address'.") from error

    @staticmethod
    def _decoded(answer: Fetched, shape: type[_T]) -> _T:
        try:
            return msgspec.convert(load(answer.body), shape)
        except (JsonError, msgspec.ValidationError) as error:
            # The error may quote a field of the secret, so it is not kept.
            del error
            raise GatewayError("Vault answered with something else than a secret.", remedy="Check 'mount'.") from None


def _refused(reference: Reference, status: int) -> GatewayError:
    match status:
        case HTTPStatus.NOT_FOUND:
            return GatewayError(f"There is no secret {reference}.", remedy="Check its path and 'mount'.")
        case HTTPStatus.FORBIDDEN:
            return GatewayError(f"Vault does not let us read {reference}.", remedy="Check the policy of our login.")
        case _:
            return GatewayError(f"Vault answered with status {status}.", remedy="Check that it is unsealed.")


def _quoted(path: str) -> str:
    return quote(path.strip("/"), safe="/")
