"""Whose API key is this: the keys of a project, read again whenever their file changes."""

import hmac
import logging
import os
import time
from pathlib import Path
from time import monotonic
from typing import Protocol, Self

from lockgate.core.project import Project
from lockgate.gateway.auth.api_key import ApiKey, key_mac, new_secret
from lockgate.gateway.auth.key_file import STORE_NAME, load, unusable
from lockgate.gateway.auth.pepper import read_pepper
from lockgate.gateway.auth.refusal import Reason, Refusal
from lockgate.gateway.caller import Caller
from lockgate.gateway.errors import GatewayError

_log = logging.getLogger(__name__)


class Verifier(Protocol):
    """Tells whose key it is."""

    @property
    def healthy(self) -> bool:
        """Whether keys can be told at all."""
        ...

    def verify(self, key: str) -> str | None:
        """The public id of a valid key, or None."""
        ...

    def caller(self, key: str) -> Caller | Refusal:
        """Who a valid key belongs to, or why it is refused."""
        ...


class EphemeralKey:
    """One key that lives as long as this object, for a gateway that runs inside another program.

    Attributes:
        secret: The key.
    """

    def __init__(self, name: str, *, tenant: str = "", scopes: frozenset[str] = frozenset()) -> None:
        self._caller = Caller(name, tenant, scopes, name)
        self.secret = new_secret()

    @property
    def healthy(self) -> bool:
        """Always: there is nothing to read."""
        return True

    def verify(self, key: str) -> str | None:
        """The name given at construction when it is this key, else None."""
        found = self.caller(key)
        return found.key_id if isinstance(found, Caller) else None

    def caller(self, key: str) -> Caller | Refusal:
        """The caller given at construction when it is this key."""
        ours = hmac.compare_digest(key.encode("utf-8", "surrogatepass"), self.secret.encode())
        return self._caller if ours else Refusal(Reason.UNKNOWN_KEY)


class KeyStore:
    """The keys of one project, read again whenever their file changes.

    A key whose row was not sealed under this pepper, because somebody edited it or because it belongs to another
    machine, is nobody's. A file that cannot be read lets nobody in.

    Args:
        path: The file of keys.
        pepper: Under which they are hashed and sealed.
        look_every_s: Seconds between two looks at the file; a revoked key may count for so long.
    """

    def __init__(self, path: Path, pepper: bytes, *, look_every_s: float = 0.0) -> None:
        self._path = path
        self._look_every_s = look_every_s
        self._look_at = 0.0
        self._place = str(path)
        self._pepper = pepper
        self._seen: tuple[int, int, int, int] | None = None
        self._keys: dict[str, tuple[ApiKey, float, Caller]] = {}
        self._complained = False

    @classmethod
    def open(cls, project: Project) -> Self:
        """Open the keys of `project`; without any, every caller is refused.

        Raises:
            GatewayError: The pepper cannot be read or is open to others.
        """
        return cls(project.state / STORE_NAME, read_pepper(project))

    @property
    def healthy(self) -> bool:
        """Whether the file of keys can be read."""
        try:
            self._reload()
        except GatewayError as error:
            self._complain(error)
            return False
        return True

    def verify(self, key: str) -> str | None:
        """The public id of a valid key, or None.

        Raises:
            GatewayError: The file of keys is damaged.
        """
        found = self._find(key)
        return found.key_id if isinstance(found, Caller) else None

    def caller(self, key: str) -> Caller | Refusal:
        """Who a valid key belongs to, or why it is refused; a damaged file refuses everybody."""
        try:
            return self._find(key)
        except GatewayError as error:
            self._complain(error)
            return Refusal(Reason.KEYS_UNAVAILABLE)

    def _find(self, key: str) -> Caller | Refusal:
        self._reload()
        mac = key_mac(self._pepper, key)
        # How long the look-up takes says something about MACs only, which nobody can choose without the pepper.
        found = self._keys.get(mac)
        if found is None or not hmac.compare_digest(found[0].mac, mac):
            return Refusal(Reason.UNKNOWN_KEY)
        row, ends_at, caller = found
        if row.revoked is not None:
            return Refusal(Reason.REVOKED)
        return caller if time.time() < ends_at else Refusal(Reason.EXPIRED)

    def _complain(self, error: GatewayError) -> None:
        """Say it once, and not for every caller who is refused meanwhile."""
        if not self._complained:
            self._complained = True
            _log.error("API keys cannot be verified, and nobody who has one is let in: %s", error)

    def _reload(self) -> None:
        now = monotonic()
        if now < self._look_at:
            return
        try:
            status = os.stat(self._place)  # noqa: PTH116 - every request asks, and a Path takes twice as long
        except FileNotFoundError:
            self._seen, self._keys, self._complained = None, {}, False
            return
        except OSError as error:
            raise unusable(self._path, error) from error
        # A write always renames a new file into place, and every change makes it longer.
        seen = (status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino)
        if seen != self._seen:
            keys = load(self._path)
            self._keys = {key.mac: (key, key.ends_at(), _caller(key)) for key in keys if key.seal_holds(self._pepper)}
            self._seen = seen
        self._complained = False
        # Only after a look that went well: while the file is damaged, everybody is refused.
        self._look_at = now + self._look_every_s


def _caller(key: ApiKey) -> Caller:
    return Caller(key.id, key.tenant or "", frozenset(key.scopes), key.name)
