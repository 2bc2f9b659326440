"""JSON Web Tokens of known issuers: verified once, then remembered by their hash until they end."""

import hashlib
from collections import OrderedDict
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from time import time as wall_clock
from typing import Self

import msgspec

from lockgate.core.config_auth import AuthConfig
from lockgate.gateway.auth.claims import caller_of, check_audience, check_times, issuer_of
from lockgate.gateway.auth.issuer import Issuer
from lockgate.gateway.auth.jws import Jws, TokenError, parse, signature_holds
from lockgate.gateway.auth.key_set import KeySetError
from lockgate.gateway.auth.refusal import Reason, Refusal
from lockgate.gateway.caller import Caller


class _Verified(msgspec.Struct, frozen=True):
    caller: Caller
    issuer: Issuer
    generation: int
    until: float


class TokenVerifier:
    """Tells whom a token stands for. Use `open`."""

    def __init__(self, settings: AuthConfig, issuers: dict[str, Issuer], pepper: bytes) -> None:
        self._settings = settings
        self._issuers = issuers
        self._pepper = pepper
        self._verified: OrderedDict[bytes, _Verified] = OrderedDict()

    @classmethod
    @asynccontextmanager
    async def open(cls, settings: AuthConfig, *, project_root: Path, pepper: bytes) -> AsyncGenerator[Self]:
        """Open the issuers that `settings` name.

        Args:
            settings: The section `serve.auth`.
            project_root: Where relative paths start.
            pepper: Under which subjects are hashed for events.

        Raises:
            GatewayError: A file of certificate authorities cannot be used.
        """
        async with AsyncExitStack() as stack:
            issuers = {
                one.issuer: await stack.enter_async_context(Issuer.open(one, project_root=project_root))
                for one in settings.issuers
            }
            yield cls(settings, issuers, pepper)

    async def caller(self, token: str) -> Caller | Refusal:
        """Who a valid token stands for, or why it is refused. Any text may be given."""
        if len(token) > self._settings.max_token_bytes or not token.isascii():
            return Refusal(Reason.JWT_MALFORMED)
        digest = hashlib.sha256(token.encode("ascii")).digest()
        known = self._remembered(digest)
        if known is not None:
            return known
        try:
            return await self._verify(token, digest)
        except TokenError as error:
            return Refusal(error.reason)
        except KeySetError:
            return Refusal(Reason.ISSUER_UNAVAILABLE)

    def _remembered(self, digest: bytes) -> Caller | None:
        known = self._verified.get(digest)
        if known is None:
            return None
        if wall_clock() >= known.until or known.generation != known.issuer.generation or not known.issuer.live:
            del self._verified[digest]
            return None
        self._verified.move_to_end(digest)
        return known.caller

    async def _verify(self, token: str, digest: bytes) -> Caller:
        jws = parse(token)
        issuer = self._issuers.get(issuer_of(jws.claims))
        if issuer is None:
            raise TokenError(Reason.UNKNOWN_ISSUER)
        generation = await self._check_signature(jws, issuer)
        now = wall_clock()
        ends = check_times(jws.claims, now=now, leeway_s=self._settings.leeway_s)
        check_audience(jws.claims, issuer.settings.audience)
        caller = caller_of(jws.claims, issuer.settings, self._pepper)
        self._verified[digest] = _Verified(caller, issuer, generation, min(ends, now + self._settings.cache_s))
        if len(self._verified) > self._settings.cache_size:
            self._verified.popitem(last=False)
        return caller

    async def _check_signature(self, jws: Jws, issuer: Issuer) -> int:
        """Check the signature and give the generation of the key that made it.

        Raises:
            TokenError: The algorithm is not accepted, the key is unknown, or the signature is wrong.
            KeySetError: The issuer's keys cannot be had.
        """
        if jws.algorithm not in issuer.settings.algorithms:
            raise TokenError(Reason.JWT_ALGORITHM)
        found = await issuer.key(jws.key_id, jws.algorithm)
        generation = issuer.generation
        if found is None:
            raise TokenError(Reason.UNKNOWN_SIGNER)
        if not signature_holds(jws, found.key):
            raise TokenError(Reason.BAD_SIGNATURE)
        return generation
