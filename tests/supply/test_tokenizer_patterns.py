"""The patterns in a tokenizer.json: wherever one stands, one that may never end is reported."""

import json
from collections.abc import Callable

import pytest

Judge = Callable[[bytes, str], tuple[str, set[str]]]
MALFORMED, OPAQUE = "LG-SUPPLY-012", "LG-SUPPLY-006?"
BAD, GOOD = "(a+)+$", r"'s|'t| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"


def split(pattern: object) -> dict[str, object]:
    return {"type": "Split", "pattern": pattern, "behavior": "Isolated", "invert": False}


def replace(pattern: object) -> dict[str, object]:
    return {"type": "Replace", "pattern": pattern, "content": " "}


def tokenizer(**parts: object) -> bytes:
    whole: dict[str, object] = {
        "version": "1.0",
        "model": {"type": "BPE", "vocab": {"Regex": 0, "(a+)+$": 1}, "merges": []},
    }
    return json.dumps({**whole, **parts}).encode()


@pytest.mark.parametrize(
    "parts",
    [
        {"pre_tokenizer": split({"Regex": BAD})},
        {"normalizer": replace({"Regex": BAD})},
        {"decoder": replace({"Regex": BAD})},
        {"pre_tokenizer": {"type": "Sequence", "pretokenizers": [split({"Regex": GOOD}), split({"Regex": BAD})]}},
        {"normalizer": {"type": "Sequence", "normalizers": [{"type": "NFC"}, replace({"Regex": BAD})]}},
        {"decoder": {"type": "Sequence", "decoders": [{"type": "Sequence", "decoders": [replace({"Regex": BAD})]}]}},
    ],
)
def test_a_pattern_that_may_never_end_is_reported(judge: Judge, parts: dict[str, object]):
    assert judge(tokenizer(**parts), "tokenizer.json") == ("config", {MALFORMED})


def test_ordinary_patterns_and_plain_texts_pass(judge: Judge):
    body = tokenizer(
        pre_tokenizer=split({"Regex": GOOD}), normalizer=replace({"String": BAD}), decoder=replace({"String": "▁"})
    )
    assert judge(body, "tokenizer.json") == ("config", set())


def test_the_first_of_two_equal_keys_is_judged_too(judge: Judge):
    body = b'{"pre_tokenizer": {"type": "Split", "pattern": {"Regex": "(a+)+$", "Regex": "a"}}}'
    assert judge(body, "tokenizer.json") == ("config", {MALFORMED})


def test_more_patterns_than_can_be_judged_are_an_error(judge: Judge):
    body = tokenizer(pre_tokenizer={"type": "Sequence", "pretokenizers": [split({"Regex": "a"})] * 101})
    assert judge(body, "tokenizer.json") == ("config", {OPAQUE})
