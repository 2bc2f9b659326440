import datetime as dt
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import boto3
import pytest
from aiohttp import web
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import given, settings
from hypothesis import strategies as st

from lockgate.core.config_auth import AwsConfig, SecretsConfig
from lockgate.gateway.errors import GatewayError
from lockgate.gateway.secrets import Secret, Secrets
from lockgate.gateway.secrets.aws_sign import AwsCredentials, signed_headers

VALUE = "sk-canary-9876543210"
REGION = "eu-central-1"


@asynccontextmanager
async def book(root: Path, **aws: Any) -> AsyncIterator[Secrets]:
    found = SecretsConfig(aws=AwsConfig(region=REGION, **aws))
    async with Secrets.open(found, project_root=root) as secrets:
        yield secrets


@pytest.fixture
def stored(aws: str) -> str:
    client = boto3.client(
        "secretsmanager", endpoint_url=aws, region_name=REGION, aws_access_key_id="a", aws_secret_access_key="s"
    )
    for name, text in (("plain", VALUE), ("fields", json.dumps({"key": VALUE, "number": 5})), ("broken", '{"key": ')):
        try:
            client.create_secret(Name=name, SecretString=text)
        except client.exceptions.ResourceExistsException:
            client.put_secret_value(SecretId=name, SecretString=text)
    with suppress(client.exceptions.ResourceExistsException):
        client.create_secret(Name="binary", SecretBinary=b"\0\1")
    client.close()
    return aws


@pytest.fixture
def static(aws_environment: pytest.MonkeyPatch) -> None:
    aws_environment.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    aws_environment.setenv("AWS_SECRET_ACCESS_KEY", "secret-canary")


async def test_a_secret_and_a_field_of_one_are_read(stored: str, static: None, tmp_path: Path) -> None:
    async with book(tmp_path, endpoint=stored) as secrets:
        assert (await secrets.get("aws-secretsmanager:plain")).reveal() == VALUE
        assert (await secrets.get("aws-secretsmanager:fields#key")).reveal() == VALUE


@pytest.mark.parametrize(
    ("reference", "what"),
    [
        ("aws-secretsmanager:none", "no secret"),
        ("aws-secretsmanager:fields#none", "no such field"),
        ("aws-secretsmanager:fields#number", "no such field"),
        ("aws-secretsmanager:broken#key", "no such field"),
        ("aws-secretsmanager:binary", "no text"),
    ],
)
async def test_what_is_not_there_is_said(stored: str, static: None, tmp_path: Path, reference: str, what: str) -> None:
    async with book(tmp_path, endpoint=stored) as secrets:
        with pytest.raises(GatewayError, match=what) as caught:
            await secrets.get(reference)
    assert VALUE not in repr(caught.value) + repr(caught.value.__cause__)


async def test_without_credentials_nothing_is_asked(
    aws: str, aws_environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    async with book(tmp_path, endpoint=aws) as secrets:
        with pytest.raises(GatewayError, match="no AWS credentials"):
            await secrets.get("aws-secretsmanager:plain")


async def test_a_web_identity_is_exchanged(stored: str, aws_environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("eyJ.eyJ.sig\n")
    aws_environment.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", str(tmp_path / "token"))
    aws_environment.setenv("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/gateway")
    async with book(tmp_path, endpoint=stored, sts_endpoint=stored) as secrets:
        assert (await secrets.get("aws-secretsmanager:plain")).reveal() == VALUE


async def test_an_instance_role_is_asked_for_by_version_2_and_only_when_allowed(
    stored: str, aws_environment: pytest.MonkeyPatch, tmp_path: Path, served: Any
) -> None:
    async def token(request: web.Request) -> web.Response:
        assert request.headers["x-aws-ec2-metadata-token-ttl-seconds"]
        return web.Response(text="imds-token")

    async def names(request: web.Request) -> web.Response:
        assert request.headers["x-aws-ec2-metadata-token"] == "imds-token"
        return web.Response(text="gateway\n")

    paths = "/latest/meta-data/iam/security-credentials/"
    base = await served(
        web.put("/latest/api/token", token), web.get(paths, names), web.get(f"{paths}gateway", temporary())
    )
    aws_environment.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", base)
    async with book(tmp_path, endpoint=stored, instance_metadata=True) as secrets:
        assert (await secrets.get("aws-secretsmanager:plain")).reveal() == VALUE
    async with book(tmp_path, endpoint=stored) as secrets:
        with pytest.raises(GatewayError, match="no AWS credentials"):
            await secrets.get("aws-secretsmanager:plain")


async def test_a_container_role_is_asked_for_with_its_token(
    stored: str, aws_environment: pytest.MonkeyPatch, tmp_path: Path, served: Any
) -> None:
    (tmp_path / "token").write_text("container-token")
    base = await served(web.get("/role", temporary(authorization="container-token")))
    aws_environment.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"{base}/role")
    aws_environment.setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", str(tmp_path / "token"))
    async with book(tmp_path, endpoint=stored) as secrets:
        assert (await secrets.get("aws-secretsmanager:plain")).reveal() == VALUE


@pytest.mark.parametrize("address", ["http://192.0.2.1/role", "ftp://127.0.0.1/role", "http://[::/role", "file:///x"])
async def test_the_container_token_is_not_sent_to_strangers(
    aws: str, aws_environment: pytest.MonkeyPatch, tmp_path: Path, address: str
) -> None:
    aws_environment.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", address)
    async with book(tmp_path, endpoint=aws) as secrets:
        with pytest.raises(GatewayError, match="credentials"):
            await secrets.get("aws-secretsmanager:plain")


async def test_expired_credentials_are_fetched_anew_once(
    aws_environment: pytest.MonkeyPatch, tmp_path: Path, served: Any
) -> None:
    asked: list[str] = []

    async def secret(request: web.Request) -> web.Response:
        asked.append(request.headers["x-amz-security-token"])
        if len(asked) == 1:
            return web.json_response({"__type": "com.amazonaws#ExpiredTokenException"}, status=400)
        return web.json_response({"SecretString": VALUE})

    base = await served(web.post("/", secret), web.get("/role", temporary()))
    aws_environment.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"{base}/role")
    async with book(tmp_path, endpoint=base) as secrets:
        assert (await secrets.get("aws-secretsmanager:plain")).reveal() == VALUE
    assert len(asked) == 2


@pytest.mark.parametrize(
    "answer",
    [
        web.Response(status=500, text=VALUE),
        web.Response(status=302, headers={"location": "http://127.0.0.1:1/"}),
        web.Response(body=b"{" * 100),
        web.Response(body=b"x" * 300_000),
        web.Response(body=b"x", headers={"content-encoding": "gzip"}),
        web.json_response({"__type": "AccessDeniedException", "Message": VALUE}, status=400),
    ],
    ids=["500", "redirect", "garbage", "large", "compressed", "denied"],
)
async def test_a_server_that_misbehaves_gives_no_secret_and_shows_none(
    static: None, tmp_path: Path, served: Any, answer: web.Response
) -> None:
    async def reply(_: web.Request) -> web.Response:
        return answer

    base = await served(web.post("/", reply))
    async with book(tmp_path, endpoint=base) as secrets:
        with pytest.raises(GatewayError) as caught:
            await secrets.get("aws-secretsmanager:plain")
    assert VALUE not in repr(caught.value) + str(caught.value)


header = st.text("abcdefghijklmnopqrstuvwxyz-", min_size=1, max_size=12).filter(lambda name: name.strip("-") == name)


@settings(max_examples=100, deadline=None)
@given(
    body=st.binary(max_size=200),
    more=st.dictionaries(header, st.text("abc XYZ:/;=", max_size=30), max_size=4),
    token=st.sampled_from([None, "session/token=="]),
    secret=st.text("abc/+=", min_size=1, max_size=40),
)
def test_requests_are_signed_as_botocore_signs_them(
    body: bytes, more: dict[str, str], token: str | None, secret: str
) -> None:
    # What botocore leaves out of the signature or adds to it by itself is not ours to vary.
    more = {
        name: value for name, value in more.items() if not name.startswith(("x-amz", "host", "expect", "user", "te"))
    }
    more = {name: value for name, value in more.items() if name not in {"connection", "authorization", "date"}}
    now = dt.datetime.now(dt.UTC)
    host = "secretsmanager.eu-central-1.amazonaws.com"
    credentials = AwsCredentials("AKID", Secret(secret, source="t"), Secret(token, source="t") if token else None)
    ours = signed_headers(
        credentials, host=host, headers=more, body=body, region=REGION, service="secretsmanager", now=now
    )
    request = AWSRequest("POST", f"https://{host}/", headers=more, data=body)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("botocore.auth.get_current_datetime", lambda: now.replace(tzinfo=None))
        SigV4Auth(Credentials("AKID", secret, token), "secretsmanager", REGION).add_auth(request)
    assert ours["authorization"] == request.headers["Authorization"]


def temporary(**expected: str) -> Callable[[web.Request], Any]:
    async def answer(request: web.Request) -> web.Response:
        assert all(request.headers[name] == value for name, value in expected.items())
        end = (dt.datetime.now(dt.UTC) + dt.timedelta(hours=1)).isoformat().replace("+00:00", "Z")
        return web.json_response({"AccessKeyId": "ASIA", "SecretAccessKey": "s", "Token": "t", "Expiration": end})

    return answer
