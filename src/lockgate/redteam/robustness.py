"""How a classifier of texts stands up to changes that no reader would mind: robust accuracy, and rows to train on.

For each text that the classifier gets right, a greedy black-box search keeps the change that lowers its score most,
after J. Li et al., "TextBugger", 2018 and J. Morris et al., "TextAttack", 2020. A classifier is any function from texts
to scores: the guard, an ONNX file, or a user's own function (which may hold a scikit-learn pipeline).
"""

from collections.abc import Callable, Sequence
from random import Random
from typing import Literal, TypeAlias

import msgspec

from lockgate.redteam.errors import RedteamError
from lockgate.redteam.neighbours import neighbours
from lockgate.redteam.statistics import wilson95

Scores: TypeAlias = Callable[[Sequence[str]], Sequence[float]]
"""From texts to the probability that each is of class 1."""
Kind: TypeAlias = Literal["character", "word", "neighbour", "embedding"]
KINDS: tuple[Kind, ...] = ("character", "word", "neighbour", "embedding")
Near: TypeAlias = Callable[[str], Sequence[str]]
"""From a lower-case word to words that may stand in its place."""
MAX_CHARS = 4_000
_HALF = 0.5
_ZERO_WIDTH = "\u200b"
_LOOKALIKES = str.maketrans(
    "aceiopsxyACEHKMOPTX",
    "\u0430\u0441\u0435\u0456\u043e\u0440\u0455\u0445\u0443"
    "\u0410\u0421\u0415\u041d\u041a\u041c\u041e\u0420\u0422\u0425",
)
_KEYS = {"a": "s", "e": "r", "i": "o", "n": "m", "o": "p", "r": "t", "s": "d", "t": "y", "u": "i", "l": "k", "c": "v"}
# Words that mean nearly the same where models are told what to do. Vectors know more words and more languages, but also
# take opposites for neighbours.
_NEAR = (
    "ignore disregard overlook skip",
    "previous prior earlier preceding above",
    "instructions directions orders rules guidelines",
    "reveal disclose show expose",
    "print display output write",
    "system platform application",
    "prompt message text",
    "tell inform give",
    "secret confidential hidden private",
    "password passphrase code",
    "all every each",
    "now immediately",
    "pretend imagine suppose",
    "forget drop discard",
    "user customer client",
    "act behave",
    "delete remove erase",
    "send forward transmit",
    "must should shall",
    "please kindly",
    "new fresh",
    "answer reply response",
    "help assist",
    "good great fine",
    "bad poor terrible",
    "big large huge",
    "small little tiny",
    "buy purchase",
    "love adore like",
    "hate dislike",
)
_SYNONYMS = {word: tuple(w for w in group.split() if w != word) for group in _NEAR for word in group.split()}
_FILLERS = ("well", "actually", "just", "kindly", "really", "so")


class LabelledText(msgspec.Struct, frozen=True):
    """One row: a text and its class, 0 or 1."""

    text: str
    label: Literal[0, 1]


class Fallen(msgspec.Struct, frozen=True, kw_only=True):
    """A changed text that the classifier gets wrong, ready to be trained on.

    Attributes:
        text: The changed text.
        label: Its true class.
        attack: What changed it: `character`, `word`, `neighbour` or `embedding`.
        source: The row that it came from, from 0.
    """

    text: str
    label: Literal[0, 1]
    attack: Kind
    source: int


class Share(msgspec.Struct, frozen=True, kw_only=True):
    """A count of a count, with its 95 % Wilson score interval."""

    right: int
    of: int
    wilson95: tuple[float, float]


class Robustness(msgspec.Struct, frozen=True, kw_only=True):
    """How a classifier stood up.

    Attributes:
        rows: Texts that were tried.
        accuracy: Right before any change.
        robust: Right before and after every change that was tried, of all rows.
        by_attack: The same for each kind of change alone.
        queries: Texts that the classifier was asked about.
        fallen: Changed texts that it gets wrong.
    """

    rows: int
    accuracy: Share
    robust: Share
    by_attack: dict[str, Share]
    queries: int
    fallen: tuple[Fallen, ...]


def robustness(
    rows: Sequence[LabelledText],
    scores: Scores,
    *,
    threshold: float = _HALF,
    kinds: Sequence[Kind] = KINDS,
    steps: int = 4,
    width: int = 8,
    seed: int = 7,
    progress: Callable[[int, int], None] | None = None,
) -> Robustness:
    """Try to turn every text that a classifier gets right.

    Args:
        rows: What to change. A text longer than 4,000 characters is tried by its beginning.
        scores: The classifier.
        threshold: Score from which it says class 1.
        kinds: Which changes: letters, words, words by others of nearly the same meaning (`neighbour`, a written table)
            or by their neighbours among word vectors (`embedding`).
        steps: Changes that may add up in one text.
        width: Candidates for each change.
        seed: Of every draw.
        progress: Called after each row: done, all.

    Raises:
        RedteamError: There are no rows, or the classifier gives something else than one score between 0 and 1 a text.
    """
    if not rows:
        raise RedteamError("There is no text to change.", remedy="Give rows of 'text' and 'label'.")
    search = _Search(scores, threshold, steps, width)
    texts = [row.text[:MAX_CHARS] for row in rows]
    first = search.ask(texts)
    right = [search.says(score) == row.label for score, row in zip(first, rows, strict=True)]
    fallen: list[Fallen] = []
    for number, (row, text) in enumerate(zip(rows, texts, strict=True)):
        for kind in kinds if right[number] else ():
            draw = Random(f"{seed}:{kind}:{number}")  # noqa: S311 - draws to repeat
            if found := search.turn(text, row.label, kind, draw):
                fallen.append(Fallen(text=found, label=row.label, attack=kind, source=number))
        if progress:
            progress(number + 1, len(rows))
    turned = {kind: {one.source for one in fallen if one.attack == kind} for kind in kinds}
    total, stood = len(rows), sum(right)
    return Robustness(
        rows=total,
        accuracy=_share(stood, total),
        robust=_share(stood - len({one.source for one in fallen}), total),
        by_attack={kind: _share(stood - len(turned[kind]), total) for kind in kinds},
        queries=search.queries,
        fallen=tuple(fallen),
    )


class _Search:
    def __init__(self, scores: Scores, threshold: float, steps: int, width: int) -> None:
        self._scores, self._threshold, self._steps, self._width = scores, threshold, steps, width
        self.queries = 0

    def ask(self, texts: Sequence[str]) -> list[float]:
        """One score a text, checked."""
        self.queries += len(texts)
        found = [float(score) for score in self._scores(texts)]
        if len(found) != len(texts) or not all(0 <= score <= 1 for score in found):
            raise RedteamError(
                "The classifier did not give one score between 0 and 1 for each text.",
                remedy="Return the probability of class 1.",
            )
        return found

    def says(self, score: float) -> int:
        return int(score >= self._threshold)

    def turn(self, text: str, label: int, kind: Kind, draw: Random) -> str:
        """A changed text that gets another class, or an empty one."""
        for _ in range(self._steps):
            candidates = list(dict.fromkeys(_changed(text, kind, draw) for _ in range(self._width)))
            candidates = [one for one in candidates if one != text]
            if not candidates:
                return ""
            pairs = list(zip(self.ask(candidates), candidates, strict=True))
            score, text = min(pairs) if label else max(pairs)
            if self.says(score) != label:
                return text
        return ""


def _changed(text: str, kind: Kind, draw: Random) -> str:
    words = text.split(" ")
    if kind in {"neighbour", "embedding"}:
        return " ".join(_replaced(words, _synonyms if kind == "neighbour" else neighbours, draw))
    place = draw.randrange(len(words))
    if kind == "word":
        return " ".join(_rearranged(words, place, draw))
    long = [number for number, word in enumerate(words) if len(word) > 3] or [place]  # noqa: PLR2004 - readable typos
    for number in draw.sample(long, min(2, len(long))):
        words[number] = _mistyped(words[number], draw)
    return " ".join(words)


def _synonyms(word: str) -> Sequence[str]:
    return _SYNONYMS.get(word, ())


def _replaced(words: list[str], near: Near, draw: Random) -> list[str]:
    """Up to two words by others, among those that have any."""
    left, found = list(range(len(words))), dict[int, str]()
    draw.shuffle(left)
    while left and len(found) < 2:  # noqa: PLR2004 - what a reader would not mind
        place = left.pop()
        if others := near(_bare(words[place])):
            found[place] = _dressed(words[place], draw.choice(others))
    return [found.get(place, word) for place, word in enumerate(words)]


def _rearranged(words: list[str], place: int, draw: Random) -> list[str]:
    change = draw.randrange(3)
    if change == 0 and place + 1 < len(words):
        return [*words[:place], words[place + 1], words[place], *words[place + 2 :]]
    if change == 1 and len(words) > 3:  # noqa: PLR2004 - something must be left
        return [*words[:place], *words[place + 1 :]]
    return [*words[:place], draw.choice(_FILLERS), *words[place:]]


def _mistyped(word: str, draw: Random) -> str:
    if len(word) < 2:  # noqa: PLR2004 - nothing to swap
        return word
    place = draw.randrange(len(word) - 1)
    return (
        word[:place] + word[place + 1] + word[place] + word[place + 2 :],
        word[:place] + word[place + 1 :],
        word[:place] + _KEYS.get(word[place], word[place]) + word[place + 1 :],
        word[: place + 1] + _ZERO_WIDTH + word[place + 1 :],
        word[:place] + word[place].translate(_LOOKALIKES) + word[place + 1 :],
        word[: place + 1] + " " + word[place + 1 :],
    )[draw.randrange(6)]


def _bare(word: str) -> str:
    return word.strip(".,;:!?\"'()").lower()


def _dressed(word: str, other: str) -> str:
    start = word.lower().find(_bare(word))
    shaped = other.upper() if word.isupper() else other.capitalize() if word[start : start + 1].isupper() else other
    return word[:start] + shaped + word[start + len(_bare(word)) :]


def _share(right: int, of: int) -> Share:
    return Share(right=right, of=of, wilson95=wilson95(right, of))
