"""The attack run of a project: the bare model beside the served, guarded endpoint."""

import asyncio
import signal
from collections.abc import Generator
from contextlib import AsyncExitStack, contextmanager, suppress
from pathlib import Path

import msgspec
import uvloop

from lockgate import __version__
from lockgate.core.config import EmbeddedUpstream, RedteamConfig
from lockgate.core.files import Snapshot, digest, selects
from lockgate.core.home import home, private_folder
from lockgate.core.project import Project
from lockgate.core.subject import sha256_hex
from lockgate.gateway import Application, EphemeralKey, open_endpoint, read_application, serve_app, serve_settings
from lockgate.gateway import Endpoint as Upstream
from lockgate.monitor import EventStore
from lockgate.pipeline.errors import PipelineError
from lockgate.pipeline.observer import Progress
from lockgate.redteam import Corpus, Endpoint, HttpTarget, RedteamResult, SplitTarget, attack, load, summarise

BUILTIN = "builtin"
DOORS = 2
"""Guarded endpoints: one for attacks, one for harmless prompts."""


def attack_project(
    project: Project, config: RedteamConfig, taken: Snapshot, *, store: EventStore, progress: Progress
) -> RedteamResult:
    """Attack the bare and the guarded application with the same prompts.

    The bare model, the attacks on the guarded endpoint and the harmless prompts have a model process each: they run
    side by side, none sees another's prompt cache, and so the same seed gives the same replies.

    Args:
        project: The application; its upstream is started or called as `lockgate.yaml` says.
        config: Corpus, seed and the length of answers.
        taken: The files as the run found them; prompt and corpus must still be these.
        store: Takes an event for every guarded request.
        progress: Called after every attempt.

    Raises:
        LockgateError: The corpus, a prompt or the model cannot be used.
    """
    corpus = load(config.corpus, root=project.root)
    application = read_application(project)
    _require_unchanged(project, config, application, taken)
    progress(0, 0, "starting the model: bare, and behind the guard")
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner, _as_interrupt():
        return runner.run(_attack(project, config, corpus, application, store=store, progress=progress))


@contextmanager
def _as_interrupt() -> Generator[None]:
    """Let a polite kill end a run as Ctrl-C does."""
    try:
        yield
    except asyncio.CancelledError as error:
        raise KeyboardInterrupt from error


async def _attack(
    project: Project,
    config: RedteamConfig,
    corpus: Corpus,
    application: Application,
    *,
    store: EventStore,
    progress: Progress,
) -> RedteamResult:
    if task := asyncio.current_task():
        # Not every loop, nor every thread, can listen to signals.
        with suppress(NotImplementedError, RuntimeError, ValueError):
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    model = _identity(config, project.config.models, project.config.serve, application.refs)
    identity = _identity(model, project.policy.sha256)
    key = EphemeralKey("redteam")
    async with AsyncExitStack() as stack:
        plain, *behind = await asyncio.gather(
            *(stack.enter_async_context(open_endpoint(project, reuse=True)) for _ in range(1 + DOORS))
        )
        doors = [
            await stack.enter_async_context(
                serve_app(project, source="redteam", store=store, endpoint=one, verifier=key, application=application)
            )
            for one in behind
        ]
        bare = HttpTarget(
            "bare",
            fingerprint=f"bare:{model}",
            endpoint=_endpoint(plain, config, application.system_prompt),
            # A pinned model on this machine answers the same again; what runs elsewhere may have changed since.
            repeatable=isinstance(serve_settings(project).upstream, EmbeddedUpstream),
        )
        guarded = [
            HttpTarget(
                "guarded",
                fingerprint=f"guarded:{identity}",
                endpoint=_endpoint(Upstream(door.base_url, door.model, key.secret), config, None),
            )
            for door in doors
        ]
        for target in (bare, *guarded):
            await stack.enter_async_context(target)
        run = await attack(
            corpus,
            bare=bare,
            guarded=SplitTarget(*guarded),
            seed=config.seed,
            protected=application.protected,
            system_prompt=application.system_prompt,
            progress=progress,
            journal=_journal(model),
        )
    if not run.complete:
        # The journal keeps what was judged so far; an interrupted run decides nothing.
        raise asyncio.CancelledError
    return summarise(run)


def _endpoint(upstream: Upstream, config: RedteamConfig, system_prompt: str | None) -> Endpoint:
    return Endpoint(
        base_url=upstream.base_url,
        model=upstream.model,
        api_key=upstream.api_key,
        system_prompt=system_prompt,
        max_tokens=config.max_tokens,
        harmless_max_tokens=config.benign_max_tokens,
        seed=config.seed,
    )


def _require_unchanged(project: Project, config: RedteamConfig, application: Application, taken: Snapshot) -> None:
    """What was read just now must be what the earlier stages examined, or the evidence would name other bytes."""
    now = [*application.refs]
    if config.corpus != BUILTIN:
        names = [ref.uri for ref in taken.files if selects(f"{config.corpus.rstrip('/')}/*", ref.uri)]
        now += [digest(project.root, uri) for uri in names]
    for ref in now:
        if taken.digest_of(ref.uri) != ref.sha256:
            raise PipelineError(f"{ref.uri} changed since the run started.", remedy="Run again.")


def _identity(*facts: object) -> str:
    """What replies depend on besides the corpus, with the version of the guard and of the judges."""
    return sha256_hex(msgspec.json.encode((__version__, *facts)))


def _journal(identity: str) -> Path:
    # Outside the project: who can write the project must not be able to plant resisted attacks.
    return private_folder(home() / "journals") / f"{identity[:32]}.jsonl"
