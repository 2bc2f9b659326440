"""Counts our own corpus and writes the tables into its README."""

import collections
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from training.errors import TrainingError
from training.rows import CORPUS, Row, held_out, read_corpus_files

README = CORPUS / "README.md"
_BEGIN = "<!-- counts -->\n"
_END = "<!-- end of counts -->\n"


def tables(folder: Path = CORPUS) -> str:
    """Counts by file, family, carrier and language as Markdown tables.

    Raises:
        TrainingError: The folder holds no corpus.
    """
    rows = read_corpus_files(folder)
    kept = sum(held_out(row.group) for row in rows)
    groups = {row.group for row in rows}
    sentence = (
        f"{len(rows):,} rows, {sum(row.label for row in rows):,} of them attacks, in {len(groups):,} groups and "
        f"{len({row.lang for row in rows})} languages; {kept:,} rows are of the development split.\n"
    )
    parts = [sentence]
    columns: dict[str, Callable[[Row], str]] = {
        "File": lambda row: f"`{row.source.removeprefix('own-')}.jsonl`",
        "Family": lambda row: row.family,
        "Carrier": lambda row: row.carrier,
        "Language": lambda row: row.lang,
    }
    parts += [_table(title, column, rows) for title, column in columns.items()]
    return "\n".join(parts)


def write(readme: Path = README, folder: Path = CORPUS) -> None:
    """Put the tables between the two marks of the README.

    Raises:
        TrainingError: The README has no such marks, or the folder holds no corpus.
    """
    before, begin, rest = readme.read_text("utf-8").partition(_BEGIN)
    _, end, after = rest.partition(_END)
    if not (begin and end):
        raise TrainingError(f"{readme} has no place for counts.", remedy=f"Add the lines {_BEGIN!r} and {_END!r}.")
    readme.write_text(f"{before}{begin}{tables(folder)}{end}{after}", "utf-8")


def _table(title: str, column: Callable[[Row], str], rows: Sequence[Row]) -> str:
    attacks: collections.Counter[str] = collections.Counter(column(row) for row in rows if row.label)
    harmless: collections.Counter[str] = collections.Counter(column(row) for row in rows if not row.label)
    ranked = sorted({*attacks, *harmless}, key=lambda name: (-attacks[name] - harmless[name], name))
    lines: Iterable[str] = (f"| {name} | {attacks[name]:,} | {harmless[name]:,} |" for name in ranked)
    return "\n".join((f"| {title} | Attacks | Harmless |", "|---|--:|--:|", *lines, ""))
