"""Judges SPDX licence expressions (spdx.github.io/spdx-spec/v2.3/SPDX-license-expressions)."""

_MAX_WORDS = 50


def is_allowed(expression: str, allowed: frozenset[str]) -> bool:
    """Whether an SPDX expression can be met with some licences alone. AND binds more than OR, and brackets count.

    What is no such expression is not allowed.
    """
    words = expression.replace("(", " ( ").replace(")", " ) ").split()
    if not words or len(words) > _MAX_WORDS:
        return False
    known = {licence.lower() for licence in allowed}
    met, rest = _choice(words, known)
    return met and not rest


def _choice(words: list[str], known: set[str]) -> tuple[bool, list[str]]:
    met, rest = _all_of(words, known)
    while rest and rest[0].upper() == "OR":
        other, rest = _all_of(rest[1:], known)
        met = met or other
    return met, rest


def _all_of(words: list[str], known: set[str]) -> tuple[bool, list[str]]:
    met, rest = _one(words, known)
    while rest and rest[0].upper() == "AND":
        other, rest = _one(rest[1:], known)
        met = met and other
    return met, rest


def _one(words: list[str], known: set[str]) -> tuple[bool, list[str]]:
    if not words:
        return False, []
    if words[0] == "(":
        met, rest = _choice(words[1:], known)
        return (met, rest[1:]) if rest and rest[0] == ")" else (False, [])
    stated, rest = words[0].lower(), words[1:]
    if len(rest) > 1 and rest[0].upper() == "WITH":
        stated, rest = f"{stated} with {rest[1].lower()}", rest[2:]
    return stated in known, rest
