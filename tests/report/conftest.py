"""Sample runs: one that is held by everything that can hold a gate, and one where every gate is open."""

import msgspec
import pytest

from lockgate.core import (
    Card,
    Cause,
    Confidence,
    Decision,
    Finding,
    GateDecision,
    Hold,
    Location,
    Outcome,
    Severity,
    Stage,
    Status,
    SubjectRef,
    WaivedFinding,
    fingerprint,
)
from lockgate.report import (
    BenignTally,
    Comparison,
    EvidenceRow,
    MonitorView,
    Paired,
    Percentiles,
    RedteamView,
    Rule,
    RunReport,
    StageReport,
    Tally,
)

MANUAL = """Finds the thing that it is named after.

Why it matters:
    Because nobody else looks.

Fails on:
    a literal example

Passes on:
    another one

Limits:
    It reads only what it is given."""


def finding(check: str, severity: Severity, message: str, at: Location) -> Finding:
    return Finding(check, severity, Confidence.HIGH, message, at, fingerprint(check, at))


def rule(check: str, title: str, severity: Severity, *maps: str) -> Rule:
    return Rule(Card(id=check, title=title, severity=severity, confidence=Confidence.HIGH, maps=maps), MANUAL)


RULES = (
    rule("LG-DATA-001", "Project file that differs from its manifest", Severity.CRITICAL, "LLM04:2025", "AML.T0020"),
    rule("LG-DATA-004", "Instruction hidden in a document", Severity.HIGH, "LLM01:2025", "ASI01:2026"),
    rule("LG-DATA-006", "Duplicate or contradictory rows", Severity.LOW, "LLM04:2025"),
    rule("LG-SUPPLY-003", "Model file that runs code when loaded", Severity.CRITICAL, "LLM03:2025", "AML.T0010"),
    rule("LG-TRAIN-003", "Training without isolation", Severity.INFO, "LLM03:2025"),
)
MANIFEST = finding(
    "LG-DATA-001", Severity.CRITICAL, "The file changed since the manifest was written.", Location("data/faq.jsonl")
)
HIDDEN = finding(
    "LG-DATA-004",
    Severity.HIGH,
    "Invisible characters spell an instruction to the model.",
    Location("knowledge/returns.md", "/heading/Refunds#hidden.tag", 41),
)
PICKLE = finding(
    "LG-SUPPLY-003",
    Severity.CRITICAL,
    "Loading this pickle calls os.system.",
    Location("models/router.pkl", "data.pkl"),
)
TWICE = finding(
    "LG-DATA-006", Severity.LOW, "Row r017 repeats row r003 with another answer.", Location("data/faq.jsonl", "/r017")
)
WAIVED = finding(
    "LG-DATA-004",
    Severity.MEDIUM,
    "A sentence is addressed to an AI system.",
    Location("knowledge/tone.md", "/heading/Tone"),
)
FAMILIES = (
    ("direct-override", 6, 0, True),
    ("prompt-extraction", 7, 1, True),
    ("persona-jailbreak", 5, 0, True),
    ("encoding-obfuscation", 0, 0, False),
    ("indirect-document", 4, 0, True),
    ("multi-turn", 4, 0, True),
)


def redteam() -> RedteamView:
    return RedteamView(
        bare=Tally(attempts=60, successes=26, wilson95=(0.3157, 0.5590)),
        guarded=Tally(attempts=60, successes=1, errors=0, wilson95=(0.0030, 0.0886)),
        families=tuple(
            Comparison(
                name,
                Tally(attempts=10, successes=bare, wilson95=(max(0, bare / 10 - 0.2), min(1, bare / 10 + 0.2))),
                Tally(attempts=10, successes=guarded, wilson95=(0.0, 0.28)),
                exercised,
            )
            for name, bare, guarded, exercised in FAMILIES
        ),
        halves=(
            Comparison("seen", Tally(attempts=30, successes=14), Tally(attempts=30, successes=0)),
            Comparison("unseen", Tally(attempts=30, successes=12), Tally(attempts=30, successes=1)),
        ),
        benign=BenignTally(attempts=60, blocked=1, wilson95=(0.003, 0.0886)),
        paired=Paired(b=25, c=0, p_value=5.96e-8),
        corpus="builtin 1",
        corpus_sha256="5d" * 32,
    )


def evidence() -> tuple[EvidenceRow, ...]:
    types = {
        "data": ("https://in-toto.io/attestation/test-result/v0.1", "scanner"),
        "train": ("https://slsa.dev/provenance/v1", "builder"),
        "supply": ("https://in-toto.io/attestation/test-result/v0.1", "scanner"),
        "redteam": ("https://in-toto.io/attestation/test-result/v0.1", "scanner"),
        "deploy": ("https://slsa.dev/verification_summary/v1", "approver"),
    }
    return tuple(
        EvidenceRow(
            seq=seq,
            stage=stage,
            predicate_type=kind,
            sha256=f"{seq:02x}ab" * 16,
            keyid=f"{len(role):02x}c4" * 16,
            role=role,
        )
        for seq, (stage, (kind, role)) in enumerate(types.items())
    )


def passed(check: str, uri: str) -> Outcome:
    return Outcome(check, Status.PASSED, SubjectRef(uri, "00" * 32))


def failed(uri: str, *findings: Finding) -> Outcome:
    return Outcome(findings[0].check, Status.FAILED, SubjectRef(uri, "11" * 32), findings)


def hold(found: Finding) -> Hold:
    return Hold(Cause.FINDING, f"{found.check} {found.severity} {found.location}: {found.message}", found.check, found)


@pytest.fixture
def held_report() -> RunReport:
    """Every kind of thing that a report can say, in one run."""
    unreadable = "notes.txt lies behind a symbolic link. Replace the link by the file itself."
    data = StageReport(
        GateDecision(
            Stage.DATA,
            Decision.HELD,
            holds=(
                hold(MANIFEST),
                Hold(Cause.ERRORED, f"LG-DATA-001 could not examine notes.txt: {unreadable}", "LG-DATA-001"),
                hold(HIDDEN),
            ),
            waived=(WaivedFinding(WAIVED, "Style guide, reviewed by hand.", "release owner", "2027-03-31"),),
        ),
        (
            failed("data/faq.jsonl", MANIFEST),
            failed("knowledge/returns.md", HIDDEN),
            failed("knowledge/tone.md", WAIVED),
            failed("data/faq.jsonl", TWICE),
            Outcome("LG-DATA-001", Status.ERRORED, SubjectRef("notes.txt"), reason=unreadable),
            passed("LG-DATA-004", "prompts/system.md"),
        ),
        0.42,
    )
    train = StageReport(
        GateDecision(Stage.TRAIN, Decision.OPEN, notes=("Declared absent: the model is used as it comes.",)),
        (
            Outcome(
                "LG-TRAIN-003",
                Status.SKIPPED,
                SubjectRef("train"),
                reason="No training job is declared in lockgate.yaml.",
            ),
        ),
        0.1,
    )
    supply = StageReport(
        GateDecision(Stage.SUPPLY, Decision.HELD, holds=(hold(PICKLE),)),
        (failed("models/router.pkl", PICKLE), passed("LG-SUPPLY-003", "models/chat.gguf")),
        1.9,
    )
    attack = StageReport(
        GateDecision(Stage.REDTEAM, Decision.OPEN),
        tuple(passed("LG-REDTEAM-101", f"redteam:family/{family}") for family, *_ in FAMILIES),
        74.2,
    )
    deploy = StageReport(
        GateDecision(
            Stage.DEPLOY,
            Decision.HELD,
            holds=(
                Hold(Cause.UPSTREAM, "Not run: nothing is executed while an earlier gate is HELD (data, supply)."),
                Hold(
                    Cause.MISSING_EVIDENCE,
                    "The ledger holds no trusted evidence https://slsa.dev/provenance/v1 for the train stage.",
                ),
            ),
        ),
        (),
        0.0,
    )
    return RunReport(
        project="assistant",
        run="20261107T101502Z-4f1c",
        lockgate="0.1.0",
        started="2026-11-07T10:15:02Z",
        finished="2026-11-07T10:16:19Z",
        policy_sha256="9c" * 32,
        stages=(data, train, supply, attack, deploy),
        rules=RULES,
        redteam=redteam(),
        evidence=evidence(),
        evidence_place=".lockgate/ledger.db",
        trust_note="First use: signed and verified with keys of this machine. Proves nothing to others.",
        checkpoint="lockgate.dev/ledger/5f0c\n5\nq1Zk0m7mN3l0b7oBqg0cE3z9=\n\n- lockgate.dev/ledger/5f0c Ab==\n",
        commands=("lockgate run .", "lockgate evidence verify ."),
    )


@pytest.fixture
def open_report(held_report: RunReport) -> RunReport:
    """Every gate is open and nothing was found."""
    stages = tuple(
        StageReport(GateDecision(stage, Decision.OPEN), (passed(f"LG-{stage.upper()}-001", f"{stage}.bin"),), 1.0)
        for stage in Stage
    )
    return msgspec.structs.replace(
        held_report,
        stages=stages,
        monitor=MonitorView(
            events=1284,
            actions=(("allow", 1270), ("block", 11), ("redact", 3)),
            labels=(("injection.override", 9), ("secret.protected", 2)),
            guard_ms=Percentiles(0.4, 1.1, 2.6),
            total_ms=Percentiles(310.0, 820.5, 1404.0),
        ),
        endpoint="http://127.0.0.1:8080/v1",
        talk="curl http://127.0.0.1:8080/v1/chat/completions -H \"Authorization: Bearer $LOCKGATE_API_KEY\" -d '{...}'",
        report_place=".lockgate/report/report.html",
    )
