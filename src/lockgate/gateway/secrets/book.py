"""Every secret that the gateway uses: fetched when needed, kept for a while, refused when it cannot be had anew."""

import asyncio
import logging
from collections.abc import AsyncGenerator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from time import monotonic
from typing import Self

import msgspec

from lockgate.core.config_auth import SecretsConfig
from lockgate.gateway.bounded_fetch import open_session
from lockgate.gateway.errors import GatewayError
from lockgate.gateway.secrets.aws import AwsReader
from lockgate.gateway.secrets.local import read_local
from lockgate.gateway.secrets.reference import Reference, parse_reference
from lockgate.gateway.secrets.secret import Secret
from lockgate.gateway.secrets.vault import VaultReader

_log = logging.getLogger(__name__)
# A secret is fetched anew after this share of its time, while the old one still counts.
_EARLY_SHARE = 0.5
_RETRY_S = 1.0


class _Entry(msgspec.Struct):
    reference: Reference
    secret: Secret | None = None
    fetched: float = float("-inf")
    failed: float = float("-inf")
    failure: GatewayError | None = None
    task: "asyncio.Task[Secret] | None" = None


class Secrets:
    """Secrets by reference. Use `open`."""

    def __init__(
        self, ttl_s: float, project_root: Path, vault: VaultReader | None = None, aws: AwsReader | None = None
    ) -> None:
        self._ttl_s = ttl_s
        self._project_root = project_root
        self._vault = vault
        self._aws = aws
        self._entries: dict[str, _Entry] = {}

    @classmethod
    @asynccontextmanager
    async def open(cls, settings: SecretsConfig, *, project_root: Path) -> AsyncGenerator[Self]:
        """Open the sources that `settings` name. Nothing is fetched yet.

        Args:
            settings: The section `serve.secrets`.
            project_root: The project, in which no secret may lie.

        Raises:
            GatewayError: A file of certificate authorities cannot be used.
        """
        async with AsyncExitStack() as stack:
            vault = aws = None
            if settings.vault is not None:
                opening = open_session(
                    timeout_s=settings.timeout_s, ca_file=settings.vault.ca_file, project_root=project_root
                )
                session = await stack.enter_async_context(opening)
                vault = VaultReader(
                    settings.vault, session, lambda reference: read_local(reference, project_root=project_root)
                )
            if settings.aws is not None:
                session = await stack.enter_async_context(open_session(timeout_s=settings.timeout_s))
                aws = AwsReader(settings.aws, session)
            book = cls(settings.ttl_s, project_root, vault, aws)
            try:
                yield book
            finally:
                await book._close()

    async def get(self, reference: str) -> Secret:
        """The secret behind a reference such as `vault:openai#key`.

        A secret counts for `ttl_s` seconds after it was fetched. In the second half of that time it is fetched anew
        behind the scenes; once it is over, only a fresh one is given.

        Raises:
            GatewayError: The reference means nothing, or the secret cannot be had. It never quotes a secret.
        """
        entry = self._entries.get(reference)
        if entry is None:
            entry = self._entries[reference] = _Entry(parse_reference(reference))
        now = monotonic()
        age = now - entry.fetched
        if entry.secret is not None and age < self._ttl_s:
            if age > self._ttl_s * _EARLY_SHARE and now - entry.failed > _RETRY_S:
                self._refresh(entry)
            return entry.secret
        if entry.failure is not None and now - entry.failed < _RETRY_S:
            raise entry.failure.with_traceback(None)
        return await asyncio.shield(self._refresh(entry))

    def forget(self, reference: str) -> None:
        """Fetch it anew at the next use, because the other side refused it."""
        if entry := self._entries.get(reference):
            entry.fetched = float("-inf")

    def _refresh(self, entry: _Entry) -> "asyncio.Task[Secret]":
        if entry.task is None or entry.task.done():
            entry.task = asyncio.create_task(self._fetch(entry))
            entry.task.add_done_callback(_retrieved)
        return entry.task

    async def _fetch(self, entry: _Entry) -> Secret:
        started = monotonic()
        try:
            secret = await self._read(entry.reference)
        except GatewayError as error:
            entry.failed, entry.failure = monotonic(), error
            _log.warning("The secret %s could not be fetched: %s", entry.reference, error)
            raise
        entry.secret, entry.fetched, entry.failure = secret, started, None
        return secret

    async def _read(self, reference: Reference) -> Secret:
        match reference.kind:
            case "vault" if self._vault is not None:
                return await self._vault.read(reference)
            case "aws-secretsmanager" if self._aws is not None:
                return await self._aws.read(reference)
            case "env" | "file":
                return read_local(reference, project_root=self._project_root)
            case kind:
                section = "vault" if kind == "vault" else "aws"
                raise GatewayError(
                    f"The secret {reference} has no source.", remedy=f"Add 'serve.secrets.{section}' to lockgate.yaml."
                )

    async def _close(self) -> None:
        tasks = [entry.task for entry in self._entries.values() if entry.task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def read_secret(reference: str, settings: SecretsConfig, *, project_root: Path) -> Secret:
    """Fetch one secret now and wait for it, for a command line and for what is needed before anything else starts.

    Raises:
        GatewayError: As in `Secrets.get`.
    """

    async def ask() -> Secret:
        async with Secrets.open(settings, project_root=project_root) as book:
            return await book.get(reference)

    # A thread of its own, because the caller may stand inside a running event loop.
    with ThreadPoolExecutor(1, thread_name_prefix="secret") as thread:
        return thread.submit(lambda: asyncio.run(ask())).result()


def _retrieved(task: "asyncio.Task[Secret]") -> None:
    """Look at the outcome, so that a refresh that nobody waits for does not complain at exit; `_fetch` logged it."""
    if not task.cancelled():
        task.exception()
