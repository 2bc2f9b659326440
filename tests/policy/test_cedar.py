import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cedarpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockgate.policy import CedarBook, Effect, PolicyError, Ruling, read_cedar, request_attributes
from lockgate.policy.cedar_text import statements

ASKED: dict[str, Any] = {
    "action": "chat",
    "key": "key-1",
    "tenant": "harbour",
    "name": "ci",
    "scopes": {"chat"},
    "model": "small",
    "tools": ["search"],
    "max_tokens": 100,
}
ALL = "permit(principal, action, resource);\n"


def ruling(text: str, **changes: Any) -> Ruling:
    return CedarBook(read_cedar(text)).rule(request_attributes(**(ASKED | changes)))


@pytest.mark.parametrize(
    "condition",
    [
        'principal == Lockgate::Caller::"key-1"',
        'principal.tenant == "harbour" && principal.name == "ci" && principal.scopes.contains("chat")',
        'action == Lockgate::Action::"chat" && resource == Lockgate::Model::"small"',
        'context.caller.tenant == principal.tenant && context.model == "small" && context.action == "chat"',
        'context.tools.contains("search") && !context.tools.contains("shell")',
        "context.size.max_tokens == 100 && context.size.bytes < 1 && context.size.prompt_tokens == 0",
        "!context.stream && context.images == 0 && context.messages == 0",
    ],
)
def test_policies_see_what_conditions_of_rules_see(condition: str):
    assert ruling(f"permit(principal, action, resource) when {{ {condition} }};").effect is Effect.ALLOW
    assert ruling(f"permit(principal, action, resource) unless {{ {condition} }};").effect is Effect.DENY


def test_what_no_policy_permits_is_denied():
    text = 'permit(principal, action == Lockgate::Action::"embeddings", resource);'
    assert ruling(text) == Ruling(Effect.DENY, "", "No Cedar policy permits this.")
    assert ruling(text, action="embeddings").effect is Effect.ALLOW
    assert ruling(text, action="admin").effect is Effect.DENY


def test_a_forbid_counts_more_than_a_permit_and_is_named():
    tools = '@id("no-shell") @reason("No shells.")\n'
    tools += 'forbid(principal, action, resource) when {context.tools.contains("sh")};'
    size = "\n// long answers\nforbid(principal, action, resource)\nwhen { context.size.max_tokens > 4000 };"
    assert ruling(ALL + tools + size).effect is Effect.ALLOW
    assert ruling(ALL + tools + size, tools=["sh"]) == Ruling(Effect.DENY, "no-shell", "No shells.")
    assert ruling(ALL + tools + size, max_tokens=5_000) == Ruling(
        Effect.DENY, "line-5", "Cedar policy line-5 forbids this."
    )


def test_a_policy_that_cannot_be_evaluated_denies_also_where_another_permits():
    text = ALL + '@id("sum")\npermit(principal, action, resource) when {context.messages + 9223372036854775807 > 5};'
    assert ruling(text).effect is Effect.ALLOW
    assert ruling(text, messages=1) == Ruling(Effect.DENY, "sum", "The Cedar policy sum could not be evaluated.")


@pytest.mark.parametrize(
    "changes", [{"tools": ["\ud800"]}, {"tools": ["x"] * 2_000}, {"model": "m" * 70_000}, {"messages": 2**63}]
)
def test_what_cannot_be_asked_is_denied(changes: dict[str, Any]):
    assert ruling(ALL, **changes).effect is Effect.DENY


@pytest.mark.parametrize("field", ["sensitivity", "labels"])
def test_a_policy_about_what_nobody_knows_yet_denies(field: str):
    known = '.contains("secret.key")' if field == "labels" else ' == "secret"'
    text = ALL + f'@id("found")\nforbid(principal, action, resource) when {{ context.{field}{known} }};'
    assert ruling(text).reason.endswith("is missing.")
    assert ruling(text, sensitivity="none", labels=[]).effect is Effect.ALLOW
    assert ruling(text, sensitivity="secret", labels=["secret.key"]).rule == "found"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "has none"),
        ("// nothing", "has none"),
        (ALL + "\npermit(principal, action", "line 3 cannot be understood"),
        (ALL + "permit(prin, action, resource);", "line 2 cannot be understood: .*prin"),
        (ALL + 'permit(principal, action, resource) when {principal.tenat == "x"};', "line 2 is not valid: .*tenat"),
        ('permit(principal, action == Lockgate::Action::"chatt", resource);', "line 1 is not valid: .*chatt"),
        ('permit(principal, action, resource) when {context.images > "2"};', "expected Long"),
        ("forbid(principal == ?principal, action, resource);", "line 1 is a template"),
        ('@id("a b")\npermit(principal, action, resource);', "line 1 has an @id"),
        ('@id("a")' + ALL + '@id("a")' + ALL, "Two Cedar policies are named 'a'"),
        (f'@reason("{"x" * 301}")' + ALL, "@reason of more than 300"),
        ("permit(principal, action, resource) when {" + "(" * 5_000 + "};", "nested too deeply"),
        ("permit(principal, action, resource) when {" + "true||" * 1_300 + "true};", "nested too deeply"),
        ("permit(principal, action, resource) when {" + "true||" * 2_000 + "true};", "more than 8,192 characters"),
        (ALL * 501, "more than 500"),
    ],
)
def test_a_file_that_is_not_valid_says_where(text: str, message: str):
    with pytest.raises(PolicyError, match=message):
        CedarBook(read_cedar(text))


@given(st.lists(st.sampled_from(['"', "\\", ";", "//", "\n", "(", ")", "a", " ", '"a;b"', "permit(principal);"])))
def test_any_text_is_taken_apart_without_losing_a_policy(parts: list[str]):
    text = "".join(parts)
    for found in statements(text):
        assert text.splitlines(keepends=True)[found.line - 1].strip()
        assert found.text in text


def test_without_the_library_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "cedarpy", None)
    with pytest.raises(PolicyError, match="not installed") as caught:
        CedarBook(read_cedar(ALL))
    assert "pip install 'lockgate[cedar]'" in caught.value.remedy


def test_a_library_that_fails_denies(monkeypatch: pytest.MonkeyPatch):
    def fail(*_: object) -> None:
        raise RuntimeError("panicked")

    book = CedarBook(read_cedar(ALL))
    monkeypatch.setattr(cedarpy, "is_authorized", fail)
    answer = book.rule(request_attributes(**ASKED))
    assert answer == Ruling(Effect.DENY, "", "The Cedar policies could not be evaluated.")


def test_a_library_that_reads_another_number_of_policies_is_not_trusted(monkeypatch: pytest.MonkeyPatch):
    whole = cedarpy.PolicySet.from_str(ALL + ALL)
    monkeypatch.setattr(cedarpy, "PolicySet", SimpleNamespace(from_str=lambda _: whole))
    with pytest.raises(PolicyError, match="told apart"):
        CedarBook(read_cedar(ALL))


def test_the_policies_in_the_documentation_do_what_it_says():
    page = (Path(__file__).resolve().parents[2] / "docs/rules.md").read_text("utf-8")
    text = page.split("```cedar\n")[1].split("```")[0]
    assert ruling(text, tenant="staff").effect is Effect.ALLOW
    assert ruling(text, tenant="staff", tools=["shell.run"]).effect is Effect.ALLOW
    assert ruling(text, tenant="staff", tools=["shell"]) == Ruling(Effect.DENY, "no-shell", "No shells.")
    assert ruling(text, tenant="staff", max_tokens=5_000).rule == "long-answers"
    assert ruling(text, tenant="kiosk").effect is Effect.DENY
    assert ruling(text, tenant="kiosk", tools=[]).effect is Effect.ALLOW
