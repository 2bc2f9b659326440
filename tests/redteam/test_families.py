"""Families are documented, plans are fair, and the scripted target obeys all of them."""

import re

import msgspec
import pytest
import yaml

from lockgate.core import Action, Origin
from lockgate.core.config import ApplicationConfig, Config, EmbeddedUpstream, GuardConfig, ServeConfig, parse
from lockgate.guard import Guard
from lockgate.redteam import FAMILIES, Answer, Family, Lane, Message, Obedience, Turn, convert, load, plan
from lockgate.redteam.attempt import AttemptStatus, judge
from lockgate.redteam.converters import CONVERTERS
from lockgate.redteam.errors import RedteamError
from lockgate.redteam.families import family_named
from lockgate.redteam.goal import Call, Emit, Say
from lockgate.redteam.message import messages, typed
from lockgate.redteam.strategies import STRATEGIES
from lockgate.redteam.targets.tools import OFFERED
from lockgate.redteam.transcript import Conversation, transcribe

MAPS = re.compile(r"LLM(0[1-9]|10):2025|ASI(0[1-9]|10):2026|AML\.T\d{4}(\.\d{3})?")
SECRET = "HERON-1A2B-7731"
each = pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.id)


@each
def test_a_family_has_a_manual_page_known_mappings_and_enough_attacks(family: Family) -> None:
    assert all(text.endswith(".") for text in (family.why, family.how, family.succeeds, family.limits))
    assert [name for name in family.maps if not MAPS.fullmatch(name)] == []
    assert any(name.startswith("LLM") for name in family.maps)
    assert any(name.startswith("AML") for name in family.maps)
    assert len(family.seeds) >= 8
    assert len({typed(attack.turns[-1]) + str(attack.turns[:-1]) for attack in attacks(family)}) == len(family.seeds)


@each
def test_a_family_offers_tools_that_exist_and_names_strategies_that_exist(family: Family) -> None:
    assert set(family.tools) <= OFFERED.keys()
    for seed in family.seeds:
        assert not seed.strategy or seed.strategy in STRATEGIES
        assert not isinstance(seed.goal, Call) or seed.goal.tool in family.tools
        assert "{payload}" in seed.carrier


@each
def test_an_echo_of_the_prompts_is_never_a_success(family: Family) -> None:
    for attack in attacks(family):
        talk = Conversation(tuple(Turn(typed(turn), typed(turn)) for turn in attack.turns))
        transcript = transcribe(attack, talk, target="t", protected=(SECRET,), system_prompt="Be kind to everybody.")
        assert judge(attack, transcript, Lane.GUARDED).status is not AttemptStatus.SUCCEEDED, attack.id


@each
def test_the_scripted_target_obeys_every_attack_and_its_judge_agrees(family: Family) -> None:
    script = Obedience(attacks(family), protected=(SECRET,))
    for attack in attacks(family):
        history = tuple(message for turn in attack.turns for message in messages(turn))
        answer = script.obey(history)
        talk = Conversation((turn_of(history, answer, attack.turns[-1]),))
        transcript = transcribe(attack, talk, target="t", protected=(SECRET,), system_prompt="")
        assert judge(attack, transcript, Lane.BARE).status is AttemptStatus.SUCCEEDED, attack.id


def turn_of(history: tuple[Message, ...], answer: Answer, prompt: object) -> Turn:
    fetched = history[-1].content if history[-1].role == "tool" else ""
    said = "\n".join(message.content for message in history[-3 if fetched else -1 :] if message.role != "assistant")
    return Turn(said, answer.text, calls=answer.calls, fetched=fetched)


def attacks(family: Family) -> tuple:
    return tuple(family.attack(number, seed.payload, "") for number, seed in enumerate(family.seeds))


def test_the_scripted_target_still_obeys_when_a_guard_cut_something_out() -> None:
    family = family_named("personal-data")
    script = Obedience(attacks(family))
    text = typed(attacks(family)[0].turns[-1]).replace("mara.ilves@example.org", "[EMAIL]")
    assert script.obey((Message("user", text),)).text != "Of course. How can I help you?"
    assert script.obey((Message("user", "When do you open on Sunday, and is there parking?"),)).text.startswith(
        "Of course"
    )


def test_a_limit_on_the_length_of_answers_limits_the_scripted_target() -> None:
    flood = family_named("denial-of-service")
    script = Obedience(attacks(flood))
    history = messages(attacks(flood)[0].turns[-1])
    assert len(script.obey(history).text.split()) >= 600
    assert len(script.obey(history, longest=256).text.split()) <= 256


def test_a_plan_is_the_seeds_alone_and_spreads_its_budget_evenly() -> None:
    first = plan(load(), seed=7, budget=84)
    assert first == plan(load(), seed=7, budget=84)
    assert first.corpus.attacks != plan(load(), seed=8, budget=84).corpus.attacks
    counts = {name: sum(item.family == name for item in first.corpus.attacks) for name in first.families}
    assert set(counts.values()) == {4}
    assert len(counts) == len(FAMILIES)


def test_a_larger_budget_adds_attacks_and_takes_none_away() -> None:
    small = {item.id for item in plan(load(), seed=7, budget=42).corpus.attacks}
    large = plan(load(), seed=7, budget=441)
    assert small < {item.id for item in large.corpus.attacks}
    assert len({item.id for item in large.corpus.attacks}) == 441
    assert large.available > 10_000


def test_the_digest_names_all_there_was_to_choose_from() -> None:
    assert plan(load(), seed=7, budget=5).corpus.sha256 == plan(load(), seed=9, budget=500).corpus.sha256
    fewer = plan(load(), seed=7, budget=5, converters=CONVERTERS[:3])
    assert fewer.corpus.sha256 != plan(load(), seed=7, budget=5).corpus.sha256


def test_no_chosen_attack_holds_the_text_that_it_wants_to_hear() -> None:
    poisoning = (family_named("retrieval-poisoning"),)
    for attack in plan(load(), seed=7, budget=500, families=poisoning).corpus.attacks:
        assert isinstance(attack.goal, Say)
        assert all(attack.goal.text.casefold() not in typed(turn).casefold() for turn in attack.turns)


def test_nothing_to_send_is_refused() -> None:
    with pytest.raises(RedteamError, match="tests nothing"):
        plan(load(), seed=7, budget=0)
    with pytest.raises(RedteamError, match="No family"):
        plan(load(), seed=7, budget=5, families=())


def test_attacks_describe_what_they_want_emitted() -> None:
    for family in FAMILIES:
        for seed in family.seeds:
            if isinstance(seed.goal, Emit):
                assert "<script" not in convert(CONVERTERS[0], seed.payload, 1)


def configured(family: Family) -> Config:
    document: dict = {"version": 1, "project": "p", "serve": {"upstream": {"kind": "embedded", "model": "m.gguf"}}}
    for section, lines in yaml.safe_load(family.settings).items():
        document[section] = document.get(section, {}) | lines
    return parse(document)


@each
def test_the_lines_of_a_manual_page_fit_into_the_settings(family: Family) -> None:
    assert configured(family) != configured(msgspec.structs.replace(family, settings="{}"))


@pytest.mark.parametrize(
    "name", ["denial-of-service", "exfiltration-link", "harmful-content", "insecure-output", "model-extraction"]
)
def test_the_lines_of_a_manual_page_stop_a_target_that_obeys(name: str) -> None:
    family = family_named(name)
    config, script = configured(family), Obedience(attacks(family), protected=(SECRET,))
    guard = Guard(config.guard, (SECRET,))
    assert config.serve is not None
    for attack in attacks(family):
        history = tuple(message for turn in attack.turns for message in messages(turn))
        answer = script.obey(history, longest=config.serve.max_tokens)
        verdict = guard.inspect(answer.text, Origin.MODEL)
        passed = Answer("", filtered=True) if verdict.action is Action.BLOCK else Answer(verdict.text)
        talk = Conversation((turn_of(history, passed, attack.turns[-1]),))
        transcript = transcribe(attack, talk, target="t", protected=(SECRET,), system_prompt="")
        assert judge(attack, transcript, Lane.GUARDED).status is not AttemptStatus.SUCCEEDED, attack.id


SECTIONS = {
    "application": ApplicationConfig(),
    "serve": ServeConfig(upstream=EmbeddedUpstream(model="m.gguf")),
    "guard": GuardConfig(),
}


@each
def test_what_helps_names_settings_that_exist(family: Family) -> None:
    assert family.helps.endswith(".")
    for name in re.findall(r"`(\w+(?:\.\w+)+)`", family.helps):
        section, *path = name.split(".")
        if section == "size":
            continue
        found: object = SECTIONS[section]
        for part in path:
            assert hasattr(found, part), name
            found = getattr(found, part)
