"""Draws what the encoder is trained on: public rows, our own rows, and documents with something planted in them.

Everything is drawn from two generators with one seed, in a fixed order, so the same data give the same examples.
"""

import collections
import math
import random
import re
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from lockgate.detect.ngrams import LinearModel
from lockgate.detect.windows import readable
from training.dress import LONGEST as DRESSED_LONGEST
from training.dress import dressed
from training.errors import TrainingError
from training.ngram_model import page_windows_of, suspicion, windows_of
from training.noise import noised
from training.rows import QUOTED, Corpus, Row

PUBLIC, COMPOSED, OWN = 2500, 1500, 2800
"""Examples of a chunk: public rows, composed texts, rows of our corpus (fewer where that is small)."""

AGAIN = 700
"""Examples more of a chunk, of the file that a run goes back to."""

_ATTACKS = 0.42
_DRESSED = 0.22
_ACCOMPANIED = 0.2
_NOISED = 0.2
_LONGEST = 700
_PAYLOAD = 420
_WINDOW = 440
_LEAST_ROOM = 60
# Shorter than half a window, so that a window always shows some of what stands around a quotation.
_QUOTED = 200
_SPREAD = 0.7
_SEAMS = ("\n", "\n\n", " ", " ", "\n- ", ". ", "<br>", "\n# ", " | ", "\n> ")
_DIRECT = frozenset({"deepset_train", "tasktracker_triggers", "neuralchemy", "slabs", "bastioncorpus", "yanismiraoui"})
_CHAT = frozenset({"oasst2_benign", "wildchat_benign", "instructional_benign", "ultrachat_benign"})
_REQUEST = re.compile(
    r"(?i)(please |can you |could you )?(write|give|tell|explain|create|make|generate|list|show|translate|summari"
    r"|calculate|provide|describe|help me|draft|compose|suggest|recommend|what|how|who)\b"
)


class Example(NamedTuple):
    """What the encoder sees of a text: one window.

    Attributes:
        text: The window.
        label: 1 for an attack.
        origin: `user` or `document`, which stands for tools too.
        new: Whether it is of the rows that a run goes back to again and again.
    """

    text: str
    label: int
    origin: str
    new: bool = False


_Recipe: TypeAlias = Callable[[str], Example]

Judge: TypeAlias = Callable[[Sequence[str], str], Sequence[float]]
"""A logit for each of some windows of one text, whose origin comes second."""


class Pools(NamedTuple):
    """Texts of the public rows that composed ones are made of.

    Attributes:
        documents: Harmless, of some length.
        attacks: Short ones that address the model directly.
        requests: Harmless tasks, which are out of place in a document.
        chat: Short harmless messages.
    """

    documents: list[str]
    attacks: list[str]
    requests: list[str]
    chat: list[str]


class Sampler:
    """Draws the examples.

    Args:
        public: Public rows to train on.
        corpus: Our own.
        linear: Says which window of an attack carries it, until `ask` names somebody else.
        seed: Of both generators.
        again: File of the corpus, by its name without ending, of which each chunk has `AGAIN` rows more.

    Attributes:
        draw: The generator of everything but the choice of sources.

    Raises:
        TrainingError: The public rows lack something that examples are made of, or there is no such file.
    """

    def __init__(
        self, public: Sequence[Row], corpus: Corpus, linear: LinearModel, seed: int = 0, *, again: str | None = None
    ) -> None:
        self.draw = random.Random(seed)
        self._sources = np.random.RandomState(seed)
        self._judge: Judge = lambda windows, _: [suspicion(linear, window) for window in windows]
        self._judged: dict[tuple[str, str, int], Sequence[float]] = {}
        self._pools = pools_of(public)
        self._carriers = [row.text for row in corpus.carriers]
        self._payloads = [row.text for row in corpus.payloads]
        self._public, self._public_shares = _by_source(public)
        self._own, self._own_shares = _by_language(corpus.train)
        self._own_number = min(OWN, 2 * len(corpus.train))
        self._again = [row for row in corpus.train if row.source == f"own-{again}"]
        if again and not self._again:
            raise TrainingError(f"The corpus has no file {again}.jsonl.", remedy="Name one of corpus/guard.")
        self._attacks = [row.text for row in corpus.train if row.label and len(row.text) <= _PAYLOAD]
        self._harmless = {
            origin: [row.text for row in corpus.train if not row.label and (row.origin == "user") == (origin == "user")]
            for origin in ("user", "document")
        }
        self._frames = corpus.frames
        self._quotable = [text for text in (*self._pools.attacks, *self._attacks) if len(text) <= _QUOTED]
        recipes: list[tuple[float, _Recipe]] = [(0.22, self._planted_payload)] if self._payloads else []
        recipes += [(0.29, self._planted_attack), (0.36, self._planted_request), (0.45, self._planted_quotation)]
        recipes += [(0.63, self._attack_amid)] if self._attacks else []
        recipes += [(0.73, self._quoted)] if self._frames else []
        self._recipes = (*recipes, (0.90, self._harmless_amid), (0.95, self._task), (1.0, self._two_messages))

    @property
    def state(self) -> tuple[Any, ...]:
        """Where both generators stand."""
        numbers: tuple[Any, ...] = self._sources.get_state(legacy=True)
        name, keys, *rest = numbers
        # Plain lists, so that a checkpoint holds no objects.
        return (self.draw.getstate(), (name, keys.tolist(), *rest))

    @state.setter
    def state(self, state: tuple[Any, ...]) -> None:
        own, sources = state
        self.draw.setstate(own)
        self._sources.set_state(sources)

    def ask(self, judge: Judge) -> None:
        """From now on `judge` says which window of a text is read."""
        self._judge = judge
        self._judged.clear()

    def chunk(self) -> list[Example]:
        """About 6,400 examples, some of them in another dress, a few of them garbled."""
        drawn = [self._public_row(self._public[index]) for index in self._chosen_public()]
        drawn += [self._composed() for _ in range(COMPOSED)]
        drawn += [self._own_row(self._own[index]) for index in self._chosen_own()]
        drawn += [self._own_row(self._again)._replace(new=True) for _ in range(AGAIN if self._again else 0)]
        return [self._perhaps_noised(self._perhaps_dressed(example)) for example in drawn]

    def _chosen_public(self) -> NDArray[np.int64]:
        number = PUBLIC + (OWN - self._own_number) // 2
        return self._sources.choice(len(self._public), number, p=self._public_shares)

    def _chosen_own(self) -> NDArray[np.int64]:
        return self._sources.choice(len(self._own), self._own_number, p=self._own_shares)

    def _perhaps_dressed(self, example: Example) -> Example:
        """What a text is wrapped in, and what else is said beside it, must mean nothing."""
        which = self.draw.random()
        if not example.text or len(example.text) > DRESSED_LONGEST or which >= _DRESSED + _ACCOMPANIED:
            return example
        if which < _DRESSED:
            return example._replace(text=readable(dressed(example.text, self.draw)) or example.text)
        before, after = self._neighbour(example.origin), self._neighbour(example.origin)
        return example._replace(text=readable(amid(example.text, before, after, self.draw)))

    def _perhaps_noised(self, example: Example) -> Example:
        if not example.text or self.draw.random() >= _NOISED:
            return example
        return example._replace(text=readable(noised(example.text, self.draw)) or example.text)

    def _public_row(self, rows: Sequence[Row]) -> Example:
        row, draw = self.draw.choice(rows), self.draw
        text = self._window(row, hottest=0.4)
        origin = row.origin
        if row.label and origin == "user" and draw.random() < 0.3:
            origin = "document"
        elif row.label and len(row.text) > 200:
            origin = "user" if draw.random() < 0.25 else origin
        elif not row.label and origin == "document":
            origin = "user" if draw.random() < 0.15 else origin
        return Example(text, row.label, origin)

    def _own_row(self, rows: Sequence[Row]) -> Example:
        row, draw = self.draw.choice(rows), self.draw
        text = self._window(row, hottest=0.3)
        origin = row.origin
        if row.label and origin == "user" and draw.random() < 0.2:
            origin = "document"
        # A task that does not belong is an attack in a document only, so a short one keeps its origin.
        if row.label and origin != "user" and len(row.text) > 150 and draw.random() < 0.2:
            origin = "user"
        if not row.label and origin != "user" and draw.random() < 0.2:
            origin = "user"
        return Example(text, row.label, "user" if origin == "user" else "document")

    def _window(self, row: Row, hottest: float) -> str:
        """A window of the text, or of what it says where it is a page.

        Of an attack the window that seems to carry it; of harmless texts the most suspicious one as often as `hottest`
        says, or any. The judgement is blurred (Gumbel noise), as it may be wrong.
        """
        readings = [found for found in (windows_of(row.text, "-"), page_windows_of(row.text)) if found]
        which = self.draw.randrange(len(readings)) if len(readings) > 1 else 0
        windows = readings[which]
        if len(windows) == 1:
            return windows[0]
        if not row.label and self.draw.random() >= hottest:
            return self.draw.choice(windows)
        key = (row.text, row.origin, which)
        if key not in self._judged:
            self._judged[key] = self._judge(windows, row.origin)
        blurred = [logit - _SPREAD * math.log(self.draw.expovariate(1.0) + 1e-12) for logit in self._judged[key]]
        return windows[int(np.argmax(blurred))]

    def _composed(self) -> Example:
        which = self.draw.random()
        document = self._document()
        recipe = next(recipe for bound, recipe in self._recipes if which < bound)
        example = recipe(document)
        return example._replace(text=readable(example.text)[:_LONGEST])

    def _document(self) -> str:
        own = self._carriers and self.draw.random() < 0.5
        return self.draw.choice(self._carriers if own else self._pools.documents)

    def _planted_payload(self, document: str) -> Example:
        return Example(planted(document, self.draw.choice(self._payloads), self.draw), 1, "document")

    def _planted_attack(self, document: str) -> Example:
        text = planted(document, self.draw.choice(self._pools.attacks), self.draw)
        return Example(text, 1, self.draw.choice(["document"] * 3 + ["user"]))

    def _planted_request(self, document: str) -> Example:
        return Example(planted(document, self.draw.choice(self._pools.requests), self.draw), 1, "document")

    def _planted_quotation(self, document: str) -> Example:
        """A document inside another, which is harmless: a seam alone must mean nothing."""
        other = self._document()
        start = self.draw.randrange(max(1, len(other) - 100))
        quotation = other[start : start + self.draw.randrange(40, 260)]
        text = planted(document, quotation, self.draw)
        return Example(text, 0, self.draw.choice(["document"] * 4 + ["user"]))

    def _attack_amid(self, _: str) -> Example:
        """A window of a long text, cut anywhere, that holds an attack of ours whole."""
        origin = self.draw.choice(["document"] * 3 + ["user"])
        attack = self.draw.choice(self._attacks)
        return Example(amid(attack, self._neighbour(origin), self._neighbour(origin), self.draw), 1, origin)

    def _harmless_amid(self, _: str) -> Example:
        """The same with a harmless text of that origin, so that its neighbours mean nothing."""
        origin = self.draw.choice(["document"] * 3 + ["user"])
        inner = self._neighbour(origin)
        start = self.draw.randrange(max(1, len(inner) - _PAYLOAD))
        inner = inner[start : start + _PAYLOAD]
        return Example(amid(inner, self._neighbour(origin), self._neighbour(origin), self.draw), 0, origin)

    def _quoted(self, _: str) -> Example:
        """An attack as an example in writing about attacks: what is mentioned there is not meant."""
        frame = self.draw.choice(self._frames)
        text = frame.text.replace(QUOTED, self.draw.choice(self._quotable))
        start = self.draw.randrange(max(1, len(text) - _WINDOW + 1))
        return Example(text[start : start + _WINDOW], 0, frame.origin)

    def _neighbour(self, origin: str) -> str:
        own = self._harmless[origin]
        public = self._pools.chat if origin == "user" else self._pools.documents
        return self.draw.choice(own if own and self.draw.random() < 0.6 else public)

    def _task(self, document: str) -> Example:
        """A request and the document that it is about, in one message of a user's."""
        start = self.draw.randrange(max(1, len(document) - 200))
        request = self.draw.choice(self._pools.requests)
        seam = self.draw.choice(["\n\n", "\n", ": ", '\n"""\n'])
        return Example(request + seam + document[start : start + 300], 0, "user")

    def _two_messages(self, _: str) -> Example:
        first = self.draw.choice(self._pools.chat)
        seam = self.draw.choice(["\n", " ", "\n\n"])
        return Example(first + seam + self.draw.choice(self._pools.chat), 0, "user")


def amid(inner: str, before: str, after: str, draw: random.Random) -> str:
    """`inner` whole, between the end of one text and the beginning of another; 440 characters, or hardly more."""
    room = max(_LEAST_ROOM, _WINDOW - len(inner))
    left = draw.randrange(room + 1)
    head, tail = before[max(0, len(before) - left) :] if left else "", after[: room - left]
    seam = draw.choice(_SEAMS)
    return seam.join(part for part in (head, inner, tail) if part)


def planted(document: str, payload: str, draw: random.Random) -> str:
    """A stretch of 60 to 329 characters of the document with the payload's first 420 before, behind or inside it."""
    size = draw.randrange(60, 330)
    start = draw.randrange(max(1, len(document) - size))
    around = document[start : start + size]
    payload = payload[:_PAYLOAD]
    where = draw.random()
    seam = draw.choice(_SEAMS)
    if where < 0.33:
        return payload + seam + around
    if where < 0.66:
        return around + seam + payload
    blank = around.find(" ", draw.randrange(max(1, len(around))))
    middle = len(around) // 2 if blank < 0 else blank
    return around[:middle] + seam + payload + seam + around[middle:]


def pools_of(rows: Sequence[Row]) -> Pools:
    """What composed texts are made of.

    Raises:
        TrainingError: Something of it is missing.
    """
    harmless = [row for row in rows if not row.label]
    pools = Pools(
        documents=[row.text for row in harmless if row.origin == "document" and len(row.text) > 150],
        attacks=[row.text for row in rows if row.label and row.source in _DIRECT and 15 < len(row.text) < 300],
        requests=[
            row.text
            for row in harmless
            if row.source in _CHAT and 15 < len(row.text) < 160 and _REQUEST.match(row.text)
        ],
        chat=[row.text for row in harmless if row.origin == "user" and 20 < len(row.text) < 250],
    )
    missing = [name for name, texts in pools._asdict().items() if not texts]
    if missing:
        raise TrainingError(
            f"The training data hold none of what texts are composed of: {', '.join(missing)}.",
            remedy=f"Direct attacks are looked for in {', '.join(sorted(_DIRECT))}; requests in "
            f"{', '.join(sorted(_CHAT))}; see training/sources.tsv.",
        )
    return pools


def _by_source(rows: Sequence[Row]) -> tuple[list[list[Row]], NDArray[np.float64]]:
    """Rows by source and label, and how often each is drawn: with the square root of its size, attacks 42 % in all."""
    groups: dict[tuple[str, int], list[Row]] = collections.defaultdict(list)
    for row in rows:
        groups[row.source, row.label].append(row)
    attack = np.array([label for _, label in groups])
    shares = np.array([len(group) ** 0.5 for group in groups.values()])
    shares[attack == 1] *= _ATTACKS / shares[attack == 1].sum()
    shares[attack == 0] *= (1 - _ATTACKS) / shares[attack == 0].sum()
    return list(groups.values()), shares


def _by_language(rows: Sequence[Row]) -> tuple[list[list[Row]], NDArray[np.float64]]:
    """Rows by language, label and file, and how often each is drawn: with the 0.65th power of its size."""
    groups: dict[tuple[str, int, str], list[Row]] = collections.defaultdict(list)
    for row in rows:
        groups[row.lang, row.label, row.source].append(row)
    shares = np.array([len(group) ** 0.65 for group in groups.values()])
    return list(groups.values()), shares / shares.sum()
