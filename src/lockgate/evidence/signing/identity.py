"""Who signed through Sigstore: what its authority wrote into a certificate, and whether that is who was expected.

Source: github.com/sigstore/fulcio/blob/main/docs/oid-info.md (extensions of a certificate). A name is compared letter
by letter: no folding of case, no normal form of Unicode, nothing before or behind it.
"""

import re
from typing import Self

import msgspec
import re2
from cryptography import x509
from cryptography.hazmat import asn1

from lockgate.core.errors import ConfigError
from lockgate.evidence.errors import EvidenceError

_ISSUER = x509.ObjectIdentifier("1.3.6.1.4.1.57264.1.8")
_OLD_ISSUER = x509.ObjectIdentifier("1.3.6.1.4.1.57264.1.1")
_USER_NAME = x509.ObjectIdentifier("1.3.6.1.4.1.57264.1.7")
_UTF8_STRING = 0x0C
_ANY = "[A-Za-z0-9._+-]+"
"""What `*` stands for: never a slash, an at sign or a letter that only looks like another."""


class Who(msgspec.Struct, frozen=True, kw_only=True):
    """Whoever signed, as far as the kind of signature tells.

    Attributes:
        keyid: Their key, SHA-256 of its SubjectPublicKeyInfo; empty through Sigstore, whose keys live for minutes.
        identity: An e-mail address, the URI of a workflow, or another name, where a certificate states one.
        issuer: Whose word that is: the URL of the issuer of identity tokens; empty but through Sigstore.
    """

    keyid: str = ""
    identity: str = ""
    issuer: str = ""

    def __str__(self) -> str:
        # Escapes show a letter of another script that looks like a Latin one.
        if self.issuer:
            return f"{self.identity!a} of {self.issuer!a}"
        return f"{self.identity!a} with key {self.keyid[:12]}" if self.identity else f"key {self.keyid[:12]}"


class Expected(msgspec.Struct, frozen=True):
    """Who may have signed.

    Attributes:
        name: The whole name, or with `wild` a name in which each `*` stands for letters, digits, `.`, `_`, `+`, `-`.
        issuer: The issuer's URL, in full.
        wild: Whether `*` means anything.
    """

    name: str
    issuer: str
    wild: bool = False

    @classmethod
    def of(cls, *, identity: str, pattern: str, issuer: str) -> Self:
        """Somebody by a whole name or by a pattern, whichever is given.

        Raises:
            ConfigError: There is not exactly one of them, no issuer, or a pattern that leaves open where names
                come from: the host of a URI, or what stands behind the `@` of an address.
        """
        if bool(identity) == bool(pattern) or not issuer:
            raise ConfigError(
                "Whose signature counts is not said.",
                remedy="Name the signer and the issuer: --identity (or --identity-pattern) and --identity-provider.",
            )
        if pattern and not _anchored(pattern):
            raise ConfigError(
                f"The pattern {pattern!a} leaves open who may sign.",
                remedy="Write scheme and host, or what stands behind the '@', in full; '*' stands for the rest.",
            )
        return cls(identity or pattern, issuer, wild=bool(pattern))

    def __str__(self) -> str:
        return f"{self.name!a} of {self.issuer!a}"

    def fits(self, signer: Who) -> bool:
        """Whether that is who was expected."""
        if signer.issuer != self.issuer:
            return False
        if not self.wild:
            return signer.identity == self.name
        pattern = _ANY.join(re.escape(part) for part in self.name.split("*"))
        return re2.compile(pattern.encode()).fullmatch(signer.identity.encode()) is not None


def signer_of(certificate: x509.Certificate) -> Who:
    """Who a certificate of Sigstore's authority is about.

    Raises:
        EvidenceError: It names nobody, several, or no issuer, or names them in two ways.
    """
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, ValueError) as error:
        raise EvidenceError("The certificate of the signature names nobody.") from error
    match list(names):
        case [x509.RFC822Name(value=name) | x509.UniformResourceIdentifier(value=name)]:
            return Who(identity=name, issuer=_issuer(certificate))
        case [x509.OtherName(type_id=kind, value=value)] if kind == _USER_NAME:
            return Who(identity=_utf8(value), issuer=_issuer(certificate))
        case _:
            raise EvidenceError("The certificate of the signature does not name one signer.")


def _issuer(certificate: x509.Certificate) -> str:
    found: set[str] = set()
    for extension in certificate.extensions:
        if isinstance(extension.value, x509.UnrecognizedExtension):
            if extension.oid == _ISSUER:
                found.add(_utf8(extension.value.value))
            elif extension.oid == _OLD_ISSUER:
                found.add(_text(extension.value.value))
    if len(found) != 1:
        raise EvidenceError("The certificate of the signature does not name one issuer of the signer's identity.")
    return found.pop()


def _anchored(pattern: str) -> bool:
    scheme, separator, rest = pattern.partition("://")
    if separator:
        host, slash, _ = rest.partition("/")
        return bool(scheme and host and slash) and "*" not in scheme + host
    _, separator, domain = pattern.rpartition("@")
    return bool(separator and domain) and "*" not in domain


def _utf8(value: bytes) -> str:
    try:
        return asn1.decode_der(str, value)
    except ValueError as error:
        raise EvidenceError("The certificate of the signature holds text in an unknown form.") from error


def _text(value: bytes) -> str:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError as error:
        raise EvidenceError("The certificate of the signature holds text in an unknown form.") from error
