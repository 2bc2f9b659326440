"""in-toto Statements v1: building them from what a stage found, and reading them back."""

import datetime as dt
from collections.abc import Iterable
from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta

from lockgate.core.gate import Decision, GateDecision
from lockgate.core.outcome import Examination, Outcome, Status
from lockgate.core.subject import SubjectRef
from lockgate.evidence import canonical
from lockgate.evidence.errors import EvidenceError
from lockgate.evidence.predicates import (
    APPROVAL,
    OVERRIDE,
    PREDICATES,
    PROVENANCE,
    STATEMENT,
    TEST_RESULT,
    VERIFICATION_SUMMARY,
    Approval,
    Artifact,
    BuildDefinition,
    Builder,
    BuildMetadata,
    CheckResults,
    Digest,
    JsonObject,
    Override,
    Predicate,
    Provenance,
    Result,
    RunContext,
    RunDetails,
    VerificationSummary,
    Verifier,
    digest_of,
    resource,
)

_BAD = frozenset({Status.FAILED, Status.ERRORED})


class Statement(msgspec.Struct, frozen=True, kw_only=True):
    """Subjects by digest, and what is said about them.

    Attributes:
        subjects: What it is about, sorted, at least one.
        predicate_type: One of `predicates.PREDICATES`.
        predicate: What is said.
    """

    subjects: tuple[SubjectRef, ...]
    predicate_type: str
    predicate: Predicate

    @property
    def context(self) -> RunContext:
        """The stage and the run that it belongs to."""
        return self.predicate.lockgate

    def encode(self) -> bytes:
        """The statement as canonical JSON, ready to be signed.

        Raises:
            EvidenceError: A parameter or a figure cannot be written as JSON.
        """
        return canonical.encode(
            _Wire(
                type=STATEMENT,
                subject=tuple(Artifact(name=ref.uri, digest=Digest(sha256=ref.sha256)) for ref in self.subjects),
                predicate_type=self.predicate_type,
                predicate=msgspec.Raw(canonical.encode(self.predicate)),
            )
        )


class _Wire(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    rename={"type": "_type", "predicate_type": "predicateType"},
):
    type: Literal["https://in-toto.io/Statement/v1"]
    subject: Annotated[tuple[Artifact, ...], Meta(min_length=1)]
    predicate_type: str
    predicate: msgspec.Raw


def parse_statement(body: bytes) -> Statement:
    """Parse exactly what `Statement.encode` writes.

    Raises:
        EvidenceError: It is not canonical, has no subject, or its predicate is unknown or malformed.
    """
    wire = canonical.decode(body, _Wire, what="statement")
    if (kind := PREDICATES.get(wire.predicate_type)) is None:
        raise EvidenceError("The statement has a predicate type that Lockgate does not know.")
    return Statement(
        subjects=tuple(SubjectRef(artifact.name, artifact.digest.sha256) for artifact in wire.subject),
        predicate_type=wire.predicate_type,
        predicate=canonical.decode(bytes(wire.predicate), kind, what="predicate"),
    )


def results_statement(
    examination: Examination,
    *,
    context: RunContext,
    configuration: Iterable[SubjectRef],
    statistics: JsonObject | None = None,
) -> Statement:
    """State what a stage's checks said (in-toto test-result v0.1).

    Args:
        examination: Subjects and outcomes. A subject that could not be read appears in the outcomes only.
        context: Stage and run.
        configuration: Settings that the checks ran with.
        statistics: Figures of the run.

    Raises:
        EvidenceError: No subject could be read.
    """
    passed, warned, failed = _tests(examination.outcomes)
    predicate = CheckResults(
        lockgate=context,
        result=_result(examination.outcomes),
        configuration=tuple(resource(ref) for ref in configuration),
        passed_tests=passed,
        warned_tests=warned,
        failed_tests=failed,
        outcomes=examination.outcomes,
        statistics=UNSET if statistics is None else statistics,
    )
    return _statement((ref for ref in examination.subjects if ref.sha256), TEST_RESULT, predicate)


def provenance_statement(
    products: Iterable[SubjectRef],
    *,
    context: RunContext,
    build_type: str,
    external_parameters: JsonObject,
    internal_parameters: JsonObject,
    dependencies: Iterable[SubjectRef],
    builder_id: str,
    builder_version: dict[str, str],
    started_on: dt.datetime,
    finished_on: dt.datetime,
    byproducts: Iterable[SubjectRef] = (),
) -> Statement:
    """State how products were made (SLSA provenance v1). The run's id is the invocation's.

    Args:
        products: What was made.
        context: Stage and run.
        build_type: URI of the kind of build.
        external_parameters: What the user chose, for instance the command.
        internal_parameters: What the builder chose, for instance its isolation.
        dependencies: What went in.
        builder_id: URI of the builder.
        builder_version: Versions of its parts.
        started_on: When it started, with a time zone.
        finished_on: When it ended, with a time zone.
        byproducts: What else came out, for instance logs.

    Raises:
        EvidenceError: There is no product, or a product, dependency or by-product could not be read.
    """
    predicate = Provenance(
        lockgate=context,
        build_definition=BuildDefinition(
            build_type=build_type,
            external_parameters=external_parameters,
            internal_parameters=internal_parameters,
            resolved_dependencies=tuple(resource(ref) for ref in dependencies),
        ),
        run_details=RunDetails(
            builder=Builder(id=builder_id, version=builder_version),
            metadata=BuildMetadata(
                invocation_id=context.run, started_on=_utc(started_on), finished_on=_utc(finished_on)
            ),
            byproducts=tuple(resource(ref) for ref in byproducts),
        ),
    )
    return _statement(products, PROVENANCE, predicate)


def summary_statement(
    decision: GateDecision,
    subjects: Iterable[SubjectRef],
    *,
    context: RunContext,
    resource_uri: str,
    policy: SubjectRef,
    inputs: Iterable[SubjectRef],
    verifier_id: str,
    verifier_version: dict[str, str],
    at: dt.datetime,
) -> Statement:
    """State a gate's decision (SLSA verification summary v1).

    Args:
        decision: OPEN or HELD, with reasons.
        subjects: What it is about.
        context: Stage and run; the stage is the decision's.
        resource_uri: What the subjects are part of.
        policy: The policy that was applied.
        inputs: The evidence that was considered; its digest is that of the envelope.
        verifier_id: URI of whoever decided.
        verifier_version: Versions of its parts.
        at: When, with a time zone.

    Raises:
        EvidenceError: The stages differ, there is no subject, or something could not be read.
    """
    if decision.stage is not context.stage:
        raise EvidenceError(f"A decision of the {decision.stage} gate cannot be evidence of stage {context.stage}.")
    is_open = decision.decision is Decision.OPEN
    predicate = VerificationSummary(
        lockgate=context,
        verifier=Verifier(id=verifier_id, version=verifier_version),
        time_verified=_utc(at),
        resource_uri=resource_uri,
        policy=resource(policy),
        input_attestations=tuple(resource(ref) for ref in inputs),
        verification_result="PASSED" if is_open else "FAILED",
        verified_levels=(f"LOCKGATE_{context.stage.upper()}_GATE",) if is_open else ("FAILED",),
        decision=decision,
    )
    return _statement(subjects, VERIFICATION_SUMMARY, predicate)


def override_statement(
    subjects: Iterable[SubjectRef],
    *,
    context: RunContext,
    mode: str,
    reason: str,
    at: dt.datetime,
    policy: SubjectRef,
    held: Iterable[str],
) -> Statement:
    """State that somebody set a HELD gate aside (our own predicate: no standard one says this).

    Args:
        subjects: What was served.
        context: Stage and run.
        mode: What was overridden, for instance `serve --observe`.
        reason: Why.
        at: When, with a time zone.
        policy: The policy in force.
        held: The reasons to hold.

    Raises:
        EvidenceError: There is no subject, or something could not be read.
    """
    predicate = Override(
        lockgate=context, mode=mode, reason=reason, at=_utc(at), policy=resource(policy), held=tuple(held)
    )
    return _statement(subjects, OVERRIDE, predicate)


def approval_statement(
    subjects: Iterable[SubjectRef], *, context: RunContext, reason: str, at: dt.datetime, policy: SubjectRef
) -> Statement:
    """State that somebody approves a deployment (our own predicate: no standard one says this).

    Args:
        subjects: Every file that may be deployed.
        context: Stage and run.
        reason: Why.
        at: When, with a time zone.
        policy: The policy that they have read.

    Raises:
        EvidenceError: There is no subject, or something could not be read.
    """
    predicate = Approval(lockgate=context, reason=reason, at=_utc(at), policy=resource(policy))
    return _statement(subjects, APPROVAL, predicate)


def _statement(subjects: Iterable[SubjectRef], predicate_type: str, predicate: Predicate) -> Statement:
    found = tuple(sorted(set(subjects)))
    if not found:
        raise EvidenceError(
            "There is nothing to attest: no subject could be read.", remedy="Make the files readable, then run again."
        )
    for ref in found:
        digest_of(ref)
    return Statement(subjects=found, predicate_type=predicate_type, predicate=predicate)


def _tests(outcomes: tuple[Outcome, ...]) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    seen: dict[str, set[Status]] = {}
    for outcome in outcomes:
        seen.setdefault(outcome.check, set()).add(outcome.status)
    failed = tuple(sorted(check for check, statuses in seen.items() if statuses & _BAD))
    passed = tuple(sorted(check for check, statuses in seen.items() if statuses == {Status.PASSED}))
    # A check that was only skipped did not run: it is in no list, and a consumer who requires it will miss it.
    warned = tuple(sorted(check for check, statuses in seen.items() if statuses == {Status.PASSED, Status.SKIPPED}))
    return passed, warned, failed


def _result(outcomes: tuple[Outcome, ...]) -> Result:
    statuses = {outcome.status for outcome in outcomes}
    if statuses & _BAD or Status.PASSED not in statuses:
        return Result.FAILED
    return Result.WARNED if Status.SKIPPED in statuses else Result.PASSED


def _utc(moment: dt.datetime) -> dt.datetime:
    if moment.tzinfo is None:
        raise EvidenceError("A time in evidence needs a time zone.")
    return moment.astimezone(dt.UTC)
