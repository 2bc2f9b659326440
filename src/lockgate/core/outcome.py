"""One check on one subject."""

from enum import StrEnum

import msgspec

from lockgate.core.finding import Finding
from lockgate.core.subject import SubjectRef


class Status(StrEnum):
    """What became of a check. Only PASSED is a pass."""

    PASSED = "PASSED"
    FAILED = "FAILED"
    ERRORED = "ERRORED"
    SKIPPED = "SKIPPED"


class Outcome(msgspec.Struct, frozen=True):
    """The result of one check on one subject.

    Attributes:
        check: The check's id.
        status: PASSED, FAILED (there are findings), ERRORED (could not look) or SKIPPED (did not look).
        subject: What was examined, by digest.
        findings: Empty unless FAILED.
        reason: Why it is ERRORED or SKIPPED.
    """

    check: str
    status: Status
    subject: SubjectRef
    findings: tuple[Finding, ...] = ()
    reason: str = ""


class Examination(msgspec.Struct, frozen=True):
    """All that a stage examined and what came of it, ready to be signed and decided on.

    Attributes:
        subjects: Everything that the stage was responsible for, also what could not be read.
        outcomes: One for every check on every subject that it applies to.
    """

    subjects: tuple[SubjectRef, ...]
    outcomes: tuple[Outcome, ...]
