"""An attack as a pure generator: it yields what to send, and is given what came back."""

from collections.abc import Callable, Generator
from typing import TypeAlias

import msgspec

from lockgate.redteam.corpus import Attack, Benign
from lockgate.redteam.message import Answer, Message, Prompt


class Send(msgspec.Struct, frozen=True):
    """Say something to the target.

    Attributes:
        prompt: What to say.
        fresh: Start a new conversation with it.
        disguise: What a search changed about the attack to get here; empty for nothing.
    """

    prompt: Prompt
    fresh: bool = False
    disguise: str = ""


class Consult(msgspec.Struct, frozen=True):
    """Ask the attacker's own model, if one is configured; its words come back as an answer."""

    history: tuple[Message, ...]


Script: TypeAlias = Generator[Send | Consult, Answer, None]
Strategy: TypeAlias = Callable[[Attack, int], Script]
"""From an attack and a seed to its script. Pure: randomness comes from the seed alone, so a cassette replays it."""


def fixed(item: Attack | Benign) -> Script:
    """Send the turns of an attack or of a harmless conversation, whatever comes back."""
    for prompt in item.turns:
        yield Send(prompt)
