"""Signatures through Sigstore: a key that an authority certified for minutes, and a log that saw it sign.

The package sigstore verifies them (docs/decisions/0015): the chain to the authority at the time that the log or a time
stamp states, the certificate's own log, the entry's promise, proof and checkpoint, and that the entry is about this
very envelope. What it forgives is refused here first, so that no value in the file can change unnoticed.
"""

from collections.abc import Callable
from typing import Any

import msgspec
import re2

from lockgate.evidence.dsse import PAYLOAD_TYPE
from lockgate.evidence.errors import EvidenceError
from lockgate.evidence.signing.bundle import Bundle, Keyless, LogEntry, from_base64
from lockgate.evidence.signing.identity import Expected, Who, signer_of
from lockgate.evidence.signing.trust_root import TrustRoot, library

_CHECKPOINT = re2.compile(
    (
        r"([^\n]+)\n(0|[1-9][0-9]{0,18})\n([A-Za-z0-9+/]{43}=)\n(?:[^\n]+\n)*\n"
        r"((?:— [^ \n]+ [A-Za-z0-9+/]{8,1000}={0,2}\n)+)"
    ).encode()
)
_HINT = 4
_MAX_CHECKPOINT = 16_384
_MAX_REASON = 300


class KeylessTrust(msgspec.Struct, frozen=True):
    """Who may sign through which Sigstore instance.

    Attributes:
        root: The instance's authorities and logs.
        expected: Who may have signed; nobody where it is empty.
    """

    root: TrustRoot
    expected: tuple[Expected, ...]


def verify_keyless(bundle: Bundle, trust: KeylessTrust) -> Who:
    """Check a signature through Sigstore without asking anybody, and say who signed.

    Raises:
        ConfigError: The package sigstore is not installed.
        EvidenceError: It is none, does not hold, or somebody else signed.
    """

    def fits(signer: Who) -> None:
        if not any(one.fits(signer) for one in trust.expected):
            wanted = " or ".join(str(one) for one in trust.expected) or "nobody"
            raise EvidenceError(f"It was signed by {signer}, and you expect {wanted}.")

    return checked(bundle, trust.root, fits)


def checked(bundle: Bundle, root: TrustRoot, accept: Callable[[Who], None]) -> Who:
    """The same for a signature of anybody whom `accept` does not refuse by an EvidenceError."""
    if not isinstance(bundle.material, Keyless):
        raise EvidenceError("It is not signed through Sigstore.", remedy="Verify it by its key or certificate.")
    _check_entry(bundle.material.entry, root)
    models, verifier = library("sigstore.models"), library("sigstore.verify")
    policy = _Policy(accept)
    try:
        kind, payload = verifier.Verifier(trusted_root=root.inner).verify_dsse(
            models.Bundle.from_json(bundle.body), policy
        )
    except EvidenceError:
        raise
    except Exception as error:
        raise EvidenceError(f"Sigstore's checks refuse the signature: {_reason(error)}.") from error
    # The library read the file on its own; it must have read the same.
    if policy.signer is None or kind != PAYLOAD_TYPE or payload != bundle.payload:
        raise EvidenceError("Sigstore's checks saw another statement than the one that is read.")
    return policy.signer


class _Policy:
    """What the library asks once it knows that the authority has issued the certificate."""

    def __init__(self, accept: Callable[[Who], None]) -> None:
        self.signer: Who | None = None
        self._accept = accept

    def verify(self, certificate: Any) -> None:
        self.signer = signer_of(certificate)
        self._accept(self.signer)


def _check_entry(entry: LogEntry, root: TrustRoot) -> None:
    """Refuse what the library would not miss: values that no signature covers and that contradict one that is."""
    text = entry.checkpoint.encode("utf-8", "replace")
    found = _CHECKPOINT.fullmatch(text) if len(text) <= _MAX_CHECKPOINT else None
    if found is None:
        raise EvidenceError("The checkpoint of the transparency log is malformed.")
    origin, size, root_hash, lines = ((found.group(number) or b"").decode() for number in range(1, 5))
    signatures = (line.split(" ") for line in lines.removesuffix("\n").split("\n"))
    signed = [name for _, name, signature in signatures if from_base64(signature)[:_HINT] == entry.log[:_HINT]]
    if entry.log not in root.logs:
        raise EvidenceError(f"The entry is of a transparency log that {root.name} does not name.")
    if (int(size), from_base64(root_hash)) != (entry.tree_size, entry.root):
        raise EvidenceError("The proof of the transparency log is about another tree than its checkpoint.")
    # Logs of the first kind sign as `host` for an origin `host - tree`.
    if len(signed) != 1 or origin.partition(" - ")[0] != signed[0]:
        raise EvidenceError("The checkpoint is not signed once in the name of the transparency log.")
    if bool(entry.time) != bool(entry.promise):
        raise EvidenceError("The entry states a time without the log's promise, or a promise without a time.")
    if not entry.promise and entry.index != entry.proof_index:
        raise EvidenceError("The entry and its proof have different numbers.")


def _reason(error: Exception) -> str:
    text = str(error).strip().partition("\n")[0].rstrip(".")
    return text[:_MAX_REASON] or type(error).__name__
