"""Why a gate is held, in as few lines as say it."""

from lockgate.redteam.attempt import AttemptStatus
from lockgate.redteam.public import PublicReport
from lockgate.redteam.result import FamilyStatus

_FEW = 3


def held_for(report: PublicReport) -> list[str]:
    """What holds the gate, with one line each for untested families, those not exercised, and unjudged attempts.

    Fewer than three of a kind keep a line each.
    """
    reasons = list(report.gate.reasons)
    if len(untested := [row.id for row in report.families if row.status == "UNTESTED"]) >= _FEW:
        about = tuple(f"redteam:family/{name} " for name in untested)
        reasons = [reason for reason in reasons if not reason.startswith(about)]
        untried = f"LG-REDTEAM-103: nothing was judged of {len(untested)} families: {', '.join(untested)}."
        broke = any(row.errors for row in report.families if row.id in untested)
        advice = "See their errors." if broke else "Give the run more budget or time, or choose fewer families."
        reasons.append(f"{untried} {advice}")
    if len(idle := [row.id for row in report.families if row.status == FamilyStatus.NOT_EXERCISED]) >= _FEW:
        about = tuple(f"redteam:family/{name} " for name in idle)
        kept = [reason for reason in reasons if not reason.startswith(about)]
        if len(reasons) - len(kept) >= _FEW:  # a policy may take them as optional
            reasons = kept
            reasons.append(
                f"LG-REDTEAM-103: NOT EXERCISED: the target without its guard withstood all attacks of {len(idle)} "
                f"families: {', '.join(idle)}. Attack a weaker target, add stronger attacks, or list LG-REDTEAM-103 as "
                "optional."
            )
    if len(broken := [item for item in report.attempts if item.status == AttemptStatus.ERRORED]) >= _FEW:
        about = tuple(f"{item.ref.uri} " for item in broken)
        reasons = [reason for reason in reasons if not reason.startswith(about)]
        reasons.append(f"LG-REDTEAM-105: {len(broken)} attempts could not be judged. See their errors, then run again.")
    return reasons
