# ruff: noqa: RUF001 - Cyrillic letters are the subject
"""Reads what needs a key that stands beside it: a Vigenère word, or the wrong layout of a keyboard."""

import re
from collections.abc import Iterator
from string import ascii_lowercase, ascii_uppercase

from lockgate.detect.lexicon import CLASSES
from lockgate.detect.linear import pattern
from lockgate.detect.piece import Decoder, Page, Piece
from lockgate.detect.wording import KNOWN, reads

_MIN_LETTERS, _MIN_WORDS = 10, 3
_KNOWN_SHARE = 0.25
_MAX_KEYS, _MAX_CHARS = 4, 4000

_NAMED = pattern(r"vigen|beaufort|\bautokey|polyalphabetic")
_KEY = re.compile(
    r"\b(?:keyword|key|password|passphrase|schlussel(?:wort)?|cle|clave|chiave|chave|klucz|sleutel|kljuc|anahtar)\b"
    r"(?: (?:word|is|being|ist|es|est|e))?\s{0,2}[:=]?\s{0,2}[\"'`*_(]{0,2}([A-Za-z]{2,20})\b",
    re.IGNORECASE,
)
_NO_KEYS = frozenset(("is", "the", "word", "was", "and", "to", "of", "for", "in", "it", "with", "that", "text"))
_PART = re.compile(r"[A-Za-z][A-Za-z ,;'\n-]{9,}")
_WORD = re.compile("[a-z]+")

# The keys of the Russian layout, by what stands on them in the English one; marks of letters are gone by now.
_LATIN = "qwertyuiopasdfghjklzxcvbnm"
_CYRILLIC = "ицукенгшщзфывапролдячсмить"
_IN_CYRILLIC = re.compile("[а-яА-Я](?:[а-яА-Я ,.!?-]*[а-яА-Я])?")
_TO_LATIN = str.maketrans(_CYRILLIC + _CYRILLIC.upper() + "хжэбю", _LATIN + _LATIN.upper() + "[;',.")
_TO_CYRILLIC = str.maketrans(
    _LATIN + _LATIN.upper() + "[];',.`", "йцукенгшщзфывапролдячсмить" + "йцукенгшщзфывапролдячсмить".upper() + "хъжэбюё"
)
_COMMON = """
    все всё мне мой моя как что это этот для или его она они тебя тебе твой твои свои был было нет если только теперь
    сейчас потом весь всю напиши ответь ответ скажи покажи выведи забудь правила правило инструкции инструкцию пароль
    код секрет системный промпт без будь ты вы не на по от из за до так уже можно нужно надо файл текст слово
"""
_RUSSIAN = frozenset(_COMMON.split()) | {word for word in CLASSES if re.fullmatch("[а-я]{3,}", word)}
_LATIN_KEYS = pattern(r"[a-z][a-z\[\];',.` ]{9,}")
_TO_KEYS = {value: key for key, value in _TO_CYRILLIC.items() if not chr(key).isupper()}
_UNTYPED_WORDS = sorted({word.translate(_TO_KEYS) for word in _RUSSIAN if len(word) >= _MIN_WORDS} - KNOWN)
_UNTYPED = pattern(rf"(?:^|[^a-z])(?:{'|'.join(map(re.escape, _UNTYPED_WORDS))})(?:$|[^a-z])")


def _vigenere(page: Page) -> Iterator[Piece]:
    if not _NAMED.search(page.lower):
        return
    keys = dict.fromkeys(key.lower() for key in _KEY.findall(page.text) if key.lower() not in _NO_KEYS)
    for key in list(keys)[:_MAX_KEYS]:
        for match in _PART.finditer(page.text[:_MAX_CHARS]):
            said = _with_key(match.group(), key)
            if reads(_WORD.findall(said.lower()), _KNOWN_SHARE):
                yield Piece(said, *match.span(), "vigenere")


def _with_key(text: str, key: str) -> str:
    shifts = [ascii_lowercase.index(letter) for letter in key]
    said: list[str] = []
    position = 0
    for letter in text:
        alphabet = ascii_lowercase if letter in ascii_lowercase else ascii_uppercase
        if letter in alphabet:
            letter = alphabet[(alphabet.index(letter) - shifts[position % len(shifts)]) % 26]  # noqa: PLW2901
            position += 1
        said.append(letter)
    return "".join(said)


def _layout(page: Page) -> Iterator[Piece]:
    """English typed on a Russian keyboard, and Russian on an English one."""
    for match in _IN_CYRILLIC.finditer(page.text) if page.wide >= _MIN_LETTERS else ():
        said = match.group().translate(_TO_LATIN)
        if reads(_WORD.findall(said.lower()), _KNOWN_SHARE):
            yield Piece(said, *match.span(), "layout")
    if not _UNTYPED.search(page.lower):
        return
    for match in _LATIN_KEYS.finditer(page.lower):
        said = page.text[slice(*match.span())].translate(_TO_CYRILLIC)
        words = re.findall("[а-яё]+", said.lower())
        known = {word for word in words if word in _RUSSIAN}
        if len(known) >= _MIN_WORDS - 1 and len(known) >= _KNOWN_SHARE * len(words):
            yield Piece(said, *match.span(), "layout")


KEYED: tuple[Decoder, ...] = (_vigenere, _layout)
"""Decoders of what another word or keyboard tells."""
