# ruff: noqa: E501 - one row a form
"""Postal addresses: a street with its number, as many countries write it, with the flat, code and town that follow."""

from collections.abc import Iterator

from lockgate.core import Span
from lockgate.detect.linear import pattern

LABEL = "pii.address"

_CAP = r"(?:[A-Z][A-Za-z\x1a'-]{0,24}|[0-9]{1,3}(?:st|nd|rd|th)|[NSEW]\.)"
_LINK = r"(?:(?:de la|de los|de las|de|du|des|del|della|dello|dei|degli|delle|do|dos|das|da|la|le|les|los|las|l|d|van|von|den|der|dem|het|aux?|en|of|the|e|y|i|und) |[ld]'|dell'|dall')"
_NAME = rf"{_LINK}{{0,2}}(?:{_CAP}|[0-9]{{1,2}} (?:de )?[A-Z][a-z]{{2,12}})\.?(?:[ -]{_LINK}{{0,2}}(?:{_CAP}|[IVX]{{1,5}})\.?){{0,3}}"
_NO = r"[0-9]{1,5}(?: ?[A-Za-z]\b|[A-Za-z]\b)?(?:[-/][0-9A-Za-z]{1,4}\b)?"
_UNIT = r"(?i:\b(?:flat|unit|apt|apartment|suite|ste|room|floor|bus|apto?|piso|appt?|appartement|bat|int|interno|m|lok|wohnung|whg|top|lgh|po box|no)\b\.? ?|\# ?)[A-Za-z]?[0-9]{0,5}[A-Za-z]?\b"
_ENGLISH = (
    r"Street|St|Road|Rd|Avenue|Ave|Av|Lane|Ln|Drive|Dr|Court|Ct|Way|Boulevard|Blvd|Place|Pl|Square|Sq|Close|Crescent|Cres|Terrace|Ter|Parkway"
    r"|Pkwy|Highway|Hwy|Circle|Cir|Gardens|Grove|Mews|Row|Walk|Quay|Trail|Trl|Loop|Plaza|Alley|Pike|Parade|Esplanade|Rise|View|Green|Hill|Salai|Marg|Nagar|Marga"
)
_BEFORE_NO = (
    r"(?:(?i:calle|avda|avenida|plza|pza|paseo|carrer|camino|carretera|ctra|travesia|urbanizacion|glorieta"
    r"|viale|piazza|vicolo|piazzale|lungotevere|contrada|rua|travessa|praca|alameda|estrada|rodovia|beco"
    r"|ulica|aleja|aleje|osiedle|plac|rynek|bulevardul|calea|jalan|jln)\b|(?:Via|Corso|Largo|Strada|Plaza|Ronda|Quinta)\b|\bin via\b"
    r"|(?i:c/) ?|(?i:c\.so|v\.le|p\.zza|avda|av|pza|cno|ctra|r|tv|ul|al|os|pl|str|bd|jl|jln)(?:\.|/))\.?"
)
_FRENCH = r"(?i:rue|avenue|av\.?|boulevard|bd\.?|blvd|place|pl\.?|chemin|ch\.|impasse|allees?|quai|cours|route|square|passage|sentier|villa|esplanade|faubourg|voie|ruelle|lotissement|residence)"
_GLUED = (
    r"(?:strase|strasse|str\.|stra\x1ae|weg|platz|allee|gasse|damm|ufer|chaussee|steig|stieg|promenade"
    r"|straat|laan|plein|gracht|kade|singel|dijk|dreef|steeg|kerkhof|steenweg"
    r"|gatan|vagen|gata|torget|gaten|veien|vegen|vei|gade|vej|vejen|stra?ede|katu|kuja|polku)"
)
# Endings that many other words have, English ones too: a postal code must follow.
_DOUBTFUL = r"(?:ring|markt|berg|hof|pad|baan|lei|grand|gate|plass|alle|tie|feld|hang|winkel|graben)"
_SUFFIXED = rf"(?:[A-Z][A-Za-z\x1a'.-]{{0,24}} ){{0,2}}(?:[A-Z][A-Za-z\x1a-]{{1,24}}{_GLUED}|[A-Z][A-Za-z\x1a'-]{{1,24}} (?i:{_GLUED}))"
_WEAK = pattern(rf"\b(?:[A-Z][A-Za-z\x1a'.-]{{0,24}} ){{0,2}}[A-Z][A-Za-z\x1a-]{{1,24}} ?(?i:{_DOUBTFUL}) {_NO}")
_YEAR = pattern(r"^(?:19|20)[0-9]{2}\b|\b(?:19|20)[0-9]{2}(?:[-/][0-9]+)?$")
_IN_GERMAN = r"(?:Am|Im|An der|An den|Auf der|Auf dem|In der|Zum|Zur|Unter den|Hinter der|Bei der|Beim|Vor dem|Oude|Nieuwe|Lange|Korte|Hoge) (?:[A-Z][A-Za-z\x1a-]{1,24} ?){1,2}"

# Endings that are ordinary words as well: what stands around them has to speak for a street.
_ORDINARY = pattern(
    r" (?:Drive|Court|Ct|Way|Place|Square|Close|Terrace|Highway|Circle|Gardens|Grove|Row|Walk|Trail|Loop|Plaza|Alley|Pike|Parade|Rise|View"
    r"|Green|Hill|Road)\.?$"
)
_LOCATED = pattern(
    r"(?i)(?:\b(?:at|to|on|from|near|opposite|visit|is|was|moved|lives?|living|address|office|home|house|site|deliver(?:ed)?|ship(?:ped)?)|[:>,;(\"=|-]|^|\n)[ \t]*$"
)
_COUNTED = pattern(
    r"(?i)\b(?:figure|fig|chapter|section|version|step|level|team|flight|platform|table|column|batch|order|model|gate|part|phase|stage|page|item"
    r"|line|row|article|question|answer|task|round|season|episode|volume|unit|build|press|add|the|our|this|mix|sold|played|need)\.? $"
)
_MEASURED = pattern(
    r"^[0-9]{1,5} (?:Second|Minute|Hour|Day|Week|Month|Year|Meter|Metre|Mile|Gram|Point|Star|Step|Time|Hole|Lane|Percent|Piece|Part|Easy|Large|Small)s?\b"
)
_BEFORE = 24
_YEAR_OF = pattern(r"^Im Jahre? ")
_POST_BOX = pattern(r"^(?i:b\.?p\.?) ")
_SENTENCE = pattern(
    r"^(?:a|an|and|are|as|at|by|for|from|has|if|in|is|it|its|my|not|of|on|or|our|so|that|the|their|they|this|to|was|we|when"
    r"|which|who|with|you|your) "
)

_STREETS = pattern(
    rf"(?:{_UNIT},? )?\b{_NO},? (?:[NSEW]\.? )?(?:{_CAP} ){{1,4}}(?:{_ENGLISH})\b\.?(?: (?:North|South|East|West|N|S|E|W|NE|NW|SE|SW)\b)?"
    rf"|(?:{_UNIT},? )?\b{_CAP}(?: {_CAP}){{0,2}} (?:Lane|Street|Road|Avenue),? [0-9]{{1,4}}\b"
    rf"|{_UNIT}, (?:{_CAP} ){{1,3}}(?:{_ENGLISH})\b\.?"
    rf"|\b[0-9]{{1,4}}(?: ?(?:bis|ter|quater|[A-E])\b)?,? {_FRENCH} {_NAME}"
    rf"|(?:\b|^){_BEFORE_NO} ?{_NAME},? ?(?i:(?:n\.?|no\.?|num\.?|nr\.?|numero|s/n) ?\.? ?)?{_NO}"
    rf"|\b{_SUFFIXED} {_NO}|\b{_IN_GERMAN} ?{_NO}"
    r"|\b(?i:p\.? ?o\.? ?box|postfach|postbus|apartado(?: de correos)?|casella postale|caixa postal|boite postale|b\.?p\.?|skrytka pocztowa) [0-9]{1,6}\b"
    rf"|\b[0-9]{{1,4}}[A-Z]?, (?:{_CAP} ?){{1,4}}, (?:{_CAP} ?){{1,2}},? (?:[A-Z]{{2,3}} )?[0-9]{{5,6}}\b"
    rf"|\b[0-9]{{1,4}}[A-Z]?,? (?i:jalan|jl\.) {_NAME}"
)
_TOWN = r"[A-Z][A-Za-z\x1a'.]{1,24}(?:[ '-](?:[a-z]{1,5}[ '-]){0,2}[A-Z][A-Za-z\x1a'.]{1,24}){0,3}"
_CODE_FIRST = rf"(?:[A-Z]{{1,2}}-)?(?:[0-9]{{5}}-[0-9]{{3}}|[0-9]{{4}}-[0-9]{{3}}|[0-9]{{2}}-[0-9]{{3}}|[0-9]{{4}} ?[A-Z]{{2}}|[0-9]{{3}} [0-9]{{2}}|[0-9]{{4,6}})\b(?: ?- ?| |, )?{_TOWN}(?: \(?[A-Z]{{2}}\)?)?"
_CODE_LAST = (
    rf"{_TOWN}(?:,? (?:- ?)?[A-Z]{{2,3}}\b,?| - [A-Z]{{2}},?|,)?(?: | ?\n)(?:[0-9]{{5}}-[0-9]{{3,4}}|[0-9]{{5,6}}|[0-9]{{4}}"
    r"|[A-Z]{1,2}[0-9][0-9A-Z]? ?[0-9][A-Z]{2}|[A-Z][0-9][A-Z] ?[0-9][A-Z][0-9])\b"
)
_REST = pattern(
    rf"^(?:,? (?:{_UNIT}|[0-9]{{1,2}}\.? ?\.?(?: ?\.?,? ?(?:[A-Z]|izda|dcha|izq|der|esq|dto)\b\.?)?)|, (?i:(?:{_UNIT}|(?:{_TOWN})(?:,| - ))) ?)??"
    rf"(?:,? ?\n|,? - |, ?| )(?:{_CODE_FIRST}|{_CODE_LAST}|[A-Z]{{1,2}}[0-9][0-9A-Z]? ?[0-9][A-Z]{{2}}\b)"
)
_TOWN_ONLY = pattern(rf"^, ({_TOWN})(?:[.,;)\"'\n]|$)")
_UNIT_ONLY = pattern(
    r"^,? (?:(?i:apt|apartment|suite|apto?|piso|m|lok|bus|flat|unit)\b\.? ?[0-9A-Za-z]{1,4}\b|\# ?[0-9A-Z]{1,4}\b|[IVX]{1,4}\b)"
)
_LABELLED = pattern(r"[^\n\r\t\"\\<>;|{}]{6,120}")
_LETTERS = pattern(r"[A-Z][a-z\x1a]{2}")
_LONGEST = 200


def find_addresses(data: bytes) -> Iterator[Span]:
    """Streets with a number, each with the flat, postal code and town that follow."""
    for match in _STREETS.finditer(data):
        start, end = match.span()
        if _is_no_street(data, start, end):
            continue
        whole = _extended(data, start, end)
        # "1980, Mount St. Helens", "Parkweg 2021": a year that nothing postal follows.
        if whole > end or not (_YEAR.search(data[start:end]) or _is_ordinary(data, start, end)):
            yield Span(start, whole, LABEL, 0.85)
    for match in _WEAK.finditer(data):
        start, end = match.span()
        whole = _extended(data, start, end, coded=True)
        if whole > end:
            yield Span(start, whole, LABEL, 0.85)


def _is_no_street(data: bytes, start: int, end: int) -> bool:
    """A time and a name, "09:00 Baker Dr", a blood pressure, "BP 150/95", or a year, "Im Jahr 2190"."""
    if data[start - 1 : start] == b":" and data[start - 2 : start - 1].isdigit():
        return True
    street = data[start:end]
    return bool(_YEAR_OF.search(street)) or (data[end : end + 1] == b"/" and bool(_POST_BOX.search(street)))


def _is_ordinary(data: bytes, start: int, end: int) -> bool:
    """Whether a number and capitalised words are a title or an amount, "Figure 3 Side View", rather than a street."""
    if not _ORDINARY.search(data[start:end]):
        return False
    before = data[max(0, start - _BEFORE) : start]
    if _MEASURED.search(data[start:end]) or _COUNTED.search(before):
        return True
    goes_on = data[end : end + 1] == b" " and data[end + 1 : end + 2].islower()
    return goes_on and not _LOCATED.search(before)


def labelled(data: bytes, start: int) -> Iterator[Span]:
    """What stands behind "Address:" up to the end of the line, where it holds a number and a capitalised word."""
    match = _LABELLED.match(data, start, min(len(data), start + 120))
    if match is None or data[start : start + 1].isspace():
        return
    end = match.end()
    for stop in (b"  ", b". ", b" - Tel", b", Tel"):
        cut = data.find(stop, start, end)
        end = cut if cut >= 0 and cut > start + 6 else end
    value = data[start:end].rstrip(b" ,.")
    if (
        b"@" in value
        or b"//" in value
        or not any(byte in b"0123456789" for byte in value)
        or not _LETTERS.search(value)
        or _SENTENCE.search(value)
    ):
        return
    yield Span(start, _extended(data, start, start + len(value)), LABEL, 0.8)


def _extended(data: bytes, start: int, end: int, *, coded: bool = False) -> int:
    """The end of an address whose street ends at `end`; with `coded`, only of one that goes on with a postal code."""
    for part in (_REST,) if coded else (_UNIT_ONLY, _REST, _TOWN_ONLY):
        match = part.search(data[end : end + 90])
        if match and end + match.end() - start <= _LONGEST:
            end += match.end(1) if part is _TOWN_ONLY else match.end()
            if part is _REST:
                break
    return start + len(data[start:end].rstrip(b" .,"))
