"""A run of the red team as one page for people: a heat map of families and disguises, each cell a link to its talks."""

from collections import Counter
from collections.abc import Iterable
from typing import Final

import msgspec

from lockgate.redteam.attempt import Attempt, AttemptStatus, Lane
from lockgate.redteam.converters import CONVERTERS
from lockgate.redteam.judges import titled
from lockgate.redteam.public import PublicFamily, PublicReport
from lockgate.redteam.reasons import held_for
from lockgate.redteam.result import FamilyStatus
from lockgate.report import name, shown
from lockgate.report.shown import interval, percent
from lockgate.report.template import template

MAX_TALKS: Final = 3_000
_PLAIN = "plain"
_KINDS = {"encoding": "encodings", "disguise": "disguises", "wrapper": "wrappers", "language": "languages"}
_KIND = {converter.id: list(_KINDS).index(converter.kind) for converter in CONVERTERS}
_GROUPS = (*_KINDS.values(), "others")
_SHOWN = 2_000
_CAUSES = 5
_RANK = {status: rank for rank, status in enumerate(("SUCCEEDED", "ERRORED", "SKIPPED", "RESISTED", "BLOCKED"))}


class Cell(msgspec.Struct, frozen=True):
    """One family under one disguise.

    Attributes:
        tone: `none` when nothing was sent, `bad` when nothing could be judged, `idle` when nothing succeeded where
            nothing does without the guard either, else `heat0` to `heat4`.
        text: Successes of attempts.
        target: The fragment of the first conversation to read.
        title: The cell in words.
    """

    tone: str
    text: str
    target: str
    title: str


class Row(msgspec.Struct, frozen=True):
    """One family: its name, its numbers, its cells."""

    family: str
    status: str
    rate: str
    ends: str
    cells: tuple[Cell, ...]


class Talk(msgspec.Struct, frozen=True):
    """One attempt with what was said."""

    key: str
    id: str
    family: str
    converter: str
    lane: str
    status: str
    judges: str
    reason: str
    turns: tuple[tuple[str, str], ...]
    calls: str
    tries: str


def page(report: PublicReport) -> str:
    """Render a report as one HTML page without scripts and without requests.

    The heat map counts attacks on the target as it was given. Every conversation is listed, worst first, up to 3,000;
    the JSON report holds all of them.
    """
    attacks = [item for item in report.attempts if item.attack and not item.control and item.lane is Lane.GUARDED]
    converters = sorted({item.converter or _PLAIN for item in attacks}, key=_column)
    bare = [item for item in report.attempts if item.attack and not item.control and item.lane is Lane.BARE]
    harmless = [item for item in report.attempts if not item.attack and item.status is not AttemptStatus.ANSWERED]
    listed = [*attacks, *bare, *harmless]
    return template("lockgate.redteam", "redteam.html.j2").render(
        report=report,
        rows=_rows(report, attacks, converters),
        converters=converters,
        groups=_groups(converters),
        helps=what_helps(report),
        reasons=held_for(report),
        troubles=_troubles(report),
        talks=[_talk(item) for item in sorted(listed, key=_order)[:MAX_TALKS]],
        left_out=max(0, len(listed) - MAX_TALKS),
        shown=shown,
        name=name,
        percent=percent,
        interval=interval,
    )


def _troubles(report: PublicReport) -> list[tuple[str, int]]:
    """Why attempts have no verdict, the commonest first."""
    unjudged = (item for item in report.attempts if item.status in {AttemptStatus.ERRORED, AttemptStatus.SKIPPED})
    return Counter(item.reason.rstrip(".") for item in unjudged).most_common(_CAUSES)


def what_helps(report: PublicReport) -> list[PublicFamily]:
    """Families that reached their goal on the target as it was given, most often first, where we know what helps."""
    return sorted((row for row in report.families if row.helps), key=lambda row: (-row.successes, row.id))


def _column(converter: str) -> tuple[int, str]:
    return -1 if converter == _PLAIN else _KIND.get(converter, len(_KINDS)), converter


def _groups(converters: list[str]) -> list[tuple[str, int]]:
    """Neighbouring columns of one kind: what they are called, and how many they are."""
    kinds = [_column(one)[0] for one in converters]
    return [("" if kind < 0 else _GROUPS[kind], kinds.count(kind)) for kind in dict.fromkeys(kinds)]


def _rows(report: PublicReport, attacks: list[Attempt], converters: list[str]) -> list[Row]:
    cells: dict[tuple[str, str], list[Attempt]] = {}
    for item in attacks:
        cells.setdefault((item.family, item.converter or _PLAIN), []).append(item)
    return [
        Row(
            family=name(family.id),
            status=family.status + (", scripted target" if family.target == "obedient" else ""),
            rate=f"{family.successes} / {family.attempts}",
            ends=interval(family.wilson95),
            cells=tuple(_cell(family, one, cells.get((family.id, one), [])) for one in converters),
        )
        for family in report.families
    ]


def _cell(family: PublicFamily, converter: str, items: list[Attempt]) -> Cell:
    if not items:
        return Cell("none", "", "", f"{family.id}, {converter}: not tried")
    judged = sum(item.status not in {AttemptStatus.ERRORED, AttemptStatus.SKIPPED} for item in items)
    fell = sum(item.status is AttemptStatus.SUCCEEDED for item in items)
    tone = f"heat{-(-4 * fell // judged)}" if judged else "bad"
    if tone == "heat0" and family.status == FamilyStatus.NOT_EXERCISED:
        tone = "idle"
    title = f"{family.id}, {converter}: {fell} of {judged} succeeded, {len(items) - judged} not judged"
    return Cell(tone, f"{fell}/{judged}" if judged else "-", _key(min(items, key=_order)), title)


def _order(item: Attempt) -> tuple[bool, int, str, str]:
    return (item.lane is Lane.BARE, _RANK.get(item.status, len(_RANK)), item.family, item.id)


def _key(item: Attempt) -> str:
    return f"{item.lane.value}-{item.id}"


def _talk(item: Attempt) -> Talk:
    prompts: Iterable[str] = item.prompts or ("(not shown: this half of the corpus is held out)" for _ in item.replies)
    return Talk(
        key=_key(item),
        id=name(item.id),
        family=name(item.family),
        converter=name(item.converter or _PLAIN),
        lane=item.lane.value,
        status=item.status.value,
        judges="; ".join((*map(titled, item.judges), *(f"beside: {titled(one)}" for one in item.beside))),
        reason=shown(item.reason),
        turns=tuple(
            (shown(prompt, _SHOWN), shown(reply, _SHOWN)) for prompt, reply in zip(prompts, item.replies, strict=False)
        ),
        calls=", ".join(name(call) for call in item.calls),
        tries=f"try {len(item.replies)}: {name(item.disguise)}" if item.disguise else "",
    )
