"""A stage's decision."""

from enum import StrEnum

import msgspec

from lockgate.core.finding import Finding


class Stage(StrEnum):
    """The stages that have a gate, in the order in which an application passes them."""

    DATA = "data"
    TRAIN = "train"
    SUPPLY = "supply"
    REDTEAM = "redteam"
    DEPLOY = "deploy"
    MONITOR = "monitor"


class Decision(StrEnum):
    """OPEN only when nothing holds; there is no third state."""

    OPEN = "OPEN"
    HELD = "HELD"


class Cause(StrEnum):
    """What kind of thing holds a gate."""

    FINDING = "finding"
    ERRORED = "errored"
    SKIPPED = "skipped"
    MISSING_EVIDENCE = "missing-evidence"
    UPSTREAM = "upstream"
    NOTHING_EXAMINED = "nothing-examined"
    EXPIRED_WAIVER = "expired-waiver"


class Hold(msgspec.Struct, frozen=True):
    """One reason why a gate is HELD.

    Attributes:
        cause: What kind of reason it is.
        message: One line that names the file and what to do.
        check: Id of the check, where one is the cause.
        finding: The finding, where one is the cause.
    """

    cause: Cause
    message: str
    check: str = ""
    finding: Finding | None = None


class WaivedFinding(msgspec.Struct, frozen=True):
    """A finding that does not hold, because somebody said so, with a name and a date."""

    finding: Finding
    reason: str
    owner: str
    expires: str


class GateDecision(msgspec.Struct, frozen=True):
    """Whether a stage's gate is OPEN or HELD, and why.

    Attributes:
        stage: Which gate.
        decision: OPEN exactly when `holds` is empty.
        holds: Every reason to hold, most severe first.
        waived: Findings that policy lets pass, so that no waiver is silent.
        notes: What a reader should know about an open gate ("declared absent: ...").
    """

    stage: Stage
    decision: Decision
    holds: tuple[Hold, ...] = ()
    waived: tuple[WaivedFinding, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def reasons(self) -> tuple[str, ...]:
        """The reasons to hold as lines of text; the notes where the gate is open."""
        return tuple(hold.message for hold in self.holds) or self.notes
