# ruff: noqa: E501 - one row a form
"""Cells of tables whose heading says what a column holds: CSV and tables drawn with bars.

A number under `phone` is a telephone number whatever its form, and under `last_name` stands a name that no list knows.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from typing import NamedTuple, TypeAlias

from lockgate.core import Span
from lockgate.detect.linear import pattern
from lockgate.detect.pii_name_words import is_known

_Place: TypeAlias = tuple[int, int]

_PHONE = """
    phone phone_number phonenumber telephone tel tel_no mobile mobile_phone mobile_number cell cell_phone contact_number
    home_phone work_phone fax telefon telefonnummer handy mobil rufnummer telefono movil cellulare telemovel telefone
    celular telefoon telefoonnummer mobiel numer_telefonu komorka puhelin puhelinnumero telefonszam
"""
_NAME = """
    first_name firstname given_name givenname forename last_name lastname surname family_name familyname full_name
    fullname middle_name maiden_name customer_name client_name patient_name employee_name contact_name contact_person
    cardholder vorname nachname familienname prenom nom_de_famille nom_complet nombre_completo apellido apellidos
    cognome nome_completo sobrenome voornaam achternaam imie nazwisko fornamn efternamn fornavn efternavn etunimi
    sukunimi
"""
_BARE_NAME = (
    "name names customer client patient employee contact person nom nombre nome naam namn navn nimi kunde klant"
)
_BIRTH = """
    birth birthday birthdate birth_date date_of_birth dob geburtsdatum geburtstag geboren date_de_naissance
    naissance fecha_de_nacimiento nacimiento data_di_nascita nascita data_de_nascimento nascimento geboortedatum
    data_urodzenia fodelsedatum fodselsdato syntymaaika
"""
_ADDRESS = """
    address home_address street street_address adresse anschrift strasse rue direccion domicilio calle indirizzo
    endereco rua adres straat ulica adress gata osoite
"""
_ALSO = "email e_mail mail iban ssn passport"
"""What also shows that a table is about people."""

_VALUES = {
    "pii.phone": r"^(?:\+|00)?[ (]{0,2}[0-9](?:[ .\-/()]{0,3}[0-9]){6,14}$",
    "pii.name": r"^(?:[A-Z\x1a][A-Za-z\x1a'.\-]{0,29}|(?:de|da|di|del|van|von|der|den|ter|el|al|bin|la|le|dos|das))(?:,? [A-Za-z\x1a][A-Za-z\x1a'.\-]{0,29}){0,4}$",
    "pii.birth-date": r"^(?:[0-9]{1,4}[./\- ][0-9]{1,2}[./\- ][0-9]{2,4}|[0-9]{1,2}\.? ?[A-Za-z\x1a.]{3,10} ?,? ?[0-9]{2,4})$",
    "pii.address": r"^(?:[0-9]{1,5}[A-Za-z]?,? [A-Za-z\x1a][^\n]{2,80}|[A-Za-z\x1a][A-Za-z\x1a'.\- ]{2,60},? [0-9]{1,5}[^\n]{0,60})$",
}
_LABELS = {"name": "pii.name", "phone": "pii.phone", **{label: label for label in _VALUES}}
_DIALLED = pattern(r"^[+0(]|[0-9][ .\-/()]+[0-9]")
"""How numbers are written to be dialled; what stands under `mobile` may also be visitors."""

_SCORE = 0.9
_WORDS = tuple(f"{_PHONE} {_NAME} {_BARE_NAME} {_BIRTH} {_ADDRESS}".split())
_HEADED = pattern(
    r"(?im)(?:^|[,;\t|])[ \"']{0,3}(?:"
    + "|".join(word.replace("_", "[ _-]?") for word in _WORDS)
    + r")[ \"'\r]{0,3}(?:[,;\t|]|$)"
)
_SEPARATORS = (b"|", b"\t", b";", b",")
_PARTING = bytes.maketrans(b"-_", b"  ")
_MOST_CELLS, _LONGEST_HEADING, _LONGEST_NAME = 100, 2_000, 40
_RULE = frozenset(b"|-:+= \t")
_DIGITS = frozenset(b"0123456789")
_BLANK = b" \t\r\"'"


class _Heading(NamedTuple):
    """What parts the cells, how many there are in a line, what columns hold by number, and whether it is of people."""

    separator: bytes
    width: int
    columns: Mapping[int, str]
    people: bool


def find_cells(data: bytes) -> Iterator[Span]:
    """Personal data in cells of folded text, by their columns' headings.

    A heading is a line of two cells or more without digits, one of which is a known name of a column; its table goes
    on as long as lines have as many cells. Takes time linear in the text.
    """
    position = 0
    while match := _HEADED.search(data, position):
        start = data.rfind(b"\n", 0, match.start() + 1) + 1
        position = _line_end(data, max(match.end() - 1, start)) + 1
        heading = _heading(data, start, position - 1)
        while heading and position < len(data):
            end = _line_end(data, position)
            row = data[position:end]
            if not row.strip():
                break
            if not _RULE.issuperset(row):
                cells = _cells(data, position, end, heading.separator)
                if len(cells) != heading.width:
                    break
                yield from _found(data, cells, heading)
            position = end + 1


def _found(data: bytes, cells: Sequence[_Place], heading: _Heading) -> Iterator[Span]:
    for column, kind in heading.columns.items():
        first, last = cells[column]
        label, value = _LABELS[kind], data[first:last]
        if kind == "name" and not _is_anybody(value):
            continue
        if kind == "phone" and not (heading.people or _DIALLED.search(value)):
            continue
        if _matches(label)(value):
            yield Span(first, last, label, _SCORE)


def _is_anybody(name: bytes) -> bool:
    """Whether a name is a person's; a column that is just called `name` may hold those of shops."""
    return any(is_known(word) for word in name.lower().split())


def _line_end(data: bytes, start: int) -> int:
    found = data.find(b"\n", start)
    return found if found >= 0 else len(data)


def _heading(data: bytes, start: int, end: int) -> _Heading | None:
    line = data[start:end]
    separator = max(_SEPARATORS, key=line.count)
    if len(line) > _LONGEST_HEADING or not _DIGITS.isdisjoint(line):
        return None
    cells = _cells(data, start, end, separator)
    if not 1 < len(cells) <= _MOST_CELLS or any(last - first > _LONGEST_NAME for first, last in cells):
        return None
    names = (b"_".join(data[first:last].lower().translate(_PARTING).split()) for first, last in cells)
    kinds = [_kinds().get(name.decode("ascii"), "") for name in names]
    columns = {number: kind for number, kind in enumerate(kinds) if kind in _LABELS}
    if not set(kinds) - {"name", ""}:
        return None
    return _Heading(separator, len(cells), columns, people=len(set(kinds) - {""}) > 1)


@cache
def _kinds() -> Mapping[str, str]:
    """What a column of each name holds; `also` shows that the others are about people."""
    kinds = {
        "also": _ALSO,
        "name": _BARE_NAME,
        "phone": _PHONE,
        "pii.name": _NAME,
        "pii.birth-date": _BIRTH,
        "pii.address": _ADDRESS,
    }
    return {word: kind for kind, words in kinds.items() for word in words.split()}


@cache
def _matches(label: str) -> Callable[[bytes], object]:
    return pattern(_VALUES[label]).search


def _cells(data: bytes, start: int, end: int, separator: bytes) -> list[_Place]:
    """Places of the cells of a line, without what surrounds their values; a quoted cell may hold the separator."""
    cells: list[_Place] = []
    position = start
    while position <= end and len(cells) <= _MOST_CELLS:
        after = position
        if data[position : position + 1] == b'"':
            closing = data.find(b'"', position + 1, end)
            while closing >= 0 and data[closing + 1 : closing + 2] == b'"':
                closing = data.find(b'"', closing + 2, end)
            after = closing if closing >= 0 else position
        found = data.find(separator, after, end)
        last = found if found >= 0 else end
        cells.append(_stripped(data, position, last))
        position = last + 1
    return cells


def _stripped(data: bytes, start: int, end: int) -> _Place:
    cell = data[start:end]
    bare = cell.strip(_BLANK)
    first = start + len(cell) - len(cell.lstrip(_BLANK))
    return (first, first + len(bare)) if bare else (start, start)
