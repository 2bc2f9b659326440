"""What a run sends: a budget, spread over families and disguises so that the same seed gives the same attacks."""

from collections.abc import Iterator, Sequence
from random import Random

import msgspec

from lockgate.core.subject import sha256_hex
from lockgate.redteam.converters import CONVERTERS, Converter, convert
from lockgate.redteam.corpus import Attack, Corpus
from lockgate.redteam.errors import RedteamError
from lockgate.redteam.families import FAMILIES, Family
from lockgate.redteam.goal import Say
from lockgate.redteam.message import typed


class Profile(msgspec.Struct, frozen=True):
    """How much a run sends.

    Attributes:
        budget: Attack attempts.
        benign: Harmless conversations; 0 for all.
    """

    budget: int
    benign: int


PROFILES: dict[str, Profile] = {"ci": Profile(84, 24), "full": Profile(441, 0)}


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What will be sent.

    Attributes:
        corpus: The chosen attacks and harmless conversations. Its digest is that of all there was to choose from.
        families: The families that must be tried, also where the budget leaves one without an attempt.
        available: Attacks that there were to choose from.
    """

    corpus: Corpus
    families: tuple[str, ...]
    available: int


def plan(
    corpus: Corpus,
    *,
    seed: int,
    budget: int,
    benign: int = 0,
    families: Sequence[Family] | None = None,
    converters: Sequence[Converter] = CONVERTERS,
    also: Sequence[Family] = (),
) -> Plan:
    """Choose attacks: each family in turn, its plain attacks before its disguised ones.

    Args:
        corpus: Attacks and harmless conversations from files; those of a family are chosen with the family's own.
        seed: Of every choice and every disguise.
        budget: How many attacks to choose. Each is one attempt, on as many targets as there are.
        benign: How many harmless conversations to choose; 0 for all.
        families: Which families; by default all, and those that only the corpus knows.
        converters: Which disguises; none for plain attacks alone.
        also: Families beside all others, where none are chosen.

    Raises:
        RedteamError: The budget is below one, or there is nothing to choose from.
    """
    if budget < 1:
        raise RedteamError("A budget of 0 tests nothing.", remedy="Give --budget a number of attacks.")
    chosen = (*FAMILIES, *also) if families is None else tuple(families)
    own = sorted({attack.family for attack in corpus.attacks} - {family.id for family in FAMILIES})
    names = [family.id for family in chosen] + (own if families is None else [])
    known = {family.id: family for family in chosen}
    piles = {name: _pile(name, known.get(name), corpus, converters, seed) for name in names}
    if not names:
        raise RedteamError("No family of attacks was chosen.", remedy="'lockgate redteam --list' names all of them.")
    attacks = tuple(_deal(piles, budget, seed))
    harmless = list(corpus.benign)
    Random(f"{seed}:benign").shuffle(harmless)  # noqa: S311 - a choice to repeat, not a secret
    return Plan(
        corpus=Corpus(
            version=corpus.version,
            sha256=_digest(corpus, chosen, converters),
            attacks=attacks,
            benign=tuple(harmless[:benign] if benign else harmless),
        ),
        families=tuple(sorted(names)),
        available=sum(_size(known.get(name), name, corpus, converters) for name in names),
    )


def _digest(corpus: Corpus, families: Sequence[Family], converters: Sequence[Converter]) -> str:
    # What is sent, and not what the manual says about it: a better sentence there makes no baseline worthless.
    sent = [(one.id, one.target, one.tools, one.seeds) for one in families]
    return sha256_hex(msgspec.json.encode((corpus.sha256, sent, [item.id for item in converters])))


def _deal(piles: dict[str, Iterator[Attack]], budget: int, seed: int) -> Iterator[Attack]:
    order = sorted(piles)
    Random(f"{seed}:order").shuffle(order)  # noqa: S311 - a choice to repeat
    left = budget
    while left and order:
        for name in tuple(order):
            attack = next(piles[name], None)
            if attack is None:
                order.remove(name)
            elif left:
                left -= 1
                yield attack


def _pile(
    name: str, family: Family | None, corpus: Corpus, converters: Sequence[Converter], seed: int
) -> Iterator[Attack]:
    draw = Random(f"{seed}:{name}")  # noqa: S311 - a choice to repeat
    plain = [attack for attack in corpus.attacks if attack.family == name]
    places = list(range(len(family.seeds))) if family else []
    plain += [family.attack(place, family.seeds[place].payload, "") for place in places] if family else []
    draw.shuffle(plain)
    yield from filter(_fair, plain)
    if family and family.disguised:
        yield from filter(_fair, _disguised(family, places, converters, seed, draw))


def _disguised(
    family: Family, places: list[int], converters: Sequence[Converter], seed: int, draw: Random
) -> Iterator[Attack]:
    seeds, disguises = list(places), list(converters)
    draw.shuffle(seeds)
    draw.shuffle(disguises)
    # Diagonals of the table of seeds and disguises: neighbours differ in both, and nothing comes twice.
    for offset in range(len(disguises)):
        for row, place in enumerate(seeds):
            converter = disguises[(row + offset) % len(disguises)]
            yield family.attack(place, convert(converter, family.seeds[place].payload, seed), converter.id)


def _fair(attack: Attack) -> bool:
    """Whether an echo of the prompts would be told from success."""
    if not isinstance(attack.goal, Say):
        return True
    return all(attack.goal.text.casefold() not in typed(turn).casefold() for turn in attack.turns)


def _size(family: Family | None, name: str, corpus: Corpus, converters: Sequence[Converter]) -> int:
    rows = sum(attack.family == name for attack in corpus.attacks)
    return rows + (len(family.seeds) * (1 + len(converters) * family.disguised) if family else 0)
