"""The attack run of a project: the bare model beside the served, guarded endpoint."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

import msgspec
import uvloop

from lockgate import __version__
from lockgate.core.config import RedteamConfig
from lockgate.core.home import home, private_folder
from lockgate.core.project import Project
from lockgate.core.subject import sha256_hex
from lockgate.gateway import Application, EphemeralKey, open_endpoint, read_application, serve_app
from lockgate.gateway import Endpoint as Upstream
from lockgate.monitor import EventStore
from lockgate.pipeline.observer import Progress
from lockgate.redteam import Corpus, Endpoint, HttpTarget, RedteamResult, attack, load, summarise


def attack_project(project: Project, config: RedteamConfig, *, store: EventStore, progress: Progress) -> RedteamResult:
    """Attack the bare and the guarded application with the same prompts.

    Both lanes have a model process of their own, so that they run side by side and neither sees the other's cache.

    Args:
        project: The application; its upstream is started or called as `lockgate.yaml` says.
        config: Corpus, seed and the length of answers.
        store: Takes an event for every guarded request.
        progress: Called after every attempt.

    Raises:
        LockgateError: The corpus, a prompt or the model cannot be used.
    """
    corpus = load(config.corpus, root=project.root)
    progress(0, 0, "starting the model twice: bare and behind the guard")
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_attack(project, config, corpus, store, progress))


async def _attack(
    project: Project, config: RedteamConfig, corpus: Corpus, store: EventStore, progress: Progress
) -> RedteamResult:
    application = read_application(project)
    identity = _identity(project, config, application)
    key = EphemeralKey("redteam")
    async with AsyncExitStack() as stack:
        plain, behind = await asyncio.gather(
            stack.enter_async_context(open_endpoint(project)), stack.enter_async_context(open_endpoint(project))
        )
        running = await stack.enter_async_context(
            serve_app(project, source="redteam", store=store, endpoint=behind, verifier=key, application=application)
        )
        guarded = Upstream(running.base_url, running.model, key.secret)
        bare = await stack.enter_async_context(
            _target("bare", plain, f"bare:{identity}", config, application.system_prompt)
        )
        shielded = await stack.enter_async_context(_target("guarded", guarded, f"guarded:{identity}", config, None))
        run = await attack(
            corpus,
            bare=bare,
            guarded=shielded,
            seed=config.seed,
            protected=application.protected,
            system_prompt=application.system_prompt,
            progress=progress,
            journal=_journal(identity),
        )
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        # The runner kept what was judged so far in the journal; an interrupted run decides nothing.
        raise asyncio.CancelledError
    return summarise(run)


def _target(
    name: str, upstream: Upstream, fingerprint: str, config: RedteamConfig, system_prompt: str | None
) -> HttpTarget:
    endpoint = Endpoint(
        base_url=upstream.base_url,
        model=upstream.model,
        api_key=upstream.api_key,
        system_prompt=system_prompt,
        max_tokens=config.max_tokens,
        seed=config.seed,
    )
    return HttpTarget(name, fingerprint=fingerprint, endpoint=endpoint)


def _identity(project: Project, config: RedteamConfig, application: Application) -> str:
    """What a result depends on besides the corpus: settings, model, prompt, parameters and the guard's version."""
    facts = (__version__, project.policy.sha256, config, project.config.models, application.refs)
    return sha256_hex(msgspec.json.encode(facts))


def _journal(identity: str) -> Path:
    # Outside the project: who can write the project must not be able to plant resisted attacks.
    return private_folder(home() / "journals") / f"{identity[:32]}.jsonl"
