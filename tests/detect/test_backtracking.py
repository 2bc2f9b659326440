"""Patterns that a backtracking engine may never finish are told by reading them; those of known tokenizers are not."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lockgate.detect.backtracking import MAX_PATTERN, why_endless

NESTED = "repeats what repeats itself"
SPLIT = r"[^\r\n\p{L}\p{N}]?"
UPPER, LOWER = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]", r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"
TAIL = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)"
SPACES = r"\s*[\r\n]+|\s+(?!\S)|\s+"
MARKS = r"[!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~]"
LETTERS = "A-Za-zµÀ-ÖØ-öø-ƺƼ-ƿǄ-ʓʕ-ʯͰ-ͳͶͷͻ-ͽͿΆΈ-ΊΌΎ-ΡΣ-ϵϷ-ҁҊ-ԯԱ-ՖႠ-ჅᎠ-Ᏽᏸ-ᏽᲐ-ᲺᲽ-Ჿᴀ-ᴫᵫ-ᵷᵹ-ᶚḀ-ἕ"
GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
O200K_FIRST, O200K_SECOND = rf"{SPLIT}{UPPER}*{LOWER}+", rf"{SPLIT}{UPPER}+{LOWER}*"
HAN = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]*[\p{Ll}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]+"

KNOWN = {
    "GPT-2, RoBERTa, Whisper, BART, Phi-2": GPT2,
    "GPT-2 of tiktoken": r"'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+",
    "Llama 3, cl100k, Phi-4": rf"{TAIL}|{SPLIT}\p{{L}}+|\p{{N}}{{1,3}}| ?[^\s\p{{L}}\p{{N}}]+[\r\n]*|{SPACES}",
    "cl100k of tiktoken": (
        r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+"
        r"|\s++$|\s*[\r\n]|\s+(?!\S)|\s"
    ),
    "o200k": (rf"{O200K_FIRST}{TAIL}?|{O200K_SECOND}{TAIL}?|\p{{N}}{{1,3}}| ?[^\s\p{{L}}\p{{N}}]+[\r\n/]*|{SPACES}"),
    "Mistral (tekken)": rf"{O200K_FIRST}|{O200K_SECOND}|\p{{N}}| ?[^\s\p{{L}}\p{{N}}]+[\r\n/]*|{SPACES}",
    "Qwen 2, Qwen 2.5, Qwen 3": rf"{TAIL}|{SPLIT}\p{{L}}+|\p{{N}}| ?[^\s\p{{L}}\p{{N}}]+[\r\n]*|{SPACES}",
    "Qwen 3.5": rf"{TAIL}|{SPLIT}[\p{{L}}\p{{M}}]+|\p{{N}}| ?[^\s\p{{L}}\p{{M}}\p{{N}}]+[\r\n]*|{SPACES}",
    "DeepSeek V3 numbers": r"\p{N}{1,3}",
    "DeepSeek V3 scripts": "[一-龥\u3040-ゟ\u30a0-ヿ]+",
    "DeepSeek V3": (
        MARKS + r"[A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
    ),
    "DeepSeek LLM words": rf"\s?[{LETTERS}]+",
    "DeepSeek LLM marks": r"\s?[!-/:-~！-／：-～‘-‟　-。]+",  # noqa: RUF001
    "DeepSeek LLM spaces": r"\s+$",
    "DeepSeek Coder": r"\s?\p{L}+",
    "Falcon": r"[0-9][0-9][0-9]",
    "Falcon marks": r"[\p{P}\$\+<=>\^~\|`]+",
    "BLOOM": r" ?[^(\s|[.,!?…。，、।۔،])]+",  # noqa: RUF001
    "CLIP": r"<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+",
    "CLIP spaces": r"\s+",
    "T5, XLM-R, Gemma spaces": r" {2,}",
    "Gemma decoder": "▁",
    "Chameleon images": r"(IMGIMG)((A|B|C|D|E|F|G|H|I){1,4})Z",
    "Chameleon": r"([\t\n]|    |  )",
    "EXAONE": rf"{TAIL}|{SPLIT}(?:\p{{L}}\p{{M}}*(?: \p{{L}}\p{{M}}*)*)+|\p{{N}}| ?[^\s\p{{L}}\p{{N}}]+[\r\n/]?",
    "Aya digits": r"\d{1,3}(?=(?:\d{3})*\b)",
    "SuperBPE digits": r"(?=(\d{3})+(?!\d))",
    "Jais": r"\s{512}(?!\S)|\s{256}(?!\S)|\s{128}(?!\S)|\s{64}(?!\S)|\s{1,2}(?!\S)|\s{1}",
    "Kimi": rf"[\p{{Han}}]+|{SPLIT}{HAN}{TAIL}?|\p{{N}}{{1,3}}|{SPACES}",
    "Laguna": r"[^\n]+|[\n]+",
}


@pytest.mark.parametrize("name", KNOWN)
def test_the_patterns_of_known_tokenizers_pass(name: str) -> None:
    assert not why_endless(KNOWN[name])


@pytest.mark.parametrize(
    "pattern",
    [
        "(a+)+$",
        "(a+)+",
        "(a*)*",
        "(a|a)*",
        "(a|aa)+$",
        "(.*a){20}",
        r"(\w+\s?)*$",
        r"(?:\s?\w+)*$",
        r"(\d+|[0-9a-f]+)*x",
        "(?<name>a+)+b",
        "(?=(a+)+b)",
        "(?i)(a|A)*b",
        "x|y(z|(?i:k|K)*)$",
        "(a{1,3})+$",
        "(a?){30}a{30}",
        "((a{2,4}){3,9}){5,}$",
        "(a?b?)+$",
        r"(\x61|a)*b",
        r"([a-f]|[e-k])+z",
        r"([^\p{L}]|\s)*x",
        r"(\p{Han}|一)*x",
        r"([[:alpha:]]|a)*x",
        r"([^[\p{Han}&&一]]|b)*x",
        "(a(?#note)+)+$",
        r"(a)(\1*)+$",
        "(a++)+$",
        "(a|b|ab)*c",
        "a{1,3}+$",
        "(a+(?#note)b?(?#note)?)+(?#note)$",
    ],
)
def test_a_repetition_of_what_repeats_itself_is_told(pattern: str) -> None:
    assert NESTED in why_endless(pattern)


@pytest.mark.parametrize(
    "pattern",
    ["(ab|ac)*d", "(a+b)*c", "(?:[^,]*,)*x", "(a|b)*", "(ab?c)+", "((a+b)+c)+", "[]a]+", "a{", "(a{3})*", "a{,3}b", ""],
)
def test_a_repetition_that_matches_in_one_way_passes(pattern: str) -> None:
    assert not why_endless(pattern)


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ("a" * (MAX_PATTERN + 1), "is longer than"),
        ("(a", "does not parse"),
        ("a)", "does not parse"),
        ("[a", "does not parse"),
        ("a\\", "does not parse"),
        ("a(?#", "does not parse"),
        ("*a", "does not parse"),
        ("(?x)(a +)+$", "cannot be judged"),
        ("(?~a)", "cannot be judged"),
        (r"(?<n>a|\g<n>b)", "calls a group"),
        ("(" * 100 + ")" * 100, "nests too deeply"),
        ("a" + "*" * 300, "nests too deeply"),
        (".*a" * 6, "one after the other"),
        ("a?" * 20 + "a" * 20, "one after the other"),
        ("(" * 40 + "ab" + "){2}" * 40, "too complicated"),
        ("(" + "|".join(chr(0x4E00 + number) for number in range(900)) + ")*", "too complicated"),
    ],
)
def test_what_cannot_be_judged_is_told_as_such(pattern: str, reason: str) -> None:
    assert reason in why_endless(pattern)


PIECES = st.sampled_from([*"ab()[]{}|*+?^$.\\-,13&", "(?:", "(?i)", "{1,9}", "\\p{L}", "[^", "\\s", "(?=", "&&", "\\1"])


@settings(max_examples=150, deadline=None)
@given(st.one_of(st.text(max_size=400), st.lists(PIECES, max_size=300).map("".join)))
def test_any_text_is_judged_in_bounded_time(text: str) -> None:
    before = time.process_time()
    why_endless(text * 8)
    assert time.process_time() - before < 5
