"""Whom Sigstore's signatures rest on: authorities, transparency logs and time stampers, from one file.

The file is a trusted root, or a client trust configuration that holds one, as github.com/sigstore/protobuf-specs has
them. Nothing is asked over the network, and nothing is taken from a cache that a download filled.
"""

import hashlib
import importlib
import json
import tempfile
from importlib import resources
from pathlib import Path
from types import ModuleType
from typing import Any, Self, cast

import msgspec

from lockgate.core.errors import ConfigError
from lockgate.evidence.errors import EvidenceError
from lockgate.evidence.signing import unique_json

MAX_TRUST_ROOT = 4 << 20


class _LogId(msgspec.Struct, rename="camel"):
    key_id: bytes  # base64, which the library has read before


class _Log(msgspec.Struct, rename="camel"):
    log_id: _LogId
    checkpoint_key_id: _LogId | None = None


class _Logs(msgspec.Struct):
    tlogs: tuple[_Log, ...]


_PUBLIC = ("https%3A%2F%2Ftuf-repo-cdn.sigstore.dev", "trusted_root.json")
_REMEDY = "Name a trusted_root.json, or the trust configuration that the Sigstore instance publishes."


def library(name: str) -> ModuleType:
    """A module of the package sigstore.

    Raises:
        ConfigError: It is not installed.
    """
    try:
        return importlib.import_module(name)
    except ImportError as error:
        message = "Signatures through Sigstore need the package sigstore, which is not installed."
        raise ConfigError(message, remedy="pip install 'lockgate[sigstore]'.") from error


class TrustRoot:
    """The authorities and logs of one Sigstore instance.

    Attributes:
        name: What to call it in a sentence.
        inner: The same as the library's `TrustedRoot`.
        logs: Key ids of its transparency logs.
        sha256: Digest of the file, 64 hex digits.
    """

    __slots__ = ("inner", "logs", "name", "sha256")

    def __init__(self, name: str, body: bytes) -> None:
        found = unique_json.load(body)
        whole = cast("dict[str, object]", found) if isinstance(found, dict) else {}
        tree = whole.get("trustedRoot", whole)
        self.name, self.inner, self.logs = name, _loaded(tree), _logs(tree)
        self.sha256 = hashlib.sha256(body).hexdigest()

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read the file.

        Raises:
            ConfigError: The package sigstore is not installed.
            EvidenceError: It cannot be read, or is no trust root.
        """
        try:
            with path.open("rb") as stream:
                body = stream.read(MAX_TRUST_ROOT + 1)
        except OSError as error:
            why = (error.strerror or "input/output error").lower()
            raise EvidenceError(f"The trust root {path} cannot be read: {why}.", remedy=_REMEDY) from error
        return cls.parse(body, name=path.name)

    @classmethod
    def parse(cls, body: bytes, *, name: str) -> Self:
        """Understand a file's content.

        Args:
            body: The content.
            name: What to call it in a sentence.

        Raises:
            ConfigError: The package sigstore is not installed.
            EvidenceError: It is too large, or no trust root.
        """
        library("sigstore.models")
        if len(body) > MAX_TRUST_ROOT:
            raise EvidenceError(f"{name} is too large to be a trust root.", remedy=_REMEDY)
        try:
            return cls(name, body)
        except Exception as error:  # whatever the library trips over
            raise EvidenceError(f"{name} is no trust root of Sigstore.", remedy=_REMEDY) from error

    @classmethod
    def public(cls) -> Self:
        """The public instance, sigstore.dev, as the installed package sigstore knows it.

        Raises:
            ConfigError: The package is not installed, or does not bring it.
        """
        library("sigstore.models")
        try:
            return cls("sigstore.dev", resources.files("sigstore._store").joinpath(*_PUBLIC).read_bytes())
        except Exception as error:
            message = "The installed package sigstore brings no trust root of sigstore.dev that can be read."
            raise ConfigError(message, remedy="Name one with --trust-root FILE.") from error


def _loaded(tree: object) -> Any:
    # The library reads a trusted root from a path only.
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", suffix=".json") as stream:
        json.dump(tree, stream)
        stream.flush()
        inner = library("sigstore.models").TrustedRoot.from_file(stream.name)
    # It also looks whether authorities and logs are there, which is better said now than at a signature.
    library("sigstore.verify").Verifier(trusted_root=inner)
    return inner


def _logs(tree: object) -> frozenset[bytes]:
    logs = msgspec.convert(tree, _Logs).tlogs
    return frozenset(found.key_id for log in logs for found in (log.log_id, log.checkpoint_key_id) if found)
