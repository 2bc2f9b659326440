"""The whole way of a project through its gates."""

import datetime as dt
import functools
import secrets
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from lockgate import supply, train
from lockgate.core.check import describe, errored, skipped
from lockgate.core.config import GateRules, TrainConfig
from lockgate.core.errors import LockgateError
from lockgate.core.files import Snapshot
from lockgate.core.gate import Decision, GateDecision, Stage
from lockgate.core.outcome import Examination
from lockgate.core.project import Project
from lockgate.core.subject import SubjectRef
from lockgate.data import examine as examine_data
from lockgate.deploy import CHECKS as DEPLOY_CHECKS
from lockgate.deploy import examine as examine_chain
from lockgate.evidence import Ledger, Role, Trust, first_use_trust, key_for, load_trust
from lockgate.guard.documents import judge_document
from lockgate.monitor import CHECKS as MONITOR_CHECKS
from lockgate.monitor import DATABASE_NAME, EventStore, MonitorError, read_facts
from lockgate.monitor import examine as examine_events
from lockgate.monitor import unexamined as events_unexamined
from lockgate.pipeline.attack import attack_project
from lockgate.pipeline.chain import read_chain
from lockgate.pipeline.errors import PipelineError
from lockgate.pipeline.kept import keep
from lockgate.pipeline.lock import exclusive
from lockgate.pipeline.notary import REQUIRED, Notary
from lockgate.pipeline.observer import Observer, Progress
from lockgate.policy import Case, WaiverBook, decide
from lockgate.redteam import CHECKS as REDTEAM_CHECKS
from lockgate.redteam import RedteamResult
from lockgate.redteam import examine as examine_attacks
from lockgate.report import StageReport

MONITORED = dt.timedelta(days=7)
"""How far back the monitor gate looks: an older incident was fixed, waived or has become a probe."""

ALWAYS = frozenset({Stage.DATA, Stage.DEPLOY})
"""Stages that no project may declare absent."""


class RunResult(msgspec.Struct, frozen=True, kw_only=True):
    """What a run leaves behind, besides the ledger.

    Attributes:
        run: Its id.
        started: When it started, UTC.
        finished: When it ended, UTC.
        stages: Every stage with its decision, in order.
        redteam: The attack run; None where it did not take place.
        trust: Which keys counted.
        checkpoint: The ledger's last signed checkpoint.
    """

    run: str
    started: dt.datetime
    finished: dt.datetime
    stages: tuple[StageReport, ...]
    redteam: RedteamResult | None
    trust: Trust
    checkpoint: str


def recent() -> str:
    """Since when events count, UTC, ISO 8601."""
    since = dt.datetime.now(dt.UTC) - MONITORED
    return since.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def trust_from(path: Path | None, *, project: Path) -> Trust:
    """The trust file at `path`, or else the keys of this machine, created on first use.

    Args:
        path: The trust file, None for first use.
        project: Folder of the project that it judges.

    Raises:
        PipelineError: The trust file lies inside the project, where whoever edits the project can edit it.
    """
    if path is not None and path.resolve().is_relative_to(project.resolve()):
        raise PipelineError(f"{path} lies inside the project that it judges.", remedy="Keep the trust file elsewhere.")
    for role in (Role.SCANNER, Role.BUILDER, Role.APPROVER):
        key_for(role)
    return load_trust(path) if path else first_use_trust()


def take_through(project: Project, *, trust: Trust, observer: Observer) -> RunResult:
    """Run every stage, sign what it found, and decide its gate.

    Args:
        project: The application.
        trust: Which keys count.
        observer: Who watches.

    Raises:
        LockgateError: The run cannot start or go on: another run is under way, the ledger cannot be appended to. No
            gate is opened then.
    """
    with exclusive(project.state), Ledger.open(project.state, key_for(Role.APPROVER)) as ledger:
        run = f"{dt.datetime.now(dt.UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"
        way = _Way(project, trust, observer, Notary(project, ledger, trust, run))
        started = dt.datetime.now(dt.UTC)
        way.go()
        return RunResult(
            run=run,
            started=started,
            finished=dt.datetime.now(dt.UTC),
            stages=tuple(way.reports),
            redteam=way.attacks,
            trust=trust,
            checkpoint=ledger.checkpoint().decode("utf-8"),
        )


class _Way:
    """One run under way: what was decided so far, and what the next stage needs from it."""

    def __init__(self, project: Project, trust: Trust, observer: Observer, notary: Notary) -> None:
        self.project = project
        self.trust = trust
        self.observer = observer
        self.notary = notary
        self.reports: list[StageReport] = []
        self.attacks: RedteamResult | None = None
        self.supplied: supply.Supplied | None = None
        self._waivers = WaiverBook(project.config.waivers, today=dt.datetime.now(dt.UTC).date())
        self._began = 0.0

    def go(self) -> None:
        """Take the stages in order. What only reads always runs; what executes runs behind open gates."""
        taken = self.project.snapshot()
        self._data(taken)
        self._train(taken)
        self._supply(taken)
        self._redteam(taken)
        self._deploy()
        self._monitor()

    def _data(self, taken: Snapshot) -> None:
        def look(progress: Progress) -> Examination:
            examined = examine_data(self.project, taken, progress, judge_document)
            # The manifest speaks for every file, so every file is a subject, not only rows and documents.
            return Examination(tuple(sorted({*examined.subjects, *taken.files})), examined.outcomes)

        declared = self.project.config.data is not None
        self._stage(Stage.DATA, look if declared else None)

    def _train(self, taken: Snapshot) -> None:
        job = self.project.config.train

        def work(progress: Progress) -> Examination:
            if job is None or self._held():
                return self._not_run(train.CHECKS)
            try:
                recording = _record(self.project, job, taken, progress)
            except LockgateError as error:
                policy = self.project.policy
                return Examination((policy,), tuple(errored(check, policy, str(error)) for check in train.CHECKS))
            self.notary.provenance(recording)
            return train.examine(self.project, recording, taken, progress)

        self._stage(Stage.TRAIN, work if job else None, executes=True)

    def _supply(self, taken: Snapshot) -> None:
        def look(progress: Progress) -> Examination:
            self.supplied = supply.examine_project(self.project, taken, self.project.products(), progress)
            return self.supplied.examination

        self._stage(Stage.SUPPLY, None if Stage.SUPPLY in self.project.config.absent else look)

    def _redteam(self, taken: Snapshot) -> None:
        config = self.project.config.redteam

        def work(progress: Progress) -> Examination:
            if config is None or self._held():
                return self._not_run(REDTEAM_CHECKS)
            try:
                with EventStore.open(self.project.state) as store:
                    self.attacks = attack_project(self.project, config, taken, store=store, progress=progress)
            except (LockgateError, OSError) as error:
                return _unattacked(self.project, describe(error))
            examined = examine_attacks(self.attacks, config)
            attacked = (self.project.policy, *_attacked_files(self.project, taken))
            return Examination((*examined.subjects, *attacked), examined.outcomes)

        self._stage(Stage.REDTEAM, work if config else None, executes=True)

    def _deploy(self) -> None:
        def look(progress: Progress) -> Examination:
            progress(0, 1, "verifying the ledger and hashing what would be deployed")
            try:
                self.notary.file_approvals()
                chain = read_chain(self.project, self.trust, self.notary.run)
                if not chain.problems:
                    keep(self.project)
            except (LockgateError, OSError) as error:
                policy = self.project.policy
                return Examination((policy,), tuple(errored(check, policy, describe(error)) for check in DEPLOY_CHECKS))
            return examine_chain(chain)

        self._stage(Stage.DEPLOY, look)

    def _monitor(self) -> None:
        # Without a single event there is nothing to read while an earlier gate keeps the endpoint from running.
        idle = bool(self._held()) and not (self.project.state / DATABASE_NAME).is_file()

        def look(progress: Progress) -> Examination:
            if idle:
                return self._not_run(MONITOR_CHECKS)
            progress(0, 1, "reading events")
            try:
                return examine_events(read_facts(self.project.state, recent()))
            except MonitorError as error:
                return events_unexamined(str(error))

        self._stage(Stage.MONITOR, look if self.project.config.serve else None, executes=idle)

    def _stage(self, stage: Stage, work: Callable[[Progress], Examination] | None, *, executes: bool = False) -> None:
        self._began = time.monotonic()
        self.observer.stage_started(stage)
        held = self._held() if executes else ()
        absent = "" if stage in ALWAYS else self.project.config.absent.get(stage, "")
        examination = work(functools.partial(self.observer.progress, stage)) if work else None
        if examination is not None:
            self.notary.results(stage, examination, statistics=self._statistics(stage))
        case = Case(
            stage=stage,
            examination=examination,
            rules=self._rules(stage),
            evidence=self.notary.trusted(stage),
            required=() if held else REQUIRED[stage],
            held_upstream=held if examination is not None else (),
            absent=absent,
        )
        self._settle(decide(case, self._waivers), examination)

    def _rules(self, stage: Stage) -> GateRules:
        """The gate's rules; what is declared absent may be SKIPPED."""
        rules = self.project.config.rules(stage)
        declared = self.supplied.absent if stage is Stage.SUPPLY and self.supplied else frozenset[str]()
        return msgspec.structs.replace(rules, optional=(*rules.optional, *sorted(declared)))

    def _statistics(self, stage: Stage) -> dict[str, object] | None:
        if stage is Stage.SUPPLY and self.supplied:
            return self.supplied.statistics
        return _statistics(self.attacks) if stage is Stage.REDTEAM and self.attacks else None

    def _settle(self, decision: GateDecision, examination: Examination | None) -> None:
        if decision.stage is Stage.SUPPLY and self.supplied:
            decision = msgspec.structs.replace(decision, notes=(*self.supplied.notes, *decision.notes))
        self.notary.decision(decision, examination.subjects if examination else (), dt.datetime.now(dt.UTC))
        outcomes = examination.outcomes if examination else ()
        self.reports.append(StageReport(decision, outcomes, round(time.monotonic() - self._began, 3)))
        self.observer.gate_decided(decision)

    def _held(self) -> tuple[Stage, ...]:
        unapproved = self.trust.policy is not None and self.trust.policy != self.project.policy.sha256
        # The deploy gate will hold on a policy that nobody approved; nothing of it is executed before that.
        early = (Stage.DEPLOY,) if unapproved else ()
        return early + tuple(report.stage for report in self.reports if report.decision.decision is Decision.HELD)

    def _not_run(self, checks: tuple[type, ...]) -> Examination:
        reason = f"not run while a gate is HELD ({', '.join(self._held())})"
        return Examination((), tuple(skipped(check, self.project.policy, reason) for check in checks))


def _record(project: Project, job: TrainConfig, taken: Snapshot, progress: Progress) -> train.Recording:
    return train.record(
        project,
        command=job.command,
        inputs=job.inputs,
        output=job.output,
        timeout_s=job.timeout_s,
        taken=taken,
        progress=progress,
    )


def _attacked_files(project: Project, taken: Snapshot) -> tuple[SubjectRef, ...]:
    application = project.config.application
    names = {application.system_prompt, application.protected, application.tools}
    names |= {model.path for model in project.config.models}
    return tuple(ref for ref in taken.files if ref.uri in names)


def _unattacked(project: Project, reason: str) -> Examination:
    return Examination((project.policy,), tuple(errored(check, project.policy, reason) for check in REDTEAM_CHECKS))


def _statistics(result: RedteamResult) -> dict[str, object]:
    facts: dict[str, object] = msgspec.to_builtins(msgspec.structs.replace(result, transcripts=()))
    del facts["transcripts"]
    return facts
