"""Requests, strictly: a field that is not named in a surface's types does not travel."""

from typing import TypeVar

import msgspec

from lockgate.gateway.errors import ApiError, invalid
from lockgate.gateway.strict_json import JsonError, load

Json = dict[str, object]
T = TypeVar("T")
_LONGEST_REASON = 300


class Strict(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """An object that refuses fields it does not know."""


def read_json(body: bytes) -> object:
    """Parse a request body, already bounded.

    Raises:
        ApiError: 400 with the code `invalid_json`, `duplicate_key`, `nested_too_deeply` or `invalid_unicode`.
    """
    try:
        return load(body)
    except JsonError as error:
        raise invalid(error.code, str(error)) from error


def convert(document: object, kind: type[T], *, place: str = "") -> T:
    """Read a document as one of a surface's types.

    Args:
        document: Parsed JSON.
        kind: The type.
        place: Path of the document in the body, where it is a part of it.

    Raises:
        ApiError: 400 with the code `unknown_parameter` or `invalid_value`, and the path of the field.
    """
    try:
        return msgspec.convert(document, kind)
    except msgspec.ValidationError as error:
        raise _explain(str(error), place) from error


def plain(value: object) -> object:
    """A value of a surface's types as JSON types that can be changed in place."""
    return msgspec.json.decode(msgspec.json.encode(value))


def _explain(text: str, place: str) -> ApiError:
    problem, _, path = text.partition(" - at ")
    param = place + path.strip("`").removeprefix("$")
    unknown = problem.startswith("Object contains unknown field")
    if unknown:
        param = f"{param}.{problem.split('`', 1)[1].rstrip('`')}"
        problem = "This field is not supported, because the guard does not read it"
    return invalid(
        "unknown_parameter" if unknown else "invalid_value",
        f"{problem[:_LONGEST_REASON]}.",
        param=param.removeprefix(".")[:_LONGEST_REASON] or None,
    )
