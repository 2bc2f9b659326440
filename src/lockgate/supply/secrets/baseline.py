"""The baseline: secrets that are known already, by keyed fingerprints. It holds no value, nor anything to guess it by.

A fingerprint is HMAC-SHA-256 over the path and the secret's tag. Without the key, which lies outside of the project,
nobody can try passwords against it. A secret that moves to another file is new again.
"""

import hmac
import os
import secrets
from pathlib import Path, PurePosixPath

import msgspec

from lockgate.core.home import home, write_private
from lockgate.supply.errors import SupplyError

MAX_BYTES = 16 << 20
KEY_BYTES = 32
_KEY_NAME = "secret-baseline.key"
_DIGITS = 32


class _Document(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    lockgate_secret_baseline: int
    key: str
    fingerprints: list[str]


class Baseline(msgspec.Struct, frozen=True):
    """Known secrets.

    Attributes:
        folder: Folder of the file: paths in it are relative to that.
        key: The key.
        fingerprints: What is known.
    """

    folder: Path
    key: bytes
    fingerprints: frozenset[str] = frozenset()

    def fingerprint(self, path: str, tag: str) -> str:
        """The fingerprint of a secret in a file."""
        inside = PurePosixPath(os.path.relpath(path, self.folder)).as_posix()
        body = f"{inside}\0{tag}".encode("utf-8", "surrogatepass")
        return hmac.digest(self.key, body, "sha256").hex()[:_DIGITS]


def baseline_key(path: Path | None) -> bytes:
    """The key of tags and fingerprints: from a file, else from `LOCKGATE_HOME`, where it is made when it is missing.

    Raises:
        SupplyError: The file is missing, or does not hold 64 hex digits.
    """
    place = path if path is not None else home() / _KEY_NAME
    try:
        text = place.read_text("ascii").strip()
        key = bytes.fromhex(text)
    except FileNotFoundError as error:
        if path is not None:
            remedy = f"Copy {_KEY_NAME} from where the baseline was written."
            raise SupplyError(f"{path} does not exist.", remedy=remedy) from error
        key = secrets.token_bytes(KEY_BYTES)
        write_private(place, f"{key.hex()}\n".encode())
    except (OSError, ValueError) as error:
        raise SupplyError("The key of the baseline cannot be read.", remedy="It is 64 hex digits.") from error
    if len(key) != KEY_BYTES:
        raise SupplyError("The key of the baseline has the wrong length.", remedy="It is 64 hex digits.")
    return key


def read_baseline(path: Path, key: bytes) -> Baseline:
    """Read a baseline.

    Raises:
        SupplyError: It is missing, malformed, or was written with another key.
    """
    try:
        with path.open("rb") as stream:
            body = stream.read(MAX_BYTES + 1)
        document = msgspec.json.decode(body, type=_Document)
    except (OSError, msgspec.DecodeError) as error:
        remedy = "Write it with --write-baseline."
        raise SupplyError(f"{path} is no baseline that can be read.", remedy=remedy) from error
    if document.lockgate_secret_baseline != 1 or document.key != _key_id(key):
        remedy = "Name the key that it was written with (--baseline-key), or write it anew."
        raise SupplyError(f"{path} was written with another key, or by another version.", remedy=remedy)
    return Baseline(_folder(path), key, frozenset(document.fingerprints))


def empty_baseline(path: Path, key: bytes) -> Baseline:
    """A baseline for this place that knows nothing yet."""
    return Baseline(_folder(path), key)


def write_baseline(path: Path, key: bytes, fingerprints: frozenset[str]) -> None:
    """Write what is known now."""
    document = _Document(1, _key_id(key), sorted(fingerprints))
    write_private(path, msgspec.json.format(msgspec.json.encode(document), indent=1) + b"\n")


def _folder(path: Path) -> Path:
    return Path(os.path.realpath(path.parent))


def _key_id(key: bytes) -> str:
    return hmac.digest(key, b"lockgate secret baseline", "sha256").hex()[:16]
