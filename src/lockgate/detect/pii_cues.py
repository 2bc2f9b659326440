# ruff: noqa: E501 - one row a kind of cue
"""Values that a word before them announces: `Passport no. ...`, `"dob": "..."`, `Geburtsdatum: ...`."""

import functools
import ipaddress
from collections.abc import Callable, Iterator

import msgspec

from lockgate.core import Span
from lockgate.detect.id_numbers import CHECKS
from lockgate.detect.linear import Pattern, pattern
from lockgate.detect.pii_addresses import labelled
from lockgate.detect.pii_names import named
from lockgate.detect.pii_numbers import ANNOUNCED, compact
from lockgate.detect.pii_phones import announced

_Finder = Callable[[bytes, int], Iterator[Span]]
_REACH = 40
_LINK = pattern(
    r"(?:\s?(?:(?i:number|numbers|no|nr|num|nummer|numer|numero|address|id|code|card|is|was|ist|est|es|war|plate|registration|to|as"
    r"|now|new|am|on|le|el|il|em|op|den|del|de|of|the|al|nach|dnia)\b|[nN]\.)|[ \t:=\#\"'.()\[\]*>\x1a-]|\n){0,10}"
)
_SEPARATORS = frozenset(b":=;>")
_DIGITS = frozenset(b"0123456789")


class Cue(msgspec.Struct, frozen=True):
    """Words, folded and parted by `|`, and what to look for behind one of them. Blanks in a word are optional in the text."""

    words: str
    find: _Finder


def _is_global(value: bytes) -> bool:
    """Whether an IP address names anybody outside its own network."""
    try:
        return ipaddress.ip_address(value.decode("ascii")).is_global
    except ValueError:
        return False


def _value(label: str, source: str, score: float = 0.85, check: Callable[[bytes], bool] = bool) -> _Finder:
    """A finder for `source` right behind the cue; it must hold a digit and pass the check."""
    wanted = pattern(source)

    def find(data: bytes, start: int) -> Iterator[Span]:
        link = _LINK.match(data, start, min(len(data), start + 60))
        first = link.end() if link else start
        match = wanted.match(data, first, min(len(data), first + 60)) if first > start else None
        value = data[first : match.end()] if match else b""
        if match and not _DIGITS.isdisjoint(value) and check(value):
            yield Span(first, match.end(), label, score)

    return find


def _number(label: str, wanted: Pattern) -> _Finder:
    """A finder for a number with a right check within 40 characters of the cue."""

    def find(data: bytes, start: int) -> Iterator[Span]:
        position, limit = start, min(len(data), start + 2 * _REACH)
        while (match := wanted.search(data, position, limit)) and match.start() <= start + _REACH:
            first, end = match.span()
            if CHECKS[label](compact(data[first:end])):
                yield Span(first, end, label)
                return
            position = first + 1
            while position < end and chr(data[position - 1]).isalnum():
                position += 1

    return find


_BEFORE_NAME = pattern(r"(?:[ \t:=\"'.()\[\]*>;\#-]|\n|\s(?:is|ist|est|es|jest|now)\b){0,8}")


def _name(*, sure: bool) -> _Finder:
    """A finder for a name; where the cue is `sure` and a sign such as a colon follows it, any capitalised words are one."""

    def find(data: bytes, start: int) -> Iterator[Span]:
        match = _BEFORE_NAME.match(data, start, min(len(data), start + 40))
        if match and match.end() > start:
            parted = not _SEPARATORS.isdisjoint(data[start : match.end()])
            if parted or sure:
                yield from named(data, match.end(), sure=sure and parted)

    return find


_COLON = pattern(
    r"(?i)\"?(?: ?\(?[a-z ]{0,14}\)?)?\"?\s{0,2}[:=]\s{0,2}[\"']?\n?|(?:\s(?:is|ist|est|es|e|now|new|neu|lautet|jest|ar|er|zamieszkania|sul|in|at)){1,2}:? "
)


def _address(data: bytes, start: int) -> Iterator[Span]:
    match = _COLON.match(data, start, min(len(data), start + 40))
    if match and match.end() > start:
        yield from labelled(data, match.end())


_MONTHS = r"[A-Za-z\x1a]{3,12}"
_DATE = (
    r"[0-9]{1,2} ?[./ -] ?[0-9]{1,2} ?[./ -] ?(?:(?:19|20)[0-9]{2}|[0-9]{2})\b|(?:19|20)[0-9]{2} ?[./-] ?[0-9]{1,2} ?[./-] ?[0-9]{1,2}\b|(?:19|20)[0-9]{6}\b"
    rf"|[0-9]{{1,2}}(?:st|nd|rd|th|er|\.)?(?: of| de|\.)?[ -]{_MONTHS}\.?,?(?: de| del)?[ -](?:19|20)[0-9]{{2}}\b(?: r\b\.?)?"
    rf"|{_MONTHS}\.? [0-9]{{1,2}}(?:st|nd|rd|th)?,? (?:19|20)[0-9]{{2}}\b"
)
_IP = r"(?:[0-9]{1,3}\.){3}[0-9]{1,3}\b|(?i:[0-9a-f]{1,4}(?::[0-9a-f]{1,4}){7})\b|(?i:(?:[0-9a-f]{1,4}:){1,6}(?::[0-9a-f]{1,4}){1,6})\b"
_ID = r"[A-Z]{0,4}[ -]?[0-9][0-9A-Z]{3,14}(?:[ -][0-9A-Z]{2,6}){0,4}\b|[A-Z][0-9A-Z]{5,14}\b(?:-[0-9A-Z]{2,6}){0,4}"
_GROUPED = r"[A-Z0-9]{1,6}(?:[ -][A-Z0-9]{2,6}){1,4}\b"

CUES = (
    *(Cue(number.words, _number(number.label, number.pattern)) for number in ANNOUNCED),
    Cue("born|born on|date of birth|birth date|birthday|birthdate|dob|d.o.b|geboren|geboren am|geb|geburtsdatum|geb. datum|geburtstag|ne le|nee le|ne(e) le|date de naissance"
        "|nacido el|nacida el|nacido|nacida|fecha de nacimiento|f. nacimiento|nato il|nata il|nato|nata|data di nascita|nascido em|nascida em|nascido a|data de nascimento|nascimento"
        "|geboortedatum|geboren op|data urodzenia|urodzony|urodzona|ur|fodelsedatum|fodd|fodt|fodselsdato|syntymaaika|dogum tarihi|birth day", _value("pii.birth-date", _DATE, 1.0)),
    Cue("passport|passport no|passport number|passeport|pasaporte|passaporto|passaporte|paspoort|paspoortnummer|paszport|pass nr|reisepass|reisepassnummer|reisepass nr|passnummer|pas nr|pasaport", _value("pii.passport", r"[A-Z]{0,3} ?[0-9][0-9A-Z]{5,9}\b|[A-Z][0-9A-Z]{6,9}\b")),
    Cue("driving licence|driving license|driver's license|drivers license|driver's licence|driver license|driver licence|licence no|license number|licence number|fuhrerschein|fuhrerscheinnummer|permis de conduire|permis"
        "|permiso de conducir|carnet de conducir|carne de conducir|patente|patente di guida|carta de conducao|cnh|rijbewijs|rijbewijsnummer|prawo jazdy|korkort|ajokortti|forerkort", _value("pii.driving-licence", rf"{_GROUPED}|{_ID}")),
    Cue("identity card|id card|national id|national id number|personalausweis|personalausweisnummer|ausweisnummer|carte d'identite|cni|carta d'identita|cedula|cedula de ciudadania|documento de identidad|dni nr"
        "|identiteitskaart|identity document|dowod osobisty|nr dowodu|bilhete de identidade|cartao de cidadao|registro geral|id-kort", _value("pii.identity-document", rf"{_GROUPED}|{_ID}")),
    Cue("mrn|medical record|medical record number|patient id|patient no|patient number|hospital number|chart number|patientennummer|patientennr|fallnummer|numero de dossier|ipp|historia clinica|nhc|n. historia|cartella clinica"
        "|prontuario|processo clinico|patientnummer|dossiernummer|numer kartoteki|nr karty|journalnummer", _value("pii.medical-record", r"[A-Z]{0,4}[ -]?[0-9][0-9A-Z]{3,11}(?:-[0-9A-Z]{1,6}){0,3}\b|[0-9]{2}(?:-[0-9]{2}){2}\b")),
    Cue("insurance id|insurance no|insurance number|insurance policy|health insurance|member id|member number|membership id|policy no|policy number|group number|subscriber id|beneficiary id|health plan id|versichertennummer|versichertennr|krankenversichertennummer|kvnr"
        "|numero d'assure|mutuelle|numero de asegurado|poliza|numero de poliza|tarjeta sanitaria|tessera sanitaria|polizza|apolice|numero de utente|carteirinha|polisnummer|zorgverzekering|numer polisy|nr polisy|forsakringsnummer", _value("pii.insurance", rf"{_GROUPED}|{_ID}")),
    Cue("plate|license plate|licence plate|number plate|vehicle registration|vehicle registration number|registration number|registration plate|vehicle reg|reg no|kennzeichen|kfz kennzeichen|amtliches kennzeichen|nummernschild|immatricule|immatriculee|immatriculation|plaque"
        "|matricula|placa|placas|targa|targato|kenteken|nummerplaat|rejestracyjny|nr rejestracyjny|numer rejestracyjny|tablica|registreringsnummer|regnr|rekisterinumero|plaka", _value("pii.vehicle-plate", r"[A-Z]{1,3}[ -][A-Z]{1,2} ?[0-9]{1,4}\b|[A-Z]{1,3}[ -]?[0-9]{1,5}[ -]?[A-Z]{0,3}\b|[0-9]{1,4}[ -]?[A-Z]{1,3}[ -]?[0-9]{0,4}\b")),
    Cue("from ip address|client ip|clientip|user ip|userip|remote ip|remote addr|ip address|ipaddress|customer ip|visitor ip|source ip|src ip|login from|logged in from|signed in from|sign in from|access from|from ip|x forwarded for|ip adresse|adresse ip|direccion ip|indirizzo ip|endereco ip|ip adres|adres ip|last login ip|peer ip", _value("pii.ip-address", _IP, 0.7, _is_global)),
    Cue("mac address|device mac|mac adresse|adresse mac|direccion mac|indirizzo mac|mac adres|hwaddr", _value("pii.mac-address", r"(?i:[0-9a-f]{2}(?:[:-][0-9a-f]{2}){5})\b", 0.7)),
    Cue("phone|phones|phone no|phone number|telephone|tel|mobile|mobile no|mobile number|cell|cellphone|cell phone|whatsapp|fax|callback|call me|call me at|call me on|call us|text me|reach me|ring me|reach me at|call|phone me|me on|contact number|home phone|work phone"
        "|telefon|telefonnummer|handy|handynummer|rufnummer|mobil|mobilnummer|mobiltelefon|festnetz|ruf mich|ruckruf|unter der nummer|ruckruf unter|anruf unter|erreichbar unter|telephone|portable|mobile|tel portable|joindre|joindre au|appeler|appelez|numero est|nouveau numero"
        "|telefono|movil|celular|llama|llamar|llame|llamame|whatsapp es|cellulare|chiamare|chiamarmi|chiamami|chiamate|nuovo numero|telefone|telemovel|ligue|ligue para|contato|contacto|telefoon|telefoonnummer|mobiel|gsm|bellen|bel|bellen op"
        "|numer telefonu|telefon kontaktowy|tel. kom|komorka|kom|dzwon|dzwonic|zadzwon|kontakt|mobilnr|ring|puhelin|puh|phonenumber|my number|my number is|new number|new number is|number to|contact|reach|informazioni|information|informacion|informations|ruckfragen|questions|fragor|pytania|vragen", announced),
    Cue("address|home address|shipping address|billing address|postal address|mailing address|street address|delivery address|residential address|anschrift|adresse|wohnadresse|lieferadresse|rechnungsadresse|wohnhaft|postanschrift|adresse postale|domicile|demeurant"
        "|direccion|domicilio|direccion de envio|indirizzo|residenza|residente|domicilio|endereco|morada|adres|woonadres|postadres|afleveradres|adres zamieszkania|adres dostawy|adres korespondencyjny|adress|bostadsadress|osoite|adresi", _address),
    Cue("patient|patient name|pt name|name of patient|first name|firstname|last name|lastname|middle name|full name|fullname|surname|forename|given name|family name|customer name|client name|employee name|contact person|cardholder|cardholder name|account holder|account name|accountholder"
        "|beneficiary|signed by|signed|signature|print name|guardian|next of kin|emergency contact|spouse|applicant|policyholder|insured|tenant|tenant name|landlord|employee|attending physician|physician|vorname|nachname|familienname|vollstandiger name|patientin|kontoinhaber|karteninhaber|mieter"
        "|mieterin|vermieter|unterschrift|ansprechpartner|antragsteller|versicherungsnehmer|fahrer|nom|prenom|nom et prenom|nom de famille|nom complet|titulaire|signataire|assure|locataire|beneficiaire|nombre y apellidos|nombre completo|apellido|apellidos|paciente|titular|firmado|firmado por|inquilino"
        "|cognome|nome e cognome|intestatario|paziente|firmato|firma|assistito|nome completo|sobrenome|apelido|utente|titular da conta|assinado|naam|voornaam|achternaam|volledige naam|rekeninghouder|naam patient|patientnaam|ondertekend|huurder|imie|nazwisko|imie i nazwisko|pacjent|pacjentka|podpis|wlasciciel|najemca"
        "|fornamn|efternamn|fullstandigt namn|namn|navn|fornavn|etternavn|efternavn|nimi|sukunimi|etunimi|ad soyad|ad soyadi|nume|prenume|reporter|requester|reported by|assigned to|assignee|caller", _name(sure=True)),
    Cue("name|customer|client|user|user name|username|employee|contact|caller|author|from|to|cc|attn|attention|recipient|sender|owner|member|passenger|guest|student|doctor|agent|rep|bill to|ship to|sold to|billed to|kunde|kundin|name des kunden"
        "|klient|klientka|klant|cliente|clienta|client|destinataire|expediteur|nombre|nome|destinatario|remitente|mittente|remetente|ontvanger|afzender|odbiorca|nadawca|absender|empfanger|kund", _name(sure=False)),
)  # fmt: skip


@functools.cache
def _index() -> tuple[Pattern, dict[bytes, tuple[_Finder, ...]]]:
    """One pattern for all words, and each word's finders, by the word without blanks."""
    finders: dict[bytes, tuple[_Finder, ...]] = {}
    for cue in CUES:
        for word in cue.words.split("|"):
            key = _key(word.encode("ascii"))
            finders[key] = (*finders.get(key, ()), cue.find)
    sources = [_source(word) for cue in CUES for word in cue.words.split("|")]
    longest_first = sorted(set(sources), key=lambda source: (-len(source), source))
    return pattern(rf"(?:\b|_)(?i:{'|'.join(longest_first)})(?:\b|_)"), finders


def _source(word: str) -> str:
    escaped = "".join(f"\\{c}" if c in ".()'/" else c for c in word)
    return escaped.replace(" ", "[ _-]?")


def _key(word: bytes) -> bytes:
    return word.lower().translate(None, b" _-")


def find_cued(data: bytes) -> Iterator[Span]:
    """Values of folded text that a word announces."""
    cues, finders = _index()
    for match in cues.finditer(data):
        start, end = match.span()
        for find in finders[_key(data[start:end])]:
            yield from find(data, end)
