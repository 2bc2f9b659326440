"""The report for programs: versioned JSON whose names are public."""

from typing import Any, Literal, cast

import msgspec

from lockgate.core.gate import Decision, GateDecision, Hold, Stage, WaivedFinding
from lockgate.core.outcome import Outcome
from lockgate.report.model import EvidenceRow, MonitorView, RedteamView, RunReport
from lockgate.report.shown import plain


class GateRow(msgspec.Struct, frozen=True, kw_only=True):
    """One gate's decision.

    Attributes:
        stage: Which gate.
        decision: OPEN or HELD.
        reasons: Every reason to hold as a line of text; the notes where the gate is open.
        holds: Every reason to hold, most severe first, with the finding where one is the cause.
        waived: Findings that a waiver lets pass.
        notes: What a reader should know about an open gate.
    """

    stage: Stage
    decision: Decision
    reasons: tuple[str, ...]
    holds: tuple[Hold, ...]
    waived: tuple[WaivedFinding, ...]
    notes: tuple[str, ...]


class StageRow(msgspec.Struct, frozen=True, kw_only=True):
    """What one stage's checks found.

    Attributes:
        stage: Which stage.
        seconds: How long it took.
        outcomes: One for every check on every subject.
    """

    stage: Stage
    seconds: float
    outcomes: tuple[Outcome, ...]


class JsonReport(msgspec.Struct, frozen=True, kw_only=True):
    """The whole document. Fields may be added within version 1; none is renamed or removed.

    Attributes:
        version: Version of this format.
        project: The project's name.
        run: Id of the run.
        lockgate: Version of Lockgate.
        started: When it began, UTC, ISO 8601.
        finished: When it ended, UTC, ISO 8601.
        policy: SHA-256 of `lockgate.yaml`.
        decision: OPEN when at least one gate was decided and none is HELD.
        gates: Every gate's decision, in pipeline order.
        stages: What every stage's checks found.
        redteam: The attack run, or null when there was none.
        monitor: What the endpoint saw, or null.
        evidence: The ledger's entries of this run.
        ledger: Where the ledger lies.
        checkpoint: The ledger's signed checkpoint.
        trust: Whose keys were trusted and what that proves.
        endpoint: Base URL of the guarded endpoint.
        report: Where `report.html` lies.
    """

    version: Literal[1] = 1
    project: str
    run: str
    lockgate: str
    started: str
    finished: str
    policy: str
    decision: Decision
    gates: tuple[GateRow, ...]
    stages: tuple[StageRow, ...]
    redteam: RedteamView | None
    monitor: MonitorView | None
    evidence: tuple[EvidenceRow, ...]
    ledger: str
    checkpoint: str
    trust: str
    endpoint: str
    report: str


def to_json(report: RunReport) -> bytes:
    """Render a run as JSON (UTF-8, two spaces of indentation, final newline), complete and unabridged."""
    document = JsonReport(
        project=report.project,
        run=report.run,
        lockgate=report.lockgate,
        started=report.started,
        finished=report.finished,
        policy=report.policy_sha256,
        decision=report.decision,
        gates=tuple(_gate(gate) for gate in report.gates),
        stages=tuple(
            StageRow(stage=stage.stage, seconds=round(stage.seconds, 3), outcomes=stage.outcomes)
            for stage in report.stages
        ),
        redteam=report.redteam,
        monitor=report.monitor,
        evidence=report.evidence,
        ledger=report.evidence_place,
        checkpoint=report.checkpoint,
        trust=report.trust_note,
        endpoint=report.endpoint,
        report=report.report_place,
    )
    return encoded(msgspec.to_builtins(document))


def _gate(gate: GateDecision) -> GateRow:
    return GateRow(
        stage=gate.stage,
        decision=gate.decision,
        reasons=gate.reasons,
        holds=gate.holds,
        waived=gate.waived,
        notes=gate.notes,
    )


def encoded(document: object) -> bytes:
    """Encode plain data as indented JSON; text that UTF-8 cannot carry is escaped, never dropped."""
    return msgspec.json.format(msgspec.json.encode(_encodable(document)), indent=2) + b"\n"


def _encodable(value: object) -> object:
    if isinstance(value, str):
        return plain(value)
    if isinstance(value, dict):
        return {plain(key): _encodable(item) for key, item in cast("dict[str, object]", value).items()}
    if isinstance(value, list | tuple):
        return [_encodable(item) for item in cast("list[object]", value)]
    return value


def schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of the document, generated from these types."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **msgspec.json.schema(JsonReport)}
