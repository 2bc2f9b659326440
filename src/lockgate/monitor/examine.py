"""The monitor stage: what production says about the gates before it."""

from lockgate.core import Examination, SubjectRef, errored, run
from lockgate.monitor.catalog import CHECKS
from lockgate.monitor.database import DATABASE_NAME
from lockgate.monitor.subject import MonitorFacts


def examine(facts: MonitorFacts) -> Examination:
    """Run every check of the stage on a summary of the event store."""
    return Examination((facts.ref,), tuple(run(check(), facts) for check in CHECKS))


def unexamined(reason: str) -> Examination:
    """What the stage reports when the event store could not be read: every check ERRORED, which holds the gate."""
    ref = SubjectRef(DATABASE_NAME)
    return Examination((ref,), tuple(errored(check, ref, reason) for check in CHECKS))
