"""A file of Cedar policies, taken apart so that errors and refusals can say where."""

import re

import msgspec

from lockgate.policy.errors import PolicyError

# cedarpy's parser recurses without a limit and ends the whole process on deeply nested brackets, so that a file of
# brackets would stop a gateway that reads its settings again.
MAX_DEPTH = 32
MAX_CHARS = 8_192
MAX_POLICIES = 500

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|//[^\n]*|\s+|[;(){}\[\]]|.', re.DOTALL)


class Statement(msgspec.Struct, frozen=True):
    """One policy of a file.

    Attributes:
        line: Where it begins, counted from 1.
        text: It, up to its semicolon.
    """

    line: int
    text: str


def statements(text: str) -> tuple[Statement, ...]:
    """The policies of a file, each as it stands; comments and space between them are dropped.

    Raises:
        PolicyError: There are too many, or one is too long or too deeply nested to be read safely.
    """
    found: list[Statement] = []
    begin, line, start, depth = -1, 1, 1, 0
    for token in _TOKEN.finditer(text):
        word = token.group()
        if begin < 0 and not word.isspace() and not word.startswith("//"):
            begin, start = token.start(), line
        line += word.count("\n")
        depth += (word in "([{") - (word in ")]}")
        if depth > MAX_DEPTH:
            raise PolicyError(f"The Cedar policy in line {start} is nested too deeply.", remedy="Split it.")
        if word == ";":
            found.append(_statement(start, text[begin : token.end()]))
            begin, depth = -1, 0
    if begin >= 0:
        found.append(_statement(start, text[begin:]))
    if len(found) > MAX_POLICIES:
        raise PolicyError(f"There are more than {MAX_POLICIES} Cedar policies.", remedy="Join some of them.")
    return tuple(found)


def _statement(line: int, text: str) -> Statement:
    if len(text) > MAX_CHARS:
        message = f"The Cedar policy in line {line} has more than {MAX_CHARS:,} characters."
        raise PolicyError(message, remedy="Split it.")
    return Statement(line, text)
