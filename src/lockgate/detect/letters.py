# ruff: noqa: E501, RUF001 - tables of letters, an alphabet a row
"""Reads letters that wear marks, and alphabets put together of letters and signs that look like others.

A mark on every letter (`i̇ġṅȯṙė`) stops nobody from reading, and generators of "fancy text" write Latin words with letters
of Thai, Ethiopic or Japanese. Marks and letters of a text in a language that needs them are left alone: those compose, are
fewer, or make no known words.
"""

import re
import unicodedata
from collections.abc import Iterator

from lockgate.detect.confusables import CONFUSABLE, STYLED
from lockgate.detect.decode import View
from lockgate.detect.wording import reads

_LATIN = "abcdefghijklmnopqrstuvwxyz"
_ALPHABETS = (
    "αв¢∂єƒgнιנкℓмησρqяѕтυνωχуz",
    "αႦƈԃҽϝɠԋιʝƙʅɱɳσρϙɾʂƚυʋɯxყȥ",
    "ąცƈɖɛʄɠɧıʝƙƖɱŋơ℘զཞʂɬų۷ῳҳყʑ",
    "ǟɮƈɖɛʄɢɦɨʝӄʟʍռօքզʀֆȶʊʋաӼʏʐ",
    "ค๒ς๔єŦﻮђเןкɭ๓ภ๏קợгรՇยשฬאץչ",
    "卂乃匚ᗪ乇千ᘜ卄丨ﾌҜㄥ爪几ㄖ卩Ɋ尺丂ㄒㄩᐯ山乂ㄚ乙",
    "ﾑ乃ᄃり乇ｷムんﾉﾌズﾚﾶ刀のｱゐ尺丂ｲひ√Wﾒﾘ乙",
    "ልጌርዕቿቻኗዘጎጋጕረጠክዐየዒዪነፕሁሀሠሸሃጊ",
    "ᏗᏰፈᎴᏋᎦᎶᏂᎥᏠᏦᏝᎷᏁᎧᎮᎤᏒᏕᏖᏬᏉᏇጀᎩፚ",
    "₳฿₵ĐɆ₣₲ⱧłJ₭Ⱡ₥₦Ø₱QⱤ₴₮ɄV₩ӾɎⱫ",
    "ΛBCDΞFGHIJKLMПӨPQЯSƬЦVЩXYZ",
    "ąɓƈđεƒɠɦïʝƙɭɱɳ๏ρɋɾʂƭµѵωχყʓ",
)
_FANCY = {
    sign: letter
    for alphabet in reversed(_ALPHABETS)
    for sign, letter in zip(alphabet, _LATIN, strict=True)
    if not sign.isascii()
}
_WIDE_LATIN = "\u00c0-\u024f\u1e00-\u1eff"
_MARKS = "\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f"
# A run of letters of which next to none is without a mark.
_MARKED = re.compile(rf"(?:[{_WIDE_LATIN}{_MARKS}]+[^{_WIDE_LATIN}{_MARKS}\n]{{0,3}}){{10,}}")
_WEARING = re.compile(rf"[{_WIDE_LATIN}]|[{_MARKS}]+")
_MARK = re.compile(f"[{_MARKS}]")
# Vowels wear marks in many languages, and two in some; these compose with one.
_OUT_OF_PLACE = re.compile(f"[^aeiouAEIOU{_WIDE_LATIN}{_MARKS}][{_MARKS}]")
_WORD = re.compile("[a-z]+")
# Words of Greek or Cyrillic letters alone may be Greek or Russian.
_MIXED = re.compile(
    "[A-Za-z][\u0370-\u04ff]|[\u0370-\u04ff][A-Za-z]|[\u0370-\u03ff][\u0400-\u04ff]|[\u0400-\u04ff][\u0370-\u03ff]"
)
_LEAST_SIGNS, _LEAST_FOREIGN, _LEAST_LEFT = 6, 3, 4
_MARKED_SHARE, _LEFT_SHARE = 0.5, 0.12
_KNOWN_SHARE, _SURE_SHARE = 0.2, 0.35
_AROUND, _MAX_VIEWS = 120, 8


def restyled(text: str) -> tuple[View, ...]:
    """Stretches of a text as they read without marks on their letters, or with Latin letters for those that imitate them.

    Args:
        text: The text as it is: what is comparable has no marks any more.

    Returns:
        At most sixteen views, none for ordinary text of any language; encodings `marks` and `fancy-letters`.
    """
    return () if text.isascii() else (*_unmarked(text), *_unfancied(text))


def _unmarked(text: str) -> Iterator[View]:
    end = views = 0
    for match in _MARKED.finditer(text):
        if match.start() < end or views >= _MAX_VIEWS:
            continue
        run = match.group()
        bare = _without_marks(run)
        letters = sum(map(str.isalpha, bare))
        wearing = len(_WEARING.findall(run))
        left = len(_OUT_OF_PLACE.findall(unicodedata.normalize("NFC", run)))
        deliberate = left >= max(_LEAST_LEFT, _LEFT_SHARE * wearing)
        if wearing < _MARKED_SHARE * letters:
            continue
        if deliberate or reads(_WORD.findall(bare.lower()), _SURE_SHARE):
            start, end = _around(text, *match.span())
            views += 1
            yield View(_without_marks(text[start:end]), start, end, "marks")


def _without_marks(text: str) -> str:
    parts = unicodedata.normalize("NFKD", _MARK.sub("", text))
    return unicodedata.normalize("NFC", _MARK.sub("", parts)).translate(_STROKES)


_STROKES = str.maketrans("đðħıłøŧƀƃɇɉɍɏɨɫɵʉƈƒƙƥƭȥᵽĐĦŁØŦ", "ddhilotbbejryiloucfkptzpDHLOT")


def _unfancied(text: str) -> Iterator[View]:
    signs = _FANCY.keys() & set(text)
    if len(signs) < _LEAST_SIGNS:
        return
    if len([sign for sign in signs if not "\u0370" <= sign <= "\u04ff"]) < _LEAST_FOREIGN and (
        len(_MIXED.findall(text)) < _LEAST_SIGNS
    ):
        return
    table = {**CONFUSABLE, **STYLED, **{ord(sign): _FANCY[sign] for sign in signs}}
    said = text.translate(table)
    # Every sign becomes one letter, so the places stay.
    position = views = 0
    for line in said.split("\n"):
        start, position = position, position + len(line) + 1
        if views >= _MAX_VIEWS or len(signs & set(text[start : position - 1])) < _LEAST_SIGNS:
            continue
        if reads(_WORD.findall(line.lower()), _KNOWN_SHARE):
            views += 1
            yield View(_without_marks(line), start, start + len(line), "fancy-letters")


def _around(text: str, start: int, end: int) -> tuple[int, int]:
    """A run with what stands beside it in the same line."""
    first, last = max(0, start - _AROUND), min(len(text), end + _AROUND)
    line = text.find("\n", end, last)
    return max(first, text.rfind("\n", first, start) + 1), line if line >= 0 else last
