"""Keys on a token that speaks PKCS #11: a smart card, a security key, a hardware security module.

Source: RFC 7512 (how such a key is named) and PKCS #11 v3.1 (CKM_ECDSA over a digest). The token is asked for the
public half and for signatures over digests, for nothing else.
"""

import hashlib
import importlib
import os
import re
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, NamedTuple, Self
from urllib.parse import unquote, unquote_to_bytes

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import load_der_public_key

from lockgate.core.errors import ConfigError
from lockgate.evidence.errors import EvidenceError
from lockgate.evidence.keys import VerifyKey

SCHEME = "pkcs11:"
MODULE_VARIABLE = "LOCKGATE_PKCS11_MODULE"
PIN_VARIABLE = "LOCKGATE_PKCS11_PIN"
_EXAMPLE = f"{SCHEME}token=NAME;object=LABEL"
_REMEDY = f"Check the token, the key's label and the PIN in {PIN_VARIABLE}."
_PART = re.compile(r"(?P<name>[a-z-]{1,32})=(?P<value>[A-Za-z0-9\-._~%:\[\]@!$'()*+,=&/ ]{1,512})")
_KNOWN = frozenset({"token", "serial", "object", "id", "type", "module-path", "pin-source"})
_HALF = 32
_MAX_PIN = 1024


class _Place(NamedTuple):
    """What a name says: which token and key, which library reads it, and which file holds the PIN."""

    token: dict[str, Any]
    key: dict[str, Any]
    module: str
    pin_file: str


def is_token(name: str | Path) -> bool:
    """Whether a key's name says that a token keeps it."""
    return str(name).startswith(SCHEME)


class TokenKey:
    """An ECDSA P-256 key on a token. Its private half never leaves it.

    Attributes:
        public: The public half, as the token gave it.
    """

    __slots__ = ("_library", "_name", "_pin", "_pkcs11", "_place", "public")

    def __init__(self, name: str, place: _Place, library: Any, pkcs11: Any) -> None:
        self._name, self._place, self._library, self._pkcs11 = name, place, library, pkcs11
        self._pin = _pin(place)
        try:
            with self._session() as session:
                found = session.get_key(object_class=pkcs11.ObjectClass.PUBLIC_KEY, **place.key)
                encoded = bytes(pkcs11.util.ec.encode_ec_public_key(found))
        except (pkcs11.PKCS11Error, ValueError, KeyError) as error:
            message = f"{name} cannot be used: {_reason(error)}."
            raise EvidenceError(message, remedy=_REMEDY) from error
        self.public = _public(name, encoded)

    @classmethod
    def named(cls, name: str) -> Self:
        """The key of a name.

        Args:
            name: A URI as RFC 7512 has them: `pkcs11:` and, parted by `;`, `token` or `serial`, and `object` or `id`;
                behind `?`, parted by `&`, perhaps `module-path` and `pin-source`. The library may also stand in
                LOCKGATE_PKCS11_MODULE, the PIN in LOCKGATE_PKCS11_PIN; never in the name, which others can see.

        Raises:
            ConfigError: python-pkcs11 is not installed, or no library is named or it cannot be loaded.
            EvidenceError: The name is none, or the token refuses or holds no such key.
        """
        place = _place(name)
        try:
            pkcs11: Any = importlib.import_module("pkcs11")
        except ImportError as error:
            message = "Signing with a token needs python-pkcs11, which is not installed."
            raise ConfigError(message, remedy="pip install 'lockgate[pkcs11]'.") from error
        module = place.module or os.environ.get(MODULE_VARIABLE, "")
        if not module:
            remedy = f"Set {MODULE_VARIABLE} to the token maker's library, or add ?module-path=FILE to the name."
            raise ConfigError("No library is named that speaks to the token.", remedy=remedy)
        try:
            library: Any = pkcs11.lib(module)
        except (pkcs11.PKCS11Error, RuntimeError, OSError) as error:
            raise ConfigError(f"The library {module} cannot be loaded.", remedy="Correct its path.") from error
        return cls(name, place, library, pkcs11)

    def sign(self, payload: bytes) -> bytes:
        """ECDSA-SHA256 over `payload`, DER encoded. Only its digest reaches the token.

        Raises:
            EvidenceError: The token refuses, or what it answers is no signature of this key.
        """
        pkcs11 = self._pkcs11
        try:
            with self._session() as session:
                key = session.get_key(object_class=pkcs11.ObjectClass.PRIVATE_KEY, **self._place.key)
                raw = bytes(key.sign(hashlib.sha256(payload).digest(), mechanism=pkcs11.Mechanism.ECDSA))
        except pkcs11.PKCS11Error as error:
            raise EvidenceError(f"{self._name} did not sign: {_reason(error)}.", remedy=_REMEDY) from error
        signature = encode_dss_signature(int.from_bytes(raw[:_HALF]), int.from_bytes(raw[_HALF:]))
        if not self.public.verify(signature, payload):
            raise EvidenceError(f"{self._name} gave a signature that is not that key's, so nothing was signed.")
        return signature

    def _session(self) -> "AbstractContextManager[Any]":
        return self._library.get_token(**self._place.token).open(user_pin=self._pin)


def _place(name: str) -> _Place:
    path, _, query = name.removeprefix(SCHEME).partition("?")
    values: dict[str, str] = {}
    for part in (*path.split(";"), *(query.split("&") if query else ())):
        match = _PART.fullmatch(part)
        if match is None or match["name"] in values or match["name"] not in _KNOWN:
            remedy = f"Write {_EXAMPLE}; the PIN belongs into {PIN_VARIABLE} or a file that pin-source names."
            raise EvidenceError("The key's name is none of a PKCS #11 token.", remedy=remedy)
        values[match["name"]] = match["value"]
    token = {"token_label": unquote(values["token"])} if "token" in values else {}
    token |= {"token_serial": unquote_to_bytes(values["serial"])} if "serial" in values else {}
    key: dict[str, Any] = {"label": unquote(values["object"])} if "object" in values else {}
    key |= {"id": unquote_to_bytes(values["id"])} if "id" in values else {}
    if not token or not key:
        raise EvidenceError("The key's name leaves open which token or which key.", remedy=f"Write {_EXAMPLE}.")
    pin_file = unquote(values.get("pin-source", "")).removeprefix("file:")
    return _Place(token, key, unquote(values.get("module-path", "")), pin_file)


def _pin(place: _Place) -> str | None:
    if not place.pin_file:
        return os.environ.get(PIN_VARIABLE)
    try:
        with Path(place.pin_file).open(encoding="utf-8") as stream:
            return stream.read(_MAX_PIN).rstrip("\n")
    except (OSError, ValueError) as error:
        raise EvidenceError("The file that pin-source names cannot be read.", remedy="Correct its path.") from error


def _reason(error: Exception) -> str:
    """What the token answered, in words: `PinIncorrect` is "pin incorrect"."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", type(error).__name__).lower()


def _public(name: str, encoded: bytes) -> VerifyKey:
    try:
        key = load_der_public_key(encoded)
    except (ValueError, UnsupportedAlgorithm):
        key = None
    if isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1):
        return VerifyKey.of(key)
    remedy = "Create one on the token, with OpenSC: pkcs11-tool --keypairgen --key-type EC:prime256v1 --label NAME"
    raise EvidenceError(f"{name} is no ECDSA P-256 key.", remedy=remedy)
