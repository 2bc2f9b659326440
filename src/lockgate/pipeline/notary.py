"""Signs what the stages found and appends it to the ledger."""

import datetime as dt
import platform

import msgspec

from lockgate import __version__
from lockgate.core.gate import GateDecision, Stage
from lockgate.core.outcome import Examination
from lockgate.core.project import Project
from lockgate.core.subject import SubjectRef
from lockgate.evidence import (
    PROVENANCE,
    TEST_RESULT,
    VERIFICATION_SUMMARY,
    Ledger,
    Role,
    RunContext,
    Statement,
    Trust,
    key_for,
    override_statement,
    provenance_statement,
    results_statement,
    sign,
    summary_statement,
)
from lockgate.pipeline.approve import waiting_approvals
from lockgate.train import Recording, to_provenance

SIGNERS = {TEST_RESULT: Role.SCANNER, PROVENANCE: Role.BUILDER}
VERIFIER = "https://lockgate.dev/lockgate"
BUILDER = "https://lockgate.dev/lockgate/record"
RELEASE = "?release="
_MAX_DIGITS = 20


class Signed(msgspec.Struct, frozen=True):
    """One entry that this run appended.

    Attributes:
        seq: Its place in the ledger.
        stage: Whose evidence it is.
        predicate: Its predicate type.
        sha256: Digest of its envelope.
        keyid: The key that signed it.
        trusted: Whether trust allows that key to sign this predicate.
    """

    seq: int
    stage: Stage
    predicate: str
    sha256: str
    keyid: str
    trusted: bool


class Notary:
    """Writes the evidence of one run.

    Args:
        project: Whose evidence it is.
        ledger: Where it goes.
        trust: Which keys count.
        run: Id of the run.
    """

    def __init__(self, project: Project, ledger: Ledger, trust: Trust, run: str) -> None:
        self._project = project
        self._ledger = ledger
        self._trust = trust
        self.run = run
        self.signed: list[Signed] = []

    def results(self, stage: Stage, examination: Examination, *, statistics: dict[str, object] | None = None) -> Signed:
        """Sign what a stage examined and what came of it."""
        readable = tuple(ref for ref in examination.subjects if ref.sha256)
        # A stage that did not run has no subjects of its own: its outcomes are then about the policy that asked for it.
        subjects = readable or (self._project.policy,)
        statement = results_statement(
            Examination(subjects, examination.outcomes),
            context=RunContext(stage=stage, run=self.run),
            configuration=(self._project.policy,),
            statistics=statistics,
        )
        return self._append(stage, statement)

    def provenance(self, recording: Recording) -> Signed | None:
        """Sign how the products of a training job came about; None when it has none."""
        if not recording.products:
            return None
        facts = to_provenance(recording)
        environment = recording.environment
        statement = provenance_statement(
            recording.products,
            context=RunContext(stage=Stage.TRAIN, run=self.run),
            build_type=facts.build_type,
            external_parameters=dict(facts.external_parameters),
            internal_parameters={
                **facts.internal_parameters,
                "commit": recording.code.commit if recording.code else None,
                "distributions": [f"{item.name}=={item.version}" for item in environment.distributions],
            },
            dependencies=recording.materials,
            builder_id=BUILDER,
            builder_version={"lockgate": __version__, "python": platform.python_version()},
            started_on=dt.datetime.fromisoformat(recording.started),
            finished_on=dt.datetime.fromisoformat(recording.finished),
            byproducts=(SubjectRef("log", recording.log.sha256),),
        )
        return self._append(Stage.TRAIN, statement)

    def decision(self, decision: GateDecision, subjects: tuple[SubjectRef, ...], now: dt.datetime) -> Signed:
        """Sign a gate's decision together with the digests of the evidence that it rests on."""
        stage = decision.stage
        basis = [item for item in self.signed if item.stage is stage or stage is Stage.DEPLOY]
        statement = summary_statement(
            decision,
            tuple(ref for ref in subjects if ref.sha256) or (self._project.policy,),
            context=RunContext(stage=stage, run=self.run),
            resource_uri=self._resource(stage),
            policy=self._project.policy,
            inputs=tuple(SubjectRef(f"ledger:{item.seq}", item.sha256) for item in basis),
            verifier_id=VERIFIER,
            verifier_version={"lockgate": __version__},
            at=now,
        )
        return self._append(stage, statement)

    def _resource(self, stage: Stage) -> str:
        release = self._project.config.deploy.release
        number = f"{RELEASE}{release}" if release is not None and stage is Stage.DEPLOY else ""
        return f"lockgate:{self._project.config.project}/{stage}{number}"

    def file_approvals(self) -> None:
        """Append the approvals of trusted approvers that wait beside the ledger."""
        for path, envelope in waiting_approvals(self._project, self._trust):
            if envelope:
                self._ledger.append(envelope)
                path.unlink()

    def override(self, mode: str, reason: str, held: tuple[str, ...], now: dt.datetime) -> Signed:
        """Sign that somebody started the endpoint although its gate is HELD, or with a guard that fails open."""
        statement = override_statement(
            (self._project.policy,),
            context=RunContext(stage=Stage.DEPLOY, run=self.run),
            mode=mode,
            reason=reason,
            at=now,
            policy=self._project.policy,
            held=held,
        )
        return self._append(Stage.DEPLOY, statement)

    def trusted(self, stage: Stage) -> frozenset[str]:
        """Predicate types of this run's evidence for a stage that trust accepts."""
        return frozenset(item.predicate for item in self.signed if item.stage is stage and item.trusted)

    def _append(self, stage: Stage, statement: Statement) -> Signed:
        key = key_for(SIGNERS.get(statement.predicate_type, Role.APPROVER))
        entry = self._ledger.append(sign(statement.encode(), key))
        signed = Signed(
            seq=entry.seq,
            stage=stage,
            predicate=statement.predicate_type,
            sha256=entry.sha256,
            keyid=key.keyid,
            trusted=self._trust.allows(key.keyid, statement.predicate_type),
        )
        self.signed.append(signed)
        return signed


def release_of(resource_uri: str) -> int | None:
    """The release number that a deploy decision is about, where it has one."""
    _, found, number = resource_uri.rpartition(RELEASE)
    return int(number) if found and number.isdecimal() and len(number) < _MAX_DIGITS else None


REQUIRED = dict.fromkeys(Stage, (TEST_RESULT,)) | {Stage.TRAIN: (TEST_RESULT, PROVENANCE)}
"""Evidence without which a stage's gate does not open, whatever the settings say."""

TITLES = {
    TEST_RESULT: "examination result",
    PROVENANCE: "provenance",
    VERIFICATION_SUMMARY: "gate decision",
}
