"""The one entry: may this caller send this request now, and what did it use in the end."""

import logging
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from secrets import token_bytes
from typing import TYPE_CHECKING, Self

from lockgate.core.config_limits import LimitsConfig, RedisStore
from lockgate.gateway.caller import Caller
from lockgate.gateway.errors import ApiError, GatewayError
from lockgate.gateway.limits.admission import Admission, Estimate
from lockgate.gateway.limits.gcra import Costs, Full
from lockgate.gateway.limits.link_errors import LinkDownError
from lockgate.gateway.limits.memory import MemoryMeters, NoRoomError
from lockgate.gateway.limits.plan import Plan, Planner
from lockgate.gateway.limits.redis_address import read_address
from lockgate.gateway.limits.refusals import (
    never_fits,
    over_limit,
    too_long,
    too_many_prompts,
    unavailable,
    unpriced,
)
from lockgate.gateway.limits.sketch import DistinctMeters
from lockgate.gateway.limits.slots import Place, Slots
from lockgate.gateway.limits.standing import Shape, standing
from lockgate.gateway.secrets import Secrets

if TYPE_CHECKING:
    from lockgate.gateway.limits.redis_meters import RedisMeters

_log = logging.getLogger(__name__)
_LEASE_MARGIN_S = 60


class Limiter:
    """Limits of requests, tokens, spend, concurrency and different prompts.

    Args:
        settings: The limits.
        redis: Where use is counted; None for in this process.
        workers: Processes that serve together; what one of them counts alone gets that part of every limit.
        clock: Seconds that never go back.

    Raises:
        GatewayError: The settings name Redis and there is none, or a limit cannot be divided among the workers.
    """

    def __init__(
        self,
        settings: LimitsConfig,
        *,
        redis: "RedisMeters | None" = None,
        workers: int = 1,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        store = settings.store
        if redis is None and isinstance(store, RedisStore):
            raise GatewayError("The settings count use in Redis.", remedy="Open the limiter with Limiter.open.")
        self._settings = settings
        self._redis = redis
        self._workers = workers
        self._slots = Slots(settings.concurrency, share=workers)
        self._local = redis is None or (isinstance(store, RedisStore) and store.when_down == "memory")
        entries = 100_000 if isinstance(store, RedisStore) else store.max_entries
        self._memory = MemoryMeters(entries, clock)
        self._distinct = _distinct(settings, workers, clock)
        self._planner, self._alone = self._planners(settings)
        self.degraded = False

    @classmethod
    @asynccontextmanager
    async def open(
        cls, settings: LimitsConfig, *, project_root: Path, secrets: Secrets, workers: int = 1
    ) -> AsyncGenerator[Self]:
        """A limiter for these settings, connected to Redis where they name it.

        An unreachable Redis does not keep it from opening: `healthy` is false, and `admit` refuses or counts alone,
        as the settings say.

        Args:
            settings: The limits.
            project_root: The project, to which paths are relative.
            secrets: Knows the password of Redis.
            workers: Processes that serve together.

        Raises:
            GatewayError: The address or password of Redis is wrong, `hiredis` is not installed, or a limit cannot be
                divided among the workers.
        """
        store = settings.store
        if not isinstance(store, RedisStore):
            yield cls(settings, workers=workers)
            return
        try:
            from lockgate.gateway.limits.redis_meters import Password, RedisMeters  # noqa: PLC0415 - an extra
        except ImportError as error:
            raise GatewayError(
                "Limits in Redis need hiredis, which is not installed.", remedy="Run: pip install 'lockgate[redis]'"
            ) from error
        async with RedisMeters.open(
            read_address(store, project_root=project_root),
            Password(*(await _password(store.password, secrets))) if store.password else None,
            prefix=store.prefix,
            timeout_s=store.timeout_ms / 1000,
            lease_s=int(settings.patience.stream_s + settings.patience.body_s) + _LEASE_MARGIN_S,
            distinct=settings.distinct_prompts,
        ) as redis:
            yield cls(settings, redis=redis, workers=workers)

    @property
    def healthy(self) -> bool:
        """Whether use can be counted where the settings say."""
        return self._redis is None or self._redis.healthy

    @property
    def in_progress(self) -> int:
        """Requests that entered and have not ended."""
        return self._slots.total

    def reload(self, settings: LimitsConfig) -> None:
        """Apply other limits from now on; what was used already still counts.

        Raises:
            GatewayError: A limit cannot be divided among the workers, or something changed that needs a restart.
        """
        # Redis was told how long a request may hold something back.
        fixed = ("store", "distinct_prompts", *(("patience",) if self._redis else ()))
        changed = [name for name in fixed if getattr(settings, name) != getattr(self._settings, name)]
        if changed:
            raise GatewayError(
                f"limits.{changed[0]} cannot change while the gateway runs.",
                remedy="Restart the gateway.",
            )
        self._planner, self._alone = self._planners(settings)
        self._slots.change(settings.concurrency)
        self._settings = settings

    def enter(self, caller: Caller) -> Place:
        """Count a request as in progress, before its body is read, for as long as the context that this gives.

        Raises:
            LimitError: 429 when the caller's key, 503 when everybody together has too many in progress.
        """
        return self._slots.enter(caller.key_id)

    async def admit(self, caller: Caller, model: str, estimate: Estimate, *, shape: Shape = "openai") -> Admission:
        """Let a request through, or raise. Of all limits either each counts it or none does.

        Args:
            caller: Whose request it is.
            model: The served model that it is for; never a name that nobody checked.
            estimate: What it may use.
            shape: Whose header names to use.

        Raises:
            ApiError: 400 `context_length_exceeded`, `max_tokens_too_large` or `request_exceeds_limit`, 429
                `rate_limit_exceeded`, 503 `limits_unavailable`.
        """
        if estimate.input_tokens > self._settings.max_input_tokens:
            raise too_long(output=False)
        if estimate.output_tokens > self._settings.max_output_tokens:
            raise too_long(output=True)
        if self._redis is None:
            return self._admit_here(self._planner.plan(caller, model), caller.key_id, estimate, shape)
        return await self._admit_there(self._redis, caller, model, estimate, shape)

    def _admit_here(self, plan: Plan, key_id: str, estimate: Estimate, shape: Shape) -> Admission:
        if plan.unpriced:
            raise unpriced()
        costs = plan.costs(estimate.input_tokens, estimate.output_tokens)
        distinct = self._distinct
        if distinct and (wait_s := distinct.wait(key_id)):
            raise too_many_prompts(wait_s)
        try:
            taken = self._memory.take(plan.entries, costs)
        except NoRoomError as error:
            _log.error("Limits cannot be counted: every counter is in use. Raise limits.store.max_entries.")
            raise unavailable() from error
        if isinstance(taken, Full):
            raise _refusal(plan, costs, taken, shape)
        if distinct:
            distinct.add(key_id, _prompt(estimate))
        return Admission(plan, costs, taken, shape)

    async def _admit_there(
        self, redis: "RedisMeters", caller: Caller, model: str, estimate: Estimate, shape: Shape
    ) -> Admission:
        plan = self._planner.plan(caller, model)
        if plan.unpriced:
            raise unpriced()
        costs = plan.costs(estimate.input_tokens, estimate.output_tokens)
        prompt = (caller.key_id, _prompt(estimate)) if self._settings.distinct_prompts else None
        try:
            taken = await redis.take(plan.entries, costs, prompt)
        except LinkDownError as error:
            if not self._local:
                raise unavailable() from error
            self._tell(degraded=True)
            alone = self._alone.plan(caller, model)
            admission = self._admit_here(alone, caller.key_id, estimate, shape)
            admission.degraded = True
            return admission
        self._tell(degraded=False)
        if isinstance(taken, Full):
            raise _refusal(plan, costs, taken, shape)
        return Admission(plan, costs, taken, shape)

    def _planners(self, settings: LimitsConfig) -> tuple[Planner, Planner]:
        if self._redis is None or not self._local:
            one = Planner(settings, share=1 if self._redis else self._workers)
            return one, one
        return Planner(settings), Planner(settings, share=self._workers)

    def _tell(self, *, degraded: bool) -> None:
        if degraded is not self.degraded:
            self.degraded = degraded
            if degraded:
                _log.error("Redis is away: this process counts limits alone until it is back (when_down: memory).")
            else:
                _log.warning("Redis is back and counts limits again.")


async def _password(reference: str, secrets: Secrets) -> tuple[Callable[[], Awaitable[str]], Callable[[], None]]:
    """How to read a password and how to forget it. It is read once, so that a missing one is told at the start."""

    async def read() -> str:
        return (await secrets.get(reference)).reveal()

    await read()
    return read, partial(secrets.forget, reference)


def _prompt(estimate: Estimate) -> bytes:
    """What tells the prompt from others; where nobody said it, it counts as one that never came before."""
    return estimate.prompt or token_bytes(16)


def _distinct(settings: LimitsConfig, workers: int, clock: Callable[[], float]) -> DistinctMeters | None:
    chosen = settings.distinct_prompts
    if chosen is None:
        return None
    return DistinctMeters(max(1, chosen.limit // workers), chosen.every_s, clock, token_bytes(32))


def _refusal(plan: Plan, costs: Costs, full: Full, shape: Shape) -> ApiError:
    for entry in plan.entries:
        if costs[entry.kind] * entry.interval > entry.tolerance:
            return never_fits(entry.limit)
    if full.index == len(plan.entries):
        return too_many_prompts(full.wait_s)
    entry = plan.entries[full.index]
    level = entry.tolerance + full.wait_s - costs[entry.kind] * entry.interval
    return over_limit(entry.limit, full.wait_s, standing([entry], [level], shape))
