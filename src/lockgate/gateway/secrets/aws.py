"""Secrets in AWS Secrets Manager."""

import datetime as dt
from http import HTTPStatus

import aiohttp
import msgspec
from yarl import URL

from lockgate.core.config_auth import AwsConfig
from lockgate.gateway.bounded_fetch import Fetched, FetchError, fetch
from lockgate.gateway.errors import GatewayError
from lockgate.gateway.secrets.aws_credentials import CredentialChain
from lockgate.gateway.secrets.aws_sign import signed_headers
from lockgate.gateway.secrets.reference import Reference
from lockgate.gateway.secrets.secret import Secret
from lockgate.gateway.strict_json import JsonError, load

_SERVICE = "secretsmanager"
_STALE = frozenset({"ExpiredTokenException", "UnrecognizedClientException", "InvalidSignatureException"})
_MISSING = frozenset({"ResourceNotFoundException", "InvalidRequestException"})


class _Answer(msgspec.Struct, frozen=True):
    secret_string: str = msgspec.field(name="SecretString")


class _Fault(msgspec.Struct, frozen=True):
    type: str = msgspec.field(name="__type", default="")


class AwsReader:
    """Reads secrets (AWS Secrets Manager API, `GetSecretValue`)."""

    def __init__(self, settings: AwsConfig, session: aiohttp.ClientSession) -> None:
        self._settings = settings
        self._session = session
        self._chain = CredentialChain(settings, session)
        domain = "amazonaws.com.cn" if settings.region.startswith("cn-") else "amazonaws.com"
        self._url = URL(settings.endpoint or f"https://{_SERVICE}.{settings.region}.{domain}").with_path("/")

    async def read(self, reference: Reference) -> Secret:
        """A secret's text, or one field of it where it is a JSON object.

        Raises:
            GatewayError: AWS cannot be asked, refuses, or has no such secret or field.
        """
        answer = await self._get(reference)
        if answer.status != HTTPStatus.OK and _fault(answer) in _STALE:
            self._chain.forget()
            answer = await self._get(reference)
        if answer.status != HTTPStatus.OK:
            raise _refused(reference, answer)
        try:
            text = msgspec.json.decode(answer.body, type=_Answer).secret_string
        except msgspec.DecodeError:
            # The error may quote the secret, so it is not kept.
            raise GatewayError(f"The secret {reference} is no text.", remedy="Store it as a string.") from None
        return Secret(_field(text, reference) if reference.field else text, source=str(reference))

    async def _get(self, reference: Reference) -> Fetched:
        body = msgspec.json.encode({"SecretId": reference.name})
        headers = {"content-type": "application/x-amz-json-1.1", "x-amz-target": "secretsmanager.GetSecretValue"}
        signed = signed_headers(
            await self._chain.credentials(),
            host=self._url.host_port_subcomponent or "",
            headers=headers,
            body=body,
            region=self._settings.region,
            service=_SERVICE,
            now=dt.datetime.now(dt.UTC),
        )
        try:
            return await fetch(self._session, "POST", str(self._url), headers=signed, body=body)
        except FetchError as error:
            remedy = "Check 'serve.secrets.aws' and the network."
            raise GatewayError(f"AWS Secrets Manager {error.why}.", remedy=remedy) from error


def _field(text: str, reference: Reference) -> str:
    try:
        document = load(text.encode("utf-8", "surrogatepass"))
    except JsonError:
        document = None
    value = msgspec.convert(document, dict[str, object]).get(reference.field) if isinstance(document, dict) else None
    if not isinstance(value, str):
        raise GatewayError(f"The secret {reference} has no such field.", remedy="Check the field's name.")
    return value


def _fault(answer: Fetched) -> str:
    try:
        return msgspec.json.decode(answer.body, type=_Fault).type.rpartition("#")[2]
    except msgspec.DecodeError:
        return ""


def _refused(reference: Reference, answer: Fetched) -> GatewayError:
    fault = _fault(answer)
    if fault in _MISSING:
        return GatewayError(f"There is no secret {reference}.", remedy="Check its name and the region.")
    if fault == "AccessDeniedException":
        return GatewayError(f"AWS does not let us read {reference}.", remedy="Allow secretsmanager:GetSecretValue.")
    return GatewayError(f"AWS Secrets Manager answered with status {answer.status}.", remedy="Check the credentials.")
