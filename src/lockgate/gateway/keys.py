"""API keys of callers: shown once, kept as keyed hashes, revocable while the gateway runs."""

from lockgate.gateway.auth.api_key import ApiKey
from lockgate.gateway.auth.key_admin import create, key_states, list_keys, revoke, rotate
from lockgate.gateway.auth.key_store import EphemeralKey, KeyStore, Verifier

__all__ = [
    "ApiKey",
    "EphemeralKey",
    "KeyStore",
    "Verifier",
    "create",
    "key_states",
    "list_keys",
    "revoke",
    "rotate",
]
