"""JSON as a guard needs it: one meaning only, bounded depth, text that every parser reads alike."""

import json
import math
from typing import NoReturn

import msgspec

MAX_DEPTH = 32


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
    _bound_depth(document, max_depth)
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


def _bound_depth(document: object, max_depth: int) -> None:
    level = [document]
    for _ in range(max_depth + 1):
        level = [inner for item in level for inner in _inside(item)]
        if not level:
            return
    raise _too_deep(max_depth)


def _inside(item: object) -> list[object]:
    match item:
        case dict():
            return [value for value in item.values() if isinstance(value, dict | list)]  # pyright: ignore[reportUnknownVariableType] - JSON values
        case list():
            return [value for value in item if isinstance(value, dict | list)]  # pyright: ignore[reportUnknownVariableType] - JSON values
        case _:
            return []


def _too_deep(max_depth: int) -> JsonError:
    return JsonError("nested_too_deeply", f"The body nests deeper than {max_depth} levels.")
