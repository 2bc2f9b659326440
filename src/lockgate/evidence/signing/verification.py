"""Whether a folder is what was signed: every file that is there, and no other."""

from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path

import msgspec

from lockgate.evidence.errors import EvidenceError
from lockgate.evidence.keys import VerifyKey
from lockgate.evidence.signing.bundle import Bundle, CertificateChain, KeyHint, Keyless, read_bundle, verify_bundle
from lockgate.evidence.signing.certificate import CertificateTrust, verify_certified
from lockgate.evidence.signing.hashing import Hashed, hash_path
from lockgate.evidence.signing.identity import Who
from lockgate.evidence.signing.keyless import KeylessTrust, verify_keyless
from lockgate.evidence.signing.statement import GIT_PATHS, Manifest, decode_manifest, file_of, under


class Kind(StrEnum):
    """How a folder differs from what was signed."""

    ALTERED = "altered"
    ADDED = "added"
    REMOVED = "removed"
    RENAMED = "renamed"
    SWAPPED = "swapped"
    UNREADABLE = "unreadable"
    SIGNATURE = "signature"


class Difference(msgspec.Struct, frozen=True, order=True):
    """One reason not to trust the folder.

    Attributes:
        path: The file; empty where the signature itself is the reason.
        kind: What became of it.
        message: One sentence.
    """

    path: str
    kind: Kind
    message: str


class Verification(msgspec.Struct, frozen=True, kw_only=True):
    """What verifying a signature found.

    Attributes:
        differences: Every reason not to trust the folder. Empty when it is what was signed.
        who: Who signed it; nobody where nobody trusted did.
        name: What the signer called it.
        files: How many files were hashed.
        size: How many bytes they have.
        ignored: Paths that nobody looked at: the signer, or the caller, left them out.
    """

    differences: tuple[Difference, ...]
    who: Who = Who()
    name: str = ""
    files: int = 0
    size: int = 0
    ignored: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether the folder is what somebody trusted signed."""
        return not self.differences


class Trusted(msgspec.Struct, frozen=True, kw_only=True):
    """Whose signature counts. Where all are empty, nobody's does.

    Attributes:
        keys: Bare keys.
        keyless: Who may sign through Sigstore.
        certificates: Whose certificates count.
    """

    keys: tuple[VerifyKey, ...] = ()
    keyless: KeylessTrust | None = None
    certificates: CertificateTrust | None = None


def verify_path(
    path: Path,
    bundle: bytes,
    trusted: Iterable[VerifyKey] | Trusted,
    *,
    signature: Path | None = None,
    ignore: Iterable[str] = (),
) -> Verification:
    """Verify a folder or a single file against a signature.

    The world is closed: a file that the signature does not list is a difference, also in `.git` and the other paths
    that the standard leaves out. Links are never followed. Folders without a file in them are not looked at.

    Args:
        path: The folder or file.
        bundle: Content of the signature file.
        trusted: Whose signature counts.
        signature: Where the signature file lies; inside the folder it is not looked at, as nothing can sign itself.
        ignore: Paths below the folder that the caller accepts unseen.

    Raises:
        ConfigError: It is signed through Sigstore, and the package sigstore is not installed.
        EvidenceError: There is nothing at `path`, or too much to look at.
    """
    try:
        found = read_bundle(bundle)
        who = _who_signed(found, trusted if isinstance(trusted, Trusted) else Trusted(keys=tuple(trusted)))
        manifest = decode_manifest(found.payload)
    except EvidenceError as error:
        return Verification(differences=(Difference("", Kind.SIGNATURE, str(error)),))
    accepted = tuple(sorted({item.strip("/") for item in ignore}))
    own = _own(path, signature)
    # Only what Lockgate signed says which paths its signer left out by choice, not by the standard's habit.
    left_out = (*accepted, *own, *(manifest.ignored if manifest.closed else ()))
    there = hash_path(path, leave_out=left_out, algorithm=manifest.algorithm, shard_size=manifest.shard_size)
    return Verification(
        differences=_compare(manifest, there, left_out),
        who=who,
        name=manifest.name,
        files=len(there.digests),
        size=there.size,
        ignored=tuple(item for item in left_out if item not in own),
    )


def _who_signed(bundle: Bundle, trusted: Trusted) -> Who:
    match bundle.material:
        case Keyless() if trusted.keyless is None:
            raise EvidenceError(
                "It is signed through Sigstore, and you expect another kind of signature.",
                remedy="Say who may have signed: --sigstore --identity WHO --identity-provider ISSUER.",
            )
        case CertificateChain() if trusted.certificates is None:
            raise EvidenceError(
                "It is signed with a certificate, and you expect another kind of signature.",
                remedy="Name the authority: --certificate-chain FILE.",
            )
        case KeyHint() if not trusted.keys and (trusted.keyless or trusted.certificates):
            message = "It is signed with a bare key, and you expect another kind of signature."
            raise EvidenceError(message, remedy="Name the key: --key FILE.")
        case _:
            pass
    if isinstance(bundle.material, Keyless) and trusted.keyless:
        return verify_keyless(bundle, trusted.keyless)
    if isinstance(bundle.material, CertificateChain) and trusted.certificates:
        return verify_certified(bundle, trusted.certificates)
    return Who(keyid=verify_bundle(bundle, trusted.keys).keyid)


def _own(path: Path, signature: Path | None) -> tuple[str, ...]:
    if signature is None or not signature.resolve().is_relative_to(path.resolve()) or not path.is_dir():
        return ()
    return (signature.resolve().relative_to(path.resolve()).as_posix(),)


def _compare(manifest: Manifest, there: Hashed, left_out: tuple[str, ...]) -> tuple[Difference, ...]:
    signed = {
        name: digest
        for name, digest in (manifest.resources | manifest.beside).items()
        if not under(file_of(name, manifest.shard_size), left_out)
    }
    unreadable = [Difference(uri, Kind.UNREADABLE, reason) for uri, reason in there.unreadable.items()]
    present = there.digests
    altered = {name for name in signed.keys() & present.keys() if signed[name] != present[name]}
    removed = signed.keys() - present.keys()
    added = present.keys() - signed.keys()
    hidden = {file_of(name, manifest.shard_size) for name in removed} & there.unreadable.keys()
    swapped, renamed = _swapped(altered, signed, present), _renamed(removed, added, signed, present)
    shown: list[Difference] = [*unreadable]
    for name in sorted(altered):
        other = swapped.get(name)
        what = "The file" if name == "." else name
        message = f"{what} was altered: its content is not what was signed."
        if other:
            message = f"{name} and {other} were swapped: each has the content that was signed for the other."
        shown.append(Difference(file_of(name, manifest.shard_size), Kind.SWAPPED if other else Kind.ALTERED, message))
    for name in sorted(removed):
        if name in renamed:
            message = f"{name} was renamed to {renamed[name]}."
            shown.append(Difference(file_of(name, manifest.shard_size), Kind.RENAMED, message))
        elif file_of(name, manifest.shard_size) not in hidden:
            shown.append(
                Difference(file_of(name, manifest.shard_size), Kind.REMOVED, f"{name} was signed and is missing.")
            )
    known = set(renamed.values())
    shown += [
        Difference(file_of(name, manifest.shard_size), Kind.ADDED, _added(name, manifest))
        for name in sorted(added - known)
    ]
    return tuple(sorted(shown))


def _added(name: str, manifest: Manifest) -> str:
    if not manifest.closed and under(name, (*GIT_PATHS, *manifest.ignored)):
        return f"{name} is a path that this signature leaves out, so nobody vouches for it."
    return f"{name} was added: no signature covers it."


def _swapped(altered: set[str], signed: dict[str, str], present: dict[str, str]) -> dict[str, str]:
    by_content = {(signed[name], present[name]): name for name in altered}
    pairs = {name: by_content.get((present[name], signed[name])) for name in altered}
    return {name: other for name, other in pairs.items() if other is not None}


def _renamed(
    removed: Iterable[str], added: Iterable[str], signed: dict[str, str], present: dict[str, str]
) -> dict[str, str]:
    new = {present[name]: name for name in sorted(added, reverse=True)}
    pairs: dict[str, str] = {}
    for name in sorted(removed):
        if other := new.pop(signed[name], ""):
            pairs[name] = other
    return pairs
