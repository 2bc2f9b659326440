# ruff: noqa: E501, RUF001 - tables of look-alike letters, a row for a few letters
"""Characters that a reader takes for a Latin letter, by the letter. Our own selection; the idea is Unicode UTS #39's.

Compatibility forms (full-width, mathematical, circled letters) are not listed: NFKC and NFKD know them.
"""

from itertools import starmap

# Always read as the letter: forms that no alphabet uses. Small capitals, and phonetic signs of the same shape.
_STYLED = {
    "a": "ᴀ", "b": "ʙᴃ", "c": "ᴄ", "d": "ᴅ", "e": "ᴇ", "f": "ꜰ", "g": "ɢ", "h": "ʜ", "i": "ɪ", "j": "ᴊ", "k": "ᴋ",
    "l": "ʟᴌ", "m": "ᴍ", "n": "ɴ", "o": "ᴏ", "p": "ᴘ", "q": "ꞯ", "r": "ʀ", "s": "ꜱ", "t": "ᴛ", "u": "ᴜ", "v": "ᴠ",
    "w": "ᴡ", "y": "ʏ", "z": "ᴢ",
}  # fmt: skip
# First letters of runs of 26: regional indicators, negative circled, negative squared, in brackets; bubbles and squares decompose.
_RUNS = (0x1F1E6, 0x1F150, 0x1F170, 0x249C)

# The same shape as the letter in common fonts: a whole word of them looks like a Latin word.
_SAME = {
    "a": "аɑ", "c": "сϲᴄ", "d": "ԁ", "e": "е", "g": "ɡց", "h": "һհ", "i": "іɩ", "j": "јϳ", "l": "ӏⅼ", "n": "ո", "o": "оοօ",
    "p": "ррⲣ", "q": "ԛզ", "s": "ѕꮪ", "u": "ս", "v": "ѵνⅴ", "w": "ԝ", "x": "хⅹ", "y": "у",
    "A": "АΑᎪꓮᗅ", "B": "ВΒᏴꓐ", "C": "СϹᏟꓚⲤ", "D": "Ꭰꓓᗞ", "E": "ЕΕᎬꓰ", "F": "ꓝϜ", "G": "ԌᏀꓖ", "H": "НΗᎻꓧⲎ", "I": "ІΙӀꓲⲒ",
    "J": "ЈᎫꓙͿ", "K": "КΚᏦꓗⲔ", "L": "Ꮮꓡᒪ", "M": "МΜᎷꓟⲘ", "N": "ΝꓠⲚ", "O": "ОΟՕꓳⲞ", "P": "РΡᏢꓑⲢ", "R": "ᎡᏒꓣᖇ",
    "S": "ЅՏᏚꓢ", "T": "ТΤᎢꓔⲦ", "U": "Սꓴᑌ", "V": "ѴᏙꓦᐯ", "W": "ԜᎳᏔꓪ", "X": "ХΧꓫⲬ", "Y": "ҮΥꓬⲨ", "Z": "ΖᏃꓜⲌ",
}  # fmt: skip
# Near enough to pass beside real Latin letters: replaced only in a word that also holds one.
_NEAR = {
    "a": "αά", "b": "Ььвβ", "e": "ҽεέє", "f": "ғ", "g": "ԍ", "h": "нհһ", "i": "ιίї", "k": "кκқҝ", "m": "м", "n": "ηпռπ", "o": "σөӧ",
    "p": "ρ", "r": "гѓ", "t": "тτ", "u": "υμц", "w": "ωшա", "x": "χҳ", "y": "γүұў",
    "A": "ᗩ₳Λ", "B": "ᗷ฿", "C": "ᑕ₵", "D": "ᗪ", "E": "Є", "F": "ᖴ₣", "G": "₲", "H": "ᕼ", "J": "ᒍ", "K": "₭", "M": "ᗰ", "N": "ᑎ₦И",
    "P": "ᑭ₱", "R": "Я", "S": "ᔕ₴", "T": "₮", "U": "Ц", "V": "ᐯ", "W": "ᗯ₩Ш", "X": "᙭Ж", "Y": "ЧУ", "Z": "ᘔ", "s": "ऽ", "q": "ᑫ",
}  # fmt: skip
_TURNED = {
    "a": "ɐ", "b": "q", "c": "ɔ", "d": "p", "e": "ǝəǝ", "f": "ɟ", "g": "ƃɓᵷ", "h": "ɥ", "i": "ᴉıı̣", "j": "ɾɾ", "k": "ʞ", "l": "ʅꞁ",
    "m": "ɯ", "n": "u", "p": "d", "q": "b", "r": "ɹ", "t": "ʇ", "u": "n", "v": "ʌ", "w": "ʍ", "y": "ʎ",
    "A": "∀", "E": "Ǝ", "F": "Ⅎ", "G": "⅁", "L": "˥⅂", "P": "Ԁ", "T": "⊥┴", "U": "∩", "V": "Λ", "Y": "⅄", "!": "¡", "?": "¿",
    ",": "‘ʻ", "'": ",", ".": "˙",
}  # fmt: skip


def _table(*letters: dict[str, str]) -> dict[int, str]:
    return {ord(shape): letter for group in letters for letter, shapes in group.items() for shape in shapes}


def _small_cherokee(code: int, letter: str) -> tuple[int, str]:
    return code - 0x13A0 + 0xAB70, letter.lower()


STYLED: dict[int, str] = _table(_STYLED) | {
    first + index: chr(ord("a") + index) for first in _RUNS for index in range(26)
}
"""Code points that are always read as a letter."""

_BOTH = _table(_NEAR, _SAME)
_CHEROKEE = {code: letter for code, letter in _BOTH.items() if 0x13A0 <= code < 0x13F0}  # noqa: PLR2004 - Unicode block

SAME: frozenset[int] = frozenset(_table(_SAME)) | {code for code, _ in starmap(_small_cherokee, _CHEROKEE.items())}
"""Code points of the same shape as a Latin letter."""

CONFUSABLE: dict[int, str] = _BOTH | dict(starmap(_small_cherokee, _CHEROKEE.items()))
"""Letter of each code point of the same or nearly the same shape."""

TURNED: dict[int, str] = _table(_TURNED)
"""Letter of each character that is that letter upside down, some of them letters themselves."""
