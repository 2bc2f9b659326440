"""What the owner of a trust file demands of a deployment, and what no longer counts. Parts of the trust file."""

from typing import Annotated

import msgspec
from msgspec import Meta

from lockgate.core.gate import Stage
from lockgate.evidence.predicates import Name, Sha256

_Days = Annotated[float, Meta(gt=0, le=3_650)]


class _Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A mapping of the trust file that refuses keys it does not know."""


class Demands(_Part, frozen=True, kw_only=True):
    """What must be true before anything is deployed, whatever the project's own settings say.

    Attributes:
        approvals: How many approver keys must have approved these very files (k of n).
        max_scan_age_hours: Oldest decision of an earlier gate that still counts, at the deploy gate and when serving.
        max_vulnerability_data_age_days: Oldest vulnerability data that a supply scan may rest on.
        policy_id: Name that the policy must have.
        min_policy_version: Lowest version of it.
        min_release: Lowest release number; a release without a number is refused then.
        ledger: Name of the ledger, as its checkpoint says it. A new ledger has another one.
        max_waiver_days: How far ahead a waiver may expire.
        waiver_owners: Who may own waivers; anybody where it is empty.
        signed: Paths that must carry a valid signature of a key trusted with model signatures.
        require: Predicate types that a stage must have evidence of, beyond what it always needs.
    """

    approvals: Annotated[int, Meta(ge=0, le=64)] = 0
    max_scan_age_hours: Annotated[float, Meta(gt=0, le=87_600)] | None = None
    max_vulnerability_data_age_days: _Days | None = None
    policy_id: str = ""
    min_policy_version: Annotated[int, Meta(ge=0)] = 0
    min_release: Annotated[int, Meta(ge=0)] = 0
    ledger: str = ""
    max_waiver_days: _Days | None = None
    waiver_owners: tuple[Name, ...] = ()
    signed: tuple[Name, ...] = ()
    require: dict[Stage, tuple[Name, ...]] = {}


class Revoked(_Part, frozen=True, kw_only=True):
    """What no longer counts. A revoked key stays in `keys`, so that what it signed long ago can still be read.

    Attributes:
        keys: Ids of keys.
        digests: SHA-256 of files that must not be deployed, nor go into a training job.
    """

    keys: tuple[Sha256, ...] = ()
    digests: tuple[Sha256, ...] = ()
