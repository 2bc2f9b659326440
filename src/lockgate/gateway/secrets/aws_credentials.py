"""Where AWS puts the credentials of a program, in the order of its own SDKs (boto3 guide, "Credentials")."""

import datetime as dt
import os
import time
from http import HTTPStatus
from pathlib import Path
from urllib.parse import urlencode

import aiohttp
import msgspec
import re2
from yarl import URL

from lockgate.core.config_auth import AwsConfig
from lockgate.gateway.bounded_fetch import Fetched, FetchError, fetch
from lockgate.gateway.errors import GatewayError
from lockgate.gateway.secrets.aws_sign import AwsCredentials
from lockgate.gateway.secrets.secret import MAX_SECRET, Secret

_EARLY_S = 300.0
_CONTAINER = "http://169.254.170.2"
_CONTAINER_HOSTS = frozenset({"169.254.170.2", "169.254.170.23", "fd00:ec2::23", "localhost", "127.0.0.1", "::1"})
_INSTANCE = "http://169.254.169.254"
_STS_FIELD = rb"<%s>([^<>&\s]+)</"


class _Temporary(msgspec.Struct, frozen=True):
    """What the container and instance services answer."""

    access_key_id: str = msgspec.field(name="AccessKeyId")
    secret_access_key: str = msgspec.field(name="SecretAccessKey")
    token: str = msgspec.field(name="Token")
    expiration: dt.datetime = msgspec.field(name="Expiration")


class CredentialChain:
    """Finds credentials and keeps them until shortly before they end."""

    def __init__(self, settings: AwsConfig, session: aiohttp.ClientSession) -> None:
        self._settings = settings
        self._session = session
        self._known: AwsCredentials | None = None

    async def credentials(self) -> AwsCredentials:
        """Credentials that are good for the next minutes.

        Raises:
            GatewayError: There are none, or whoever gives them cannot be asked.
        """
        if self._known is None or time.time() > self._known.expires_at - _EARLY_S:
            self._known = await self._find()
        return self._known

    def forget(self) -> None:
        """Look again next time, because these were refused."""
        self._known = None

    async def _find(self) -> AwsCredentials:
        env = os.environ
        if env.get("AWS_ACCESS_KEY_ID") and env.get("AWS_SECRET_ACCESS_KEY"):
            return _static()
        if env.get("AWS_WEB_IDENTITY_TOKEN_FILE") and env.get("AWS_ROLE_ARN"):
            return await self._web_identity()
        if env.get("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI") or env.get("AWS_CONTAINER_CREDENTIALS_FULL_URI"):
            return await self._container()
        if self._settings.instance_metadata:
            return await self._instance()
        raise GatewayError(
            "There are no AWS credentials.",
            remedy="Give this program a role, set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or, on an instance, set "
            "'serve.secrets.aws.instance_metadata'.",
        )

    async def _web_identity(self) -> AwsCredentials:
        """AWS STS, AssumeRoleWithWebIdentity: the identity token is the credential, so the call is not signed."""
        body = {
            "Action": "AssumeRoleWithWebIdentity",
            "Version": "2011-06-15",
            "RoleArn": os.environ["AWS_ROLE_ARN"],
            "RoleSessionName": os.environ.get("AWS_ROLE_SESSION_NAME") or "lockgate",
            "WebIdentityToken": _file_text("AWS_WEB_IDENTITY_TOKEN_FILE"),
        }
        url = self._settings.sts_endpoint or f"https://sts.{self._settings.region}.{_domain(self._settings.region)}/"
        headers = {"content-type": "application/x-www-form-urlencoded"}
        answer = await self._ask("POST", url, headers=headers, body=urlencode(body).encode())
        names = ("AccessKeyId", "SecretAccessKey", "SessionToken", "Expiration")
        found = [re2.compile(_STS_FIELD % name.encode()).search(answer.body) for name in names]
        if any(match is None for match in found):
            raise _unusable("AWS STS answered without credentials")
        values = [(match.group(1) or b"").decode("ascii", "replace") for match in found if match is not None]
        return _temporary(dict(zip(("AccessKeyId", "SecretAccessKey", "Token", "Expiration"), values, strict=True)))

    async def _container(self) -> AwsCredentials:
        relative = os.environ.get("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI")
        url = f"{_CONTAINER}{relative}" if relative else os.environ["AWS_CONTAINER_CREDENTIALS_FULL_URI"]
        try:
            address = URL(url)
        except ValueError as error:
            raise _unusable("The address of the container's credentials cannot be read") from error
        if address.scheme != "https" and (address.scheme != "http" or address.host not in _CONTAINER_HOSTS):
            raise _unusable("The container's credentials are neither behind HTTPS nor on this machine")
        token = os.environ.get("AWS_CONTAINER_AUTHORIZATION_TOKEN", "")
        if os.environ.get("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"):
            token = _file_text("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE")
        headers = {"authorization": token} if token else {}
        return _decoded(await self._ask("GET", url, headers=headers))

    async def _instance(self) -> AwsCredentials:
        """EC2 instance metadata, version 2 only: version 1 answers to whoever can make a server fetch an address."""
        base = os.environ.get("AWS_EC2_METADATA_SERVICE_ENDPOINT", _INSTANCE).rstrip("/")
        lifetime = {"x-aws-ec2-metadata-token-ttl-seconds": "300"}
        token = await self._ask("PUT", f"{base}/latest/api/token", headers=lifetime)
        headers = {"x-aws-ec2-metadata-token": token.body.decode("ascii", "replace")}
        where = f"{base}/latest/meta-data/iam/security-credentials/"
        role = (await self._ask("GET", where, headers=headers)).body.decode("ascii", "replace").split("\n")[0].strip()
        if not role or not all(char.isascii() and (char.isalnum() or char in "+=,.@_-") for char in role):
            raise _unusable("The instance has no role")
        return _decoded(await self._ask("GET", where + role, headers=headers))

    async def _ask(
        self, method: str, url: str, *, headers: dict[str, str] | None = None, body: bytes | None = None
    ) -> Fetched:
        try:
            answer = await fetch(self._session, method, url, headers=headers, body=body)
        except FetchError as error:
            raise _unusable(f"The service with AWS credentials {error.why}") from error
        if answer.status != HTTPStatus.OK:
            raise _unusable(f"The service with AWS credentials answered with status {answer.status}")
        return answer


def _static() -> AwsCredentials:
    token = os.environ.get("AWS_SESSION_TOKEN")
    return AwsCredentials(
        os.environ["AWS_ACCESS_KEY_ID"].strip(),
        Secret(os.environ["AWS_SECRET_ACCESS_KEY"], source="env:AWS_SECRET_ACCESS_KEY"),
        Secret(token, source="env:AWS_SESSION_TOKEN") if token else None,
    )


def _decoded(answer: Fetched) -> AwsCredentials:
    try:
        return _temporary(msgspec.json.decode(answer.body))
    except msgspec.DecodeError:
        # The error may quote a credential, so it is not kept.
        raise _unusable("The service with AWS credentials answered with something else") from None


def _temporary(document: object) -> AwsCredentials:
    try:
        found = msgspec.convert(document, _Temporary)
    except msgspec.ValidationError:
        raise _unusable("The service with AWS credentials answered with something else") from None
    return AwsCredentials(
        found.access_key_id,
        Secret(found.secret_access_key, source="of the AWS role"),
        Secret(found.token, source="of the AWS role"),
        found.expiration.timestamp(),
    )


def _file_text(variable: str) -> str:
    """Text of a file that the platform mounts for this program; who else may read it is the platform's affair."""
    try:
        with Path(os.environ[variable]).open("rb") as stream:
            return Secret(stream.read(MAX_SECRET).decode("ascii"), source=f"in {variable}").reveal()
    except (OSError, ValueError) as error:
        raise _unusable(f"The file that {variable} names cannot be read") from error


def _domain(region: str) -> str:
    return "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"


def _unusable(what: str) -> GatewayError:
    return GatewayError(f"{what}.", remedy="Check the role of this program and 'serve.secrets.aws'.")
