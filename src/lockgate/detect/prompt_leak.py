"""Finds text of a protected prompt that an answer repeats word for word.

An answer may share facts and phrases with its prompt; that is what the prompt is for. What it does not share is a long
run of the prompt's own words, least of all the sentences that address the model.
"""

import re
from collections.abc import Iterator

import msgspec

from lockgate.core import Span

RUN_WORDS = 25
ADDRESSED_RUN_WORDS = 12
_SEED = 6
_MAX_STARTS = 8
# One character class, so it cannot backtrack.
_WORD = re.compile(r"\w+")
# The number of a list's item, perhaps after a word: "2.", "(3)", "- 4:", "Rule 5:". Bounded, so it backtracks little.
_COUNTER = re.compile(r"^[ \t>|*(#-]{0,8}(?:\w{1,12} )?\d{1,3} ?[.):|]", re.MULTILINE)
_ADDRESSING = frozenset(
    {
        "you",
        "your",
        "yourself",
        "never",
        "must",
        "always",
        "cannot",
        "du",
        "dein",
        "deine",
        "vous",
        "votre",
        "tu",
        "tus",
    }
)


class PromptText(msgspec.Struct, frozen=True):
    """A protected prompt, prepared for comparison.

    Attributes:
        words: Its words, lower case.
        seeds: Where each run of six words starts.
        longest: Upper bound of the characters that the shortest run that counts may span in an answer.
    """

    words: tuple[str, ...]
    seeds: dict[tuple[str, ...], tuple[int, ...]]
    longest: int


def prepare_prompt(prompt: str) -> PromptText:
    """Index `prompt` once, so that comparing an answer with it takes time linear in the answer."""
    words = tuple(match.group() for match in _WORD.finditer(prompt.lower()))
    seeds: dict[tuple[str, ...], tuple[int, ...]] = {}
    for index in range(len(words) - _SEED + 1):
        key = words[index : index + _SEED]
        seeds[key] = (*seeds.get(key, ()), index)[:_MAX_STARTS]
    spans = (sum(len(word) + 3 for word in words[i : i + RUN_WORDS]) for i in range(len(words)))
    return PromptText(words, seeds, max(spans, default=0) if seeds else 0)


def find_prompt_leak(text: str, prompt: PromptText) -> tuple[Span, ...]:
    """Find runs of the prompt's words in `text`, whatever their case and punctuation, also as a numbered list.

    A run counts from 12 words when it addresses the model (you, your, never, must), otherwise from 25.

    Returns:
        Sorted spans labelled `leak.prompt`; the score is the share of the prompt that the run covers.
    """
    return tuple(
        Span(start, end, "leak.prompt", (stop - begin) / len(prompt.words))
        for start, end, begin, stop in _runs(text, prompt)
        if _counts(prompt.words[begin:stop])
    )


def uncounted(text: str) -> str:
    """`text` with blanks for the numbers of lists, of the same length: a recital in points is still one."""
    return _COUNTER.sub(lambda match: " " * len(match[0]), text)


def prompt_overlap(answer: str, prompt: str) -> float:
    """The share of the prompt's words, 0 to 1, that `answer` repeats in runs of six words and more."""
    prepared = prepare_prompt(prompt)
    covered: set[int] = set()
    for _, _, begin, stop in _runs(answer, prepared):
        covered.update(range(begin, stop))
    return len(covered) / len(prepared.words) if prepared.words else 0.0


def _counts(run: tuple[str, ...]) -> bool:
    return len(run) >= RUN_WORDS or (len(run) >= ADDRESSED_RUN_WORDS and not _ADDRESSING.isdisjoint(run))


def _runs(text: str, prompt: PromptText) -> Iterator[tuple[int, int, int, int]]:
    """Longest runs: offsets in the text, then in the prompt's words."""
    if not prompt.seeds:
        return
    places = [(match.group(), match.start(), match.end()) for match in _WORD.finditer(uncounted(text))]
    words = tuple(word.lower() for word, _, _ in places)
    index = 0
    while index + _SEED <= len(words):
        starts = prompt.seeds.get(words[index : index + _SEED])
        if not starts:
            index += 1
            continue
        begin, size = max(
            ((start, _common(words, index, prompt.words, start)) for start in starts), key=lambda run: run[1]
        )
        yield places[index][1], places[index + size - 1][2], begin, begin + size
        index += size


def _common(words: tuple[str, ...], index: int, other: tuple[str, ...], start: int) -> int:
    size = _SEED
    while index + size < len(words) and start + size < len(other) and words[index + size] == other[start + size]:
        size += 1
    return size
