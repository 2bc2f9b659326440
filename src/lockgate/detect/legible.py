"""Whether what a decoder made of a stretch says something: random letters decode to random letters.

Data, source code and identifiers decode to texts in many ways. A model makes nothing of most of them, and a classifier
that learned from sentences makes anything of them.
"""

import re
import unicodedata

from lockgate.detect.normalise import joined

_WORD = re.compile(r"[^\W\d_]+")
_VOWEL = re.compile("[aeiouyæœø\u0131]")
_MIXED = re.compile(r"\b(?=\w*[0-9])(?=\w*[A-Za-z])\w+\b")
_ID = re.compile(r"[0-9a-fA-F]+|[A-Z0-9_]+|[vx][0-9.]+")
_CAMEL = re.compile(r"[a-z][A-Z]")
_LEAST_WORDS, _LEAST_ENCODED_WORDS = 3, 2
_LEAST_LETTERS = 6
# What these give is hardly ever words by chance.
_DELIBERATE = frozenset(
    ("base64", "base32", "base58", "hex", "binary", "morse", "nato", "escapes", "url", "numbers", "html", "braille")
)
_LEAST_SHARE = 0.7
_LEAST_OF_TWO, _MOST_MIXED = 0.9, 0.3
_LEAST_JOINED = 4
_SHORT = frozenset(
    (
        *("a", "i", "u", "r", "am", "an", "as", "at", "be", "by", "do", "go", "he", "if", "in", "is", "it", "me", "my"),
        *("no", "of", "on", "or", "so", "to", "up", "us", "we", "ai"),
    )
)
_SPACELESS = ("CJK", "HIRAGANA", "KATAKANA", "THAI", "LAO", "KHMER", "MYANMAR", "TIBETAN", "HANGUL")
_EAST_ASIAN = frozenset({"CJK", "HIRAGANA", "KATAKANA"})


def is_legible(text: str, source: str, encoding: str) -> bool:
    """Whether a decoded text reads like language.

    At least three words (two where the encoding cannot come about by chance), most of them with a vowel and nearly all
    in one script, or in two that no word mixes; or six letters of a script without blanks. A text that stands in the
    source as it is says nothing new. Joined words that were parted are no disguise where they are one identifier of
    three words, or where some of the parts are none, and digits for letters are none in numbers and ids.

    Args:
        text: What was decoded.
        source: The stretch that it was decoded from.
        encoding: The decoder's name, outermost first.
    """
    if text.strip() in source:
        return False
    last = encoding.rpartition("+")[2]
    least = _LEAST_ENCODED_WORDS if last in _DELIBERATE else _LEAST_WORDS
    mixed = _MIXED.findall(source) if last == "leetspeak" else ()
    if mixed and all(_ID.fullmatch(word) for word in mixed):
        return False
    return _is_language(text, least) and (last != "unspaced" or _is_parted_well(text, source))


def _is_language(text: str, least: int) -> bool:
    words = _WORD.findall(joined(text).lower())
    by_script: dict[str, list[str]] = {}
    for word in words:
        by_script.setdefault(_script(word), []).append(word)
    counts = {script: sum(map(len, some)) for script, some in by_script.items()}
    total, mixed = sum(counts.values()), counts.pop("", 0)
    first, *further = sorted(counts, key=lambda script: (-counts[script], script))[:2] or [""]
    if mixed > _MOST_MIXED * total or not first:
        return False
    if counts[first] >= max(_LEAST_LETTERS, _LEAST_SHARE * total):
        return _speaks(first, by_script[first], least)
    # An order may stand behind words of another language.
    told = sum(counts[script] for script in (first, *further))
    return (
        told >= _LEAST_OF_TWO * total
        and _speaks(first, by_script[first], least)
        and all(_speaks(script, by_script[script], _LEAST_ENCODED_WORDS) for script in further)
    )


def _speaks(script: str, words: list[str], least: int) -> bool:
    if script == "LATIN":
        spoken = [word for word in words if _VOWEL.search(unicodedata.normalize("NFD", word))]
        return len(spoken) >= max(least, _LEAST_SHARE * len(words))
    return script in _SPACELESS or len(words) >= least


def _script(word: str) -> str:
    """The script of nearly all letters of a word; empty if it mixes some."""
    counts = _scripts(word)
    script, letters = max(counts.items(), key=lambda pair: pair[1])
    return script if letters >= _LEAST_SHARE * len(word) else ""


def _scripts(letters: str) -> dict[str, int]:
    counts: dict[str, int] = {}
    for letter in letters:
        script = "LATIN" if letter.isascii() else unicodedata.name(letter, "?").partition(" ")[0]
        script = "CJK" if script in _EAST_ASIAN else script
        counts[script] = counts.get(script, 0) + 1
    return counts


def _is_parted_well(text: str, source: str) -> bool:
    before = frozenset(_WORD.findall(source.lower()))
    parts = [word for word in _WORD.findall(text.lower()) if word not in before]
    if any(len(part) < _LEAST_WORDS and part not in _SHORT for part in parts):
        return False
    return len(parts) >= _LEAST_JOINED or not _CAMEL.search(source)
