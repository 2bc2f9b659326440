"""Reads what is hidden by place, where the text itself says so: initials, last letters, every other word, numbers.

Every text has initials, so they are read only where it speaks of them, in one of a dozen languages.
"""

import re
from collections.abc import Iterator, Sequence

from lockgate.detect.linear import pattern
from lockgate.detect.piece import Decoder, Page, Piece
from lockgate.detect.wording import segmented

_MAX_CHARS = 1000
_LEAST_PARTS, _LEAST_WORDS, _LEAST_LETTERS = 6, 4, 8
_REMARK = 80
_LEAST_WIDE = 4
_KNOWN_SHARE, _SHORT_SHARE, _SHORT = 0.5, 0.8, 16

_LETTERS = pattern(
    r"(?:first|1st|initial|starting|opening|last|final|every (?:second|2nd|other)) (?:letter|character|char)s?\b"
    r"|\binitials\b|acrostic|telestich|capital letters|upper-?case letters|alternate letters"
    r"|anfangsbuchstabe|(?:erste[nrs]?|letzte[nrs]?|zweite[nrs]?) buchstabe|premieres? lettres?|dernieres? lettres?"
    r"|initiales|primeras? letras?|ultimas? letras?|iniciales|prim[ae] letter[ae]|ultim[ae] letter[ae]|iniziali"
    r"|primeiras? letras?|iniciais|pierwsz[ae] liter|bas harf|ilk harf|son harf|huruf (?:pertama|awal|terakhir|depan)"
    r"|chu cai (?:dau|cuoi)|eerste letter|laatste letter|forsta bokst"
)
_LETTERS_WIDE = re.compile(
    "перв\\w+ букв|начальн\\w+ букв|последн\\w+ букв|перш\\w+ літер|首字|第一个字|最后一个字"
    "|末字|藏头|頭文字|縦読み|たて読み|文字目|첫 ?글자|앞 ?글자|마지막 ?글자"
)
_WORDS = pattern(
    r"every (?:other|second|third|2nd|3rd) word|alternate words|skip(?:ping)? every (?:other|second) word"
    r"|(?:first|last) words? of (?:each|every|all)"
    r"|jedes (?:zweite|dritte) wort|(?:erste|letzte)s? wort (?:jede|der)"
    r"|un mot sur (?:deux|trois)|premiers? mots? de chaque|cada dos palabras|una de cada (?:dos|tres) palabras"
    r"|primera palabra de cada|una parola (?:si|su due)|uma palavra sim|co drugie slowo|selang satu kata"
    r"|om het andere woord|varannat ord|her iki kelimede|cach mot (?:chu|tu)"
)
_WORDS_WIDE = re.compile("через слово|кажд\\w+ втор\\w+ слов|каждо\\w+ третье\\w* слов|каждое второе|через одне слово")
_NUMBERED = pattern(
    r"(?:\b[0-9]{1,2} {0,2}[=:.)>-]{1,2} {0,2}[a-z']+[ ,;|/\n]{1,3}){4,}[0-9]{1,2} {0,2}[=:.)>-]{1,2} {0,2}[a-z']+"
)
_NUMBERED_PART = re.compile(r"([0-9]{1,2}) {0,2}[=:.)>-]{1,2} {0,2}([A-Za-z']+)")
_CAPITAL = re.compile("[A-Z]")
_LETTER = re.compile("[A-Za-z]")
_WORD = re.compile(r"[^\W_]+(?:['-][^\W_]+)*")
_SENTENCE_END = re.compile(r"[.!?;\u3002\uff01\uff1f]+\s*")


def _by_place(page: Page) -> Iterator[Piece]:
    for plain, wide, readings in ((_LETTERS, _LETTERS_WIDE, _spelled), (_WORDS, _WORDS_WIDE, _chosen)):
        cue = plain.search(page.lower) or (wide.search(page.text) if page.wide >= _LEAST_WIDE else None)
        if not cue:
            continue
        # What is meant stands behind the remark on how to read it, or before it.
        start, end = cue.span()
        remark = max(page.text.find(sign, end, end + _REMARK) for sign in ":\n")
        behind = remark + 1 or end
        for first, last in ((behind, min(len(page.text), behind + _MAX_CHARS)), (max(0, start - _MAX_CHARS), start)):
            for said in dict.fromkeys(readings(page.text[first:last])):
                if said:
                    yield Piece(said, first, last, "by-place")


def _spelled(text: str) -> Iterator[str]:
    """What first and last letters, capitals, and every other letter spell."""
    for parts in (_WORD.findall(text), text.split("\n"), _SENTENCE_END.split(text)):
        for letter in (_first, _last):
            yield _words_of([letter(part) for part in parts])
    yield _words_of(_CAPITAL.findall(text))
    if text.isascii():
        letters = _LETTER.findall(text)
        yield _words_of(letters[::2])
        yield _words_of(letters[1::2])


def _chosen(text: str) -> Iterator[str]:
    """What first and last words of lines, and every second or third word say."""
    words, lines = _WORD.findall(text), [found for line in text.split("\n") if (found := _WORD.findall(line))]
    if len(lines) >= _LEAST_WORDS:
        yield " ".join(line[0] for line in lines)
        yield " ".join(line[-1] for line in lines)
    for step, first in ((2, 0), (2, 1), (3, 2)):
        some = words[first::step]
        yield " ".join(some) if len(some) >= _LEAST_WORDS else ""


def _first(part: str) -> str:
    return next(filter(str.isalpha, part), "")


def _last(part: str) -> str:
    return next(filter(str.isalpha, reversed(part)), "")


def _words_of(letters: Sequence[str]) -> str:
    """What letters spell: words, or a run of a script without blanks; empty if neither."""
    found = "".join(letters).lower()
    if found and not found.isascii():
        return found if len(found) >= _LEAST_PARTS else ""
    if len(found) < _LEAST_LETTERS:
        return ""
    said, known = segmented(found)
    return said if known >= (_KNOWN_SHARE if len(found) >= _SHORT else _SHORT_SHARE) else ""


def _sorted(page: Page) -> Iterator[Piece]:
    """Words that carry numbers, in an order that is not theirs."""
    if page.digits < _LEAST_PARTS - 1:
        return
    for match in _NUMBERED.finditer(page.lower):
        parts = [(int(number), word) for number, word in _NUMBERED_PART.findall(page.text[slice(*match.span())])]
        numbers = [number for number, _ in parts]
        if len(set(numbers)) == len(numbers) and numbers != sorted(numbers):
            yield Piece(" ".join(word for _, word in sorted(parts)), *match.span(), "by-place")


PLACES: tuple[Decoder, ...] = (_by_place, _sorted)
"""Decoders of words that stand where the text says."""
