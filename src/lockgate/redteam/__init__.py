"""The redteam stage: attack a target with and without its guard, judge the transcripts, count, hold the gate.

corpus = load()
async with HttpTarget("model", ...) as bare, HttpTarget("gateway", ...) as guarded:
    run = await attack(corpus, bare=bare, guarded=guarded, seed=7, protected=values)
result = summarise(run)
examination = examine(result, config)
"""

from lockgate.redteam.attempt import Attempt, AttemptStatus, Lane
from lockgate.redteam.catalog import CHECKS
from lockgate.redteam.corpus import Attack, Benign, Corpus, Leak, Say, load
from lockgate.redteam.errors import RedteamError
from lockgate.redteam.examine import examine
from lockgate.redteam.result import RedteamResult, encode, summarise
from lockgate.redteam.runner import RedteamRun, attack
from lockgate.redteam.target import Endpoint, HttpTarget, SplitTarget, Target
from lockgate.redteam.transcript import Conversation, Transcript, Turn

__all__ = [
    "CHECKS",
    "Attack",
    "Attempt",
    "AttemptStatus",
    "Benign",
    "Conversation",
    "Corpus",
    "Endpoint",
    "HttpTarget",
    "Lane",
    "Leak",
    "RedteamError",
    "RedteamResult",
    "RedteamRun",
    "Say",
    "SplitTarget",
    "Target",
    "Transcript",
    "Turn",
    "attack",
    "encode",
    "examine",
    "load",
    "summarise",
]
