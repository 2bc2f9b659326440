"""TLS of the endpoint, and whom a client certificate stands for."""

import datetime as dt
import hashlib
import ssl
import warnings
from collections import OrderedDict
from pathlib import Path

import msgspec
from cryptography import x509
from cryptography.utils import CryptographyDeprecationWarning

from lockgate.core.config_auth import CertificateRule, TlsServerConfig
from lockgate.core.files import named_path
from lockgate.gateway.auth.refusal import Reason, Refusal
from lockgate.gateway.caller import Caller
from lockgate.gateway.errors import GatewayError
from lockgate.gateway.secrets.local import read_private

_REMEMBERED = 4_096
_ID_DIGITS = 16
_VERSIONS = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}


def server_context(settings: TlsServerConfig, *, project_root: Path) -> ssl.SSLContext:
    """What a server needs to speak TLS and to ask for client certificates.

    Sessions are not resumed where client certificates count, so that every connection shows one that is looked at.

    Args:
        settings: The section `serve.tls`.
        project_root: Where relative paths start. The private key must lie elsewhere.

    Raises:
        GatewayError: A file cannot be used, or the private key is open to others or lies in the project.
    """
    read_private(settings.key, project_root=project_root)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = _VERSIONS[settings.minimum]
    context.set_alpn_protocols(["http/1.1"])
    context.options |= ssl.OP_NO_RENEGOTIATION
    try:
        # Without a password of its own, OpenSSL would ask for one on the terminal.
        certificate, key = (named_path(project_root, name) for name in (settings.certificate, settings.key))
        context.load_cert_chain(certificate, key, password="")
        if settings.client_ca is not None:
            _ask_clients(context, settings, project_root)
    except (OSError, ssl.SSLError, ValueError) as error:
        raise GatewayError(
            "A file of 'serve.tls' cannot be used.",
            remedy="Give PEM files: a certificate with its chain, its key without a password, authorities, lists.",
        ) from error
    return context


def fingerprint(settings: TlsServerConfig, *, project_root: Path) -> bytes:
    """Changes when the settings or the content of one of their files do.

    Raises:
        GatewayError: A file cannot be read.
    """
    digest = hashlib.sha256(msgspec.json.encode(settings))
    names = (settings.certificate, settings.key, settings.client_ca, settings.client_crl)
    try:
        for name in names:
            digest.update(hashlib.sha256(named_path(project_root, name).read_bytes() if name else b"").digest())
    except OSError as error:
        raise GatewayError("A file of 'serve.tls' cannot be read.", remedy="Check the paths in 'serve.tls'.") from error
    return digest.digest()


_MALFORMED = (
    ValueError,
    CryptographyDeprecationWarning,
    x509.DuplicateExtension,
    x509.InvalidVersion,
    x509.UnsupportedGeneralNameType,
)


class _Known(msgspec.Struct, frozen=True):
    begins: dt.datetime
    ends: dt.datetime
    caller: Caller | None


class CertificateCallers:
    """Tells whom a certificate stands for. Its chain was checked when the connection was made."""

    def __init__(self, rules: tuple[CertificateRule, ...]) -> None:
        self._rules = rules
        self._known: OrderedDict[bytes, _Known] = OrderedDict()

    def caller(self, certificate: bytes) -> Caller | Refusal:
        """Who presents this certificate (DER), or why it is refused. Any bytes may be given."""
        digest = hashlib.sha256(certificate).digest()
        known = self._known.get(digest)
        if known is None:
            try:
                known = self._read(certificate, digest.hex()[:_ID_DIGITS])
            except _MALFORMED:
                return Refusal(Reason.CERTIFICATE_UNKNOWN)
            self._known[digest] = known
            if len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
        # A connection may outlive the certificate with which it was made.
        if not known.begins <= dt.datetime.now(dt.UTC) < known.ends:
            return Refusal(Reason.CERTIFICATE_EXPIRED)
        return known.caller or Refusal(Reason.CERTIFICATE_UNKNOWN)

    def _read(self, certificate: bytes, digits: str) -> _Known:
        with warnings.catch_warnings():
            # The library warns of what RFC 5280 forbids and will refuse one day; such a certificate is nobody's today.
            warnings.simplefilter("error", CryptographyDeprecationWarning)
            found = x509.load_der_x509_certificate(certificate)
        names = _names(found)
        rule = next((rule for rule in self._rules if _matches(rule, names)), None)
        caller = None
        if rule is not None:
            caller = Caller(f"cert-{digits}", rule.tenant or "", frozenset(rule.scopes), rule.name)
        return _Known(found.not_valid_before_utc, found.not_valid_after_utc, caller)


def _ask_clients(context: ssl.SSLContext, settings: TlsServerConfig, project_root: Path) -> None:
    context.load_verify_locations(named_path(project_root, settings.client_ca or ""))
    context.verify_mode = ssl.CERT_REQUIRED if settings.clients == "required" else ssl.CERT_OPTIONAL
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    context.options |= ssl.OP_NO_TICKET
    context.num_tickets = 0
    if settings.client_crl is not None:
        context.load_verify_locations(named_path(project_root, settings.client_crl))
        context.verify_flags |= ssl.VERIFY_CRL_CHECK_LEAF


def _names(certificate: x509.Certificate) -> dict[str, frozenset[str]]:
    """Its names by kind. The common name counts within the whole subject only (RFC 9525, section 2)."""
    try:
        others = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        others = x509.SubjectAlternativeName([])
    return {
        "dns": frozenset(name.lower() for name in others.get_values_for_type(x509.DNSName)),
        "uri": frozenset(others.get_values_for_type(x509.UniformResourceIdentifier)),
        "email": frozenset(others.get_values_for_type(x509.RFC822Name)),
        "subject": frozenset({certificate.subject.rfc4514_string()}),
    }


def _matches(rule: CertificateRule, names: dict[str, frozenset[str]]) -> bool:
    return (
        (rule.dns is not None and rule.dns.lower() in names["dns"])
        or (rule.uri is not None and rule.uri in names["uri"])
        or (rule.email is not None and rule.email in names["email"])
        or (rule.subject is not None and rule.subject in names["subject"])
    )
