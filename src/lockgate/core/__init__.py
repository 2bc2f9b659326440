"""The contract that every layer speaks: subject, check, finding, outcome, gate, verdict, event, settings, errors."""

from lockgate.core.check import Card, Check, Cost, Maturity, describe, errored, run, skipped
from lockgate.core.errors import ConfigError, CoreError, LockgateError, SkippedError
from lockgate.core.event import Event, EventKind
from lockgate.core.finding import Finding, Location, fingerprint
from lockgate.core.gate import Cause, Decision, GateDecision, Hold, Stage, WaivedFinding
from lockgate.core.levels import Confidence, Severity
from lockgate.core.outcome import Examination, Outcome, Status
from lockgate.core.subject import Subject, SubjectRef, sha256_hex
from lockgate.core.verdict import Action, Origin, Reason, Span, Verdict

__all__ = [
    "Action",
    "Card",
    "Cause",
    "Check",
    "Confidence",
    "ConfigError",
    "CoreError",
    "Cost",
    "Decision",
    "Event",
    "EventKind",
    "Examination",
    "Finding",
    "GateDecision",
    "Hold",
    "Location",
    "LockgateError",
    "Maturity",
    "Origin",
    "Outcome",
    "Reason",
    "Severity",
    "SkippedError",
    "Span",
    "Stage",
    "Status",
    "Subject",
    "SubjectRef",
    "Verdict",
    "WaivedFinding",
    "describe",
    "errored",
    "fingerprint",
    "run",
    "sha256_hex",
    "skipped",
]
