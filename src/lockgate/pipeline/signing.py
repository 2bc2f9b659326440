"""Signs and verifies folders for the command line: where signatures lie, and whose count."""

from collections.abc import Iterable
from pathlib import Path

from lockgate.core.errors import ConfigError
from lockgate.evidence import VerifyKey, first_use_trust, load_trust
from lockgate.evidence.signing import MODEL_SIGNATURE, Difference, Kind, Verification, read_verify_key, verify_path
from lockgate.evidence.signing.bundle import MAX_BUNDLE

SIGNATURE_NAME = "model.sig"


def default_signature(path: Path) -> Path:
    """Where the signature of `path` lies unless somebody says otherwise."""
    return path / SIGNATURE_NAME if path.is_dir() else path.with_name(f"{path.name}.sig")


def allowed_keys(key_name: str | None, trust_file: Path | None) -> tuple[VerifyKey, ...]:
    """The keys whose signature counts: one that is named, those of a trust file, or those of this machine.

    Raises:
        ConfigError: Both a key and a trust file are named, or KMS cannot be asked.
        EvidenceError: A file cannot be read or understood, or KMS refuses the key.
    """
    if key_name and trust_file:
        raise ConfigError("Either --key or --trust, not both.", remedy="Drop one of them.")
    if key_name:
        return (read_verify_key(key_name),)
    trust = load_trust(trust_file) if trust_file else first_use_trust()
    return tuple(item.public for item in trust.keys if trust.allows(item.public.keyid, MODEL_SIGNATURE))


def verify_signed(
    path: Path, keys: Iterable[VerifyKey], *, signature: Path | None = None, ignore: Iterable[str] = ()
) -> Verification:
    """Verify `path` against its signature file.

    Args:
        path: A folder, or a single file.
        keys: Whose signature counts.
        signature: The signature file; None for the usual place, where its absence means that nobody signed.
        ignore: Paths below the folder that are accepted unseen.

    Raises:
        ConfigError: There is nothing at `path`, or the signature file that was named cannot be read.
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
    return verify_path(path, bundle, keys, signature=place, ignore=ignore)
