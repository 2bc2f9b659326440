"""The redteam stage: attack a target with and without its guard, judge the transcripts, count, hold the gate.

chosen = plan(load(), seed=7, budget=84)
async with HttpTarget("model", ...) as bare, HttpTarget("gateway", ...) as guarded:
    run = await attack(chosen.corpus, bare=bare, guarded=guarded, seed=7, protected=values, families=chosen.families)
result = summarise(run)
examination = examine(result, config)
"""

from lockgate.redteam.adaptive import ADAPTIVE, adapted
from lockgate.redteam.assistant import ATTACKER_SCHEMA, JUDGE_SCHEMA, ModelAttacker, ModelJudge
from lockgate.redteam.attempt import Attempt, AttemptStatus, Lane
from lockgate.redteam.baseline import Baseline, Regression, baseline_of, compare
from lockgate.redteam.catalog import CHECKS
from lockgate.redteam.converse import converse
from lockgate.redteam.converters import CONVERTERS, Converter, convert
from lockgate.redteam.corpus import Attack, Benign, Corpus, load
from lockgate.redteam.errors import RedteamError
from lockgate.redteam.examine import examine, unregressed
from lockgate.redteam.families import FAMILIES, NEEDS_FILES, Family, Seed, family_named
from lockgate.redteam.goal import Call, Contain, Diverge, Emit, Flood, Goal, Leak, Personal, Recite, Say
from lockgate.redteam.memorised import Memorised, Training, training
from lockgate.redteam.message import Answer, Fetched, Message, ToolCall, UnusableAnswerError
from lockgate.redteam.outputs import run_report
from lockgate.redteam.page import page, what_helps
from lockgate.redteam.plan import PROFILES, Plan, Profile, plan
from lockgate.redteam.public import JudgeModel, PublicReport, measure, publish
from lockgate.redteam.reasons import held_for
from lockgate.redteam.result import RedteamResult, encode, summarise
from lockgate.redteam.runner import RedteamRun, attack
from lockgate.redteam.script import Consult, Script, Send, Strategy
from lockgate.redteam.target import Attacker, Target
from lockgate.redteam.targets import (
    AnthropicWire,
    CallableTarget,
    Cassette,
    CassetteTarget,
    Endpoint,
    HttpTarget,
    Obedience,
    ObedientTarget,
    OpenAIWire,
    Pace,
    SplitTarget,
    serve_obedient,
)
from lockgate.redteam.targets.cassette import Labels
from lockgate.redteam.transcript import Conversation, Transcript, Turn

__all__ = [
    "ADAPTIVE",
    "ATTACKER_SCHEMA",
    "CHECKS",
    "CONVERTERS",
    "FAMILIES",
    "JUDGE_SCHEMA",
    "NEEDS_FILES",
    "PROFILES",
    "Answer",
    "AnthropicWire",
    "Attack",
    "Attacker",
    "Attempt",
    "AttemptStatus",
    "Baseline",
    "Benign",
    "Call",
    "CallableTarget",
    "Cassette",
    "CassetteTarget",
    "Consult",
    "Contain",
    "Conversation",
    "Converter",
    "Corpus",
    "Diverge",
    "Emit",
    "Endpoint",
    "Family",
    "Fetched",
    "Flood",
    "Goal",
    "HttpTarget",
    "JudgeModel",
    "Labels",
    "Lane",
    "Leak",
    "Memorised",
    "Message",
    "ModelAttacker",
    "ModelJudge",
    "Obedience",
    "ObedientTarget",
    "OpenAIWire",
    "Pace",
    "Personal",
    "Plan",
    "Profile",
    "PublicReport",
    "Recite",
    "RedteamError",
    "RedteamResult",
    "RedteamRun",
    "Regression",
    "Say",
    "Script",
    "Seed",
    "Send",
    "SplitTarget",
    "Strategy",
    "Target",
    "ToolCall",
    "Training",
    "Transcript",
    "Turn",
    "UnusableAnswerError",
    "adapted",
    "attack",
    "baseline_of",
    "compare",
    "converse",
    "convert",
    "encode",
    "examine",
    "family_named",
    "held_for",
    "load",
    "measure",
    "page",
    "plan",
    "publish",
    "run_report",
    "serve_obedient",
    "summarise",
    "training",
    "unregressed",
    "what_helps",
]
