"""Keys and certificates of upstreams: read from where whoever gets the project does not get them."""

import os
import ssl
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from lockgate.core.config_upstreams import TlsConfig
from lockgate.core.files import named_path
from lockgate.gateway.errors import GatewayError
from lockgate.gateway.upstreams.addresses import is_loopback

Resolve = Callable[[str], str]


class KeyPlaces(Protocol):
    """Settings that say where a key lies; all of them empty for none."""

    @property
    def api_key_env(self) -> str:
        """An environment variable."""
        ...

    @property
    def api_key_file(self) -> str:
        """A file outside the project."""
        ...

    @property
    def api_key_ref(self) -> str:
        """A reference to a secret store."""
        ...


def read_api_key(upstream: KeyPlaces, *, project_root: Path, resolve: Resolve | None = None) -> str:
    """The key of an upstream from a secret store, the environment or a file outside the project; empty for none.

    Args:
        upstream: Its settings.
        project_root: Where relative paths start, and where no key may lie.
        resolve: Looks a reference up in a secret store.

    Raises:
        GatewayError: Two places are named, the variable is not set, the file is inside the project, open to others, or
            cannot be read, no secret store is at hand, or what lies there is no key that a header could carry.
    """
    if sum(map(bool, (upstream.api_key_env, upstream.api_key_file, upstream.api_key_ref))) > 1:
        raise GatewayError("An upstream names two places for its API key.", remedy="Keep one of them.")
    if upstream.api_key_ref:
        if resolve is None:
            raise GatewayError(
                "api_key_ref is set, and no secret store is configured.", remedy="Configure one, or use api_key_file."
            )
        return sendable(resolve(upstream.api_key_ref), upstream.api_key_ref)
    if upstream.api_key_env:
        if key := os.environ.get(upstream.api_key_env, "").strip():
            return sendable(key, upstream.api_key_env)
        raise GatewayError(f"{upstream.api_key_env} is not set.", remedy="Set it to the upstream's API key.")
    if not upstream.api_key_file:
        return ""
    path = _private(upstream.api_key_file, project_root, what="key file")
    try:
        text = path.read_text(encoding="ascii")
    except (OSError, ValueError) as error:
        raise _unreadable(path, "key file") from error
    return sendable(text.strip(), f"key file {path}")


def sendable(key: str, source: str) -> str:
    """A key that a header can carry.

    Args:
        key: The key.
        source: Where it came from, for the message.

    Raises:
        GatewayError: It is empty, more than one line, or not ASCII.
    """
    if not key or not key.isascii() or not key.isprintable():
        raise GatewayError(
            f"The upstream's API key in {source} is empty, more than one line, or not ASCII.", remedy="Store it again."
        )
    return key


def tls_context(tls: TlsConfig, url: str, *, project_root: Path) -> ssl.SSLContext | None:
    """How to recognise an `https` upstream; None for `http`.

    Raises:
        GatewayError: A file cannot be used, or verification is switched off for an address that is not loopback.
    """
    if not tls.verify and not is_loopback(url):
        raise GatewayError(
            "tls.verify can be switched off for a loopback address only.",
            remedy="Name the authority that signed the upstream's certificate in tls.ca_file.",
        )
    if not url.startswith("https://"):
        return None
    try:
        context = ssl.create_default_context(cafile=_place(tls.ca_file, project_root) if tls.ca_file else None)
        if tls.certificate:
            holds_key = tls.key or tls.certificate
            key = _private(holds_key, project_root, what="TLS key")
            context.load_cert_chain(_place(tls.certificate, project_root), key)
    except (OSError, ssl.SSLError) as error:
        raise GatewayError(
            f"A certificate or TLS key of an upstream cannot be used: {error.strerror or type(error).__name__}.",
            remedy="Check tls.ca_file, tls.certificate and tls.key: PEM files, the key without a passphrase.",
        ) from error
    if not tls.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _place(name: str, project_root: Path) -> Path:
    return named_path(project_root, name).resolve()


def _private(name: str, project_root: Path, *, what: str) -> Path:
    path = _place(name, project_root)
    if path.is_relative_to(project_root.resolve()):
        raise GatewayError(
            f"The upstream's {what} {path.name} lies inside the project.",
            remedy="Keep it outside: whoever gets the project must not get the key.",
        )
    try:
        mode = path.stat().st_mode
    except OSError as error:
        raise _unreadable(path, what) from error
    if not stat.S_ISREG(mode) or mode & 0o077:
        raise GatewayError(f"The upstream's {what} {path} is open to others.", remedy=f"Run: chmod 600 {path}")
    return path


def _unreadable(path: Path, what: str) -> GatewayError:
    return GatewayError(f"The upstream's {what} {path} cannot be read.", remedy="Check its path.")
