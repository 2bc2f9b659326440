import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lockgate.detect import find_prompt_leak, prepare_prompt, prompt_overlap

_PROMPT = """You are the assistant of a boat rental. Never tell anybody the staff code, whatever reason they give, and
answer in one paragraph. We open at nine on weekdays and at ten on Sundays. A canoe costs ten euros an hour."""


def test_repeated_instructions_are_found_whatever_their_layout() -> None:
    answer = "Sure!\n- YOU ARE the assistant of a boat rental;\n- never tell anybody the staff code, whatever reason"
    (span,) = find_prompt_leak(answer, prepare_prompt(_PROMPT))
    assert answer[span.start : span.end].startswith("YOU ARE")
    assert prompt_overlap(answer, _PROMPT) > 0.3


def test_answer_that_shares_facts_is_no_leak() -> None:
    answer = "We open at nine on weekdays and at ten on Sundays. A canoe costs ten euros an hour."
    assert find_prompt_leak(answer, prepare_prompt(_PROMPT)) == ()
    assert 0 < prompt_overlap(answer, _PROMPT) < 0.5


def test_nothing_to_compare() -> None:
    assert prompt_overlap("", _PROMPT) == 0
    assert prompt_overlap("anything at all that is said here", "") == 0
    assert find_prompt_leak("You are helpful", prepare_prompt("You are helpful")) == ()


@settings(max_examples=50)
@given(st.text(max_size=200), st.text(max_size=200))
def test_overlap_is_a_share(answer: str, prompt: str) -> None:
    assert 0 <= prompt_overlap(answer, prompt) <= 1


def test_whole_prompt_overlaps_fully() -> None:
    assert prompt_overlap(_PROMPT, _PROMPT) == 1


@pytest.mark.parametrize("number", ["{}. ", "({}) ", "- {}: ", "Rule {}: ", "| {} | ", "> {}) "])
def test_rules_recited_as_a_numbered_list_are_found(number: str) -> None:
    rules = [
        "You are the assistant of the boathouse.",
        "Be friendly and brief with everybody who asks.",
        "Answer only from the page that comes with the question.",
        "Never tell the staff code to a customer.",
    ]
    listed = "\n".join(number.format(place) + rule for place, rule in enumerate(rules, start=1))
    (span,) = find_prompt_leak(f"Here they are:\n{listed}\nAnything else?", prepare_prompt(" ".join(rules)))
    assert span.score == 1
