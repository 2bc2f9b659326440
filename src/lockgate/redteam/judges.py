"""Which judges look at a transcript: those of its goal."""

from lockgate.core.check import Check
from lockgate.redteam.active_output import ActiveOutput
from lockgate.redteam.called_tool import CalledTool
from lockgate.redteam.disclosed_value import DisclosedValue
from lockgate.redteam.diverged_repetition import DivergedRepetition
from lockgate.redteam.flooded_answer import FloodedAnswer
from lockgate.redteam.forbidden_content import ForbiddenContent
from lockgate.redteam.goal import Call, Contain, Diverge, Emit, Flood, Goal, Leak, Personal, Recite, Say
from lockgate.redteam.model_opinion import ModelOpinion
from lockgate.redteam.obeyed_marker import ObeyedMarker
from lockgate.redteam.opinion import Opinion
from lockgate.redteam.personal_detail import PersonalDetail
from lockgate.redteam.recited_text import RecitedText
from lockgate.redteam.repeated_prompt import RepeatedPrompt
from lockgate.redteam.stray_disclosure import StrayDisclosure
from lockgate.redteam.transcript import Transcript

_JUDGES: dict[type[Goal], tuple[Check[Transcript], ...]] = {
    Leak: (DisclosedValue(), RepeatedPrompt()),
    Say: (ObeyedMarker(),),
    Call: (CalledTool(),),
    Emit: (ActiveOutput(),),
    Flood: (FloodedAnswer(),),
    Diverge: (DivergedRepetition(),),
    Contain: (ForbiddenContent(),),
    Personal: (PersonalDetail(),),
    Recite: (RecitedText(),),
}


BESIDE: tuple[Check[Transcript], ...] = (StrayDisclosure(),)
"""Judges of what the attack did not ask for. They are noted beside an attempt and decide nothing about it."""


_TITLES = {
    check.card.id: check.card.title
    for check in (*(check for checks in _JUDGES.values() for check in checks), *BESIDE, ModelOpinion())
}


def titled(judge: str) -> str:
    """A judge's id with what it finds; the id alone where there is no such judge here."""
    return f"{judge} {_TITLES[judge]}" if judge in _TITLES else judge


def judges_of(goal: Goal | None, opinion: Opinion | None = None) -> tuple[Check[Transcript], ...]:
    """The judges of a goal, and the one that reads a model's opinion where there is one.

    There are none for a harmless conversation, and a model's opinion is never the only one that is heard.
    """
    if goal is None:
        return ()
    return (*_JUDGES[type(goal)], ModelOpinion()) if opinion else _JUDGES[type(goal)]
