"""What every format renders: one run of the pipeline, as frozen facts."""

import inspect
from collections.abc import Iterable
from typing import Protocol

import msgspec

from lockgate.core.check import Card
from lockgate.core.finding import Finding
from lockgate.core.gate import Decision, GateDecision, Stage, WaivedFinding
from lockgate.core.outcome import Outcome, Status


class Documented(Protocol):
    """A check's type: its docstring is its manual page, its card holds its fixed facts."""

    @property
    def card(self) -> Card:
        """The check's fixed facts."""
        ...


class Rule(msgspec.Struct, frozen=True):
    """A check as reports describe it.

    Attributes:
        card: Its fixed facts.
        manual: Its manual page.
    """

    card: Card
    manual: str = ""


def rules_of(checks: Iterable[Documented]) -> tuple[Rule, ...]:
    """Describe checks (types or values) by their cards and docstrings, sorted by id."""
    rules = (Rule(check.card, inspect.cleandoc(check.__doc__ or "")) for check in checks)
    return tuple(sorted(rules, key=lambda rule: rule.card.id))


class Tally(msgspec.Struct, frozen=True, kw_only=True):
    """How often something happened.

    Attributes:
        attempts: How often it was tried and could be judged.
        successes: How often it happened.
        errors: Attempts that could not be judged; they are in no other count.
        skipped: Attempts that no judge applies to; they are in no other count.
        wilson95: The 95 % Wilson score interval of the rate, as two shares between 0 and 1.
    """

    attempts: int
    successes: int
    errors: int = 0
    skipped: int = 0
    wilson95: tuple[float, float] = (0.0, 1.0)

    @property
    def rate(self) -> float | None:
        """Share of attempts that succeeded, or None when nothing was tried."""
        return self.successes / self.attempts if self.attempts else None


class Comparison(msgspec.Struct, frozen=True):
    """The same attacks on the bare model and on the guarded endpoint.

    Attributes:
        name: A family of attacks, or a half of the corpus (`seen`, `unseen`).
        bare: Against the model without guard.
        guarded: Against the endpoint with guard.
        exercised: Whether the bare model fell at least once. If it never did, the guard's result proves nothing.
    """

    name: str
    bare: Tally
    guarded: Tally
    exercised: bool = True


class BenignTally(msgspec.Struct, frozen=True, kw_only=True):
    """How often the guard stopped a harmless conversation.

    Attributes:
        attempts: Conversations that were answered or blocked.
        blocked: Those in which a message was blocked.
        errors: Conversations that broke off; they are in no other count.
        wilson95: The 95 % Wilson score interval of the blocked share.
    """

    attempts: int
    blocked: int
    errors: int = 0
    wilson95: tuple[float, float] = (0.0, 1.0)

    @property
    def rate(self) -> float | None:
        """Share that was blocked, or None when nothing was tried."""
        return self.blocked / self.attempts if self.attempts else None


class Paired(msgspec.Struct, frozen=True, kw_only=True):
    """The same attacks on both targets, compared one by one.

    Attributes:
        b: Attacks that succeeded only on the bare model.
        c: Attacks that succeeded only on the guarded endpoint.
        p_value: McNemar's exact test, two-sided.
    """

    b: int
    c: int
    p_value: float


class RedteamView(msgspec.Struct, frozen=True, kw_only=True):
    """What the attack run found.

    Attributes:
        bare: All attacks against the model without guard.
        guarded: The same attacks against the endpoint.
        families: One row for each family of attacks.
        halves: The corpus halves: `seen` served to tune the guard, `unseen` did not.
        benign: Harmless conversations against the endpoint.
        paired: Whether the two differ by more than chance; None when there are no pairs.
        corpus: Version of the corpus.
        corpus_sha256: Its digest.
        complete: False when the run was interrupted.
        recalled: Attempts on the bare model that an earlier run made with the same digests.
    """

    bare: Tally
    guarded: Tally
    families: tuple[Comparison, ...] = ()
    halves: tuple[Comparison, ...] = ()
    benign: BenignTally | None = None
    paired: Paired | None = None
    corpus: str = ""
    corpus_sha256: str = ""
    complete: bool = True
    recalled: int = 0


class EvidenceRow(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of the ledger.

    Attributes:
        seq: Its number.
        stage: The stage that it speaks for; empty for what no stage wrote.
        predicate_type: What it states.
        sha256: Digest of its envelope.
        keyid: Which key signed it.
        role: That key's role.
    """

    seq: int
    stage: str
    predicate_type: str
    sha256: str
    keyid: str
    role: str


class Percentiles(msgspec.Struct, frozen=True):
    """Milliseconds below which 50, 95 and 99 % of the requests stayed."""

    p50: float
    p95: float
    p99: float


class MonitorView(msgspec.Struct, frozen=True, kw_only=True):
    """What the endpoint saw at runtime.

    Attributes:
        events: How many requests were recorded.
        actions: Action and count, most frequent first.
        labels: What the guard acted on, and count, most frequent first.
        guard_ms: Time in the guard.
        total_ms: Time from request to last byte.
        dropped: Events that were lost.
    """

    events: int
    actions: tuple[tuple[str, int], ...] = ()
    labels: tuple[tuple[str, int], ...] = ()
    guard_ms: Percentiles | None = None
    total_ms: Percentiles | None = None
    dropped: int = 0


class StageReport(msgspec.Struct, frozen=True):
    """One stage of the run.

    Attributes:
        decision: Its gate's decision.
        outcomes: What its checks found.
        seconds: How long it took.
    """

    decision: GateDecision
    outcomes: tuple[Outcome, ...] = ()
    seconds: float = 0.0

    @property
    def stage(self) -> Stage:
        """Which stage."""
        return self.decision.stage

    def findings(self) -> tuple[Finding, ...]:
        """All findings of all outcomes, in their order."""
        return tuple(finding for outcome in self.outcomes for finding in outcome.findings)

    def count(self, status: Status) -> int:
        """How many outcomes have this status."""
        return sum(outcome.status is status for outcome in self.outcomes)


class RunReport(msgspec.Struct, frozen=True, kw_only=True):
    """One run of the pipeline, complete enough to render without asking anybody.

    Attributes:
        project: The project's name.
        run: Id of the run.
        lockgate: Version of Lockgate.
        started: When it began, UTC, ISO 8601.
        finished: When it ended, UTC, ISO 8601.
        policy_sha256: Digest of `lockgate.yaml`.
        stages: The stages that ran or were decided, in pipeline order.
        rules: Every check that could have run.
        redteam: The attack run, where there was one.
        monitor: What the endpoint saw, where it ran.
        evidence: The ledger's entries of this run.
        evidence_place: Where the ledger lies.
        trust_note: Whose keys were trusted and what that proves.
        checkpoint: The ledger's signed checkpoint.
        endpoint: Base URL of the guarded endpoint; empty when none is offered.
        talk: One command line that talks to it.
        report_place: Where `report.html` lies.
        commands: Command lines that repeat this run and verify its evidence.
    """

    project: str
    run: str
    lockgate: str
    started: str
    finished: str
    policy_sha256: str = ""
    stages: tuple[StageReport, ...] = ()
    rules: tuple[Rule, ...] = ()
    redteam: RedteamView | None = None
    monitor: MonitorView | None = None
    evidence: tuple[EvidenceRow, ...] = ()
    evidence_place: str = ""
    trust_note: str = ""
    checkpoint: str = ""
    endpoint: str = ""
    talk: str = ""
    report_place: str = ""
    commands: tuple[str, ...] = ()

    @property
    def gates(self) -> tuple[GateDecision, ...]:
        """Every decision, in pipeline order."""
        return tuple(stage.decision for stage in self.stages)

    @property
    def decision(self) -> Decision:
        """OPEN when at least one gate was decided and none is HELD."""
        held = any(gate.decision is Decision.HELD for gate in self.gates)
        return Decision.HELD if held or not self.gates else Decision.OPEN

    @property
    def headline(self) -> str:
        """One sentence: how many gates are open, and which is the first that is not."""
        held = [gate.stage.value for gate in self.gates if gate.decision is Decision.HELD]
        if not self.gates:
            return "No gate was decided."
        if not held:
            count = len(self.gates)
            return f"The {self.gates[0].stage} gate is open." if count == 1 else f"All {count} gates are open."
        if len(held) == 1:
            return f"The {held[0]} gate is held."
        return f"{len(held)} of {len(self.gates)} gates are held, {held[0]} first."

    def gate(self, stage: Stage) -> GateDecision | None:
        """The decision of one stage, or None when it was not part of this run."""
        return next((gate for gate in self.gates if gate.stage is stage), None)

    def waivers(self) -> dict[str, WaivedFinding]:
        """Every finding that a waiver lets pass, by fingerprint."""
        return {waived.finding.fingerprint: waived for gate in self.gates for waived in gate.waived}

    def holding(self) -> frozenset[str]:
        """Fingerprints of the findings that hold a gate."""
        return frozenset(hold.finding.fingerprint for gate in self.gates for hold in gate.holds if hold.finding)
