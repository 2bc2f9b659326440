"""Puts the facts together on which the deploy gate is decided."""

import datetime as dt
from collections.abc import Iterable

from msgspec.structs import replace

from lockgate.core.errors import LockgateError
from lockgate.core.files import Snapshot, relative
from lockgate.core.gate import Stage
from lockgate.core.project import Project
from lockgate.core.subject import SubjectRef
from lockgate.deploy import Approval, Chain, Deployed, Lineage, Link, Release, Requirement, SignedPath
from lockgate.evidence import (
    VERIFICATION_SUMMARY,
    CheckResults,
    LedgerReport,
    Provenance,
    Result,
    Trust,
    VerificationSummary,
    VerifiedEntry,
)
from lockgate.evidence import Approval as Approved
from lockgate.pipeline.approve import waiting_approvals
from lockgate.pipeline.errors import PipelineError
from lockgate.pipeline.kept import verified
from lockgate.pipeline.notary import REQUIRED, TITLES, release_of
from lockgate.pipeline.signing import gate_trust, verify_signed

DATA_AT = "vulnerability_data_at"
"""Key in the statistics of a supply result under which it says how old its vulnerability data is, ISO 8601."""
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
    return chain_from(project, trust, verified(project, trust), run)


def chain_from(project: Project, trust: Trust, report: LedgerReport, run: str) -> Chain:
    """The same from a ledger that was verified before.

    Raises:
        LockgateError: A file of the project cannot be read.
    """
    taken = project.snapshot()
    policy = next((ref for ref in taken.files if ref.uri == project.policy.uri), SubjectRef(project.policy.uri))
    settings, supply = project.config.deploy, project.config.supply
    return Chain(
        ref=SubjectRef(".lockgate/ledger.db", report.root),
        problems=tuple(
            f"Entry {problem.seq}: {problem.message}" if problem.seq is not None else problem.message
            for problem in report.problems
        ),
        links=tuple(_link(entry) for entry in report.entries if entry.run == run),
        required=_required(project, trust),
        deployed=deployed(project, taken),
        policy=policy,
        policy_at_start=project.policy.sha256,
        trusted_policy=trust.policy,
        separate_roles=trust.separate_roles,
        first_use=trust.first_use,
        now=dt.datetime.now(dt.UTC),
        demands=trust.demands,
        max_scan_age=dt.timedelta(hours=supply.max_scan_age_hours) if supply.max_scan_age_hours else None,
        max_data_age=dt.timedelta(days=supply.dependencies.max_data_age_days),
        revoked=trust.revoked,
        policy_id=settings.policy_id,
        policy_version=settings.policy_version,
        release=settings.release,
        earlier=tuple(_releases(entry for entry in report.entries if entry.run != run)),
        approvals=tuple(_approvals(report.entries)),
        refused_approvals=sum(not found for _, found in waiting_approvals(project, trust)),
        models=tuple(model.path for model in project.config.models),
        lineage=tuple(Lineage(model=item.model, base=item.base, data=item.data) for item in settings.lineage),
        signed=tuple(_signatures(project, trust)),
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
    cedar = project.config.serve.cedar if project.config.serve else ""
    named = (application.system_prompt, application.protected, application.tools, cedar)
    used = models | {uri for uri in named if uri}
    for uri in sorted(used - {ref.uri for ref in taken.files}):
        raise PipelineError(f"{uri} is used by the application, but missing or ignored.", remedy="Put it back.")
    files = [Deployed(ref, Stage.SUPPLY if ref.uri in models else Stage.DATA) for ref in taken.files]
    return (*files, *(Deployed(ref, Stage.TRAIN) for ref in products.files))


def _required(project: Project, trust: Trust) -> tuple[Requirement, ...]:
    needed: dict[tuple[Stage, str], Requirement] = {}
    for stage in BEFORE_DEPLOY:
        predicates = () if stage in project.config.absent else REQUIRED[stage]
        also = (*project.config.rules(stage).require, *trust.demands.require.get(stage, ()))
        for name in (*predicates, VERIFICATION_SUMMARY, *also):
            needed[stage, name] = Requirement(stage, name, TITLES.get(name, f"evidence {name}"))
    return tuple(needed.values())


def _releases(entries: Iterable[VerifiedEntry]) -> Iterable[Release]:
    for entry in entries:
        predicate = entry.statement.predicate
        if entry.stage is Stage.DEPLOY and isinstance(predicate, VerificationSummary):
            number = release_of(predicate.resource_uri)
            if number is not None and predicate.verification_result == Result.PASSED:
                yield Release(number=number, seq=entry.seq, subjects=frozenset(entry.subjects))


def _approvals(entries: Iterable[VerifiedEntry]) -> Iterable[Approval]:
    for entry in entries:
        predicate = entry.statement.predicate
        if isinstance(predicate, Approved):
            policy = predicate.policy.digest.sha256
            yield Approval(keyid=entry.keyid, subjects=frozenset(entry.subjects), policy=policy)


def _signatures(project: Project, trust: Trust) -> Iterable[SignedPath]:
    for wanted in project.config.deploy.signatures:
        try:
            path = project.root / relative(wanted.path)
            place = project.root / relative(wanted.signature) if wanted.signature else None
            found = verify_signed(path, gate_trust(project, trust, wanted), signature=place, ignore=wanted.ignore)
        except LockgateError as error:
            yield SignedPath(uri=wanted.path, problems=(str(error),))
        else:
            problems = tuple(item.message for item in found.differences)
            yield SignedPath(uri=wanted.path, problems=problems, keyid=found.who.keyid)


def _link(entry: VerifiedEntry) -> Link:
    predicate = entry.statement.predicate
    link = Link(
        seq=entry.seq,
        stage=entry.stage,
        predicate=entry.predicate_type,
        role=entry.role,
        keyid=entry.keyid,
        sha256=entry.sha256,
        subjects=entry.subjects,
    )
    if isinstance(predicate, Provenance):
        wanted = predicate.build_definition.resolved_dependencies
        return replace(link, materials=tuple(SubjectRef(item.uri, item.digest.sha256) for item in wanted))
    if isinstance(predicate, VerificationSummary):
        opened = predicate.verification_result == Result.PASSED
        return replace(link, opened=opened, at=predicate.time_verified, waived=predicate.decision.waived)
    if isinstance(predicate, CheckResults) and isinstance(predicate.statistics, dict):
        return replace(link, data_at=_moment(predicate.statistics.get(DATA_AT)))
    return link


def _moment(stated: object) -> dt.datetime | None:
    try:
        moment = dt.datetime.fromisoformat(stated) if isinstance(stated, str) else None
    except ValueError:
        return None
    return moment if moment is not None and moment.tzinfo is not None else None
