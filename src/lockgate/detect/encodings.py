"""Reads bytes that are written as text: base64, base32, base85, hex, binary, numbers, escapes, entities, UTF-7.

Each decoder first looks for characters that its encoding cannot do without, then tries a short beginning, and keeps a
result only if it is text.
"""

import base64
import binascii
import codecs
import html
import re
import unicodedata
import urllib.parse
import zlib
from collections import Counter
from collections.abc import Callable, Iterator

from lockgate.detect.linear import Pattern, pattern
from lockgate.detect.piece import Decoder, Page, Piece

MAX_INFLATED = 20
"""How many times longer than its compressed form a text may be; what is behind that is not read."""

_MAX_INFLATED_BYTES = 200_000
_MIN_CHARS = 5
_MIN_TOKEN = 8
_SHORT = 16
_PROBE = 40
_PRINTABLE_SHARE = 0.9
_LETTER_SHARE = 0.55
_SHORT_LETTER_SHARE = 0.8
_WIDE_SHARE = 0.4
_MAX_LAYERS = 3
_MAX_BYTE, _BLANK = 255, 32
_MIN_SYMBOLS = 3
_MIN_MIXED = 3
_SEVEN = 7
_LEAST_BACKWARDS, _LEAST_HEX = 24, 24

_B64 = "[A-Za-z0-9+/_-]"
# Mixed inside as no word is: a lower-case letter before a capital or a digit, two capitals before a lower-case letter.
_B64_TOKEN = rf"{_B64}*(?:[a-z][A-Z0-9]|[0-9][A-Za-z]|[A-Z]{{2}}[a-z]|[A-Z]{{4}}){_B64}*={{0,2}}"
_BASE64 = pattern(rf"{_B64_TOKEN}(?:[\s\"',+&\\]{{1,5}}{_B64_TOKEN})*(?:\s{{1,2}}{_B64}+={{1,2}})?")
_BASE32 = pattern(r"[A-Z2-7]{8,}(?:[ \r\n-]{0,2}[A-Z2-7]{2,}){0,}={0,6}")
_BASE32_HEX = pattern(r"\b[0-9A-V]{24,}={0,6}")
_FROM_BASE32_HEX = str.maketrans("0123456789ABCDEFGHIJKLMNOPQRSTUV", "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")
_SMALL_BASE32 = pattern(r"\b[a-z2-7]{16,}\b")
_ASCII85 = pattern(r"<~[!-uz\s]{5,}~>")
_BASE85 = pattern(r"[!-~]{20,}")
_HEX = pattern(r"(?:\b|0x|\\x|%)[0-9A-Fa-f]{2}(?:[ :,;.|/_\r\n\t-]{0,3}(?:0x|\\x)?[0-9A-Fa-f]{2}){5,}\b")
_BETWEEN = r"[ ,;.|/_\r\n\t-]"
_BINARY = pattern(
    rf"\b0b[01]{{6,8}}(?:{_BETWEEN}{{1,3}}0b[01]{{6,8}}){{4,}}\b"
    rf"|\b(?:0b)?[01]{{7,8}}(?:{_BETWEEN}{{0,3}}(?:0b)?[01]{{7,8}}){{4,}}\b"
)
_NUMBERS = pattern(r"\b[0-9]{2,3}(?:[ ,;:.|/_\r\n\t-]{1,3}[0-9]{2,3}){5,}\b")
_WIDE_NUMBERS = pattern(r"\b[0-9]{2,6}(?:[ ,;:.|/_\r\n\t-]{1,3}[0-9]{2,6}){9,}\b")
_QUOTED = pattern(r"[!-<>-~ ]*(?:=(?:[0-9A-F]{2}|\r?\n)[!-<>-~ ]*){3,}")
_URL = pattern(r"[A-Za-z0-9+._~-]*(?:%[0-9A-Fa-f]{2}[A-Za-z0-9+._~!*'(),/ -]*){3,}")
_HTML = pattern(r"[A-Za-z0-9 ]*(?:&(?:#[xX]?[0-9A-Fa-f]{1,8};?|[A-Za-z]{2,8};)[A-Za-z0-9 ]*){3,}")
_ESCAPES = pattern(
    r"(?:(?:\\u\{[0-9A-Fa-f]{1,6}\}|\\u[0-9A-Fa-f]{4}|\\U[0-9A-Fa-f]{8}|\\x[0-9A-Fa-f]{2}|\\[0-7]{2,3})"
    r"[A-Za-z0-9 ,]*){4,}"
)
_CODE_POINTS = pattern(r"(?:\b[Uu]\+[0-9A-Fa-f]{4,6}[ ,;]{0,2}){5,}")
_CSS = pattern(r"(?:\\[0-9A-Fa-f]{2,6} ?[G-Zg-z]*){5,}")
_UTF7 = pattern(r"[A-Za-z0-9 ]*(?:\+[A-Za-z0-9/]{3,}-?[A-Za-z0-9 ]*)+")
_ONE_ESCAPE = re.compile(
    r"\\u\{([0-9A-Fa-f]{1,6})\}|\\u([0-9A-Fa-f]{4})|\\U([0-9A-Fa-f]{8})|\\x([0-9A-Fa-f]{2})"
    r"|[Uu]\+([0-9A-Fa-f]{4,6})[ ,;]{0,2}|\\([0-7]{2,3})"
)
_ONE_CSS = re.compile(r"\\([0-9A-Fa-f]{1,6}) ?")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_QUOTED_PAIR = re.compile(r"=[0-9A-F]{2}=[0-9A-F]{2}|=\r?\n")
_WORD_CHARACTERS = frozenset(" .,;:!?'\"-()\n")


def is_text(text: str) -> bool:
    """Whether a decoded text is one, rather than bytes that happen to decode. A short one must be plainer."""
    size = len(text)
    if size < _MIN_CHARS or _CONTROL.search(text):
        return False
    if not text.isascii() and sum(map(str.isprintable, text)) + text.count("\n") < _PRINTABLE_SHARE * size:
        return False
    lettered = sum(map(_is_lettered, text))
    if size >= _SHORT:
        return lettered >= _LETTER_SHARE * size
    wide = sum(not character.isascii() for character in text)
    return lettered >= _SHORT_LETTER_SHARE * size and (wide == 0 or wide >= size // 2)


def _is_lettered(character: str) -> bool:
    # A vowel sign of an Indic script is no letter by itself.
    return character.isalnum() or character in _WORD_CHARACTERS or unicodedata.category(character)[0] == "M"


def text_of(raw: bytes) -> str:
    """What bytes say: UTF-8, UTF-16, or either of them compressed; empty if nothing."""
    for _ in range(_MAX_LAYERS):
        if not (raw.startswith(b"\x1f\x8b\x08") or (raw[:1] == b"\x78" and raw[1:2] in b"\x01\x5e\x9c\xda")):
            break
        raw = _inflated(raw)
    for offset, codec in ((1, "utf-16-le"), (0, "utf-16-be")):
        half = raw[offset::2]
        if len(raw) >= 2 * _MIN_CHARS and half.count(0) > _WIDE_SHARE * len(raw):
            return _checked(raw.decode(codec, "replace").lstrip("\ufeff"))
    try:
        # A last character that was cut in two is left away; a broken one anywhere else means that this is no text.
        return _checked(codecs.getincrementaldecoder("utf-8")().decode(raw))
    except UnicodeDecodeError:
        return ""


def _checked(text: str) -> str:
    return text if is_text(text) else ""


def _inflated(raw: bytes) -> bytes:
    bound = min(MAX_INFLATED * len(raw), _MAX_INFLATED_BYTES)
    try:
        # 32 + 15 bits of window: zlib and gzip alike.
        return zlib.decompressobj(47).decompress(raw, bound)
    except zlib.error:
        return b""


def _read(read: Callable[[str], bytes], value: str) -> str:
    try:
        return text_of(read(value))
    except (ValueError, binascii.Error):
        return ""


def _base64_bytes(value: str) -> bytes:
    raw = b""
    for part in value.translate(_STANDARD).split("="):
        usable = part[: len(part) - (len(part) % 4 == 1)]
        raw += base64.b64decode(usable + "=" * (-len(usable) % 4)) if usable else b""
    return raw


_STANDARD = str.maketrans({"-": "+", "_": "/"})
_NOT_BASE64 = re.compile(r"[^A-Za-z0-9+/_=-]+")
_PLUS_BETWEEN = re.compile(r"[\"'] ?\+ ?[\"']")
_BASE64_PARTS = re.compile(r"[A-Za-z0-9]+={0,2}")
_ANY_TOKEN = re.compile(r"[A-Za-z0-9+/_-]+={0,2}")


def _base64(page: Page) -> Iterator[Piece]:
    if page.capitals + page.digits < _MIN_MIXED:
        return
    for match in _BASE64.finditer(page.data):
        start, end = match.span()
        if end - start < _MIN_TOKEN:
            continue
        value = page.text[start:end]
        if value.isupper():
            continue
        whole = _NOT_BASE64.sub("", _PLUS_BETWEEN.sub("", value))
        if said := _read(_base64_bytes, whole) or _base64_parts(value):
            yield Piece(said, start, end, "base64")
        elif len(whole) >= _LEAST_BACKWARDS and (said := _read(_base64_bytes, whole[::-1].lstrip("="))):
            yield Piece(said, start, end, "reversed+base64")


def _base64_parts(value: str) -> str:
    """What the tokens of a run say one by one; a token that says nothing may be a path or a name around one."""
    said: list[str] = []
    for token in _ANY_TOKEN.findall(value):
        if len(token) < _MIN_TOKEN:
            continue
        text = _read(_base64_bytes, token)
        parts = [] if text or token.isalnum() else _BASE64_PARTS.findall(token)
        said.extend(filter(None, (text, *(_read(_base64_bytes, part) for part in parts if len(part) >= _MIN_TOKEN))))
    return "".join(said)


def _base32(page: Page) -> Iterator[Piece]:
    if page.capitals < _MIN_MIXED or page.capitals + page.digits < _MIN_TOKEN:
        return
    for match in _BASE32.finditer(page.data):
        start, end = match.span()
        value = "".join(filter(str.isalnum, page.text[start:end]))
        if len(value) >= _MIN_TOKEN and (said := _read(_base32_bytes, value)):
            yield Piece(said, start, end, "base32")
    for match in _BASE32_HEX.finditer(page.data) if page.capitals + page.digits >= _LEAST_HEX else ():
        start, end = match.span()
        if said := _read(_base32_bytes, page.text[start:end].rstrip("=").translate(_FROM_BASE32_HEX)):
            yield Piece(said, start, end, "base32")


def _small_base32(page: Page) -> Iterator[Piece]:
    if page.digits < _MIN_MIXED:
        return
    for match in _SMALL_BASE32.finditer(page.data):
        start, end = match.span()
        if said := _read(_base32_bytes, page.text[start:end].upper()):
            yield Piece(said, start, end, "base32")


def _base32_bytes(value: str) -> bytes:
    # Lengths of 1, 3 and 6 beyond a whole block do not occur (RFC 4648, section 6).
    usable = value[: len(value) - (len(value) % 8 in {1, 3, 6})]
    return base64.b32decode(usable + "=" * (-len(usable) % 8))


def _base85(page: Page) -> Iterator[Piece]:
    if page.signs < _MIN_SYMBOLS:
        return
    for match in _ASCII85.finditer(page.data) if b"<~" in page.data else ():
        start, end = match.span()
        if said := _read(base64.a85decode, page.text[start + 2 : end - 2]):
            yield Piece(said, start, end, "base85")
    for match in _BASE85.finditer(page.data):
        start, end = match.span()
        if said := _unmarked85(page.text[start:end]):
            yield Piece(said, start, end, "base85")


def _unmarked85(token: str) -> str:
    core = token.removeprefix("b").strip("\"'").removeprefix("<~").removesuffix("~>")
    if sum(not character.isalnum() for character in core[:_PROBE]) < _MIN_SYMBOLS:
        return ""
    for read in (base64.b85decode, base64.a85decode, _z85_bytes):
        # Both alphabets are nearly all of ASCII: what follows the text in a sentence may belong to it.
        for value in (core, core.rstrip(".,:;!?")):
            if _read(read, value[:_PROBE]) and (said := _read(read, value)):
                return said
    return ""


_Z85 = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#"
_B85 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~"
_FROM_Z85 = str.maketrans(_Z85, _B85)


def _z85_bytes(value: str) -> bytes:
    """ZeroMQ RFC 32; what is no digit of it is none of base85 in the end."""
    return base64.b85decode(value.translate(_FROM_Z85)) if set(value) <= set(_Z85) else b""


def _hex_bytes(value: str) -> bytes:
    digits = value.replace("0x", "").replace("\\x", "")
    return bytes.fromhex("".join(filter(str.isalnum, digits)))


def _binary_bytes(value: str) -> bytes:
    groups = re.findall("[01]+", value.replace("0b", " "))
    if value.startswith("0b") and any(len(group) < _SEVEN for group in groups):
        return bytes(int(group, 2) for group in groups)
    sevens = all(len(group) % 7 == 0 and len(group) % 8 for group in groups)
    size = 7 if sevens else 8
    bits = "".join(groups)
    return bytes(int(bits[index : index + size], 2) for index in range(0, len(bits) - size + 1, size))


def _number_bytes(value: str) -> bytes:
    numbers = re.findall("[0-9]+", _with_blanks(value, " 32 "))
    decimal = list(map(int, numbers))
    if max(decimal) <= _MAX_BYTE and is_text(bytes(decimal).decode("utf-8", "replace")):
        return bytes(decimal)
    return bytes(int(number, 8) for number in re.findall("[0-9]+", _with_blanks(value, " 40 ")))


_GAP = re.compile("[^0-9]+")


def _with_blanks(value: str, blank: str) -> str:
    """A row of numbers with the number of a blank wherever another gap than the usual one parts words."""
    gaps = Counter(_GAP.findall(value))
    usual = gaps.most_common(1)[0][0] if gaps else ""
    if len(gaps) < 2 or blank in value:  # noqa: PLR2004 - one kind of gap parts numbers only
        return value
    return _GAP.sub(lambda gap: gap.group() if gap.group().strip() in {"", usual.strip()} else blank, value)


def _code_point_text(value: str) -> str:
    """Numbers of characters beyond Latin; the blanks among them tell them from years and prices."""
    numbers = list(map(int, re.findall("[0-9]+", _with_blanks(value, " 32 "))))
    if _BLANK not in numbers or max(numbers) <= _MAX_BYTE:
        return ""
    return "".join(chr(min(number, 0x10FFFF)) for number in numbers)


def _quoted_text(value: str) -> str:
    # An equals sign before two digits is common; two of them in a row, or at the end of a line, are not.
    return text_of(binascii.a2b_qp(value.encode("ascii"))) if _QUOTED_PAIR.search(value) else ""


def _utf7(page: Page) -> Iterator[Piece]:
    for match in _UTF7.finditer(page.data) if b"+" in page.data else ():
        start, end = match.span()
        try:
            said = page.data[start:end].decode("utf-7")
        except UnicodeDecodeError:
            continue
        if is_text(said) and said != page.text[start:end]:
            yield Piece(said, start, end, "utf-7")


def _escaped_text(value: str) -> str:
    def one(match: re.Match[str]) -> str:
        octal = match.group(6)
        code = int(octal, 8) if octal else int(next(filter(None, match.groups())), 16)
        return chr(min(code, 0x10FFFF))

    return _paired(_ONE_ESCAPE.sub(one, value))


def _css_text(value: str) -> str:
    return _paired(_ONE_CSS.sub(lambda match: chr(min(int(match.group(1), 16), 0x10FFFF)), value))


def _paired(text: str) -> str:
    """Surrogates made one character; where bytes of UTF-8 were escaped one by one, what they say."""
    if any("\x80" <= character <= "\xff" for character in text):
        try:
            return text.encode("latin-1").decode("utf-8")
        except UnicodeError:
            pass
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _of_digits(name: str, digits: int, shape: Pattern, read: Callable[[str], bytes]) -> Decoder:
    """A decoder of bytes that needs at least so many digits."""
    return _of_text(name, b"", shape, lambda value: text_of(read(value)), digits=digits)


def _of_text(name: str, needed: bytes, shape: Pattern, read: Callable[[str], str], *, digits: int = 0) -> Decoder:
    """A decoder that needs at least so many digits, and three signs `needed`."""

    def decoder(page: Page) -> Iterator[Piece]:
        if page.digits < digits or page.data.count(needed) < _MIN_SYMBOLS:
            return
        for match in shape.finditer(page.data):
            start, end = match.span()
            value = page.text[start:end]
            try:
                said = read(value)
            except (ValueError, binascii.Error):
                continue
            if said != value and is_text(said):
                yield Piece(said, start, end, name)

    return decoder


ENCODINGS: tuple[Decoder, ...] = (
    _base64,
    _base32,
    _small_base32,
    _base85,
    _of_digits("hex", 6, _HEX, _hex_bytes),
    _of_digits("binary", 35, _BINARY, _binary_bytes),
    _of_digits("numbers", 12, _NUMBERS, _number_bytes),
    _of_text("numbers", b"", _WIDE_NUMBERS, _code_point_text, digits=20),
    _of_text("quoted-printable", b"=", _QUOTED, _quoted_text),
    _of_text("url", b"%", _URL, urllib.parse.unquote_plus),
    _of_text("html", b"&", _HTML, html.unescape),
    _of_text("escapes", b"\\", _ESCAPES, _escaped_text),
    _of_text("escapes", b"+", _CODE_POINTS, _escaped_text),
    _of_text("escapes", b"\\", _CSS, _css_text),
    _utf7,
)
"""Decoders of bytes and characters written as others."""
