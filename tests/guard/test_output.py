import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lockgate.core import Action
from lockgate.core.config import GuardConfig, Handling, OutputConfig, parse
from lockgate.core.errors import ConfigError
from lockgate.guard import Guard, StreamBlockedError, StreamGuard

FILLER = "We open at nine, and a canoe costs ten euros an hour. "
BAD = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "![x](https://evil.example/p)",
    "https://evil.example/" + "a" * 300,
    "www.evil.example",
    "sudo rm -rf /",
    "DROP TABLE users;",
    "kestrel",
    "k e s t r e l",
    "Project  Heron",
    "機密",
)
PIECES = st.sampled_from(
    (
        *BAD,
        FILLER,
        FILLER * 4,
        "kestrels",
        "https://example.org/ok",
        "https://example.org",
        "anna@example.org",
        "湖は静か。" * 30,
        "[LINK]",
        "\n",
        "<",
        "<img alt=",
        '" onerror="',
        "[x](",
        "\u200b",
        "e",
        "rm -rf",
        "/",
        "https://",
        "x y z k e s t r e l",
        '<a href="',
        "é",
        "x" * 300,
    )
)
TEXTS = st.lists(PIECES, max_size=10).map(" ".join)


def guard(handling: Handling) -> Guard:
    output = OutputConfig(
        markup=handling,
        links=handling,
        hosts=("example.org",),
        code=handling,
        terms=handling,
        policy_terms=("kestrel", "Project Heron", "機密", "link"),
    )
    return Guard(GuardConfig(output=output))


REDACTING, BLOCKING = guard("redact"), guard("block")


def streamed(judge: Guard, text: str, sizes: list[int]) -> tuple[str, Action]:
    stream = StreamGuard(judge)
    sent: list[str] = []
    position = turn = 0
    try:
        while position < len(text):
            sent.append(stream.push(text[position : position + sizes[turn % len(sizes)]]))
            position += sizes[turn % len(sizes)]
            turn += 1
        sent.append(stream.finish())
    except StreamBlockedError as error:
        return "".join(sent) + error.released, Action.BLOCK
    return "".join(sent), stream.verdict.action


def test_defaults_change_nothing() -> None:
    for text in BAD:
        assert Guard.default().inspect(text, "model").action is Action.ALLOW


@pytest.mark.parametrize("text", BAD)
def test_every_category_blocks_or_redacts_answers_and_leaves_inputs(text: str) -> None:
    assert BLOCKING.inspect(f"{FILLER}{text} end", "model").action is Action.BLOCK
    verdict = REDACTING.inspect(f"{FILLER}{text} end", "model")
    assert verdict.action is Action.REDACT
    assert text not in verdict.text
    assert REDACTING.sensitive(text, "user") == ()


def test_placeholders_say_what_was_there() -> None:
    text = "<iframe src=x>, [x](https://evil.example), rm -rf /, kestrel"
    assert REDACTING.inspect(text, "model").text == "[MARKUP], [x]([LINK]), [CODE], [TERM]"


def test_a_term_does_not_find_the_placeholders() -> None:
    assert REDACTING.inspect("https://evil.example", "model").text == "[LINK]"


def test_without_redaction_what_would_be_replaced_blocks() -> None:
    judge = Guard(msgspec.structs.replace(REDACTING.config, redact=False))
    assert judge.inspect("a kestrel", "model").action is Action.BLOCK


@settings(max_examples=60, deadline=None)
@given(TEXTS, st.lists(st.integers(1, 300), min_size=1, max_size=5))
def test_a_redacted_stream_is_the_redacted_whole(text: str, sizes: list[int]) -> None:
    sent, action = streamed(REDACTING, text, sizes)
    whole = REDACTING.inspect(text, "model")
    assert (sent, action) == (whole.text, whole.action)


@settings(max_examples=60, deadline=None)
@given(TEXTS, st.lists(st.integers(1, 300), min_size=1, max_size=5))
def test_a_stream_blocks_where_the_whole_does_and_sends_nothing_bad(text: str, sizes: list[int]) -> None:
    sent, action = streamed(BLOCKING, text, sizes)
    whole = BLOCKING.inspect(text, "model")
    assert (action is Action.BLOCK) == (whole.action is Action.BLOCK)
    assert BLOCKING.blocking(sent) == ()
    assert (sent, action) == streamed(BLOCKING, text, [len(text) + 1])
    if whole.action is not Action.BLOCK:
        assert sent == whole.text


def test_a_word_that_is_not_finished_blocks_nothing() -> None:
    text = FILLER * 6
    for cut in range(40):
        judged = f"{text}{'x' * cut} kestrels https://example.org/a {FILLER}"
        assert streamed(BLOCKING, judged, [1])[1] is Action.ALLOW


@pytest.mark.parametrize("output", [{"hosts": ["https://example.org"]}, {"links": "warn"}, {"policy_terms": [""]}])
def test_settings_that_mean_nothing_are_refused(output: dict[str, object]) -> None:
    with pytest.raises(ConfigError):
        parse({"version": 1, "project": "x", "guard": {"output": output}})


def test_settings_are_read() -> None:
    output = {"links": "redact", "hosts": ["example.org", "*.example.org", "[::1]"], "policy_terms": ["機密"]}
    assert parse({"version": 1, "project": "x", "guard": {"output": output}}).guard.output.hosts[1] == "*.example.org"
