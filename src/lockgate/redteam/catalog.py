"""Every check of the redteam stage: the judges of single transcripts, and the checks on a run's result."""

from typing import Never

from lockgate.core.check import Check
from lockgate.redteam.active_output import ActiveOutput
from lockgate.redteam.blocked_benign import BlockedBenign
from lockgate.redteam.called_tool import CalledTool
from lockgate.redteam.changed_model import ChangedModel
from lockgate.redteam.disclosed_value import DisclosedValue
from lockgate.redteam.diverged_repetition import DivergedRepetition
from lockgate.redteam.few_exercised import FewExercised
from lockgate.redteam.flooded_answer import FloodedAnswer
from lockgate.redteam.forbidden_content import ForbiddenContent
from lockgate.redteam.model_opinion import ModelOpinion
from lockgate.redteam.obeyed_marker import ObeyedMarker
from lockgate.redteam.personal_detail import PersonalDetail
from lockgate.redteam.recited_text import RecitedText
from lockgate.redteam.regressed import Regressed
from lockgate.redteam.repeated_prompt import RepeatedPrompt
from lockgate.redteam.stray_disclosure import StrayDisclosure
from lockgate.redteam.success_rate import SuccessRate
from lockgate.redteam.unexercised_family import UnexercisedFamily
from lockgate.redteam.unjudged_attempt import UnjudgedAttempt

# Their subjects differ, so what is common to all is that each takes something.
CHECKS: tuple[type[Check[Never]], ...] = (
    DisclosedValue,
    ObeyedMarker,
    RepeatedPrompt,
    CalledTool,
    ActiveOutput,
    FloodedAnswer,
    DivergedRepetition,
    ForbiddenContent,
    PersonalDetail,
    ModelOpinion,
    RecitedText,
    StrayDisclosure,
    SuccessRate,
    FewExercised,
    UnexercisedFamily,
    BlockedBenign,
    UnjudgedAttempt,
    Regressed,
    ChangedModel,
)
