# ruff: noqa: E501 - one row of cue words
"""Names of persons, in full or beside a word that announces one.

Scripts other than Latin are not read. A single known name in running text is left alone, unless it belongs to a whole
name nearby.
"""

from bisect import bisect_left
from collections.abc import Iterator

from lockgate.core import Span
from lockgate.detect.linear import pattern
from lockgate.detect.pii_name_words import LABEL, LONGEST_NAME, capitalised, in_full, is_known, known_places, leading
from lockgate.detect.pii_words import PARTICLES, words

NEAR = 120
"""How far from a whole name one of its parts is still taken for the same person."""

_WORD = r"[A-Z][A-Za-z\x1a'-]{0,29}"
# The patterns end where a name may begin and capture nothing: RE2 then needs no more than its automaton.
_TITLES = (
    r"\b(?:Mr|Mrs|Ms|Miss|Mx|Dr|Prof|Professor|Sir|Madam|Herrn?|Frau|Fr|Hr|Monsieur|Madame|Mademoiselle|Mme|Mlle|MM?"
    r"|Maitre|Docteur|Senora?|Senorita|Sra?|Srta|Don|Dona|Dra|Doctora?|Sigg?|Signora?|Signorina|Sig\.ra|Dott|Dott\.ssa|Avv|Ing"
    r"|Senhora?|Dhr|Mevr|Mevrouw|Meneer|heer|mevrouw|Pana?|Pania?|Panu|Pani|Panem|Herra|Rouva|Fru|Bay|Bayan|Sayin|Shri|Smt"
    r"|sig|signora?|sr|sra|senora?|monsieur|madame|frau|herr)\.? (?:(?:Dr|Prof|med|dr|prof)\.? ){0,2}"
)
_GREETINGS = (
    r"\b(?:Dear|Hi|Hello|Hey|Hiya|Morning|Good (?:morning|afternoon|evening)|Liebe[rs]?|Hallo|Guten Tag|Moin|Servus|Gruezi"
    r"|Bonjour|Bonsoir|Salut|Chere?|Coucou|Hola|Querid[oa]s?|Estimad[oa]s?|Buen[oa]s (?:dias|tardes)|Ciao|Car[oa]|Gentile"
    r"|Egregio|Buongiorno|Salve|Ola|Oi|Prezad[oa]|Car[oa]|Bom dia|Boa tarde|Beste|Geachte|Hoi|Dag|Goedemorgen|Czesc|Hej|Hei"
    r"|Drog[ia]a?|Szanown[aiy]|Witaj|Dzien dobry|Kara|Basta|Kaere|Sayin|Merhaba|Thanks|Thank you|Merci|Danke|Gracias|Grazie"
    r"|Obrigad[oa]|Bedankt|Dzieki|Cc|Bcc|Attn|FAO|z\. ?Hd\.|c/o)[,:]? "
)
_CLOSINGS = (
    r"(?i:\b(?:regards|wishes|sincerely|faithfully|truly|cheers|thanks|thank you|best|love|xo|grussen?|grusen?|gruse|hochachtungsvoll|lg|vg|mfg"
    r"|cordialement|salutations|amicalement|a toi|a vous|bises|saludos?|atentamente|cordiales|abrazo|besos|saluti|presto|cordialmente"
    r"|atenciosamente|cumprimentos|abracos?|beijos|groet|groeten|groetjes|hoogachtend|pozdrawiam|powazaniem|szacunku|pozdrowienia"
    r"|halsningar|halsning|mvh|vh|hilsen|terveisin|saygilarimla|signed|gez\.))[ ]?[,.!]?[ ]{0,4}\n?[ \t]{0,8}\n?[ \t]{0,8}(?:- ?)?"
)
_INTROS = (
    r"(?i:\b(?:my name is|name's|i am|i'm|this is|mein name ist|ich heis+e|ich bin|je m'appelle|je suis|mon nom est|me llamo|mi nombre es"
    r"|soy|mi chiamo|sono|il mio nome e|meu nome e|me chamo|chamo-me|aqui e|eu sou|mijn naam is|ik heet|ik ben|nazywam sie|mam na imie"
    r"|jestem|tu|jag heter|mitt namn ar|jeg heter|mit navn er|nimeni on|benim adim|adim))[ :]{1,3}"
)
_SPEAKER = pattern(
    rf"(?m)^(?:[ \t>*]{{0,8}}(?:\[[^\]\n]{{1,24}}\]|[0-9]{{1,2}}:[0-9]{{2}}(?::[0-9]{{2}})?) ?)?<?{_WORD}(?: {_WORD}){{0,2}}>?(?: \([^)\n]{{1,20}}\))?:"
)
_TITLE, _GREETING, _CLOSING, _INTRO = map(pattern, (_TITLES, _GREETINGS, _CLOSINGS, _INTROS))
_ANNOUNCED = pattern(f"{_TITLES}|{_GREETINGS}|{_CLOSINGS}|{_INTROS}")
"""Any of them: where one search finds nothing, the others are spared."""
_COMPLETE_GREETING = frozenset((b",", b"!"))
_LINE_ENDS = frozenset((b"", b"\n", b",", b"|"))
# "caller: Optional[str] = None" is a type, not a person.
_CODE = frozenset((b"[", b"=", b"("))
_LEAST_PART = 3


def find_names(data: bytes) -> Iterator[Span]:
    """Names in folded text: beside a title, a greeting, a closing or an introduction, and known ones in full."""
    listed = known_places(data)
    found = list(in_full(data, listed))
    if _ANNOUNCED.search(data):
        found.extend(_announced(data))
    if b":" in data:
        for match in _SPEAKER.finditer(data):
            found.extend(_speaking(data, *match.span()))
    yield from found
    yield from _again(listed, found)


def _announced(data: bytes) -> Iterator[Span]:
    """Names beside a title, a greeting, a closing or an introduction."""
    for match in _TITLE.finditer(data):
        yield from named(data, match.end(), sure=True)
    for match in _GREETING.finditer(data):
        yield from _greeted(data, match.end())
    for match in _CLOSING.finditer(data):
        yield from (name for name in named(data, match.end(), sure=False) if _ends_line(data, name.end))
    for match in _INTRO.finditer(data):
        yield from _introduced(data, match.end())


def named(data: bytes, start: int, *, sure: bool) -> Iterator[Span]:
    """The name that begins at `start`, which a cue announces.

    Args:
        data: Folded text.
        start: Where the cue ends.
        sure: Whether any capitalised word is a name here; else one of its words must be known or look like a name.
    """
    name = leading(data, start)
    if name and data[name[-1].end : name[-1].end + 1] in _CODE:
        return
    if name and (sure or any(is_known(word.key) for word in name)):
        yield Span(start, name[-1].end, LABEL, 0.9)


def _greeted(data: bytes, start: int) -> Iterator[Span]:
    """A name behind a greeting: any, where a comma or an exclamation mark completes the greeting."""
    for name in named(data, start, sure=True):
        if data[name.end : name.end + 1] in _COMPLETE_GREETING:
            yield name
        else:
            yield from named(data, start, sure=False)


def _ends_line(data: bytes, end: int) -> bool:
    return data[end : end + 4].lstrip(b" .")[:1] in _LINE_ENDS


def _introduced(data: bytes, start: int) -> Iterator[Span]:
    """A name behind "my name is", in whatever case; its words must be known where they are not capitalised."""
    last = position = start
    for token in data[start : start + LONGEST_NAME].split(b" "):
        word = token.rstrip(b".,;:!?)\"'\n").partition(b"\n")[0]
        first = last == start
        particle = not first and word in PARTICLES
        if not particle:
            if not (_begins(word) if first else _follows(word)):
                break
            last = position + len(word)
        if len(word) < len(token):
            break
        position += len(token) + 1
    if last > start:
        yield Span(start, last, LABEL, 0.9)


def _begins(token: bytes) -> bool:
    key = _key(token)
    return is_known(key) and (token[:1].isupper() or key in words().sure) and key not in words().common


def _follows(token: bytes) -> bool:
    key = _key(token)
    return key in words().family or (token[:1].isupper() and key not in words().common)


def _speaking(data: bytes, start: int, end: int) -> Iterator[Span]:
    """The name at the beginning of a line of a chat, behind a time in brackets, perhaps."""
    listed = words()
    first = next(capitalised(data, max(start, data.rfind(b"]", start, end)), end), None)
    name = leading(data, first.start) if first else []
    if name and name[0].key in listed.sure and name[-1].end <= end and not (len(name) == 1 and name[0].capitals):
        yield Span(name[0].start, name[-1].end, LABEL, 0.8)


def _again(places: list[tuple[int, bytes]], found: list[Span]) -> Iterator[Span]:
    """Single parts of the names that were found, where they stand near them."""
    listed = words()
    spans = sorted(found)
    starts = [span.start for span in spans]
    parts: dict[bytes, list[int]] = {}
    single: list[tuple[int, bytes]] = []
    for start, key in places if found else ():
        index = bisect_left(starts, start + 1) - 1
        if index >= 0 and start < spans[index].end:
            parts.setdefault(key, []).append(start)
        elif len(key) >= _LEAST_PART and (key in listed.sure or key in listed.family) and key not in listed.common:
            single.append((start, key))
    for start, key in single:
        near = parts.get(key, ())
        index = bisect_left(near, start)
        if any(abs(place - start) <= NEAR for place in near[max(0, index - 1) : index + 1]):
            yield Span(start, start + len(key), LABEL, 0.7)


def _key(word: bytes) -> bytes:
    return word.lower().replace(b"\x1a", b"")
