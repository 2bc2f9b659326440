"""JSON of which two readers cannot think differently: no key twice, no NaN."""

import json


def load(body: bytes) -> object:
    """Read JSON text.

    Raises:
        ValueError: It is no JSON, names a key twice, or holds what is no JSON number.
        RecursionError: It is too deep.
    """
    return json.loads(body, object_pairs_hook=_unique, parse_constant=_refuse)


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key appears twice")
    return found


def _refuse(_name: str) -> float:
    raise ValueError("not a JSON number")
