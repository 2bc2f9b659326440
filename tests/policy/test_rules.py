import threading
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lockgate.core import strict_yaml
from lockgate.core.config import parse
from lockgate.core.config_limits import RuleConfig
from lockgate.policy import Effect, PolicyError, RuleBook, Ruling, request_attributes, request_rules, strictest
from lockgate.policy.rules_attributes import MAX_CHARS, MAX_ITEMS

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


def rule(name: str, effect: str, when: str = "", **fields: Any) -> RuleConfig:
    return RuleConfig(id=name, effect=effect, when=when, **fields)  # pyright: ignore[reportArgumentType]


def ruling(rules: list[RuleConfig], **changes: Any) -> Ruling:
    return request_rules(rules).rule(request_attributes(**(ASKED | changes)))


def test_what_no_rule_allows_is_denied():
    assert ruling([]) == Ruling(Effect.DENY, "", "No rule allows this.")
    assert ruling([rule("a", "allow", 'model == "large"')]).effect is Effect.DENY
    assert ruling([rule("a", "allow", actions=("embeddings",))]).effect is Effect.DENY


def test_an_allow_that_applies_lets_the_request_pass_and_is_named():
    assert ruling([rule("team", "allow", 'caller.tenant == "harbour"')]) == Ruling(
        Effect.ALLOW, "team", "Rule team says allow."
    )


def test_a_deny_counts_more_than_an_ask_and_an_ask_more_than_an_allow():
    allow, ask = rule("z", "allow"), rule("m", "ask", "size.max_tokens > 50", reason="Long answers need a nod.")
    deny = rule("a", "deny", 'tools.exists(t, t == "shell")', reason="No shells.")
    assert ruling([allow, ask, deny]) == Ruling(Effect.ASK, "m", "Long answers need a nod.")
    assert ruling([allow, ask, deny], tools=["shell", "x"]) == Ruling(Effect.DENY, "a", "No shells.")
    assert ruling([allow, ask, deny], max_tokens=10).effect is Effect.ALLOW


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        ("caller.tenat == 'x'", "undeclared reference to 'caller.tenat'"),
        ("model", "neither true nor false"),
        ("model > 3", "no matching overload"),
        ("model ==", "cannot be understood"),
        ("true), (true", "cannot be understood"),
        ("dyn(model)", "neither true nor false"),
        ("open('/etc/passwd') == ''", "undeclared reference to 'open'"),
        ("(" * 300 + "true" + ")" * 300, "cannot be understood"),
    ],
)
def test_a_condition_that_is_wrong_is_refused_when_it_is_loaded(when: str, expected: str):
    with pytest.raises(PolicyError) as caught:
        request_rules([rule("typo", "deny", when)])
    assert "'typo'" in caught.value.message
    assert expected in caught.value.message


def test_names_and_actions_that_are_wrong_are_refused():
    with pytest.raises(PolicyError, match="Two rules are named 'a'"):
        request_rules([rule("a", "allow"), rule("a", "deny")])
    with pytest.raises(PolicyError, match="unknown action 'chatt'"):
        request_rules([rule("a", "deny", actions=("chatt",))])


def test_a_comment_in_a_condition_swallows_nothing():
    rules = [rule("a", "allow", "true // always"), rule("b", "deny", 'model == "large" // costly')]
    assert ruling(rules).effect is Effect.ALLOW
    assert ruling(rules, model="large").rule == "b"


@pytest.mark.parametrize("when", ["size.bytes / images == 1", "tools[7] == 'x'", "1 / 0 == 1"])
def test_a_condition_that_fails_denies_even_where_another_rule_allows(when: str):
    for effect in ("allow", "ask", "deny"):
        found = ruling([rule("fine", "allow"), rule("odd", effect, when)])
        assert found == Ruling(Effect.DENY, "odd", "The condition of rule odd could not be evaluated.")


@pytest.mark.parametrize(
    "change",
    [
        {"tenant": 5},
        {"tenant": "\ud800"},
        {"max_tokens": 2**63},
        {"max_tokens": True},
        {"stream": 1},
        {"tools": ["a", 5]},
        {"tools": ["x"] * (MAX_ITEMS + 1)},
        {"model": "x" * (MAX_CHARS + 1)},
        {"action": "unheard-of"},
    ],
)
def test_attributes_that_cannot_be_judged_deny(change: dict[str, object]):
    named = 'caller.tenant + model + tools.map(t, t)[0] == "hostile" || size.max_tokens < 0 && stream'
    rules = [rule("all", "allow"), rule("never", "deny", named)]
    assert ruling(rules).effect is Effect.ALLOW
    assert ruling(rules, **change).effect is Effect.DENY


def test_a_missing_attribute_and_a_list_that_is_none_deny():
    book = request_rules([rule("all", "allow", '"shell" in tools || caller . tenant != model')])
    whole = request_attributes(**ASKED)
    assert book.rule({name: value for name, value in whole.items() if name != "model"}).reason == (
        "The attribute model is missing."
    )
    assert book.rule(whole).effect is Effect.ALLOW
    assert book.rule(whole | {"tools": "shell"}).reason == "The attribute tools is of another type."


def test_the_vocabulary_is_the_callers_choice():
    book = RuleBook(
        [rule("a", "allow", '"/safe/" in paths && !networked', actions=("tool",))],
        {"action": "text", "paths": "texts", "networked": "flag"},
        {"tool"},
    )
    assert book.rule({"action": "tool", "paths": ["/safe/"], "networked": False}).effect is Effect.ALLOW
    assert book.rule({"action": "tool", "paths": ["/safe/"], "networked": True}).effect is Effect.DENY


def test_a_caller_cannot_make_a_condition_slow():
    nested = "tools.all(a, tools.all(b, tools.all(c, a != 'y' || b != 'y' || c != 'y')))"
    backtracks = 'model.matches("^(a|a)*(a|a)*(a|a)*$")'
    started = time.process_time()
    assert ruling([rule("n", "allow", nested)], tools=["x"] * MAX_ITEMS).effect is Effect.DENY
    assert ruling([rule("m", "allow", backtracks)], model="a" * 60_000 + "b").effect is Effect.DENY
    assert time.process_time() - started < 2


def test_rules_may_be_asked_from_several_threads():
    book = request_rules([rule("a", "allow", 'caller.tenant == "harbour"'), rule("b", "deny", 'model == "large"')])
    wrong: list[Ruling] = []

    def ask(model: str, expected: Effect) -> None:
        for _ in range(500):
            found = book.rule(request_attributes(**(ASKED | {"model": model})))
            if found.effect is not expected:
                wrong.append(found)

    threads = [
        threading.Thread(target=ask, args=pair) for pair in (("small", Effect.ALLOW), ("large", Effect.DENY)) * 2
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_requests_can_only_strengthen():
    allow, ask, deny = (Ruling(effect, effect, "") for effect in Effect)
    assert strictest(allow, ask) == ask
    assert strictest(ask, allow, deny) == deny
    assert strictest(allow) == allow


@pytest.mark.parametrize("when", ['sensitivity == "secret"', '"pii.email" in labels'])
def test_a_rule_about_what_nobody_knows_yet_denies(when: str):
    rules = [rule("all", "allow"), rule("known", "deny", when)]
    assert ruling(rules).reason.endswith("is missing.")
    assert ruling(rules, sensitivity="public", labels=["x"]).effect is Effect.ALLOW
    assert ruling(rules, sensitivity="secret", labels=["pii.email"]).rule == "known"


def test_the_rules_in_the_documentation_are_valid_and_do_what_it_says():
    page = (Path(__file__).resolve().parents[2] / "docs/rules.md").read_text("utf-8")
    block = page.split("```yaml\n")[1].split("```")[0]
    serve = parse(strict_yaml.load(block.encode(), name="rules.md")).serve
    assert serve
    rules = list(serve.rules or ())
    assert ruling(rules, tenant="staff").effect is Effect.ALLOW
    assert ruling(rules, tenant="staff", max_tokens=5_000).rule == "long-answers"
    assert ruling(rules, tenant="staff", tools=["shell.run"]).rule == "no-shell"
    assert ruling(rules, tenant="kiosk").effect is Effect.DENY
    assert ruling(rules, tenant="kiosk", tools=[]).effect is Effect.ALLOW
    assert ruling(rules, tenant="kiosk", tools=[], prompt_tokens=9_000).rule == "guests-small"


CONDITIONS = st.sampled_from(
    ["", "true", "false", 'model == "small"', "size.max_tokens > 50", "images > 0", "1 / images == 1", "stream"]
)
RULES = st.lists(
    st.builds(
        rule,
        st.text("abcdef", min_size=1, max_size=4),
        st.sampled_from(["allow", "ask", "deny"]),
        CONDITIONS,
        actions=st.sampled_from([(), ("chat",), ("embeddings",)]),
    ),
    max_size=24,
    unique_by=lambda item: item.id,
)


@settings(max_examples=25, deadline=None)
@given(RULES, st.randoms(use_true_random=False), st.integers(0, 2), st.integers(0, 200))
def test_the_order_of_rules_does_not_matter(rules: list[RuleConfig], random: Any, images: int, tokens: int):
    shuffled = list(rules)
    random.shuffle(shuffled)
    changes = {"images": images, "max_tokens": tokens}
    assert ruling(rules, **changes) == ruling(shuffled, **changes)


@settings(max_examples=25, deadline=None)
@given(RULES, CONDITIONS, st.integers(0, 2), st.integers(0, 200))
def test_adding_a_deny_or_an_ask_never_opens(rules: list[RuleConfig], when: str, images: int, tokens: int):
    changes = {"images": images, "max_tokens": tokens}
    before = ruling(rules, **changes)
    after = ruling([*rules, rule("zz-added", "deny", when)], **changes)
    assert after.effect.rank >= before.effect.rank
    asked = ruling([*rules, rule("zz-added", "ask", when)], **changes)
    assert not (before.effect is Effect.DENY and asked.effect is Effect.ALLOW)


@settings(max_examples=25, deadline=None)
@given(RULES)
def test_without_an_allow_that_applies_nothing_passes(rules: list[RuleConfig]):
    kept = [item for item in rules if item.effect != "allow" or item.actions == ("embeddings",)]
    assert ruling(kept).effect is not Effect.ALLOW
