"""Cedar policies decide beside the rules, and alone where there are no rules."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from lockgate.core.project import open_project
from lockgate.gateway.application import read_application
from lockgate.gateway.assembly import open_live
from lockgate.gateway.embedded import Models
from lockgate.gateway.errors import GatewayError
from lockgate.gateway.live import Live, Spec
from lockgate.policy import PolicyError

SETTINGS = "  cedar: policies.cedar\n"
POLICIES = """permit(principal, action == Lockgate::Action::"chat", resource == Lockgate::Model::"assistant");
@id("no-shell") @reason("No shells.")
forbid(principal, action, resource) when { context.tools.contains("shell") };
@id("short")
forbid(principal, action, resource) when { context.size.max_tokens > 20 };
"""
SHELL = [{"type": "function", "function": {"name": "shell"}}]
DENY = """  rules:
    - {id: all, effect: allow}
    - {id: no-stream, effect: deny, when: stream}
    - {id: ask-many, effect: ask, when: messages > 1}
"""


@pytest.fixture
def begin(tmp_path: Path, start: Callable[..., Any]) -> Callable[..., Any]:
    """Starts a gateway with Cedar policies."""

    def with_policies(text: str | bytes, settings: str = SETTINGS) -> Any:
        (tmp_path / "project").mkdir(exist_ok=True)
        (tmp_path / "project/policies.cedar").write_bytes(text.encode() if isinstance(text, str) else text)
        return start(settings=settings)

    return with_policies


async def test_cedar_alone_decides_where_there_are_no_rules(begin: Callable[..., Any]) -> None:
    async with begin(POLICIES) as world:
        assert (await world.chat(max_tokens=9))[0] == 200
        asked = len(world.model.bodies)
        status, answer = await world.chat(max_tokens=9, tools=SHELL)
        assert (status, answer["error"]["code"], answer["error"]["message"]) == (403, "not_allowed", "No shells.")
        status, answer = await world.chat(max_tokens=30)
        assert (status, "short" in answer["error"]["message"]) == (403, True)
        status, _, _ = await world.send("POST", "/v1/embeddings", b'{"model": "assistant", "input": "Hello"}')
        assert status == 403
        assert len(world.model.bodies) == asked
        events = await world.events(4)
    assert [event.labels for event in events[1:]] == [("rule.no-shell",), ("rule.short",), ("rule.none",)]


async def test_rules_and_cedar_must_both_allow(begin: Callable[..., Any]) -> None:
    two = [{"role": "user", "content": "Hello"}] * 2
    async with begin(POLICIES, SETTINGS + DENY) as world:
        assert (await world.chat(max_tokens=9))[0] == 200
        assert (await world.chat_stream(max_tokens=9))[0] == 403
        assert (await world.chat(max_tokens=9, messages=two))[1]["error"]["code"] == "approval_required"
        assert (await world.chat(max_tokens=30, messages=two))[1]["error"]["code"] == "not_allowed"
    async with begin(POLICIES, SETTINGS.replace("cedar:", "rules: []\n  cedar:")) as world:
        assert (await world.chat(max_tokens=9))[0] == 403


async def test_a_policy_about_what_the_guard_finds_is_judged_once_it_has_looked(begin: Callable[..., Any]) -> None:
    found = 'forbid(principal, action, resource) when { context.sensitivity == "personal" };\n'
    async with begin(POLICIES + found) as world:
        assert (await world.chat(max_tokens=9))[0] == 200
        mail = [{"role": "user", "content": "Write to anna.berg@example.org."}]
        status, answer = await world.chat(max_tokens=9, messages=mail)
        assert (status, answer["error"]["code"]) == (403, "not_allowed")
        assert (await world.chat(max_tokens=9, tools=SHELL))[0] == 403
        assert len(world.model.bodies) == 1


async def test_policies_that_cannot_be_used_stop_the_start(begin: Callable[..., Any]) -> None:
    with pytest.raises(PolicyError, match="line 1 cannot be understood"):
        async with begin("permit(", SETTINGS):
            pass


@pytest.mark.parametrize(("name", "message"), [("none.cedar", "none.cedar"), ("../a.cedar", "a.cedar"), ("b", "UTF-8")])
def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path, name: str, message: str) -> None:
    (tmp_path / "b").write_bytes(b"\xff")
    upstream = "{kind: openai, base_url: 'http://127.0.0.1:9/v1', model: m}"
    text = f"version: 1\nproject: p\nserve: {{upstream: {upstream}, cedar: {name}}}\n"
    (tmp_path / "lockgate.yaml").write_text(text)
    with pytest.raises(GatewayError, match=message):
        read_application(open_project(tmp_path))


def test_the_file_is_named_by_digest_like_the_prompt(tmp_path: Path) -> None:
    (tmp_path / "p.cedar").write_text(POLICIES)
    upstream = "{kind: openai, base_url: 'http://127.0.0.1:9/v1', model: m}"
    (tmp_path / "lockgate.yaml").write_text(
        f"version: 1\nproject: p\nserve: {{upstream: {upstream}, cedar: p.cedar}}\n"
    )
    application = read_application(open_project(tmp_path))
    assert application.cedar == POLICIES
    assert [ref.uri for ref in application.refs] == ["p.cedar"]


async def test_a_reload_takes_new_policies_and_keeps_the_old_ones_where_they_are_bad(
    tmp_path: Path, start: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[Live] = []

    @asynccontextmanager
    async def seen(*args: Any, **options: Any) -> AsyncIterator[Live]:
        async with open_live(*args, **options) as live:
            opened.append(live)
            yield live

    monkeypatch.setattr("lockgate.gateway.server.open_live", seen)
    file = tmp_path / "project/policies.cedar"
    file.parent.mkdir()
    file.write_text(POLICIES)
    async with start(settings=SETTINGS) as world:

        async def reload() -> None:
            project = open_project(world.project.root)
            spec = Spec.of(project, read_application(project), "serve")
            await opened[0].load(spec, await Models().endpoints(project.root, project.config))

        file.write_text("permit(")
        with pytest.raises(PolicyError):
            await reload()
        assert (await world.chat(max_tokens=9))[0] == 200
        assert (await world.chat(max_tokens=30))[0] == 403
        file.write_text("permit(principal, action, resource);")
        await reload()
        assert (await world.chat(max_tokens=30))[0] == 200
