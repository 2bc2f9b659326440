"""Signatures of models, data sets and prompts that other tools verify, and the other way round (OpenSSF model-signing).

Example:
    >>> import tempfile
    >>> from pathlib import Path
    >>> from lockgate.evidence import Role, key_for
    >>> from lockgate.evidence.signing import sign_path, verify_path
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     model = Path(folder)
    ...     _ = (model / "weights.bin").write_bytes(b"weights")
    ...     key = key_for(Role.BUILDER)
    ...     bundle, _ = sign_path(model, key, signature=model / "model.sig")
    ...     before = verify_path(model, bundle, [key.public])
    ...     _ = (model / "weights.bin").write_bytes(b"Weights")
    ...     after = verify_path(model, bundle, [key.public])
    >>> before.ok, after.ok, after.differences[0].message
    (True, False, 'weights.bin was altered: its content is not what was signed.')
"""

from lockgate.evidence.predicates import MODEL_SIGNATURE
from lockgate.evidence.signing.bundle import Bundle, read_bundle, verify_bundle
from lockgate.evidence.signing.certificate import CertificateTrust, CertifiedSigner, read_certificates
from lockgate.evidence.signing.hashing import Hashed, hash_path
from lockgate.evidence.signing.identity import Expected, Who
from lockgate.evidence.signing.key_file import open_to_others, read_signing_key, read_verify_key
from lockgate.evidence.signing.keyless import KeylessTrust
from lockgate.evidence.signing.keyless_signing import KeylessSigner, read_token
from lockgate.evidence.signing.sign import KeySigner, seal_path, sign_path
from lockgate.evidence.signing.trust_root import TrustRoot
from lockgate.evidence.signing.verification import Difference, Kind, Trusted, Verification, verify_path

__all__ = [
    "MODEL_SIGNATURE",
    "Bundle",
    "CertificateTrust",
    "CertifiedSigner",
    "Difference",
    "Expected",
    "Hashed",
    "KeySigner",
    "KeylessSigner",
    "KeylessTrust",
    "Kind",
    "TrustRoot",
    "Trusted",
    "Verification",
    "Who",
    "hash_path",
    "open_to_others",
    "read_bundle",
    "read_certificates",
    "read_signing_key",
    "read_token",
    "read_verify_key",
    "seal_path",
    "sign_path",
    "verify_bundle",
    "verify_path",
]
