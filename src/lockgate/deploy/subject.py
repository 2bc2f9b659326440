"""The facts on which deployment is decided: verified evidence beside what would be deployed now."""

import datetime as dt

import msgspec

from lockgate.core.gate import Stage, WaivedFinding
from lockgate.core.subject import SubjectRef
from lockgate.evidence import Demands, Revoked


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """One piece of evidence whose signature and place in the ledger were verified.

    Attributes:
        seq: Position in the ledger, from 0.
        stage: The stage that it speaks for.
        predicate: Its predicate type.
        role: The role under which its key is trusted.
        keyid: The key that signed it.
        sha256: Digest of its envelope.
        subjects: What it is about.
        materials: What it says went in (provenance only).
        opened: For a gate's decision: whether the gate is OPEN. None for every other predicate.
        at: For a gate's decision: when it was made.
        waived: For a gate's decision: findings that it let pass.
        data_at: For a supply result: how old the vulnerability data was that it rests on.
    """

    seq: int
    stage: str
    predicate: str
    role: str
    keyid: str
    sha256: str
    subjects: tuple[SubjectRef, ...]
    materials: tuple[SubjectRef, ...] = ()
    opened: bool | None = None
    at: dt.datetime | None = None
    waived: tuple[WaivedFinding, ...] = ()
    data_at: dt.datetime | None = None


class Requirement(msgspec.Struct, frozen=True):
    """Evidence without which nothing is deployed.

    Attributes:
        stage: The stage that must have it.
        predicate: Its predicate type.
        title: What to call it in a sentence.
    """

    stage: Stage
    predicate: str
    title: str


class Deployed(msgspec.Struct, frozen=True):
    """A file that would be deployed, hashed just now, and the stage whose evidence must cover it."""

    ref: SubjectRef
    stage: Stage


class Approval(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody's approval, whose signature was verified.

    Attributes:
        keyid: Who.
        subjects: The files that they approved.
        policy: Digest of the policy that they read.
    """

    keyid: str
    subjects: frozenset[SubjectRef]
    policy: str


class Release(msgspec.Struct, frozen=True, kw_only=True):
    """A release that an earlier run approved.

    Attributes:
        number: Its number.
        seq: The decision's place in the ledger.
        subjects: What was deployed.
    """

    number: int
    seq: int
    subjects: frozenset[SubjectRef]


class Lineage(msgspec.Struct, frozen=True, kw_only=True):
    """What a model was made from, as the project declares it: digests of its parents and of its data sets."""

    model: str
    base: tuple[str, ...] = ()
    data: tuple[str, ...] = ()


class SignedPath(msgspec.Struct, frozen=True, kw_only=True):
    """A path that its maker has signed, or should have.

    Attributes:
        uri: The path.
        problems: Why the signature does not hold; none where it does.
        keyid: The key that signed, where one did.
    """

    uri: str
    problems: tuple[str, ...] = ()
    keyid: str = ""


class Chain(msgspec.Struct, frozen=True, kw_only=True):
    """Everything the deploy checks look at.

    Attributes:
        ref: The ledger, by the root of its tree.
        problems: Why the ledger or an envelope in it does not verify.
        links: The verified evidence of this run, in ledger order.
        required: What must be there.
        deployed: What would be deployed.
        policy: The settings file as it lies there now.
        policy_at_start: Its digest when the run started.
        trusted_policy: The digest that the trust file pins, if it does.
        separate_roles: Whether trust demands a different key for each role.
        first_use: Whether the keys vouch only for themselves.
        now: When this is judged. None leaves ages unjudged.
        demands: What the trust file demands.
        max_scan_age: Oldest decision of an earlier gate that still counts, as the project says.
        max_data_age: Oldest vulnerability data that a scan may rest on, as the project says.
        revoked: Keys and files that no longer count.
        policy_id: Name of the policy, as it says.
        policy_version: Its version, as it says.
        release: Number of this release, where the project states one.
        earlier: Releases that the ledger says were approved before.
        approvals: Approvals in the ledger, whatever they are about.
        refused_approvals: Approvals that wait beside the ledger and that no trusted approver signed.
        models: Paths of the pinned models.
        lineage: What the project declares about the making of its models.
        signed: Paths that must carry their maker's signature, and what verifying it found.
    """

    ref: SubjectRef
    problems: tuple[str, ...]
    links: tuple[Link, ...]
    required: tuple[Requirement, ...]
    deployed: tuple[Deployed, ...]
    policy: SubjectRef
    policy_at_start: str
    trusted_policy: str | None
    separate_roles: bool
    first_use: bool
    now: dt.datetime | None = None
    demands: Demands = Demands()
    max_scan_age: dt.timedelta | None = None
    max_data_age: dt.timedelta | None = None
    revoked: Revoked = Revoked()
    policy_id: str = ""
    policy_version: int = 0
    release: int | None = None
    earlier: tuple[Release, ...] = ()
    approvals: tuple[Approval, ...] = ()
    refused_approvals: int = 0
    models: tuple[str, ...] = ()
    lineage: tuple[Lineage, ...] = ()
    signed: tuple[SignedPath, ...] = ()

    @property
    def reviewed(self) -> frozenset[SubjectRef]:
        """What would be deployed and lies in the project: everything but what the training job of this run made."""
        return frozenset(item.ref for item in self.deployed if item.stage is not Stage.TRAIN)
