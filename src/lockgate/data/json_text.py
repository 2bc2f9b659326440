"""JSON (RFC 8259) as untrusted data needs it: every member seen, also the ones that a dictionary would overwrite."""

import functools
import json
from collections.abc import Iterator

from lockgate.data.errors import DataError
from lockgate.detect.pii import find_pii
from lockgate.detect.secrets import find_secrets

MAX_DEPTH = 16
MAX_NAME = 40

_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.:")


class Number(str):
    """A number as it is written."""

    __slots__ = ()


class Constant(str):
    """`NaN`, `Infinity` or `-Infinity`, which Python writes and JSON does not know."""

    __slots__ = ()


class Members(list[tuple[str, "Value"]]):
    """An object's members in their order, duplicates included."""


Value = str | bool | None | list["Value"] | Members

_DECODER = json.JSONDecoder(
    object_pairs_hook=Members, parse_int=Number, parse_float=Number, parse_constant=Constant, strict=True
)


def parse(text: str) -> Value:
    """Parse one JSON text.

    Raises:
        DataError: It is not JSON, or nested too deeply to parse.
    """
    try:
        return _DECODER.decode(text)
    except RecursionError as error:
        raise DataError("It is nested too deeply.") from error
    except ValueError as error:
        raise DataError("It is not valid JSON.") from error


def texts(value: Value, path: str = "", depth: int = 0) -> Iterator[tuple[str, str]]:
    """Walk every text and number of a parsed value.

    Yields:
        Its place as a JSON pointer, relative to `value`, and the text.

    Raises:
        DataError: It is nested deeper than 16 levels.
    """
    if depth > MAX_DEPTH:
        raise DataError(f"It is nested deeper than {MAX_DEPTH} levels.")
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, Members):
        for number, (name, inner) in enumerate(value):
            yield from texts(inner, f"{path}/{segment(name) or f'field[{number}]'}", depth + 1)
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from texts(inner, f"{path}/{number}", depth + 1)


def objects(value: Value) -> Iterator[Members]:
    """Walk every object of a parsed value that `texts` has walked without error."""
    if isinstance(value, Members):
        yield value
        for _, inner in value:
            yield from objects(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from objects(inner)


@functools.lru_cache(maxsize=4096)
def segment(name: str) -> str:
    """The name itself where it may appear in a location, else nothing: locations are printed, signed and shared."""
    if not name or len(name) > MAX_NAME or not _PLAIN.issuperset(name) or find_secrets(name) or find_pii(name):
        return ""
    return name
