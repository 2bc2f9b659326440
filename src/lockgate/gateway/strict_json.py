"""JSON as a guard needs it: one meaning only, bounded depth, text that every parser reads alike."""

import json
import math
import re
from typing import NoReturn, cast

import msgspec

MAX_DEPTH = 32
# The end of a key, or of a text with a colon. Possessive, so it does not backtrack.
_KEY = re.compile(rb'"[ \t\r\n]*+:')
_PARTED = tuple(b'"' + blank for blank in (b" ", b"\t", b"\r", b"\n"))
_BACKSLASH = 0x5C


class JsonError(Exception):
    """Why a document is refused.

    Args:
        code: `invalid_json`, `duplicate_key`, `nested_too_deeply` or `invalid_unicode`.
        message: One sentence that quotes nothing.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def load(body: bytes, *, max_depth: int = MAX_DEPTH) -> object:
    """Parse one RFC 8259 document, refusing what parsers disagree on.

    Raises:
        JsonError: It is not UTF-8 or not JSON, repeats a key, holds NaN, an infinity or a lone surrogate, or nests
            deeper than `max_depth`.
    """
    try:
        document: object = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _load_slowly(body, max_depth)
    # A key that stands twice is there once afterwards.
    if _count_keys(document, max_depth) != _count_ends(body):
        return _load_slowly(body, max_depth)
    return document


def _load_slowly(body: bytes, max_depth: int) -> object:
    """As `load`, and says what is wrong."""
    try:
        document: object = json.loads(
            body.decode("utf-8"),
            object_pairs_hook=_unique,
            parse_constant=_refuse_constant,
            parse_float=_finite,
        )
    except UnicodeDecodeError as error:
        raise JsonError("invalid_unicode", "The body is not UTF-8.") from error
    except RecursionError as error:
        raise _too_deep(max_depth) from error
    except ValueError as error:
        raise JsonError("invalid_json", "The body is not valid JSON.") from error
    _count_keys(document, max_depth)
    try:
        msgspec.json.encode(document)
    except UnicodeEncodeError as error:
        raise JsonError("invalid_unicode", "The body holds a lone surrogate.") from error
    return document


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise JsonError("duplicate_key", "An object in the body has the same key twice.")
    return found


def _refuse_constant(_: str) -> NoReturn:
    raise JsonError("invalid_json", "NaN and infinities are not JSON.")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise JsonError("invalid_json", "A number in the body is out of range.")
    return number


def _count_ends(body: bytes) -> int:
    """How many keys end in `body`, or more, where texts begin with a colon; never less."""
    if b'\\"' not in body:
        # Counting holds up every other thread, so the quicker way is taken where nothing may stand before a colon.
        return len(_KEY.findall(body)) if any(end in body for end in _PARTED) else body.count(b'":')
    ends = 0
    for match in _KEY.finditer(body):
        place = match.start()
        while place and body[place - 1] == _BACKSLASH:
            place -= 1
        ends += (match.start() - place) % 2 == 0  # an odd number of backslashes makes the quote a part of a text
    return ends


def _count_keys(document: object, max_depth: int) -> int:
    """How many keys all objects have together.

    Raises:
        JsonError: The document nests too deeply.
    """
    keys = 0
    level = [document]
    for _ in range(max_depth + 1):
        below: list[object] = []
        for item in level:
            if isinstance(item, dict):
                inside = cast("dict[str, object]", item)
                keys += len(inside)
                below += [value for value in inside.values() if isinstance(value, (dict, list))]
            elif isinstance(item, list):
                below += [value for value in cast("list[object]", item) if isinstance(value, (dict, list))]
        if not below:
            return keys
        level = below
    raise _too_deep(max_depth)


def _too_deep(max_depth: int) -> JsonError:
    return JsonError("nested_too_deeply", f"The body nests deeper than {max_depth} levels.")
