"""Who is calling: API keys, tokens of known issuers, and client certificates."""

from lockgate.gateway.auth.api_key import ApiKey
from lockgate.gateway.auth.authenticator import Authenticator
from lockgate.gateway.auth.certificate import CertificateCallers, server_context
from lockgate.gateway.auth.key_admin import create, key_states, list_keys, revoke, rotate
from lockgate.gateway.auth.key_store import EphemeralKey, KeyStore, Verifier
from lockgate.gateway.auth.refusal import Reason, Refusal
from lockgate.gateway.auth.tokens import TokenVerifier

__all__ = [
    "ApiKey",
    "Authenticator",
    "CertificateCallers",
    "EphemeralKey",
    "KeyStore",
    "Reason",
    "Refusal",
    "TokenVerifier",
    "Verifier",
    "create",
    "key_states",
    "list_keys",
    "revoke",
    "rotate",
    "server_context",
]
