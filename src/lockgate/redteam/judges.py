"""Which judges look at a transcript: those of its goal."""

from lockgate.core.check import Check
from lockgate.redteam.active_output import ActiveOutput
from lockgate.redteam.called_tool import CalledTool
from lockgate.redteam.disclosed_value import DisclosedValue
from lockgate.redteam.diverged_repetition import DivergedRepetition
from lockgate.redteam.flooded_answer import FloodedAnswer
from lockgate.redteam.forbidden_content import ForbiddenContent
from lockgate.redteam.goal import Call, Contain, Diverge, Emit, Flood, Goal, Leak, Personal, Say
from lockgate.redteam.obeyed_marker import ObeyedMarker
from lockgate.redteam.personal_detail import PersonalDetail
from lockgate.redteam.repeated_prompt import RepeatedPrompt
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
}


def judges_of(goal: Goal | None) -> tuple[Check[Transcript], ...]:
    """The judges of a goal; none for a harmless conversation."""
    return () if goal is None else _JUDGES[type(goal)]
