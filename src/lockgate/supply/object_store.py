"""Brings the objects of an S3 bucket to this machine, so that they are examined like files."""

import re
import shutil
import tempfile
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any, Protocol, cast

import msgspec

from lockgate.core import aws
from lockgate.core.files import MAX_FILES
from lockgate.supply.errors import SupplyError
from lockgate.supply.listing import Entry

SCHEME = "s3://"
MAX_NAME = 255
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_CHUNK = 1 << 20
_LEFT_FREE = 1 << 30

Progress = Callable[[int, int, str], None]


class _Client(Protocol):
    """The part of boto3's client that is used here (boto3.amazonaws.com/v1/documentation/api/latest)."""

    def get_paginator(self, name: str) -> Any: ...

    def get_object(self, **options: str) -> dict[str, Any]: ...


class _Object(msgspec.Struct, frozen=True):
    key: str
    size: int
    etag: str


@contextmanager
def fetched(address: str, progress: Progress) -> Generator[tuple[Entry, ...]]:
    """Download every object at an address or below it; it is gone when the context ends.

    Args:
        address: `s3://BUCKET` or `s3://BUCKET/PREFIX`. A prefix is one object, or a folder as a slash ends it.
        progress: Called with the number of objects done, their number, and the one that is fetched.

    Yields:
        One entry for every object. One that cannot be fetched whole says why.

    Raises:
        ConfigError: boto3 is missing, or the environment makes no client.
        SupplyError: The address is none, the bucket cannot be listed, it holds nothing there, or more than this machine
            has room for.
    """
    bucket, prefix = _parse(address)
    client, errors = aws.connect("s3", purpose="Reading from S3", extra="s3")
    try:
        objects = list(_listed(client, bucket, prefix))
    except errors as error:
        remedy = "Check the address, the credentials and the endpoint (the usual AWS_* variables)."
        raise SupplyError(f"{address} cannot be listed: {aws.reason(error)}.", remedy=remedy) from error
    if not objects:
        remedy = "Check the prefix; it ends at a slash or is a whole key."
        raise SupplyError(f"{address} holds no object.", remedy=remedy)
    with tempfile.TemporaryDirectory(prefix="lockgate-") as name:
        folder = Path(name)
        _require_room(address, objects, folder)
        entries: list[Entry] = []
        for done, item in enumerate(objects):
            shown = _shown(bucket, item.key)
            progress(done, len(objects), shown)
            entries.append(_fetch(client, bucket, item, folder, errors))
        yield tuple(entries)


def _parse(address: str) -> tuple[str, str]:
    bucket, _, prefix = address.removeprefix(SCHEME).partition("/")
    if not _BUCKET.fullmatch(bucket):
        raise SupplyError(f"{address} names no bucket.", remedy="Write s3://BUCKET/PREFIX.")
    return bucket, prefix


def _listed(client: _Client, bucket: str, prefix: str) -> Iterator[_Object]:
    count = 0
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        for item in cast("Iterable[dict[str, Any]]", page.get("Contents", ())):
            key = str(item["Key"])
            # What a store calls a prefix is the beginning of a name: `models` is also that of `models-old/x`.
            if prefix and not prefix.endswith("/") and key != prefix and not key.startswith(f"{prefix}/"):
                continue
            if key.endswith("/") and not item["Size"]:
                continue
            count += 1
            if count > MAX_FILES:
                remedy = "Name smaller prefixes."
                raise SupplyError(f"{SCHEME}{bucket} holds more than {MAX_FILES:,} objects there.", remedy=remedy)
            yield _Object(key, int(item["Size"]), str(item["ETag"]))


def _require_room(address: str, objects: Iterable[_Object], folder: Path) -> None:
    needed, free = sum(item.size for item in objects), shutil.disk_usage(folder).free - _LEFT_FREE
    if needed > free:
        remedy = "Name a smaller prefix, or set TMPDIR to a place with more room."
        raise SupplyError(f"{address} holds {needed:,} bytes; {max(free, 0):,} can be kept here.", remedy=remedy)


def _fetch(client: _Client, bucket: str, item: _Object, folder: Path, errors: tuple[type[Exception], ...]) -> Entry:
    shown = _shown(bucket, item.key)
    if not _is_path(item.key):
        return Entry(shown, folder, unreadable="Its key cannot be the path of a file.")
    path = folder / item.key
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Another object under the same key since it was listed is refused by the store.
        body = client.get_object(Bucket=bucket, Key=item.key, IfMatch=item.etag)["Body"]
        written = 0
        with path.open("xb") as stream:
            for part in body.iter_chunks(_CHUNK):
                written += len(part)
                if written > item.size:
                    break
                stream.write(part)
    except errors as error:
        path.unlink(missing_ok=True) if path.is_file() else None
        return Entry(shown, folder, unreadable=f"It cannot be fetched: {aws.reason(error)}.")
    if written != item.size:
        return Entry(shown, folder, unreadable="Its size is not the one that the store states.")
    return Entry(shown, folder, item.key)


def _is_path(key: str) -> bool:
    parts = key.split("/")
    return (
        key.isprintable()
        and PurePosixPath(key).as_posix() == key
        and not {"", ".", ".."} & set(parts)
        and all(len(part.encode("utf-8", "surrogatepass")) <= MAX_NAME for part in parts)
    )


def _shown(bucket: str, key: str) -> str:
    return f"{SCHEME}{bucket}/{key if key.isprintable() else ascii(key)[1:-1]}"
