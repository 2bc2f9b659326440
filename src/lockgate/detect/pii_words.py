"""The words that tell a person's name from other capitalised words, from `pii_words.txt`.

Its sections, in lower-case ASCII with accents undone: `given` and `family` names of many cultures; `unsure` given
names, which are also words or places; `common` words, which are no part of a name even where they are capitalised;
what stands `before` and `after` the name of a place, a firm or a thing that is called after a person; and `firms`, the
first and last word of well-known ones that read like a person's name.
"""

import functools
from pathlib import Path
from typing import NamedTuple

PARTICLES = frozenset(
    b"de da do dos das del della dei di du des van von der den ter ten zu zum zur la le el al bin ibn y e af av d l"
    b" 't".split()
)
"""Words that stand inside a name in lower case."""
_SHORTEST_SURE = 3


class Words(NamedTuple):
    """The sections of the file; `sure` are the given names that are nothing else, `listed` all names."""

    given: frozenset[bytes]
    sure: frozenset[bytes]
    family: frozenset[bytes]
    common: frozenset[bytes]
    before: frozenset[bytes]
    after: frozenset[bytes]
    firms: frozenset[tuple[bytes, ...]]
    listed: frozenset[bytes]


@functools.cache
def words() -> Words:
    """Read the file, once and only when a text holds a capital letter or a digit."""
    sections: dict[bytes, frozenset[bytes]] = {}
    for section in (Path(__file__).parent / "pii_words.txt").read_bytes().split(b"[")[1:]:
        title, _, body = section.partition(b"]")
        sections[title] = frozenset(body.split())
    given, common = sections[b"given"], sections[b"common"]
    sure = frozenset(name for name in given - sections[b"unsure"] - common if len(name) >= _SHORTEST_SURE)
    firms = frozenset(tuple(firm.split(b"/")) for firm in sections[b"firms"])
    family = sections[b"family"]
    return Words(given, sure, family, common, sections[b"before"], sections[b"after"], firms, given | family)
