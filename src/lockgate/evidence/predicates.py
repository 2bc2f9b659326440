"""What evidence says: the predicates that Lockgate writes, in one place.

Standard predicates where one fits, with their published field names; ours where none does. Fields that the standards
do not have (`lockgate`, `outcomes`, `statistics`, `decision`) are extensions, which their consumers ignore.
"""

import datetime as dt
from enum import StrEnum
from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from lockgate import __version__
from lockgate.core.gate import GateDecision, Stage
from lockgate.core.outcome import Outcome
from lockgate.core.subject import SubjectRef
from lockgate.evidence.errors import EvidenceError

STATEMENT = "https://in-toto.io/Statement/v1"
TEST_RESULT = "https://in-toto.io/attestation/test-result/v0.1"
PROVENANCE = "https://slsa.dev/provenance/v1"
VERIFICATION_SUMMARY = "https://slsa.dev/verification_summary/v1"
OVERRIDE = "https://lockgate.dev/override/v1"
APPROVAL = "https://lockgate.dev/approval/v1"
MODEL_SIGNATURE = "https://model_signing/signature/v1.0"
"""What OpenSSF model-signing states; it stands in a bundle beside the files, never in the ledger."""

JsonObject = dict[str, object]
Moment = Annotated[dt.datetime, Meta(tz=True)]
Sha256 = Annotated[str, Meta(pattern="^[0-9a-f]{64}$", max_length=64)]
Name = Annotated[str, Meta(min_length=1)]


class _Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """A JSON object of a statement, in the lower camel case that in-toto and SLSA use."""


class Digest(_Part, frozen=True, kw_only=True):
    """An in-toto DigestSet with the one algorithm that Lockgate uses."""

    sha256: Sha256


class Artifact(_Part, frozen=True, kw_only=True):
    """A statement's subject: consumers match it by digest, the name is for people."""

    name: Name
    digest: Digest


class Resource(_Part, frozen=True, kw_only=True):
    """An in-toto ResourceDescriptor: something that a predicate refers to."""

    uri: Name
    digest: Digest


class RunContext(_Part, frozen=True, kw_only=True):
    """The stage and the run that a statement belongs to.

    Attributes:
        stage: Whose evidence it is.
        run: Id of the run, the same in all its statements.
        version: Version of Lockgate that wrote it.
    """

    stage: Stage
    run: Name
    version: str = __version__


class Result(StrEnum):
    """Results that in-toto's test-result names."""

    PASSED = "PASSED"
    WARNED = "WARNED"
    FAILED = "FAILED"


class CheckResults(_Part, frozen=True, kw_only=True):
    """Predicate of in-toto test-result v0.1: what the checks of a stage said.

    Attributes:
        lockgate: Stage and run.
        result: FAILED if any check failed or errored or none ran, WARNED if any was skipped, else PASSED.
        configuration: Settings that the checks ran with.
        passed_tests: Ids of checks that ran on every subject and passed.
        warned_tests: Ids of checks that passed on some subjects and were skipped on others.
        failed_tests: Ids of checks that failed or errored on any subject.
        outcomes: Every outcome, so that the evidence also proves what did not run.
        statistics: Figures of the run, for instance attack success rates.
    """

    lockgate: RunContext
    result: Result
    configuration: tuple[Resource, ...]
    passed_tests: tuple[str, ...]
    warned_tests: tuple[str, ...]
    failed_tests: tuple[str, ...]
    outcomes: tuple[Outcome, ...]
    statistics: JsonObject | UnsetType = UNSET


class BuildDefinition(_Part, frozen=True, kw_only=True):
    """SLSA provenance: all that went in. External parameters are the user's, internal ones the builder's."""

    build_type: Name
    external_parameters: JsonObject
    internal_parameters: JsonObject
    resolved_dependencies: tuple[Resource, ...]


class Builder(_Part, frozen=True, kw_only=True):
    """SLSA provenance: who built, as a URI that stands for all that must be trusted, and versions of its parts."""

    id: Name
    version: dict[str, str]


class BuildMetadata(_Part, frozen=True, kw_only=True):
    """SLSA provenance: this one build."""

    invocation_id: Name
    started_on: Moment
    finished_on: Moment


class RunDetails(_Part, frozen=True, kw_only=True):
    """SLSA provenance: how this one build went."""

    builder: Builder
    metadata: BuildMetadata
    byproducts: tuple[Resource, ...]


class Provenance(_Part, frozen=True, kw_only=True):
    """Predicate of SLSA provenance v1: how the subjects were made, and from what."""

    lockgate: RunContext
    build_definition: BuildDefinition
    run_details: RunDetails


class Verifier(_Part, frozen=True, kw_only=True):
    """SLSA verification summary: who decided, and with which versions."""

    id: Name
    version: dict[str, str]


class VerificationSummary(_Part, frozen=True, kw_only=True):
    """Predicate of SLSA verification summary v1: a gate's decision.

    Attributes:
        lockgate: Stage and run.
        verifier: Who decided.
        time_verified: When.
        resource_uri: What the subjects are part of.
        policy: The policy that was applied.
        input_attestations: The evidence that was considered, by the digest of its envelope.
        verification_result: PASSED exactly when the gate is OPEN.
        verified_levels: `LOCKGATE_<STAGE>_GATE` when it is OPEN, else `FAILED`.
        decision: The decision with its reasons and waivers.
    """

    lockgate: RunContext
    verifier: Verifier
    time_verified: Moment
    resource_uri: Name
    policy: Resource
    input_attestations: tuple[Resource, ...]
    verification_result: Literal["PASSED", "FAILED"]
    verified_levels: tuple[str, ...]
    decision: GateDecision


class Override(_Part, frozen=True, kw_only=True):
    """Predicate of our own: somebody served an application although its gate was HELD, to observe it.

    Attributes:
        lockgate: Stage and run.
        mode: What was overridden, for instance `serve --observe`.
        reason: Why, in the words of whoever did it.
        at: When.
        policy: The policy that was in force.
        held: The reasons to hold that were set aside.
    """

    lockgate: RunContext
    mode: Name
    reason: Name
    at: Moment
    policy: Resource
    held: tuple[str, ...]


class Approval(_Part, frozen=True, kw_only=True):
    """Predicate of our own: a person approves that these very files are deployed under this policy.

    Attributes:
        lockgate: Stage and run; the run is the approval's own.
        reason: Why, in their words.
        at: When.
        policy: The policy that they have read.
    """

    lockgate: RunContext
    reason: Name
    at: Moment
    policy: Resource


Predicate = CheckResults | Provenance | VerificationSummary | Override | Approval

PREDICATES: dict[str, type[Predicate]] = {
    TEST_RESULT: CheckResults,
    PROVENANCE: Provenance,
    VERIFICATION_SUMMARY: VerificationSummary,
    OVERRIDE: Override,
    APPROVAL: Approval,
}
"""Every predicate type that Lockgate writes and reads, with its shape."""


def resource(ref: SubjectRef) -> Resource:
    """Refer to a subject inside a predicate.

    Raises:
        EvidenceError: It could not be read, so it has no digest.
    """
    return Resource(uri=ref.uri, digest=Digest(sha256=digest_of(ref)))


def digest_of(ref: SubjectRef) -> str:
    """The digest of a subject that was read.

    Raises:
        EvidenceError: It has none.
    """
    if not ref.sha256:
        raise EvidenceError(
            f"{ref.uri} could not be read, so nothing can be attested about it.",
            remedy="Make it readable, or remove it.",
        )
    return ref.sha256
