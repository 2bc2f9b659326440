"""Labelled texts, as they lie in files: read, checked and drawn from."""

import gzip
import hashlib
import json
import random
import zlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Literal

import msgspec

DEVELOPMENT_SHARE = 12
_FOREIGN = (
    "indirect",
    "benign_doc",
    "benign_html",
    "benign_code",
    "benign_tool",
    "hard_benign_doc",
    "hard_benign_security",
)


class BadDataError(Exception):
    """A data file cannot be used; says which, and at which line."""


class Record(msgspec.Struct, frozen=True):
    """One line of a data file; any other field is ignored.

    Attributes:
        text: What is judged.
        label: 1 for an attack, 0 for anything else.
        origin: Where the text comes from; by kind where it is missing.
        kind: What kind of text it is.
        family: The same under another name.
        source: Where the row was taken from; the file's name where it is missing.
        lang: Language.
        group: Rows that stem from one idea; source and kind where it is missing.
    """

    text: str
    label: Literal[0, 1]
    origin: Literal["user", "document", "tool"] | None = None
    kind: str | None = None
    family: str | None = None
    source: str | None = None
    lang: str | None = None
    group: str | None = None


class Row(msgspec.Struct, frozen=True):
    """One text to judge, with everything filled in.

    Attributes:
        text: What is judged.
        attack: Whether it is one.
        origin: `user`, `document` or `tool`.
        kind: What kind of text it is.
        source: Where the row was taken from.
        lang: Language, empty where not known.
        group: What is drawn together in the bootstrap.
        grouped: Whether the file named the group.
    """

    text: str
    attack: bool
    origin: str
    kind: str
    source: str
    lang: str
    group: str
    grouped: bool


def read_rows(path: Path) -> list[Row]:
    """Every row of a `.jsonl` or `.jsonl.gz` file.

    Raises:
        BadDataError: The file cannot be read, or a line is no row.
    """
    name = path.name.removesuffix(".gz").removesuffix(".jsonl")
    rows = [_row(_record(path, number, line), name) for number, line in _lines(path) if line.strip()]
    if not rows:
        raise BadDataError(f"{path} holds no rows.")
    return rows


def development_rows(folder: Path) -> list[Row]:
    """The development split of a corpus: about a twelfth of its groups, never trained on.

    Raises:
        BadDataError: The folder holds no such rows, or a line is no row.
    """
    files = sorted(folder.glob("*.jsonl"))
    rows = [row for path in files for row in read_rows(path) if held_out(row.group)]
    if not rows:
        raise BadDataError(f"{folder} holds no corpus.")
    return rows


def held_out(group: str) -> bool:
    """Whether a group of the corpus belongs to the development split."""
    digest = hashlib.sha256(group.encode("utf-8", "surrogatepass")).hexdigest()
    return int(digest[:8], 16) % DEVELOPMENT_SHARE == 0


def drawn(rows: Sequence[Row], limit: int | None, seed: int) -> list[Row]:
    """At most `limit` rows at random, in the order that they had."""
    if limit is None or limit >= len(rows):
        return list(rows)
    return [rows[index] for index in sorted(random.Random(seed).sample(range(len(rows)), limit))]


def default_origin(kind: str) -> str:
    """Where a text of this kind comes from, where its file does not say."""
    return "document" if kind.startswith(_FOREIGN) else "user"


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    number = 0
    try:
        with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as file:
            stream: Iterable[bytes] = file
            for number, line in enumerate(stream, 1):
                yield number, line
    except (OSError, EOFError, zlib.error) as error:
        raise BadDataError(f"{path} cannot be read behind line {number}: {error}") from error


def _record(path: Path, number: int, line: bytes) -> Record:
    try:
        # The standard reader takes lone surrogates, which are part of what a guard has to stand.
        return msgspec.convert(json.loads(line.decode("utf-8")), Record)
    except (ValueError, RecursionError) as error:
        raise BadDataError(f"{path}, line {number}: {error}") from error


def _row(record: Record, name: str) -> Row:
    kind = record.kind or record.family or "unnamed"
    source = record.source or name
    return Row(
        text=record.text,
        attack=record.label == 1,
        origin=record.origin or default_origin(kind),
        kind=kind,
        source=source,
        lang=record.lang or "",
        group=record.group or f"{source} {kind}",
        grouped=bool(record.group),
    )
