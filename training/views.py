"""What the guard's own decoders read in disguised rows of our corpus, as rows for the learned layers."""

import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from lockgate.detect import View, read, smuggled
from lockgate.detect.letters import restyled
from training.rows import CORPUS, Row, held_out, read_corpus_files

FILE = "obfuscated-views.jsonl"
"""Where they lie, in the folder of our corpus."""

_SOURCE = "own-obfuscated-views"
_FAMILY = "obfuscated"
_FIELDS = ("text", "label", "family", "carrier", "origin", "lang", "group")
_LEAST_WORDS, _LEAST_CHARACTERS = 3, 12


def views_of(rows: Sequence[Row]) -> Iterator[Row]:
    """A row for each view of the disguised rows that are trained on, with their labels and groups.

    Each text is there once, and not where a row says the same in clear. Scraps of a word or two are left out, as they
    say nothing of an attack, and so are views behind one disguise undone twice, which say what another one says.
    """
    given = [row for row in rows if row.source != _SOURCE]
    seen = {_same(row.text) for row in given}
    for row in given:
        if row.family != _FAMILY or held_out(row.group):
            continue
        for view in (*read(row.text).views, *smuggled(row.text), *restyled(row.text)):
            key = _same(view.text)
            if key not in seen and _is_told(view):
                seen.add(key)
                yield msgspec.structs.replace(row, text=view.text, source=_SOURCE)


def write(folder: Path = CORPUS) -> int:
    """Derive the file anew from the others of the folder; returns how many rows it has.

    Raises:
        TrainingError: The folder holds no corpus.
    """
    found = [_line(row) for row in views_of(read_corpus_files(folder))]
    (folder / FILE).write_bytes(b"".join(found))
    return len(found)


def _is_told(view: View) -> bool:
    steps = view.encoding.split("+")
    wide = not view.text.isascii()
    long_enough = len(view.text) >= _LEAST_CHARACTERS and (wide or len(view.text.split()) >= _LEAST_WORDS)
    return long_enough and all(first != second for first, second in itertools.pairwise(steps))


def _same(text: str) -> str:
    return " ".join(text.lower().split())


def _line(row: Row) -> bytes:
    return msgspec.json.encode({name: getattr(row, name) for name in _FIELDS}) + b"\n"
