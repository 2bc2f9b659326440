"""Stores a vault in a file that only its key opens: AES-256-GCM (NIST SP 800-38D), private to its owner.

Not imported by the package: a guard without it starts without the cryptographic library.
"""

import os
import secrets
import stat
from pathlib import Path

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from lockgate.guard.errors import GuardError
from lockgate.guard.vault import Entries, Vault

KEY_BYTES = 32
_NONCE_BYTES = 12
_MAGIC = b"lockgate-vault-1\n"
_MAX_BYTES = 64 << 20


def new_key() -> bytes:
    """A random key. Keep it apart from the file, for instance in a secret store."""
    return secrets.token_bytes(KEY_BYTES)


def save_vault(vault: Vault, path: Path, key: bytes, *, conversation: str = "") -> None:
    """Encrypt a vault into a file with mode 0600, which replaces an older one in one step.

    Args:
        vault: What to store.
        path: The file, in a folder that exists.
        key: 32 bytes from `new_key`.
        conversation: Its id. The file opens only for the same one.

    Raises:
        GuardError: The key has another length, or the file cannot be written.
    """
    nonce = secrets.token_bytes(_NONCE_BYTES)
    body = _cipher(key).encrypt(nonce, _packed(vault.entries), _context(conversation))
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as stream:
                stream.write(_MAGIC + nonce + body)
                stream.flush()
                os.fsync(stream.fileno())
            draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)
    except OSError as error:
        raise GuardError(f"The vault {path.name} cannot be written.", remedy="Check its folder.") from error


def load_vault(
    path: Path, key: bytes, *, conversation: str = "", max_values: int = 10_000, max_chars: int = 4_000_000
) -> Vault:
    """Open a file of `save_vault`.

    Raises:
        GuardError: It cannot be read, is open to others, was altered, or belongs to another key or conversation.
    """
    body = _opened(_read(path), _cipher(key), conversation)
    if body is None:
        raise GuardError(
            f"The vault {path.name} does not open.",
            remedy="Give the key and the conversation that it was stored with; if they are right, it was altered.",
        )
    return Vault(max_values=max_values, max_chars=max_chars, entries=_unpacked(body))


def _cipher(key: bytes) -> AESGCM:
    if len(key) != KEY_BYTES:
        raise GuardError("A vault's key has 32 bytes.", remedy="Make one with 'new_key'.")
    return AESGCM(key)


def _context(conversation: str) -> bytes:
    return _MAGIC + conversation.encode("utf-8", "surrogatepass")


def _opened(content: bytes, cipher: AESGCM, conversation: str) -> bytes | None:
    start = len(_MAGIC) + _NONCE_BYTES
    if not content.startswith(_MAGIC):
        return None
    try:
        return cipher.decrypt(content[len(_MAGIC) : start], content[start:], _context(conversation))
    except (InvalidTag, ValueError):
        return None


def _packed(entries: Entries) -> bytes:
    # Texts may hold lone surrogates, which are no UTF-8.
    return msgspec.msgpack.encode([(token, value.encode("utf-8", "surrogatepass")) for token, value in entries])


def _unpacked(body: bytes) -> Entries:
    entries = msgspec.msgpack.decode(body, type=list[tuple[str, bytes]])
    return tuple((token, value.decode("utf-8", "surrogatepass")) for token, value in entries)


def _read(path: Path) -> bytes:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb") as stream:
            mode = os.fstat(descriptor).st_mode
            content = stream.read(_MAX_BYTES + 1)
    except OSError as error:
        raise GuardError(f"The vault {path.name} cannot be read.", remedy="Check its path.") from error
    if not stat.S_ISREG(mode) or mode & 0o077:
        raise GuardError(f"The vault {path.name} is open to others.", remedy="Give it mode 0600.")
    if len(content) > _MAX_BYTES:
        raise GuardError(f"The vault {path.name} is too large.", remedy="Check that it is the right file.")
    return content
