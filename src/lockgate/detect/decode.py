"""Reads what a text holds in other encodings, ciphers, spellings and disguises.

A model decodes these when asked, so an instruction in one of them is an instruction. The work is bounded: three levels
deep, at most `MAX_VIEWS` views, all together at most `MAX_GROWTH` times as long as the text (with a floor of
`MIN_BUDGET` characters, as a short stretch may inflate) and those of a level one time less; every decoder takes linear
time.
"""

from collections.abc import Iterator
from itertools import chain, groupby

import msgspec

from lockgate.detect.ciphers import CIPHER_SHAPES, CIPHERS, MARKED
from lockgate.detect.codes import CODES
from lockgate.detect.disguises import CODED, DISGUISE_SHAPES, DISGUISES
from lockgate.detect.encodings import ENCODINGS
from lockgate.detect.games import GAME_SHAPES, GAMES
from lockgate.detect.gaps import BARE, BARE_SHAPES, GAPS
from lockgate.detect.keyed import KEYED
from lockgate.detect.keypad import KEYPAD
from lockgate.detect.linear import Pattern, pattern
from lockgate.detect.misspelled import MISSPELLED
from lockgate.detect.parts import PARTS
from lockgate.detect.piece import MAX_PIECES, Decoder, Piece, page_of
from lockgate.detect.places import PLACES
from lockgate.detect.spellings import SIGNS, SPOKEN, SPOKEN_SHAPES
from lockgate.detect.symbols import SYMBOLS
from lockgate.detect.wildcards import CROSSED, CROSSED_SHAPES, WILDCARDS

MAX_VIEWS = 256
MAX_DEPTH = 3
MAX_GROWTH = 3
"""Characters of all views together for each character of the text."""
MIN_BUDGET = 4000
"""Characters that the views may have for each time that a text may grow, however short it is."""

_DECODERS = (
    *(*ENCODINGS, *CODES, *SYMBOLS, *MARKED, *SIGNS, *CODED, *PLACES, *KEYED, *KEYPAD, *GAPS, *WILDCARDS),
    *(*MISSPELLED, *PARTS),
)
# One pass over the text tells whether a family is worth asking; plain prose rarely holds such letters. One pattern for
# all of them together takes ten times as long as one for each.
_FAMILIES: tuple[tuple[Pattern, tuple[Decoder, ...]], ...] = tuple(
    (pattern("|".join(shapes)), decoders)
    for shapes, decoders in (
        (CIPHER_SHAPES, CIPHERS),
        (SPOKEN_SHAPES, SPOKEN),
        (DISGUISE_SHAPES, DISGUISES),
        (GAME_SHAPES, GAMES),
        (BARE_SHAPES, BARE),
        (CROSSED_SHAPES, CROSSED),
    )
)


class View(msgspec.Struct, frozen=True):
    """A stretch of text, decoded.

    Attributes:
        text: What it says.
        start: Offset of the encoded stretch in the text that was searched.
        end: Offset behind it.
        encoding: How it was encoded, outermost first: `base64`, `base64+rot13`.
    """

    text: str
    start: int
    end: int
    encoding: str


def decoded(text: str) -> tuple[View, ...]:
    """Everything in `text` that decodes to readable text.

    Returns:
        Views in no particular order; the offsets always refer to `text` itself, at every level. A decoder that finds
        more than `MAX_PIECES` stretches gives the rest as one view, so that decoys hide nothing.
    """
    views: list[View] = []
    seen = {text}
    level = [View(text, 0, len(text), "")]
    share = max(len(text), MIN_BUDGET)
    total = MAX_GROWTH * share
    for _ in range(MAX_DEPTH):
        # What the first level decodes must leave room for what is nested in it.
        budget = min(total, (MAX_GROWTH - 1) * share)
        found: list[View] = []
        for view in chain.from_iterable(_views(source, share) for source in level):
            if view.text in seen or len(views) + len(found) >= MAX_VIEWS or not budget:
                continue
            seen.add(view.text)
            kept = View(view.text[:budget], view.start, view.end, view.encoding)
            budget -= len(kept.text)
            total -= len(kept.text)
            found.append(kept)
        views.extend(found)
        level = found
    return tuple(views)


def _views(source: View, share: int) -> Iterator[View]:
    page, budget = page_of(source.text), (MAX_GROWTH - 1) * share
    for decoder in chain(_DECODERS, *(decoders for shapes, decoders in _FAMILIES if shapes.search(page.lower))):
        pieces = decoder(page)
        # Most find nothing.
        if (first := next(pieces, None)) is None:
            continue
        for piece in _bundled(chain((first,), pieces), budget):
            if source.encoding:
                yield View(piece.text, source.start, source.end, f"{source.encoding}+{piece.encoding}")
            else:
                yield View(piece.text, piece.start, piece.end, piece.encoding)


def _bundled(pieces: Iterator[Piece], budget: int) -> Iterator[Piece]:
    """The first pieces apart, all further ones as one for each encoding; the decoder stops at the budget."""
    further: list[Piece] = []
    for number, piece in enumerate(pieces):
        if number < MAX_PIECES:
            yield piece
        else:
            further.append(piece)
        budget -= len(piece.text)
        if budget < 0:
            break
    if not further:
        return
    further.sort(key=_encoding)
    for encoding, group in groupby(further, key=_encoding):
        rest = list(group)
        text = "\n".join(piece.text for piece in rest)
        yield Piece(text, min(piece.start for piece in rest), max(piece.end for piece in rest), encoding)


def _encoding(piece: Piece) -> str:
    return piece.encoding
