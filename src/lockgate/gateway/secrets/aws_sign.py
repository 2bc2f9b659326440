"""AWS Signature Version 4 for a POST to `/`, which is all that Secrets Manager needs."""

import datetime as dt
import hashlib
import hmac
from collections.abc import Mapping

import msgspec

from lockgate.gateway.secrets.secret import Secret

_ALGORITHM = "AWS4-HMAC-SHA256"


class AwsCredentials(msgspec.Struct, frozen=True):
    """Who signs.

    Attributes:
        access_key_id: Public part.
        secret_access_key: Secret part.
        session_token: Of temporary credentials.
        expires_at: When they end, seconds since 1970; infinity for never.
    """

    access_key_id: str
    secret_access_key: Secret
    session_token: Secret | None = None
    expires_at: float = float("inf")


def signed_headers(
    credentials: AwsCredentials,
    *,
    host: str,
    headers: Mapping[str, str],
    body: bytes,
    region: str,
    service: str,
    now: dt.datetime,
) -> dict[str, str]:
    """Headers of a signed request: the given ones and those that sign them (AWS, "Signature Version 4").

    Args:
        credentials: Who signs.
        host: The `host` header that the client will send.
        headers: More headers, in lower case; all of them are signed.
        body: The body.
        region: For instance `eu-central-1`.
        service: For instance `secretsmanager`.
        now: This moment, UTC.
    """
    stamp = now.strftime("%Y%m%dT%H%M%SZ")
    sent = {**headers, "host": host, "x-amz-date": stamp}
    if credentials.session_token is not None:
        sent["x-amz-security-token"] = credentials.session_token.reveal()
    names = ";".join(sorted(sent))
    lines = "".join(f"{name}:{' '.join(sent[name].split())}\n" for name in sorted(sent))
    canonical = f"POST\n/\n\n{lines}\n{names}\n{hashlib.sha256(body).hexdigest()}"
    scope = f"{stamp[:8]}/{region}/{service}/aws4_request"
    text = f"{_ALGORITHM}\n{stamp}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    key = f"AWS4{credentials.secret_access_key.reveal()}".encode()
    for part in scope.split("/"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    signature = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
    credential = f"{credentials.access_key_id}/{scope}"
    sent["authorization"] = f"{_ALGORITHM} Credential={credential}, SignedHeaders={names}, Signature={signature}"
    return sent
