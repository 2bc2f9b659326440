# ruff: noqa: E501 - one row a form
"""Telephone numbers: international ones, national ones in a form that says so, any behind a word that announces one."""

from collections.abc import Iterator

from lockgate.core import Span
from lockgate.detect.linear import pattern

LABEL = "pii.phone"
NUMBER = r"(?:\+|\b00)?\(?\b[0-9](?:[ .\-/()]{0,3}[0-9]){6,14}\b"
"""Source of a pattern for anything that can be dialled, at most 61 characters."""

_WORLD = pattern(r"(?:\+|\b00)[1-9][0-9]{0,2}(?:[ .\-/]{0,2}\(?[0-9]{1,5}\)?){1,6}\b|\+[1-9][0-9]{7,14}\b")
_NATIONAL = pattern(
    r"(?:\b1[ .-])?(?:\([2-9][0-9]{2}\) ?|\b[2-9][0-9]{2}[.-])[2-9][0-9]{2}[ .-][0-9]{4}\b"
    r"|\b[2-9][0-9]{2} [2-9][0-9]{2}[ -][0-9]{4}\b|\b1[ .-]8[0-9]{2}[ .-][0-9]{3}[ .-][0-9]{4}\b"
    r"|\(0[0-9]{1,5}\)(?: ?[0-9]{2,8}){1,4}\b"
    r"|\b0[1-9][0-9]{0,4}(?: ?[/-] ?| )[0-9]{2,8}(?:[ -][0-9]{2,4}){0,4}\b|\b0[1-9](?:\.[0-9]{2}){4}\b|\b0[1-9][0-9]{1,2}\.[0-9]{3}\.[0-9]{4}\b|\b07[0-9]{9}\b|\b0[67][0-9]{8}\b"
    r"|\([1-9][0-9]\) ?9?[0-9]{4}-[0-9]{4}\b"
)
_ANY = pattern(NUMBER)
_DATE = pattern(
    r"^[0-9]{1,2}[./-][0-9]{1,2}[./-](?:19|20)?[0-9]{2}(?:$|[ T])|^(?:19|20)[0-9]{2}[./-][0-9]{1,2}[./-][0-9]{1,2}\b"
)
_OTHER = pattern(
    r"(?i)(?:order|fiscal|nota|invoice|ticket|case|item|part|sku|serial|tracking|ref|article|isbn|ean|version|build|bestell|rechnung|artikel|auftrag"
    r"|commande|facture|pedido|factura|fatura|ordine|fattura|ordernummer|factuur|zamow|faktura|account|konto|iban|nr\.? ?kat|model|norm|din|iso"
    r"|\b(?:lot|los|lote|lotto|batch|charge|parti[ei]|partita|pratica|codice|protocol|protokoll|protocollo|dossier|zaak|kenmerk|expediente|sensor|plz|zip|postcode|ersatzteil|teile"
    r"|parcel|paket|colis|paquete|pacco|carrier|consignment|sendung|project|projekt|drawing|zeichnung|slot|shelf|regal|hash|checksum|\bs/?n\b|cost cent(?:re|er)|kostenstelle"
    r"|clause|section|vorgang|akte|aktenzeichen|az|auflage|meter|zaehler|reading|score|sample|probe|folio|fabrication|contract|vertrag|contrat|contrato|umowa|avtal|zlecenie|component|firmware|release|commit))"
    r"[a-z.]{0,12}(?: ?(?:no|number|nr|id|n|num|numero|nummer|code|en|date|\#)\b)?[ .:\#(]{0,3}$"
)
_STATE = pattern(r"\b[A-Z]{2}[\s#*>/]{1,8}$")
_LONG_ZIP = pattern(r"^[0-9]{5}-[0-9]{4}$")
"""What stands behind a state of the USA: Boston, MA 02110-1301."""
_GROUPS = pattern(r"\b[A-Z]{2}[0-9]{2}(?: [0-9A-Z]{4}){1,7} $")
"""The beginning of an account number in groups of four, right or wrong."""
_MIXED = pattern(r"\b(?:[0-9]+[A-Z]|[A-Z]+[0-9])[0-9A-Z]* $")
_MORE = pattern(r"^(?: [0-9]{4}){1,}\b")
"""Groups of four that go on behind a number: "0034 0434 1610 9402 7318"."""
LEAST_PHONE = 8
"""Digits of the shortest number that is one by its form alone."""

_LEAST, _MOST = LEAST_PHONE, 15
_LEAST_FROM_00 = 11
_PLUS = ord("+")
_HEADING = pattern(r"^[A-Za-z _\"-]{1,40}(?:[,;\t|][A-Za-z _\"-]{0,40}){2,}$")
"""The line up to its last word, where that is the last of three columns or more."""

_PARTING = (b" ", b"-", b".", b"/", b"(")
_NATIONAL_LEAST = 9
_LEAST_VARIETY = 4
_CUE_REACH = 26


def find_phones(data: bytes) -> Iterator[Span]:
    """Numbers that are telephone numbers by their form alone."""
    for match in _WORLD.finditer(data):
        start, end = match.span()
        # Digits of something else may follow: "+49 30 1234567 7 -7741".
        while (
            _digits(data[start:end]) > _MOST and (shorter := max(data.rfind(sign, start, end) for sign in _PARTING)) > 0
        ):
            end = start + len(data[start:shorter].rstrip(b" .-/("))
        least = _LEAST if data[start] == _PLUS else _LEAST_FROM_00
        if data[start - 1 : start].isalnum():  # "1.2345E+12345680"
            continue
        if least <= _digits(data[start:end]) <= _MOST and (least == _LEAST or _free(data, start, end)):
            yield Span(start, end, LABEL, 0.95)
    for match in _NATIONAL.finditer(data):
        start, end = match.span()
        value = data[start:end]
        varied = len(set(value)) >= _LEAST_VARIETY  # unlike "02 00 00 00 00"
        if (
            varied
            and _NATIONAL_LEAST <= _digits(value) <= _MOST
            and _free(data, start, end)
            and not _DATE.search(value)
            and not _MIXED.search(data[max(0, start - 12) : start])
            and not _MORE.search(data[end : end + 12])
            and not (_LONG_ZIP.search(value) and _STATE.search(data[max(0, start - 12) : start]))
        ):
            yield Span(start, end, LABEL, 0.8)


def announced(data: bytes, start: int) -> Iterator[Span]:
    """The number that follows a word such as "phone" which ends at `start`."""
    match = _ANY.search(data, start, min(len(data), start + _CUE_REACH + 64))
    if match is None or match.start() > start + _CUE_REACH or not _leads_to(data, start, match.start()):
        return
    first, end = match.span()
    value = data[first:end]
    if _LEAST - 1 <= _digits(value) <= _MOST and not _DATE.search(value) and _free(data, first, end):
        yield Span(first, end, LABEL, 0.9)


def _leads_to(data: bytes, cue: int, number: int) -> bool:
    """Whether what stands between a cue and a number belongs to them.

    On the next line, only marks may, and not where the cue ends a table's heading: what follows is the first column.
    """
    between = data[cue:number]
    if b"\n" not in between:
        return True
    line = data[data.rfind(b"\n", 0, cue) + 1 : cue]
    return not any(chr(byte).isalnum() for byte in between) and not _HEADING.search(line)


def _free(data: bytes, start: int, end: int) -> bool:
    """Whether no letter touches a number, no decimal goes on behind it, and no word says that it is another number."""
    before, after = data[start - 1 : start], data[end : end + 2]
    if (before.isalnum() or before in {b"_", b"-", b"/", b"\x1a"}) or after[:1] in {b"_", b"%", b"\x1a"}:
        return False
    if after[:1] in {b".", b",", b"-", b"/", b":"} and after[1:].isdigit():
        return False
    if before == b" " and _GROUPS.search(data[max(0, start - 40) : start]):
        return False
    return not _OTHER.search(data[max(0, start - 32) : start])


def _digits(value: bytes) -> int:
    return len(value) - len(value.translate(None, b"0123456789"))
