"""Who is calling: API keys, tokens of known issuers, and client certificates."""

from lockgate.gateway.auth.api_key import ApiKey
from lockgate.gateway.auth.key_admin import create, key_states, list_keys, revoke, rotate
from lockgate.gateway.auth.key_store import EphemeralKey, KeyStore, Verifier
from lockgate.gateway.auth.refusal import Reason, Refusal

__all__ = [
    "ApiKey",
    "EphemeralKey",
    "KeyStore",
    "Reason",
    "Refusal",
    "Verifier",
    "create",
    "key_states",
    "list_keys",
    "revoke",
    "rotate",
]
