"""Attacks at the start, in the middle and at the end of a long benign text."""

import random
from collections.abc import Sequence

import msgspec
from guard_parts.progress import counted
from guard_parts.rows import Row

from lockgate.core import Action
from lockgate.guard import Guard
from lockgate.redteam.statistics import wilson95

LENGTH = 6_000
PLACES = {"start": 0.0, "middle": 0.5, "end": 1.0}
_GAP = "\n\n"
_LONGEST = LENGTH // 2


class Placed(msgspec.Struct, frozen=True):
    """How many of the same attacks are blocked.

    Attributes:
        place: Where they stand.
        rows: How many there are.
        blocked: How many are blocked at the default verdict.
        interval: 95 % Wilson interval of that share.
    """

    place: str
    rows: int
    blocked: int
    interval: tuple[float, float]


def place_attacks(rows: Sequence[Row], count: int, seed: int) -> list[Placed]:
    """Judge attacks alone and planted in 6,000 characters, all as documents; the benign text alone as a control."""
    draw = random.Random(seed)
    attacks = [row for row in rows if row.attack and 0 < len(row.text) <= _LONGEST]
    benign = surroundings(rows, "document")
    if not attacks or not benign:
        return []
    guard = Guard.default()
    blocked = dict.fromkeys(("alone", *PLACES, "benign text without attack"), 0)
    chosen = draw.sample(attacks, min(count, len(attacks)))
    for row in counted(chosen, "attacks in long texts"):
        around = filler(benign, LENGTH, draw)
        texts = {name: plant(row.text, around, place, LENGTH) for name, place in PLACES.items()}
        for name, text in {"alone": row.text, **texts, "benign text without attack": around}.items():
            blocked[name] += guard.inspect(text, "document").action is Action.BLOCK
    return [Placed(name, len(chosen), hits, wilson95(hits, len(chosen))) for name, hits in blocked.items()]


def surroundings(rows: Sequence[Row], origin: str) -> list[str]:
    """Benign texts that an attack of this origin may stand in: what users ask has no place in a document.

    All benign texts where those of that origin are shorter than one long text.
    """
    benign = [row for row in rows if not row.attack and row.text.strip()]
    alike = [row.text for row in benign if (row.origin == "user") == (origin == "user")]
    return alike if sum(map(len, alike)) >= LENGTH else [row.text for row in benign]


def filler(texts: Sequence[str], length: int, draw: random.Random) -> str:
    """`length` characters of texts drawn at random, joined by an empty line."""
    pieces: list[str] = []
    size = -len(_GAP)
    while size < length:
        pieces.append(draw.choice(texts))
        size += len(pieces[-1]) + len(_GAP)
    return _GAP.join(pieces)[:length]


def plant(attack: str, around: str, place: float, length: int) -> str:
    """An attack within benign text, `length` characters in all; of a longer attack, its start alone.

    Args:
        attack: What is planted, whole.
        around: Benign text of at least `length` characters.
        place: Share of the benign text that stands before it; cut at a blank where one is near.
        length: Of the result, in characters.
    """
    gaps = len(_GAP) * (1 if place in {0.0, 1.0} else 2)
    room = length - len(attack) - gaps
    if room <= 0:
        return attack[:length]
    around = around[:room]
    cut = round(room * place)
    blank = around.rfind(" ", max(0, cut - 40), cut) if 0 < cut < room else -1
    cut = blank + 1 if blank >= 0 else cut
    return _GAP.join(part for part in (around[:cut], attack, around[cut:]) if part)
