"""Signs and verifies folders for the command line: where signatures lie, and whose count."""

from collections.abc import Iterable
from pathlib import Path

from msgspec import to_builtins

from lockgate.core.config_deploy import SignatureConfig
from lockgate.core.errors import ConfigError
from lockgate.core.files import open_regular
from lockgate.core.project import Project
from lockgate.core.subject import sha256_hex
from lockgate.evidence import Trust, TrustedIdentity, VerifyKey, first_use_trust, load_trust
from lockgate.evidence.signing import (
    MODEL_SIGNATURE,
    CertificateTrust,
    Difference,
    Expected,
    KeylessTrust,
    Kind,
    Trusted,
    TrustRoot,
    Verification,
    read_certificates,
    read_verify_key,
    verify_path,
)
from lockgate.evidence.signing.bundle import MAX_BUNDLE
from lockgate.evidence.signing.trust_root import MAX_TRUST_ROOT
from lockgate.pipeline.errors import PipelineError

SIGNATURE_NAME = "model.sig"


def default_signature(path: Path) -> Path:
    """Where the signature of `path` lies unless somebody says otherwise."""
    return path / SIGNATURE_NAME if path.is_dir() else path.with_name(f"{path.name}.sig")


def allowed(key_name: str | None, trust_file: Path | None, trust_root: Path | None = None) -> Trusted:
    """Whose signature counts: a key that is named, whom a trust file names, or the keys of this machine.

    Args:
        key_name: The key.
        trust_file: The trust file.
        trust_root: Authorities and logs of the Sigstore instance under which the trust file's signers count, by its
            digest. None where keys alone count.

    Raises:
        ConfigError: Both a key and a trust file are named, the trust file names nobody under that trust root, KMS
            cannot be asked, or the package sigstore is not installed.
        EvidenceError: A file cannot be read or understood, or KMS refuses the key.
    """
    if key_name and trust_file:
        raise ConfigError("Either --key or --trust, not both.", remedy="Drop one of them.")
    if key_name:
        return Trusted(keys=(read_verify_key(key_name),))
    trust = load_trust(trust_file) if trust_file else first_use_trust()
    keys = _model_keys(trust)
    if trust_root is None:
        return Trusted(keys=keys)
    root = TrustRoot.read(trust_root)
    named = tuple(_expected(item) for item in trust.identities if item.trust_root_sha256 == root.sha256)
    if not named:
        message = f"{trust.source or 'The trust of this machine'} names nobody who may sign under {root.name}."
        raise ConfigError(message, remedy="Name them under 'sigstore' in the trust file, with that file's SHA-256.")
    return Trusted(keys=keys, keyless=KeylessTrust(root, named))


def keyless_trust(*, identity: str, pattern: str, issuer: str, trust_root: Path | None) -> Trusted:
    """Trust somebody's signatures through Sigstore.

    Args:
        identity: Who, in full; or else
        pattern: who, with `*` in it.
        issuer: URL of the issuer that vouches for the name.
        trust_root: File with the instance's authorities and logs; None for sigstore.dev as the installed package
            sigstore knows it.

    Raises:
        ConfigError: Who may sign is not said, or the package sigstore is not installed.
        EvidenceError: The file cannot be read or understood.
    """
    expected = Expected.of(identity=identity, pattern=pattern, issuer=issuer)
    root = TrustRoot.read(trust_root) if trust_root else TrustRoot.public()
    return Trusted(keyless=KeylessTrust(root, (expected,)))


def certificate_trust(chain: Iterable[Path], identity: str) -> Trusted:
    """Trust signatures by certificates of the authorities in PEM files; with `identity`, of that name alone.

    Raises:
        EvidenceError: A file cannot be read or understood.
    """
    return Trusted(certificates=CertificateTrust(read_certificates(chain), identity))


def gate_trust(project: Project, trust: Trust, wanted: SignatureConfig) -> Trusted:
    """Whose signature over a path counts at the deploy gate: trusted keys, and whom the settings let sign by Sigstore.

    Whoever can edit the project can write a name into its settings. So such a name counts only where the owner of
    the trust file has seen it: the file names it too, with the same trust root, or pins the settings as a whole.

    Args:
        project: The application.
        trust: Which keys count, and who may sign through Sigstore.
        wanted: The path, and who the project says may have signed it.

    Raises:
        ConfigError: A name or pattern is malformed, or the package sigstore is not installed.
        CoreError: The trust root cannot be read.
        EvidenceError: The trust root is none.
        PipelineError: The trust root is not the pinned one, or a name counts only for the project.
    """
    keys = _model_keys(trust)
    if wanted.sigstore is None:
        return Trusted(keys=keys)
    digest, seen = wanted.sigstore.trust_root_sha256, trust.first_use or trust.policy == project.policy.sha256
    named = tuple(
        TrustedIdentity(**to_builtins(signer), trust_root_sha256=digest) for signer in wanted.sigstore.signers
    )
    for signer in named:
        if not seen and signer not in trust.identities:
            raise PipelineError(
                f"{signer.identity or signer.identity_pattern} may sign only because lockgate.yaml says so.",
                remedy="Name them under 'sigstore' in the trust file, or pin lockgate.yaml there with 'policy'.",
            )
    with open_regular(project.root, wanted.sigstore.trust_root) as stream:
        body = stream.read(MAX_TRUST_ROOT + 1)
    if sha256_hex(body) != digest:
        raise PipelineError(
            f"{wanted.sigstore.trust_root} is not the trust root that lockgate.yaml pins.",
            remedy="Put the pinned file back, or pin the new one under 'trust_root_sha256' after reading it.",
        )
    root = TrustRoot.parse(body, name=wanted.sigstore.trust_root)
    return Trusted(keys=keys, keyless=KeylessTrust(root, tuple(_expected(signer) for signer in named)))


def _model_keys(trust: Trust) -> tuple[VerifyKey, ...]:
    return tuple(item.public for item in trust.keys if trust.allows(item.public.keyid, MODEL_SIGNATURE))


def _expected(signer: TrustedIdentity) -> Expected:
    return Expected.of(identity=signer.identity, pattern=signer.identity_pattern, issuer=signer.issuer)


def verify_signed(
    path: Path, trusted: Iterable[VerifyKey] | Trusted, *, signature: Path | None = None, ignore: Iterable[str] = ()
) -> Verification:
    """Verify `path` against its signature file.

    Args:
        path: A folder, or a single file.
        trusted: Whose signature counts.
        signature: The signature file; None for the usual place, where its absence means that nobody signed.
        ignore: Paths below the folder that are accepted unseen.

    Raises:
        ConfigError: There is nothing at `path`, the signature file that was named cannot be read, or it is signed
            through Sigstore and the package sigstore is not installed.
        EvidenceError: There is too much to look at.
    """
    place = signature or default_signature(path)
    try:
        with place.open("rb") as stream:
            bundle = stream.read(MAX_BUNDLE + 1)
    except OSError as error:
        if signature is None and path.exists() and isinstance(error, FileNotFoundError):
            message = f"{path} is not signed: there is no {place.name}."
            return Verification(differences=(Difference("", Kind.SIGNATURE, message),))
        why = (error.strerror or "input/output error").lower()
        raise ConfigError(f"{place} cannot be read: {why}.", remedy="Correct the path.") from error
    return verify_path(path, bundle, trusted, signature=place, ignore=ignore)
