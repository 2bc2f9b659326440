"""Signing through Sigstore: an identity token buys a certificate for a key of minutes, and a log writes down its use.

The package sigstore talks to the instance's servers. The token goes to its authority and nowhere else: no message, no
report and no file of Lockgate's holds it.
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

from lockgate.core.errors import ConfigError
from lockgate.evidence.errors import EvidenceError
from lockgate.evidence.signing.bundle import read_bundle
from lockgate.evidence.signing.identity import Who
from lockgate.evidence.signing.keyless import checked
from lockgate.evidence.signing.trust_root import MAX_TRUST_ROOT, TrustRoot, library

TOKEN_VARIABLE = "SIGSTORE_ID_TOKEN"  # noqa: S105 - the name of a variable
_MAX_TOKEN = 65_536
_MAX_REASON = 200
_NO_TOKEN = (
    f"Give it in a file with --identity-token FILE or in {TOKEN_VARIABLE}, or sign where the surroundings offer one "
    "(GitHub Actions with 'id-token: write', GitLab, Google Cloud, Buildkite, CircleCI)."
)


def read_token(path: Path | None) -> str:
    """The identity token: from a file, from SIGSTORE_ID_TOKEN, or from the CI service or cloud that this runs on.

    Raises:
        ConfigError: There is none, it cannot be read, or the package sigstore is not installed.
    """
    if path is not None:
        try:
            with path.open("rb") as stream:
                body = stream.read(_MAX_TOKEN + 1)
        except OSError as error:
            why = (error.strerror or "input/output error").lower()
            raise ConfigError(f"The identity token {path} cannot be read: {why}.", remedy=_NO_TOKEN) from error
        token = body.decode("ascii", "replace").strip()
        if not token or len(body) > _MAX_TOKEN:
            raise ConfigError(f"{path} holds no identity token.", remedy=_NO_TOKEN)
        return token
    if token := os.environ.get(TOKEN_VARIABLE, "").strip():
        return token
    oidc: Any = library("sigstore.oidc")
    try:
        found = oidc.detect_credential()
    except oidc.IdentityError as error:
        raise ConfigError("The surroundings offer an identity token and do not give it.", remedy=_NO_TOKEN) from error
    if not found:
        raise ConfigError("There is no identity token to sign with.", remedy=_NO_TOKEN)
    return str(found)


class KeylessSigner:
    """Signs statements in the name that a token proves, at one Sigstore instance.

    Attributes:
        who: Who has signed, as the certificate says; nobody before.
    """

    def __init__(self, config: Any, root: TrustRoot, token: Callable[[], str]) -> None:
        self.who = Who()
        self._config, self._root, self._token = config, root, token

    @classmethod
    def at(cls, config: Path | None, token: Callable[[], str]) -> Self:
        """Sign at the instance of a client trust configuration; without one at sigstore.dev.

        Args:
            config: The file.
            token: Gives the identity token. It is asked for one now, so that a missing one is said before anything is
                hashed, and again when it is needed, as tokens live for minutes.

        Raises:
            ConfigError: There is no token, the package sigstore is not installed, or sigstore.dev does not answer.
            EvidenceError: The file cannot be read, or is none.
        """
        models: Any = library("sigstore.models")
        token()
        if config is None:
            try:
                found = models.ClientTrustConfig.production()
                return cls(found, TrustRoot.public(), token)
            except Exception as error:
                message = f"sigstore.dev does not give its trust configuration: {type(error).__name__}."
                raise ConfigError(message, remedy="Try again, or name one with --trust-config FILE.") from error
        root = TrustRoot.read(config)
        try:
            with config.open("rb") as stream:
                found = models.ClientTrustConfig.from_json(stream.read(MAX_TRUST_ROOT).decode("utf-8"))
            found.signing_config.get_fulcio()
        except Exception as error:
            message = f"{config.name} says whom to trust, but not where to sign."
            raise EvidenceError(message, remedy="Name a client trust configuration with 'signingConfig'.") from error
        return cls(found, root, token)

    def seal(self, payload: bytes) -> bytes:
        """Sign a statement and give the bundle, after it was verified as anybody would.

        Raises:
            ConfigError: The token is none that an issuer gives, or has expired.
            EvidenceError: The servers refuse, or what they gave does not verify.
        """
        secret = self._token()
        token = _identity(secret)
        signing: Any = library("sigstore.sign")
        dsse: Any = library("sigstore.dsse")
        try:
            with signing.SigningContext.from_trust_config(self._config).signer(token) as signer:
                body = str(signer.sign_dsse(dsse.Statement(payload)).to_json()).encode("utf-8")
        except Exception as error:
            raise EvidenceError(
                f"Nothing was signed: {_reason(error, secret)}.",
                remedy="Check that the authority accepts the token's issuer, and that its servers can be reached.",
            ) from error
        bundle = read_bundle(body)
        if bundle.payload != payload:
            raise EvidenceError("What came back is the signature of something else, so nothing was signed.")
        self.who = checked(bundle, self._root, _anybody)
        return body


def _identity(secret: str) -> Any:
    oidc: Any = library("sigstore.oidc")
    try:
        return oidc.IdentityToken(secret)
    except Exception as error:
        message = "The identity token is malformed, has expired, or is not meant for Sigstore."
        raise ConfigError(message, remedy="Get a new one for the audience 'sigstore'.") from error


def _reason(error: Exception, secret: str) -> str:
    # A server may repeat what it was sent.
    text = str(error).strip().partition("\n")[0].replace(secret, "(token)").rstrip(".")
    return f"{type(error).__name__} {text[:_MAX_REASON]}".rstrip()


def _anybody(_signer: Who) -> None:
    """Whoever the authority says signed is who holds the token."""
