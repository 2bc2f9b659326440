"""Where an issuer says that its keys are (OpenID Connect Discovery 1.0, section 4)."""

from http import HTTPStatus
from typing import cast

import aiohttp

from lockgate.core.config_auth import is_address
from lockgate.gateway.auth.key_set import KeySetError
from lockgate.gateway.bounded_fetch import fetch
from lockgate.gateway.strict_json import JsonError, load

_PATH = "/.well-known/openid-configuration"


async def discover_keys(session: aiohttp.ClientSession, issuer: str) -> str:
    """The address of an issuer's key set.

    Args:
        session: Asks under the same bounds as for the keys themselves.
        issuer: Its name, which is an address.

    Raises:
        FetchError: Its configuration cannot be fetched.
        KeySetError: The configuration is another issuer's, or names no address that may be asked for keys.
    """
    answer = await fetch(session, "GET", issuer.removesuffix("/") + _PATH, headers={"accept": "application/json"})
    if answer.status != HTTPStatus.OK:
        raise KeySetError(f"its configuration has status {answer.status}")
    try:
        document = load(answer.body)
    except JsonError as error:
        raise KeySetError("its configuration is no JSON that has one meaning") from error
    if not isinstance(document, dict):
        raise KeySetError("its configuration is no JSON object")
    said = cast("dict[str, object]", document)
    # Whoever can put a document there, and no more, could otherwise lend us the keys of somebody else.
    if said.get("issuer") != issuer:
        raise KeySetError("its configuration names another issuer")
    address = said.get("jwks_uri")
    if not isinstance(address, str) or not is_address(address):
        raise KeySetError("its configuration names no 'jwks_uri' that is https")
    return address
