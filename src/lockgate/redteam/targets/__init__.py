"""Everything a red team can talk to: endpoints, Python callables, a cassette, and a script that obeys."""

from lockgate.redteam.targets.anthropic_wire import AnthropicWire
from lockgate.redteam.targets.callable import CallableTarget
from lockgate.redteam.targets.cassette import Cassette, CassetteTarget
from lockgate.redteam.targets.http import Endpoint, HttpTarget
from lockgate.redteam.targets.obedient import Obedience, ObedientTarget
from lockgate.redteam.targets.obedient_server import serve_obedient
from lockgate.redteam.targets.openai_wire import OpenAIWire
from lockgate.redteam.targets.pace import Pace
from lockgate.redteam.targets.split import SplitTarget
from lockgate.redteam.targets.wire import Wire

__all__ = [
    "AnthropicWire",
    "CallableTarget",
    "Cassette",
    "CassetteTarget",
    "Endpoint",
    "HttpTarget",
    "Obedience",
    "ObedientTarget",
    "OpenAIWire",
    "Pace",
    "SplitTarget",
    "Wire",
    "serve_obedient",
]
