"""Trust: which keys may sign what. Kept outside the project that it judges."""

import textwrap
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from lockgate.core import strict_yaml
from lockgate.core.errors import ConfigError
from lockgate.evidence.demands import Demands, Revoked
from lockgate.evidence.errors import EvidenceError
from lockgate.evidence.keys import Role, VerifyKey, list_keys
from lockgate.evidence.predicates import (
    APPROVAL,
    MODEL_SIGNATURE,
    OVERRIDE,
    PREDICATES,
    PROVENANCE,
    TEST_RESULT,
    VERIFICATION_SUMMARY,
    Name,
    Sha256,
)

FIRST_USE = "first use: signed and verified with keys of this machine; good for trying out, proves nothing to others"
_REMEDY = "Correct the file, or write a new one with 'lockgate keys trust'."
GRANTABLE = (*PREDICATES, MODEL_SIGNATURE)
"""Every predicate type that a key can be trusted with."""
_DEFAULTS: dict[Role, tuple[str, ...]] = {
    Role.LOCAL: GRANTABLE,
    Role.BUILDER: (PROVENANCE, MODEL_SIGNATURE),
    Role.SCANNER: (TEST_RESULT,),
    Role.APPROVER: (VERIFICATION_SUMMARY, OVERRIDE, APPROVAL),
}


class TrustedKey(msgspec.Struct, frozen=True):
    """A key, what it is for, and the predicate types that it may sign."""

    public: VerifyKey
    role: Role
    predicates: tuple[str, ...]


class TrustedIdentity(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Somebody who may sign models through Sigstore.

    Attributes:
        identity: Who, in full; or else
        identity_pattern: who, with `*` in it.
        issuer: URL of the issuer of identity tokens that vouches for that name.
        trust_root_sha256: Digest of the file with the authorities and logs of the Sigstore instance.
    """

    identity: str = ""
    identity_pattern: str = ""
    issuer: Name
    trust_root_sha256: Sha256


class Trust(msgspec.Struct, frozen=True, kw_only=True):
    """Which keys may sign which predicates.

    Attributes:
        keys: The trusted keys. Any of them may sign a checkpoint.
        identities: Who may sign models through Sigstore.
        policy: SHA-256 of the `lockgate.yaml` that was approved, where the file pins one.
        separate_roles: No predicate type may be signed by keys of two roles, and none is a local key.
        demands: What a deployment must fulfil besides.
        revoked: Keys and files that no longer count.
        first_use: The keys are simply those of this machine.
        source: Name of the trust file.
    """

    keys: tuple[TrustedKey, ...]
    identities: tuple[TrustedIdentity, ...] = ()
    policy: str | None = None
    separate_roles: bool = False
    demands: Demands = Demands()
    revoked: Revoked = Revoked()
    first_use: bool = False
    source: str = ""

    @property
    def public_keys(self) -> tuple[VerifyKey, ...]:
        """Every trusted key, for checkpoints."""
        return tuple(item.public for item in self.keys)

    def allows(self, keyid: str, predicate_type: str) -> bool:
        """Whether the key may sign that kind of statement."""
        return any(item.public.keyid == keyid and predicate_type in item.predicates for item in self.keys)

    def key(self, keyid: str) -> VerifyKey | None:
        """The trusted key of that id."""
        return next((item.public for item in self.keys if item.public.keyid == keyid), None)

    def role(self, keyid: str) -> Role | None:
        """What the trusted key of that id is for."""
        return next((item.role for item in self.keys if item.public.keyid == keyid), None)

    def describe(self) -> str:
        """One line for reports: what this trust is worth."""
        if self.first_use:
            return FIRST_USE
        roles = ", ".join(sorted({str(item.role) for item in self.keys}))
        separation = "separate roles" if self.separate_roles else "roles are not separated"
        return f"trust file {self.source}: {len(self.keys)} keys ({roles}), {separation}"


class _Key(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    keyid: Sha256
    role: Role
    public: Name
    predicates: Annotated[tuple[str, ...], Meta(min_length=1)]


class _File(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    version: Literal[1]
    policy: Sha256 | None = None
    keys: Annotated[tuple[_Key, ...], Meta(min_length=1)]
    separate_roles: bool
    sigstore: tuple[TrustedIdentity, ...] = ()
    deploy: Demands = Demands()
    revoked: Revoked = Revoked()


def load_trust(path: Path) -> Trust:
    """Read a trust file.

    Raises:
        EvidenceError: It cannot be read, says something unknown, names a key by another key's id, or breaks the
            separation of roles that it declares.
    """
    try:
        with path.open("rb") as stream:
            body = stream.read(strict_yaml.MAX_BYTES + 1)
        found = msgspec.convert(strict_yaml.load(body, name=path.name), _File)
    except OSError as error:
        raise EvidenceError(
            f"The trust file {path} cannot be read: {error.strerror}.", remedy="Correct the path given with --trust."
        ) from error
    except ConfigError as error:
        raise EvidenceError(error.message, remedy=error.remedy) from error
    except msgspec.ValidationError as error:
        raise EvidenceError(f"The trust file {path.name} is malformed: {error}.", remedy=_REMEDY) from error
    keys = tuple(_trusted(item) for item in found.keys)
    if len({item.public.keyid for item in keys}) != len(keys):
        raise EvidenceError(f"The trust file {path.name} lists a key twice.", remedy=_REMEDY)
    if found.separate_roles:
        _require_separation(keys)
    return Trust(
        keys=keys,
        identities=found.sigstore,
        policy=found.policy,
        separate_roles=found.separate_roles,
        demands=found.deploy,
        revoked=found.revoked,
        source=path.name,
    )


def first_use_trust() -> Trust:
    """Trust the keys on this machine with everything: what holds while nobody has written a trust file.

    Raises:
        EvidenceError: A key of this machine cannot be used.
    """
    return Trust(
        keys=tuple(TrustedKey(VerifyKey.from_pem(info.public), info.role, GRANTABLE) for info in list_keys()),
        first_use=True,
    )


def render_trust(policy_digest: str | None = None) -> str:
    """A trust file with this machine's keys and what their roles may sign by default.

    The local key is left out as soon as each role has a key of its own.

    Args:
        policy_digest: SHA-256 of the `lockgate.yaml` to pin.

    Raises:
        EvidenceError: There is no key on this machine, or one cannot be used.
    """
    keys = list_keys()
    if not keys:
        raise EvidenceError("There is no key on this machine.", remedy="Create one with 'lockgate keys create'.")
    own = [info for info in keys if info.role is not Role.LOCAL]
    # A key for everything beside a key for each role would make the roles worthless.
    keys = tuple(own) if {info.role for info in own} == set(Role) - {Role.LOCAL} else keys
    separate = all(info.role is not Role.LOCAL for info in keys)
    lines = [
        "# Which keys may sign what. Keep this file outside the project, out of reach of whoever edits the project.",
        "version: 1",
        *([f'policy: "{policy_digest}"'] if policy_digest else []),
        f"separate_roles: {str(separate).lower()}",
        "keys:",
    ]
    for info in keys:
        lines += [
            f'  - keyid: "{info.keyid}"',
            f"    role: {info.role}",
            "    public: |",
            textwrap.indent(info.public.rstrip("\n"), " " * 6),
            "    predicates:",
            *(f"      - {predicate}" for predicate in _DEFAULTS[info.role]),
        ]
    return "\n".join(lines) + "\n"


def _trusted(item: _Key) -> TrustedKey:
    public = VerifyKey.from_pem(item.public)
    if public.keyid != item.keyid:
        raise EvidenceError(
            f"The trust file gives key {item.keyid[:12]} a public half with another id.",
            remedy="Ask the key's owner which of the two is right.",
        )
    if unknown := sorted(set(item.predicates) - set(GRANTABLE)):
        raise EvidenceError(
            f"The trust file grants an unknown predicate type: {unknown[0]!r}.",
            remedy=f"Known ones: {', '.join(GRANTABLE)}.",
        )
    return TrustedKey(public, item.role, item.predicates)


def _require_separation(keys: Iterable[TrustedKey]) -> None:
    signers: dict[str, Role] = {}
    for item in keys:
        if item.role is Role.LOCAL:
            raise EvidenceError(
                "The trust file separates roles but lists a local key.",
                remedy="Remove that key, or set separate_roles to false.",
            )
        for predicate in item.predicates:
            if signers.setdefault(predicate, item.role) is not item.role:
                raise EvidenceError(
                    f"The trust file separates roles but lets two of them sign {predicate}.",
                    remedy="Grant it to one role, or set separate_roles to false.",
                )
