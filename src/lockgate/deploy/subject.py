"""The facts on which deployment is decided: verified evidence beside what would be deployed now."""

import msgspec

from lockgate.core.gate import Stage
from lockgate.core.subject import SubjectRef


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
