"""Variants of an attack that a search draws: disguises one after the other, then noise in what is left in letters.

A variant is still the attack: whoever reads it can undo it. Three rules see to that, and they make the search stronger,
since a try that nobody could follow is a try lost:

- Over a code (base64, Morse, ...) goes only what gives the very same code back, and no noise.
- What the attack needs letter by letter (an address, a number, a name that the tool must be called with, a word that
  must be said) stays whole. Where a disguise rewrote it, noise changes capitals alone.
- Noise is rare enough to read: it swaps about one letter in seventeen and replaces one in fifty.
"""

import re
from random import Random

import msgspec

from lockgate.redteam.converters import CONVERTERS, Converter, convert
from lockgate.redteam.corpus import Attack
from lockgate.redteam.goal import Call, Say
from lockgate.redteam.message import Fetched, Prompt, typed

_KNOWN = {converter.id: converter for converter in CONVERTERS}
_NAMES = sorted(_KNOWN)
_LONGEST_CHAIN = 3
_NOISE = 0.06
_PLAIN_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")  # noqa: RUF001 - an apostrophe as it is typed
_EDGES = ".,;:!?()[]{}<>\"'`"


class Gene(msgspec.Struct, frozen=True):
    """How a payload is disguised.

    Attributes:
        chain: Converters, one after the other.
        noise: Seed of the noise; 0 for none.
    """

    chain: tuple[str, ...] = ()
    noise: int = 0


class Variant(msgspec.Struct, frozen=True):
    """One wording of an attack.

    Attributes:
        prompt: What to send.
        disguise: The converters that were used and `noise`, joined by `+`; empty for the attack as it is.
    """

    prompt: Prompt
    disguise: str


def random_gene(draw: Random) -> Gene:
    """Up to two converters, most often one, and noise."""
    return Gene(tuple(draw.sample(_NAMES, draw.choice((0, 1, 1, 1, 2)))), draw.randrange(1, 1 << 30))


def crossed(first: Gene, second: Gene, draw: Random) -> Gene:
    """A child of two: the beginning of one chain and the end of the other, now and then changed in one place."""
    chain = [*first.chain[: (len(first.chain) + 1) // 2], *second.chain[len(second.chain) // 2 :]]
    if draw.random() < 1 / 2:
        chain.insert(draw.randrange(len(chain) + 1), draw.choice(_NAMES))
    if chain and draw.random() < 1 / 3:
        chain.pop(draw.randrange(len(chain)))
    kept = tuple(dict.fromkeys(chain))[:_LONGEST_CHAIN]
    return Gene(kept, draw.randrange(1, 1 << 30) if draw.random() < 1 / 2 else first.noise)


def disguised(attack: Attack, gene: Gene, seed: int) -> Variant:
    """The attack as a gene disguises it. Converters that would destroy it are left out.

    Args:
        attack: The attack as it is.
        gene: How.
        seed: Of whatever the converters draw.
    """
    payload = attack.payload or typed(attack.turns[-1])
    text, used, coded = payload, list[str](), False
    for name in gene.chain:
        converter = _KNOWN[name]
        if not coded or _lossless(converter, text, seed + gene.noise):
            text = convert(converter, text, seed + gene.noise)
            coded = coded or converter.kind == "encoding"
            used.append(name)
    if gene.noise and not coded:
        text = _noisy(text, gene.noise, _literals(attack, payload))
        used.append("noise")
    return Variant(with_payload(attack, text), "+".join(used))


def with_payload(attack: Attack, text: str) -> Prompt:
    """The attack with other words where its payload is, the document or page around it as it was."""
    last = attack.turns[-1]
    if isinstance(last, str):
        return last.replace(attack.payload, text) if attack.payload else text
    result = last.result.replace(attack.payload, text) if attack.payload else text
    return Fetched(last.user, last.tool, result)


def _lossless(converter: Converter, text: str, seed: int) -> bool:
    """Whether the same code comes back. One that has no inverse, or one that knows no capitals, may not touch it."""
    if converter.decode is None:
        return False
    rewritten = convert(converter, text, seed)
    before, after = converter.frame.split("{text}")
    return converter.decode(rewritten[len(before) : len(rewritten) - len(after)]) == text


def _literals(attack: Attack, payload: str) -> tuple[str, ...]:
    """Words that must arrive letter by letter."""
    goal = attack.goal
    needed = goal.text if isinstance(goal, Say) else goal.argument if isinstance(goal, Call) else ""
    parts = set(re.findall(r"\w+", needed.casefold()))
    words = {word.strip(_EDGES) for word in payload.split()}
    return tuple(
        sorted(word for word in words if word and (not _PLAIN_WORD.fullmatch(word) or word.casefold() in parts))
    )


def _noisy(text: str, noise: int, literals: tuple[str, ...]) -> str:
    """Random capitals, swapped neighbours inside words and shifted letters, as best-of-n draws them."""
    draw = Random(noise)  # noqa: S311 - draws to repeat
    kept, whole = _places(text, literals)
    letters = [
        letter.swapcase() if draw.random() < 6 * _NOISE and place not in kept else letter
        for place, letter in enumerate(text)
    ]
    for place in range(1, len(letters) - 2):
        if not whole or place in kept or place + 1 in kept:
            continue
        if letters[place].isalpha() and letters[place + 1].isalpha() and draw.random() < _NOISE:
            letters[place], letters[place + 1] = letters[place + 1], letters[place]
        elif letters[place].isascii() and letters[place].isalpha() and draw.random() < _NOISE / 3:
            letters[place] = chr(ord(letters[place]) ^ 1) if letters[place] not in "`{@[zZ" else letters[place]
    return "".join(letters)


def _places(text: str, literals: tuple[str, ...]) -> tuple[frozenset[int], bool]:
    """Where the literals are, and whether each of them is there."""
    kept: set[int] = set()
    whole = True
    for word in literals:
        found = [match.span() for match in re.finditer(rf"(?<!\w){re.escape(word)}(?!\w)", text, re.IGNORECASE)]
        whole = whole and bool(found)
        kept.update(place for start, end in found for place in range(start, end))
    return frozenset(kept), whole
