"""Puts the facts together on which the deploy gate is decided."""

from lockgate.core.files import Snapshot
from lockgate.core.gate import Stage
from lockgate.core.project import Project
from lockgate.core.subject import SubjectRef
from lockgate.deploy import Chain, Deployed, Link, Requirement
from lockgate.evidence import (
    VERIFICATION_SUMMARY,
    Provenance,
    Result,
    Trust,
    VerificationSummary,
    VerifiedEntry,
    verify_ledger,
)
from lockgate.pipeline.errors import PipelineError
from lockgate.pipeline.notary import REQUIRED, TITLES

BEFORE_DEPLOY = (Stage.DATA, Stage.TRAIN, Stage.SUPPLY, Stage.REDTEAM)


def read_chain(project: Project, trust: Trust, run: str) -> Chain:
    """Verify the ledger and hash everything that would be deployed now.

    Args:
        project: The application.
        trust: Which keys count.
        run: Id of the run whose evidence counts.

    Raises:
        LockgateError: The ledger cannot be opened, or a file of the project cannot be read.
    """
    report = verify_ledger(project.state, trust)
    entries = [entry for entry in report.entries if entry.run == run]
    taken = project.snapshot()
    policy = next((ref for ref in taken.files if ref.uri == project.policy.uri), SubjectRef(project.policy.uri))
    return Chain(
        ref=SubjectRef(".lockgate/ledger.db", report.root),
        problems=tuple(
            f"Entry {problem.seq}: {problem.message}" if problem.seq is not None else problem.message
            for problem in report.problems
        ),
        links=tuple(_link(entry) for entry in entries),
        required=_required(project),
        deployed=deployed(project, taken),
        policy=policy,
        policy_at_start=project.policy.sha256,
        trusted_policy=trust.policy,
        separate_roles=trust.separate_roles,
        first_use=trust.first_use,
    )


def deployed(project: Project, taken: Snapshot) -> tuple[Deployed, ...]:
    """Every file of the project with the stage whose evidence must cover it.

    Raises:
        PipelineError: A file cannot be read, or the application uses one that is missing or ignored.
    """
    products = project.products()
    for item in (*taken.unreadable, *products.unreadable):
        raise PipelineError(item.reason, remedy="Remove it or make it readable; what cannot be hashed is not deployed.")
    models = {model.path for model in project.config.models}
    application = project.config.application
    used = models | {uri for uri in (application.system_prompt, application.protected, application.tools) if uri}
    for uri in sorted(used - {ref.uri for ref in taken.files}):
        raise PipelineError(f"{uri} is used by the application, but missing or ignored.", remedy="Put it back.")
    files = [Deployed(ref, Stage.SUPPLY if ref.uri in models else Stage.DATA) for ref in taken.files]
    return (*files, *(Deployed(ref, Stage.TRAIN) for ref in products.files))


def _required(project: Project) -> tuple[Requirement, ...]:
    needed: list[Requirement] = []
    for stage in BEFORE_DEPLOY:
        predicates = () if stage in project.config.absent else REQUIRED[stage]
        needed += [Requirement(stage, name, TITLES[name]) for name in (*predicates, VERIFICATION_SUMMARY)]
    return tuple(needed)


def _link(entry: VerifiedEntry) -> Link:
    predicate = entry.statement.predicate
    materials: tuple[SubjectRef, ...] = ()
    opened: bool | None = None
    if isinstance(predicate, Provenance):
        wanted = predicate.build_definition.resolved_dependencies
        materials = tuple(SubjectRef(item.uri, item.digest.sha256) for item in wanted)
    if isinstance(predicate, VerificationSummary):
        opened = predicate.verification_result == Result.PASSED
    return Link(
        seq=entry.seq,
        stage=entry.stage,
        predicate=entry.predicate_type,
        role=entry.role,
        keyid=entry.keyid,
        sha256=entry.sha256,
        subjects=entry.subjects,
        materials=materials,
        opened=opened,
    )
