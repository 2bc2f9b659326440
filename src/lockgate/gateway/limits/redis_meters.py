"""Meters in Redis, shared by every gateway with the same prefix."""

import asyncio
import hashlib
import logging
import random
import secrets
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Self, cast

import msgspec

from lockgate.core.config_limits import DistinctPrompts
from lockgate.gateway.errors import GatewayError
from lockgate.gateway.limits.gcra import REQUESTS, Costs, Entry, Full
from lockgate.gateway.limits.link import Link, Reply
from lockgate.gateway.limits.link_errors import LinkDownError, ReplyError
from lockgate.gateway.limits.plan import short
from lockgate.gateway.limits.redis_address import Address
from lockgate.gateway.limits.scripts import SETTLE, TAKE
from lockgate.gateway.limits.sketch import SLICES, fingerprint

_log = logging.getLogger(__name__)
_CONNECT_S = 3.0
_FIRST_PAUSE_S = 0.05
_LONGEST_PAUSE_S = 2.0
_LOOK_S = 30.0
_TAKE_SHA = hashlib.sha1(TAKE.encode(), usedforsecurity=False).hexdigest()
_SETTLE_SHA = hashlib.sha1(SETTLE.encode(), usedforsecurity=False).hexdigest()


class Password(msgspec.Struct, frozen=True):
    """Where a password comes from.

    Attributes:
        read: Gives it.
        forget: Makes the next reading ask its source, because Redis refused it.
    """

    read: Callable[[], Awaitable[str]]
    forget: Callable[[], None]


class TakenThere:
    """Room that was taken in Redis."""

    __slots__ = ("_costs", "_entries", "_expiry", "_levels", "_meters")

    def __init__(
        self, meters: "RedisMeters", entries: Sequence[Entry], costs: Costs, answer: Sequence[bytes | int]
    ) -> None:
        self._meters = meters
        self._entries = entries
        self._costs = costs
        self._expiry = cast("bytes", answer[1])
        self._levels = answer[2:]

    def levels(self) -> list[float]:
        """For each limit the seconds that use ran ahead after this request."""
        return [float(level) for level in self._levels]

    def settle(self, costs: Costs) -> None:
        """Give back what is held and count what was used, without waiting: what is lost counts as used in full."""
        self._meters.settle(self._entries, self._expiry, self._costs, costs)


class RedisMeters:
    """Meters by key in Redis. While it is away, every call fails at once and a task connects anew.

    Attributes:
        unsettled: Requests whose use could not be settled, so that their estimate counts.

    Args:
        address: Where it answers.
        password: The password for each connection; None for none.
        prefix: Begins the name of every key; in braces, so that in a cluster all lie together.
        timeout_s: Seconds in which it must answer.
        lease_s: Seconds after which what an admission holds counts as used.
        distinct: The limit of different prompts, where there is one.
    """

    def __init__(
        self,
        address: Address,
        password: Password | None,
        *,
        prefix: str,
        timeout_s: float,
        lease_s: int,
        distinct: DistinctPrompts | None,
    ) -> None:
        self._address = address
        self._password = password
        self._prefix = f"{{{prefix}}}:"
        self._timeout_s = timeout_s
        self._lease_s = lease_s
        self._distinct = distinct
        self._link: Link | None = None
        self._salt = b""
        self._refused = self._evicts = ""
        self.unsettled = 0

    @classmethod
    @asynccontextmanager
    async def open(
        cls,
        address: Address,
        password: Password | None,
        *,
        prefix: str,
        timeout_s: float,
        lease_s: int,
        distinct: DistinctPrompts | None,
    ) -> AsyncGenerator[Self]:
        """Connect, and stay connected until the block ends. Whether Redis answers shows in `healthy`."""
        meters = cls(address, password, prefix=prefix, timeout_s=timeout_s, lease_s=lease_s, distinct=distinct)
        first = asyncio.Event()
        task = asyncio.create_task(meters._stay_connected(first))
        try:
            await first.wait()
            yield meters
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    @property
    def healthy(self) -> bool:
        """Whether there is a connection."""
        return self._link is not None

    async def take(self, entries: Sequence[Entry], costs: Costs, prompt: tuple[str, bytes] | None) -> TakenThere | Full:
        """Take room in every entry, or in none. `Full.index` is `len(entries)` for the limit of different prompts.

        Args:
            entries: What to take room in.
            costs: How much.
            prompt: Id of the key and its prompt, of which only a keyed hash leaves; None where they are not counted.

        Raises:
            LinkDownError: Redis cannot be asked.
        """
        keys = [self._prefix + entry.key for entry in entries]
        arguments: list[str | bytes | float] = [len(keys), self._lease_s]
        for _, kind, interval, tolerance, _ in entries:
            arguments += (interval, costs[kind], tolerance, int(kind != REQUESTS))
        wait_s = self._add_prompt(prompt, keys, arguments)
        answer = cast("list[bytes | int]", await self._run(TAKE, _TAKE_SHA, keys, arguments))
        self._refused = ""
        verdict = int(answer[0])
        if verdict == 0:
            return Full(len(entries), wait_s)
        if verdict < 0:
            return Full(-verdict - 1, float(answer[1]))
        return TakenThere(self, entries, costs, answer)

    def settle(self, entries: Sequence[Entry], expiry: bytes, held: Costs, used: Costs) -> None:
        """Give back what `expiry` names as `held` and count what was used, as `TakenThere.settle` says."""
        keys: list[str] = []
        arguments: list[str | bytes | float] = [expiry, self._lease_s]
        for key, kind, interval, _, _ in entries:
            if kind != REQUESTS:
                keys.append(self._prefix + key)
                arguments += (interval, held[kind], used[kind])
        if not keys:
            return
        if self._link is None:
            self.unsettled += 1
            return
        try:
            sent = self._link.send("EVALSHA", _SETTLE_SHA, len(keys), *keys, *arguments)
        except LinkDownError:
            self.unsettled += 1
        else:
            sent.add_done_callback(self._note)

    def _note(self, sent: "asyncio.Future[Reply]") -> None:
        error = sent.exception()
        if error is None:
            return
        self.unsettled += 1
        if isinstance(error, ReplyError) and error.code == "NOSCRIPT" and self._link:
            self._link.send("SCRIPT", "LOAD", SETTLE).add_done_callback(_look_at)

    def _add_prompt(
        self, prompt: tuple[str, bytes] | None, keys: list[str], arguments: list[str | bytes | float]
    ) -> float:
        if prompt is None or self._distinct is None:
            return 0.0
        slice_s = self._distinct.every_s / SLICES
        now = time.time()
        current = int(now / slice_s)
        key_id, text = prompt
        who = f"{self._prefix}distinct:{short(key_id)}:{self._distinct.every_s:g}"
        keys += [f"{who}:{number}" for number in range(current - SLICES, current + 1)]
        arguments += (
            self._distinct.limit,
            fingerprint(text, self._salt),
            int(self._distinct.every_s + slice_s) + 60,
        )
        return slice_s - now % slice_s

    async def _run(self, script: str, sha: str, keys: Sequence[str], arguments: Sequence[str | bytes | float]) -> Reply:
        link = self._link
        if link is None:
            raise LinkDownError("there is no connection")
        try:
            try:
                return await link.send("EVALSHA", sha, len(keys), *keys, *arguments)
            except ReplyError as error:
                if error.code != "NOSCRIPT":
                    raise
                return await link.send("EVAL", script, len(keys), *keys, *arguments)
        except ReplyError as error:
            if error.code != self._refused:
                self._refused = error.code
                _log.error("Limits cannot be counted: %s.", error)
            if error.code == "READONLY":
                link.close()
            raise LinkDownError(str(error)) from error

    async def _stay_connected(self, first: asyncio.Event) -> None:
        pause_s = _FIRST_PAUSE_S
        told = ""
        while True:
            lost = asyncio.Event()
            link: Link | None = None
            try:
                async with asyncio.timeout(_CONNECT_S):
                    link = await self._connect(lost)
                    await self._greet(link)
            except Exception as error:  # noqa: BLE001 - whatever it is, nothing passes and the next try follows
                if link:
                    link.close()
                if self._password and isinstance(error, ReplyError) and error.code == "WRONGPASS":
                    self._password.forget()
                ours = isinstance(error, LinkDownError | ReplyError | GatewayError)
                why = str(error).rstrip(".") if ours else type(error).__name__
                if why != told:
                    _log.error("Redis, which counts limits, cannot be used: %s.", why)
                    told = why
            else:
                _log.info("Redis counts limits.")
                self._link = link
                pause_s, told = _FIRST_PAUSE_S, ""
                first.set()
                try:
                    await self._look_after(link, lost)
                finally:
                    self._link = None
                    link.close()
                _log.error("The connection to Redis, which counts limits, broke off.")
            first.set()
            await asyncio.sleep(pause_s * random.uniform(0.5, 1.0))  # noqa: S311 - spreads reconnects, no secret
            pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)

    async def _connect(self, lost: asyncio.Event) -> Link:
        loop = asyncio.get_running_loop()
        where = self._address

        def make() -> Link:
            return Link(self._timeout_s, lost.set)

        if where.path:
            _, link = await loop.create_unix_connection(make, where.path)
        else:
            name = where.host if where.tls else None
            _, link = await loop.create_connection(make, where.host, where.port, ssl=where.tls, server_hostname=name)
        return link

    async def _greet(self, link: Link) -> None:
        where = self._address
        if self._password:
            await link.send("AUTH", *([where.username] if where.username else []), await self._password.read())
        if where.database:
            await link.send("SELECT", where.database)
        await link.send("SCRIPT", "LOAD", TAKE)
        await link.send("SCRIPT", "LOAD", SETTLE)
        await self._look(link)

    async def _look_after(self, link: Link, lost: asyncio.Event) -> None:
        """Until the connection is lost, look now and then whether the counters are still there."""
        while not lost.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(_LOOK_S):
                    await lost.wait()
                return
            with suppress(LinkDownError, ReplyError):
                await self._look(link)

    async def _look(self, link: Link) -> None:
        """Tell when counters are gone or may go: limits that begin anew are open, and no reply of theirs says so."""
        # The salt is kept with the counters: it is the same for every gateway, and gone when they are.
        name = f"{self._prefix}salt"
        await link.send("SET", name, secrets.token_hex(16), "NX")
        salt = cast("bytes", await link.send("GET", name))
        if self._salt and salt != self._salt:
            _log.error("Redis has lost its data: every limit begins anew. Let it keep an append-only file.")
        self._salt = salt
        try:
            evicts = _evicts(cast("bytes", await link.send("INFO", "memory")))
        except ReplyError:  # a user who may not ask
            return
        if evicts and evicts != self._evicts:
            _log.error(
                "Redis may drop counters to make room (maxmemory-policy %s), and limits then begin anew. "
                "Let its policy be noeviction.",
                evicts,
            )
        self._evicts = evicts


def _evicts(memory: bytes) -> str:
    """By which policy Redis drops keys to make room, from what `INFO memory` says; empty where it does not."""
    facts = dict(line.split(":", 1) for line in memory.decode("utf-8", "replace").splitlines() if ":" in line)
    policy = facts.get("maxmemory_policy", "noeviction")
    return "" if policy == "noeviction" or facts.get("maxmemory", "0") == "0" else policy


def _look_at(sent: "asyncio.Future[Reply]") -> None:
    """So that a failure that changes nothing does not complain when it is collected."""
    sent.exception()
