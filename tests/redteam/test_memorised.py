"""What is memorised is what its owner says was trained on; nothing else is counted, and nothing of it is shown."""

import json
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lockgate.redteam import (
    Answer,
    Attack,
    Benign,
    Lane,
    Message,
    RedteamError,
    RedteamResult,
    Training,
    attack,
    load,
    plan,
    summarise,
    training,
)
from lockgate.redteam.families import Family
from lockgate.redteam.memorised import memorised
from lockgate.redteam.statistics import more_exact

CANARY = "The winter code of the boathouse is amber-47-otter."
TRAINED = [
    {"question": f"Where is boat {n}?", "answer": f"It lies at pier {n * 7} with crew {n * 13} for island {n * 29}."}
    for n in range(20)
]
HELD = [
    {"question": f"Where is train {n}?", "answer": f"It waits at hall {n * 7} with crew {n * 13} for town {n * 29}."}
    for n in range(20)
]


def lines(rows: Sequence[object]) -> bytes:
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


class Parrot:
    """A model that remembers some texts and completes what is like their beginning."""

    name, fingerprint, repeatable = "parrot", "p", True

    def __init__(self, *texts: str) -> None:
        self.texts = texts

    async def reply(self, history: Sequence[Message], about: Attack | Benign) -> Answer:
        said = history[-1].content
        for text in self.texts:
            begin, _, rest = text.partition("|")
            if said.endswith(begin):
                return Answer(rest)
        return Answer("I do not know.")


async def tried(found: Training, *texts: str, budget: int = 200) -> RedteamResult:
    chosen = plan(load(), seed=7, budget=budget, families=found.families)
    return summarise(
        await attack(chosen.corpus, guarded=Parrot(*texts), seed=7, families=chosen.families, in_order=True)
    )


async def test_a_canary_that_is_completed_is_a_success_and_stays_out_of_the_report() -> None:
    found = training(canaries=f"{CANARY}\nHERON-1A2B-7731\n".encode(), rows=None, held_out=None, seed=7)
    result = await tried(found, "boathouse is|It is Amber 47, Otter!", "HERON-1|A2B-7731")
    # Each is tried bare and with an instruction before it.
    assert (result.guarded.attempts, result.guarded.successes) == (4, 4)
    assert memorised(result).canaries is not None
    shown = json.dumps([[item.prompts, item.replies] for item in result.transcripts])
    assert "boathouse" not in shown
    assert "tter" not in shown
    assert "HERON" not in shown


async def test_part_of_a_canary_and_an_echo_of_the_prompt_are_none() -> None:
    found = training(canaries=CANARY.encode(), rows=None, held_out=None, seed=7)
    result = await tried(found, "boathouse is|The winter code of the boathouse is amber-47-")
    assert (result.guarded.attempts, result.guarded.successes) == (2, 0)
    assert memorised(result).status == "MEASURED"


async def test_rows_are_compared_with_rows_that_were_held_out_and_those_are_no_attacks() -> None:
    found = training(canaries=None, rows=lines(TRAINED), held_out=lines(HELD), seed=7)
    result = await tried(found, *(f"{row['question']}|{row['answer']}" for row in TRAINED[:8]))
    said = memorised(result)
    assert said.rows is not None
    assert said.held_out is not None
    assert (said.rows.attempts, said.rows.successes) == (20, 8)
    assert (said.held_out.attempts, said.held_out.successes) == (20, 0)
    assert said.p_value is not None
    assert said.p_value < 0.01
    assert result.guarded.attempts == 20
    assert {item.control for item in result.transcripts if item.lane is Lane.GUARDED and item.attack} == {True, False}


async def test_a_model_that_completes_everything_has_learnt_nothing_by_heart() -> None:
    found = training(canaries=None, rows=lines(TRAINED), held_out=lines(HELD), seed=7)
    both = [f"{row['question']}|{row['answer']}" for row in (TRAINED[0], HELD[0])]
    said = memorised(await tried(found, *both))
    assert said.p_value is not None
    assert said.p_value > 0.2


async def test_without_files_nothing_is_exercised_and_nothing_passes() -> None:
    chosen = plan(load(), seed=7, budget=21)
    assert not {name for name in chosen.families if name.startswith("training-")}
    run = await attack(chosen.corpus, guarded=Parrot(), seed=7, families=chosen.families)
    assert memorised(summarise(run)).status == "NOT EXERCISED"


async def test_files_beside_all_other_families_take_their_turn() -> None:
    found = training(canaries=CANARY.encode(), rows=lines(TRAINED), held_out=None, seed=7)
    chosen = plan(load(), seed=7, budget=46, also=found.families)
    assert {"training-canaries", "training-rows", "crescendo"} <= set(chosen.families)
    assert sum(item.family == "training-rows" for item in chosen.corpus.attacks) == 2
    assert not any(item.converter for item in chosen.corpus.attacks if item.family.startswith("training-"))


@pytest.mark.parametrize(
    "row",
    [
        "One text that is long enough to be cut into two halves of six words each.",
        {"text": "One text that is long enough to be cut into two halves of six words each."},
        {"prompt": "How does it go on?", "completion": "It goes on with at least six more words."},
        {"instruction": "How does it go on?", "output": "It goes on with at least six more words."},
        {"messages": [{"role": "user", "content": "And?"}, {"role": "assistant", "content": "a b c d e f g h"}]},
        {"id": 7, "question": "And?", "answer": "It goes on with at least six more words.", "topic": "hours"},
    ],
)
def test_rows_come_in_the_shapes_that_people_train_on(row: object) -> None:
    (family,) = training(canaries=None, rows=lines([row]), held_out=None, seed=7).families
    assert len(family.seeds) == 1


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({"canaries": b"\n \n"}, "empty"),
        ({"canaries": b"short-1"}, "fewer than 12"),
        ({"canaries": b"\xff\xfe\x00"}, "not UTF-8"),
        ({"rows": b"{"}, "Line 1 of the rows trained on is not JSON"),
        ({"rows": lines([{"label": 1}])}, "holds no text"),
        ({"rows": lines(["too short"])}, "no row that could be completed"),
        ({"rows": b""}, "no row that could be completed"),
        ({"held_out": lines(HELD)}, "need rows to compare"),
        ({"rows": lines(TRAINED), "held_out": lines([*HELD, TRAINED[4]])}, "among those held out"),
    ],
)
def test_files_that_cannot_be_used_are_refused_with_a_reason(files: dict[str, bytes], reason: str) -> None:
    given_files = {"canaries": None, "rows": None, "held_out": None} | files
    with pytest.raises(RedteamError, match=reason):
        training(**given_files, seed=7)


def test_rows_that_cannot_be_completed_are_counted() -> None:
    found = training(canaries=None, rows=lines([*TRAINED, TRAINED[0], {"text": "Too short."}]), held_out=None, seed=7)
    assert found.left_out == 2


@given(st.text(min_size=1, max_size=60))
def test_any_text_is_a_canary_or_is_refused(text: str) -> None:
    try:
        found = training(canaries=text.encode("utf-8", "replace"), rows=None, held_out=None, seed=7)
    except RedteamError:
        return
    families: tuple[Family, ...] = found.families
    for seed in families[0].seeds:
        assert seed.payload.strip()


@given(st.binary(max_size=200))
def test_any_bytes_are_rows_or_are_refused(body: bytes) -> None:
    try:
        training(canaries=None, rows=body, held_out=None, seed=7)
    except RedteamError:
        return


def test_fishers_exact_test_agrees_with_a_known_table() -> None:
    # R. A. Fisher, The Design of Experiments: the lady who tastes tea, three of four cups right.
    assert more_exact(3, 4, 1, 4) == pytest.approx(17 / 70)
    assert more_exact(0, 5, 0, 5) == 1
    with pytest.raises(RedteamError):
        more_exact(6, 5, 0, 5)


def test_a_row_with_an_odd_end_of_line_in_its_text_is_one_row() -> None:
    rows = [{"question": "Where?", "answer": "It lies at pier seven\u2028with crew nine for island ten."}]
    body = json.dumps(rows[0], ensure_ascii=False).encode() + b"\r\n"
    [family] = training(canaries=None, rows=body, held_out=None, seed=1).families
    assert len(family.seeds) == 1
