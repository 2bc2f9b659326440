"""Opens where advisories come from: a zip archive, a folder, or an address. Nothing is unpacked to disk."""

import hashlib
import ipaddress
import os
import stat
import struct
import tempfile
import urllib.error
import urllib.request
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack
from http.client import HTTPException
from pathlib import Path, PurePosixPath
from typing import IO, BinaryIO, Protocol, cast
from urllib.parse import urlsplit

from lockgate.core.errors import CoreError
from lockgate.core.files import digest_stream, open_regular, read
from lockgate.core.strict_yaml import MAX_BYTES as MAX_YAML
from lockgate.supply.address import bare_url
from lockgate.supply.errors import SupplyError

MAX_DOWNLOAD = 4 << 30
MAX_MEMBERS = 2_000_000
MAX_MEMBER = 16 << 20
MAX_UNPACKED = 32 << 30
MAX_RATIO = 400
_SMALL = 64 << 10
_TIMEOUT_S = 60
_CHUNK = 1 << 20
_SUFFIXES = (".json", ".yaml", ".yml")
_ENCRYPTED = 0x1
# What zipfile raises on damaged bytes, beside its own error.
_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    NotImplementedError,
    RuntimeError,
    ValueError,
    EOFError,
    IndexError,
    OSError,
)
_METHODS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})

Item = tuple[str, bytes]


class Advisories(Protocol):
    """A set of advisory files that is read once.

    Attributes:
        label: Where it comes from, without anything secret.
        sha256: Digest of the archive, or of all names and digests of a folder; known when all was read.
    """

    label: str
    sha256: str

    def items(self) -> Iterator[Item]:
        """Name and bytes of every advisory file.

        Raises:
            SupplyError: The source is unsafe, damaged or too large.
        """
        ...


class ZipAdvisories:
    """Advisories in a zip archive, as OSV publishes them. Reads members in place; names are never used as paths."""

    def __init__(self, stream: BinaryIO, label: str) -> None:
        self.label = label
        self.sha256 = ""
        self._stream = stream

    def items(self) -> Iterator[Item]:
        """Name and bytes of every advisory file.

        Raises:
            SupplyError: The archive is damaged, or holds links, encrypted or duplicate members, or too much.
        """
        self._stream.seek(0)
        self.sha256 = digest_stream(self._stream)
        try:
            with zipfile.ZipFile(self._stream) as archive:
                yield from self._members(archive)
        except _DAMAGE as error:
            raise self._refused("it is damaged or no zip archive") from error

    def _members(self, archive: zipfile.ZipFile) -> Iterator[Item]:
        seen: set[str] = set()
        total = 0
        for count, info in enumerate(archive.infolist()):
            if info.filename.endswith("/"):
                continue
            total += info.file_size
            if count >= MAX_MEMBERS or total > MAX_UNPACKED:
                raise self._refused("it holds too much")
            if reason := _danger(info, seen):
                raise self._refused(reason)
            seen.add(info.filename)
            if info.filename.lower().endswith(_SUFFIXES):
                yield info.filename, self._body(archive, info)

    def _body(self, archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
        with archive.open(info) as member:
            body = member.read(info.file_size + 1)
        if len(body) != info.file_size:
            raise self._refused("a member is longer or shorter than it declares")
        return body

    def _refused(self, reason: str) -> SupplyError:
        remedy = "Fetch it again, or take another source."
        return SupplyError(f"{self.label} cannot be used as a source of advisories: {reason}.", remedy=remedy)


def _danger(info: zipfile.ZipInfo, seen: set[str]) -> str:
    path = PurePosixPath(info.filename)
    leads_out = path.is_absolute() or ".." in path.parts or "\\" in info.filename or not info.filename.isprintable()
    too_large = info.file_size > MAX_MEMBER or info.file_size > max(_SMALL, info.compress_size * MAX_RATIO)
    reasons = (
        (leads_out, "a member's name leads outside of it"),
        (info.filename in seen, "it holds two members of one name"),
        (info.flag_bits & _ENCRYPTED, "a member is encrypted"),
        (info.compress_type not in _METHODS, "a member is compressed in an unusual way"),
        (stat.S_IFMT(info.external_attr >> 16) not in {0, stat.S_IFREG}, "a member is a link or a device"),
        (too_large, "a member is too large"),
    )
    return next((reason for holds, reason in reasons if holds), "")


class FolderAdvisories:
    """Advisories as files below a folder, JSON or YAML, such as a checkout of an advisory database."""

    def __init__(self, folder: Path) -> None:
        self.label = folder.name or "folder"
        self.sha256 = ""
        self._folder = folder

    def items(self) -> Iterator[Item]:
        """Name and bytes of every advisory file.

        Raises:
            SupplyError: A file is a link, cannot be read, or is too large.
        """
        whole = hashlib.sha256()
        try:
            for uri in _files(self._folder):
                limit = MAX_MEMBER if uri.endswith(".json") else MAX_YAML
                content = read(self._folder, uri, limit=limit)
                whole.update(f"{uri}\x00{content.ref.sha256}\n".encode("utf-8", "surrogatepass"))
                yield uri, content.body
        except (CoreError, OSError) as error:
            raise SupplyError(f"{self.label}: {error}", remedy="Repair the folder, or take another source.") from error
        self.sha256 = whole.hexdigest()


def _files(folder: Path) -> Iterator[str]:
    def fail(error: OSError) -> None:
        raise error

    count = 0
    for here, subfolders, names in os.walk(folder, onerror=fail):
        # Folders such as .git and .github hold no advisories.
        subfolders[:] = sorted(name for name in subfolders if not name.startswith("."))
        for name in sorted(names):
            if name.lower().endswith(_SUFFIXES) and not name.startswith("."):
                count += 1
                if count > MAX_MEMBERS:
                    raise CoreError("it holds too many files.")
                yield (Path(here) / name).relative_to(folder).as_posix()


def open_source(source: str, stack: ExitStack) -> Advisories:
    """Open a source of advisories.

    Args:
        source: A zip archive, a folder, or an https address of a zip archive. Plain http is for this machine alone.
        stack: Closes what was opened.

    Raises:
        SupplyError: It is none of these, or cannot be fetched.
    """
    if "://" in source:
        return ZipAdvisories(_fetched(source, stack), bare_url(source) or "address")
    path = Path(source)
    if path.is_dir():
        return FolderAdvisories(path.resolve())
    absolute = path.absolute()
    try:
        stream = stack.enter_context(open_regular(absolute.parent, absolute.name))
    except CoreError as error:
        raise SupplyError(error.message, remedy="Name a zip archive or folder of advisories.") from error
    return ZipAdvisories(stream, path.name)


def _fetched(url: str, stack: ExitStack) -> BinaryIO:
    _require_safe(url)
    stream = cast("BinaryIO", stack.enter_context(tempfile.TemporaryFile()))  # noqa: SIM115 - the stack closes it
    opener = urllib.request.build_opener(_SafeRedirects)
    size = 0
    try:
        with opener.open(url, timeout=_TIMEOUT_S) as response:
            while chunk := response.read(_CHUNK):
                size += len(chunk)
                if size > MAX_DOWNLOAD:
                    raise SupplyError("The download is larger than 4 GiB.", remedy="Take another source.")
                stream.write(chunk)
    except (urllib.error.URLError, HTTPException, TimeoutError, OSError, ValueError) as error:
        remedy = "Check the address and the network, or use --from with a file."
        raise SupplyError(f"{bare_url(url)} could not be fetched ({type(error).__name__}).", remedy=remedy) from error
    return stream


class _SafeRedirects(urllib.request.HTTPRedirectHandler):
    """Follows a redirect only to where a download may start."""

    def redirect_request(  # noqa: PLR0917 - the signature of urllib
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: object, newurl: str
    ) -> urllib.request.Request | None:
        _require_safe(newurl)
        return super().redirect_request(req, fp, code, msg, headers, newurl)  # pyright: ignore[reportArgumentType] - passed through as it came


def _require_safe(url: str) -> None:
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        host, parts = "", urlsplit("")
    if host and (parts.scheme == "https" or (parts.scheme == "http" and _is_this_machine(host))):
        return
    raise SupplyError(
        "Advisories are fetched over https alone.", remedy="Use an https address, or --from with a file or folder."
    )


def _is_this_machine(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
