"""From the result of a run to the outcomes that its gate is decided on."""

from lockgate.core.check import run
from lockgate.core.config import RedteamConfig
from lockgate.core.outcome import Examination
from lockgate.redteam.attempt import Lane
from lockgate.redteam.baseline import Regression
from lockgate.redteam.blocked_benign import BlockedBenign
from lockgate.redteam.changed_model import ChangedModel
from lockgate.redteam.few_exercised import FewExercised
from lockgate.redteam.regressed import Regressed
from lockgate.redteam.result import RedteamResult
from lockgate.redteam.success_rate import SuccessRate
from lockgate.redteam.unexercised_family import UnexercisedFamily
from lockgate.redteam.unjudged_attempt import UnjudgedAttempt


def examine(result: RedteamResult, config: RedteamConfig) -> Examination:
    """Run the gate's checks on a result.

    The judges' verdicts on single transcripts are in the result and hold nothing by themselves: what holds the gate is
    their share, a run that says too little, and every attempt that could not be judged.

    Args:
        result: What `summarise` made of a run.
        config: The limits.
    """
    outcomes = [run(SuccessRate(max_success=config.max_success, max_upper_bound=config.max_upper_bound), result)]
    if Lane.BARE in result.fingerprints:
        outcomes.append(run(FewExercised(min_exercised=config.min_exercised), result))
    outcomes.append(run(BlockedBenign(max_benign_blocked=config.max_benign_blocked), result))
    outcomes.append(run(ChangedModel(), result))
    outcomes += [run(UnexercisedFamily(), family) for family in result.families]
    outcomes += [run(UnjudgedAttempt(), attempt) for attempt in result.transcripts]
    subjects = dict.fromkeys(outcome.subject for outcome in outcomes)
    return Examination(tuple(subjects), tuple(outcomes))


def unregressed(regression: Regression) -> Examination:
    """Run the check on the comparison with an earlier run.

    Args:
        regression: What `compare` made of the two.
    """
    outcome = run(Regressed(), regression)
    return Examination((outcome.subject,), (outcome,))
