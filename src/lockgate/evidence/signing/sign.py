"""Signing a folder or a file: a model, a data set, prompts, anything that consists of files."""

from collections.abc import Callable, Iterable
from pathlib import Path

from lockgate.evidence.errors import EvidenceError
from lockgate.evidence.keys import Signer
from lockgate.evidence.signing.bundle import write_bundle
from lockgate.evidence.signing.hashing import Hashed, hash_path
from lockgate.evidence.signing.identity import Who
from lockgate.evidence.signing.statement import GIT_PATHS, Manifest, encode_manifest, file_of, under


class KeySigner:
    """Signs with a bare key.

    Attributes:
        who: Its id.
    """

    def __init__(self, key: Signer) -> None:
        self.who, self._key = Who(keyid=key.public.keyid), key

    def seal(self, payload: bytes) -> bytes:
        """Sign a statement and give the bundle."""
        return write_bundle(payload, self._key)


def sign_path(
    path: Path, key: Signer, *, signature: Path, ignore: Iterable[str] = (), shard_size: int = 0
) -> tuple[bytes, Hashed]:
    """Hash everything at `path` and sign the list with a bare key. As `seal_path` otherwise."""
    return seal_path(path, KeySigner(key).seal, signature=signature, ignore=ignore, shard_size=shard_size)


def seal_path(
    path: Path, seal: Callable[[bytes], bytes], *, signature: Path, ignore: Iterable[str] = (), shard_size: int = 0
) -> tuple[bytes, Hashed]:
    """Hash everything at `path` and sign the list.

    Args:
        path: A folder, or a single file.
        seal: Signs the statement and gives the bundle.
        signature: Where the signature will lie; inside the folder it is left out.
        ignore: Paths below the folder that are not signed, with all below them. The signature says so.
        shard_size: Bytes of a shard, so that one large file is hashed by several threads; 0 to hash whole files.

    Returns:
        The signature file's content, and what was hashed.

    Raises:
        EvidenceError: There is nothing to sign, or something there cannot be hashed (a link, a device, no permission).
    """
    base = path.resolve()
    if signature.resolve() == base:
        raise EvidenceError("The signature would replace what it signs.", remedy="Choose another file with --out.")
    own = (signature.resolve().relative_to(base).as_posix(),) if signature.resolve().is_relative_to(base) else ()
    chosen = tuple(sorted({item.strip("/") for item in ignore}))
    found = hash_path(path, leave_out=(*own, *chosen), shard_size=shard_size)
    for reason in found.unreadable.values():
        raise EvidenceError(reason, remedy="Remove it, or leave it out with --ignore; the signature will say so.")
    if not found.digests:
        raise EvidenceError(f"{path} holds no file, so there is nothing to sign.")
    beside = {name: digest for name, digest in found.digests.items() if under(file_of(name, shard_size), GIT_PATHS)}
    manifest = Manifest(
        name=base.name or "model",
        resources={name: digest for name, digest in found.digests.items() if name not in beside},
        beside=beside,
        ignored=chosen,
        closed=True,
        method="shards" if shard_size else "files",
        algorithm="sha256",
        shard_size=shard_size,
    )
    left_out = tuple(dict.fromkeys((*GIT_PATHS, *own, *chosen)))
    return seal(encode_manifest(manifest, left_out=left_out)), found
