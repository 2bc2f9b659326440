"""An issuer's keys, fetched when they are old or a token names an unknown one, and never more often than agreed."""

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from http import HTTPStatus
from pathlib import Path
from time import monotonic
from typing import Self

import aiohttp

from lockgate.core.config_auth import Algorithm, IssuerConfig
from lockgate.core.files import named_path
from lockgate.gateway.auth.discovery import discover_keys
from lockgate.gateway.auth.key_set import IssuerKey, KeySet, KeySetError, NoKeysError, parse_key_set
from lockgate.gateway.bounded_fetch import MAX_ANSWER, FetchError, fetch, open_session

_log = logging.getLogger(__name__)
_NEVER = float("-inf")


class Issuer:
    """One issuer. Use `open`.

    Attributes:
        settings: What is known about it.
        generation: Changes whenever its keys do, so that what was verified with older ones can be told.
    """

    def __init__(self, settings: IssuerConfig, root: Path, session: aiohttp.ClientSession | None) -> None:
        self.settings = settings
        self.generation = 0
        self._root = root
        self._session = session
        self._keys: KeySet | None = None
        self._body: bytes | None = None
        self._fetched = _NEVER
        self._tried = _NEVER
        self._task: asyncio.Task[None] | None = None

    @classmethod
    @asynccontextmanager
    async def open(cls, settings: IssuerConfig, *, project_root: Path) -> AsyncGenerator[Self]:
        """Open an issuer. Its keys are fetched at first use.

        Raises:
            GatewayError: Its file of certificate authorities cannot be used.
        """
        async with AsyncExitStack() as stack:
            session = None
            if settings.jwks_file is None:
                opening = open_session(
                    timeout_s=settings.timeout_s, ca_file=settings.ca_file, project_root=project_root
                )
                session = await stack.enter_async_context(opening)
            issuer = cls(settings, project_root, session)
            try:
                yield issuer
            finally:
                await issuer._close()

    @property
    def live(self) -> bool:
        """Whether its keys still count. Asking starts a refresh when they are due for one."""
        age = monotonic() - self._fetched
        if age > self.settings.refresh_s and self._may_try():
            self._refresh()
        return age <= self.settings.max_stale_s

    async def key(self, key_id: str | None, algorithm: Algorithm) -> IssuerKey | None:
        """The key for a token; asks the issuer anew, once, when it is unknown.

        Raises:
            KeySetError: The issuer cannot be asked, and what it said last is too old.
        """
        if not self.live:
            await self._ask()
            if not self.live:
                raise KeySetError("its keys cannot be had")
        found = self._known(key_id, algorithm)
        if found is None:
            await self._ask()
            found = self._known(key_id, algorithm)
        return found

    def _known(self, key_id: str | None, algorithm: Algorithm) -> IssuerKey | None:
        return None if self._keys is None else self._keys.find(key_id, algorithm)

    def _may_try(self) -> bool:
        return monotonic() - self._tried > self.settings.cooldown_s

    async def _ask(self) -> None:
        """Wait for the fetch that is under way, or start one where the last is long enough ago."""
        if self._task is not None and not self._task.done():
            await asyncio.shield(self._task)
        elif self._may_try():
            await asyncio.shield(self._refresh())

    def _refresh(self) -> "asyncio.Task[None]":
        if self._task is None or self._task.done():
            self._tried = monotonic()
            self._task = asyncio.create_task(self._fetch())
        return self._task

    async def _fetch(self) -> None:
        started = monotonic()
        try:
            body = await self._read()
            if body != self._body:
                self._keys = parse_key_set(body)
                self._body = body
                self.generation += 1
        except (KeySetError, FetchError, OSError) as error:
            why = error.why if isinstance(error, FetchError) else str(error)
            _log.warning("The keys of %s could not be had: %s", self.settings.issuer, why)
            if isinstance(error, NoKeysError):
                self._forget()
            return
        self._fetched = started

    def _forget(self) -> None:
        """An issuer that answers without keys is not down: it withdrew them, and they count no longer."""
        self._keys = self._body = None
        self._fetched = _NEVER
        self.generation += 1

    async def _read(self) -> bytes:
        if self._session is None:
            return await asyncio.to_thread(_read_file, self._root, self.settings.jwks_file or "")
        # Asked for every time: an issuer may move its keys.
        address = self.settings.jwks_url or await discover_keys(self._session, self.settings.issuer)
        answer = await fetch(self._session, "GET", address, headers={"accept": "application/json"})
        if answer.status != HTTPStatus.OK:
            raise KeySetError(f"status {answer.status}")
        return answer.body

    async def _close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)


def _read_file(root: Path, name: str) -> bytes:
    with named_path(root, name).open("rb") as stream:
        body = stream.read(MAX_ANSWER + 1)
    if len(body) > MAX_ANSWER:
        raise KeySetError("it is too large")
    return body
