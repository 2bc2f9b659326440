"""The statement inside a model signature: every file by digest (predicate model_signing/signature/v1.0).

The format leaves `.git`, `.gitattributes`, `.github` and `.gitignore` out of what is signed. Lockgate signs them too,
in a field of its own beside the standard ones (`lockgate.resources`), which readers of the standard must ignore. So
other tools verify what Lockgate signs, and Lockgate sees files that appear where they do not look.
"""

from hashlib import sha256
from pathlib import PurePosixPath
from typing import Annotated, Literal, cast

import msgspec
from msgspec import UNSET, Meta, UnsetType

from lockgate.evidence.errors import EvidenceError
from lockgate.evidence.predicates import MODEL_SIGNATURE, STATEMENT
from lockgate.evidence.signing import unique_json

GIT_PATHS = (".git", ".gitattributes", ".github", ".gitignore")
MAX_RESOURCES = 1_000_000
ROOT = "."
"""Name of the only resource where a single file was signed."""

Method = Literal["files", "shards"]
Algorithm = Literal["sha256", "blake2b"]


class Resource(msgspec.Struct, frozen=True, kw_only=True, order=True):
    """A file, or a piece of one, by digest.

    Attributes:
        name: Path below the signed folder in POSIX form; with `:start:end` behind it for a shard.
        digest: Lower-case hex digits.
        algorithm: Hash algorithm.
    """

    name: str
    digest: Annotated[str, Meta(pattern="^([0-9a-f]{64}|[0-9a-f]{128})$")]
    algorithm: str


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What a signature speaks for.

    Attributes:
        name: What the signer called it; informative.
        resources: The standard resources by name.
        beside: Resources that only Lockgate signs and checks: those under the standard's git paths.
        ignored: Paths that the signer left out, with all below them.
        closed: Whether Lockgate signed it, so that `beside` speaks for every git path that is not ignored.
        method: Whole files, or shards.
        algorithm: Hash algorithm of every resource.
        shard_size: Bytes of a shard; 0 for whole files.
    """

    name: str
    resources: dict[str, str]
    beside: dict[str, str]
    ignored: tuple[str, ...]
    closed: bool
    method: Method
    algorithm: Algorithm
    shard_size: int = 0


class _Serialization(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    method: str
    hash_type: str
    allow_symlinks: bool | UnsetType = UNSET
    # The reference tool writes whole numbers as floats here.
    shard_size: Annotated[float, Meta(ge=1, le=1 << 50)] | UnsetType = UNSET
    ignore_paths: tuple[str, ...] = ()


class _Ours(msgspec.Struct, frozen=True, kw_only=True):
    ignored: tuple[str, ...]
    resources: tuple[Resource, ...]


class _Predicate(msgspec.Struct, frozen=True, kw_only=True):
    serialization: _Serialization
    resources: tuple[Resource, ...]
    lockgate: _Ours | UnsetType = UNSET


class _Subject(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    digest: dict[str, str]


class _Statement(
    msgspec.Struct, frozen=True, kw_only=True, rename={"type": "_type", "predicate_type": "predicateType"}
):
    type: str
    subject: tuple[_Subject]
    predicate_type: str
    predicate: _Predicate


def under(path: str, folders: tuple[str, ...]) -> bool:
    """Whether `path` is one of `folders` or lies below one."""
    return any(path == folder or path.startswith(f"{folder}/") for folder in folders)


def file_of(name: str, shard_size: int) -> str:
    """The file that a resource is, or is a piece of."""
    return name.rsplit(":", 2)[0] if shard_size else name


def encode_manifest(manifest: Manifest, *, left_out: tuple[str, ...]) -> bytes:
    """Write the statement.

    Args:
        manifest: What is signed.
        left_out: Paths that readers of the standard must leave out.
    """
    resources = _listed(manifest.resources, manifest)
    predicate = _Predicate(
        serialization=_Serialization(
            method=manifest.method,
            hash_type=manifest.algorithm,
            allow_symlinks=False,
            shard_size=manifest.shard_size or UNSET,
            ignore_paths=left_out,
        ),
        resources=resources,
        lockgate=_Ours(ignored=manifest.ignored, resources=_listed(manifest.beside, manifest)),
    )
    subject = _Subject(name=manifest.name, digest={"sha256": _root_digest(resources)})
    return msgspec.json.encode(
        _Statement(type=STATEMENT, subject=(subject,), predicate_type=MODEL_SIGNATURE, predicate=predicate)
    )


def decode_manifest(payload: bytes) -> Manifest:
    """Read the statement of a signature that was verified.

    Raises:
        EvidenceError: It is no statement of this kind, contradicts itself, or uses a hash that Lockgate does not know.
    """
    try:
        found = msgspec.convert(unique_json.load(payload), _Statement)
    except (msgspec.ValidationError, ValueError, RecursionError) as error:
        raise EvidenceError("The signed statement is no model signature of version 1.0.") from error
    if found.type != STATEMENT or found.predicate_type != MODEL_SIGNATURE:
        raise EvidenceError("The signed statement is of another kind than model_signing/signature/v1.0.")
    serialization, listed = found.predicate.serialization, found.predicate.resources
    algorithm, method = serialization.hash_type, serialization.method
    if algorithm not in {"sha256", "blake2b"} or method not in {"files", "shards"}:
        raise EvidenceError(f"The signature hashes {method!r} with {algorithm!r}, which Lockgate does not do.")
    if found.subject[0].digest.get("sha256") != _root_digest(listed):
        raise EvidenceError("The signed statement contradicts itself: its digest is not that of the files it lists.")
    if (method == "shards") == (serialization.shard_size is UNSET):
        raise EvidenceError("The signed statement contradicts itself: shards without a size, or a size without shards.")
    ours = found.predicate.lockgate
    beside = () if ours is UNSET else ours.resources
    shard_size = 0 if serialization.shard_size is UNSET else int(serialization.shard_size)
    label = _label(algorithm, shard_size)
    return Manifest(
        name=found.subject[0].name,
        resources=_by_name(listed, label),
        beside=_by_name(beside, label),
        ignored=serialization.ignore_paths if ours is UNSET else ours.ignored,
        closed=ours is not UNSET,
        method=cast("Method", method),
        algorithm=cast("Algorithm", algorithm),
        shard_size=shard_size,
    )


def _label(algorithm: str, shard_size: int) -> str:
    return f"{algorithm}-sharded-{shard_size}" if shard_size else algorithm


def _listed(digests: dict[str, str], manifest: Manifest) -> tuple[Resource, ...]:
    label = _label(manifest.algorithm, manifest.shard_size)
    ordered = sorted(digests, key=lambda name: PurePosixPath(name).parts)
    return tuple(Resource(name=name, digest=digests[name], algorithm=label) for name in ordered)


def _root_digest(resources: tuple[Resource, ...]) -> str:
    hasher = sha256()
    for resource in resources:
        hasher.update(bytes.fromhex(resource.digest))
    return hasher.hexdigest()


def _by_name(resources: tuple[Resource, ...], label: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for resource in resources:
        if resource.name in found or str(PurePosixPath(resource.name)) != resource.name:
            raise EvidenceError("The signed statement lists a file twice or under an unusual name.")
        if resource.algorithm != label:
            raise EvidenceError("The signed statement mixes hash algorithms.")
        found[resource.name] = resource.digest
    return found
