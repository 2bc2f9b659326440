"""What a converter is."""

from collections.abc import Callable
from random import Random
from typing import Literal

import msgspec


class Converter(msgspec.Struct, frozen=True, kw_only=True):
    """Rewords a payload so that a model still understands it and a filter may not.

    Attributes:
        id: Its name on the command line and behind the `+` of an attack's id.
        kind: `encoding` and `disguise` rewrite the letters, `wrapper` puts the payload into something else, `language`
            asks in another language.
        apply: From a payload and a seeded source of randomness to the rewritten payload.
        decode: Its inverse, where it has one; exact for text in lower-case letters, digits and single spaces.
        frame: What to say around the rewritten text, with `{text}` in its place.
    """

    id: str
    kind: Literal["encoding", "disguise", "wrapper", "language"]
    apply: Callable[[str, Random], str]
    decode: Callable[[str], str] | None = None
    frame: str = "{text}"


def fixed(rewrite: Callable[[str], str]) -> Callable[[str, Random], str]:
    """A rewriting that draws nothing, in the form in which a converter applies it."""
    return lambda text, _: rewrite(text)


def convert(converter: Converter, payload: str, seed: int) -> str:
    """The payload as it is sent. The same seed gives the same text.

    Args:
        converter: How.
        payload: What.
        seed: Of whatever the converter draws.
    """
    # Draws depend on the payload too, so that no two attacks are disguised alike.
    rewritten = converter.apply(payload, Random(f"{seed}:{converter.id}:{payload}"))  # noqa: S311 - draws to repeat
    return converter.frame.replace("{text}", rewritten)
