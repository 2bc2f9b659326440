"""Who a request comes from, once its credential was verified."""

import msgspec


class Caller(msgspec.Struct, frozen=True):
    """The identity behind a verified credential.

    Attributes:
        key_id: Public id of the key, token subject or certificate, as events carry it. Never the credential.
        tenant: Whose traffic this is; empty where there is one tenant only.
        scopes: What the credential may do; what an empty set means is the verifier's rule.
        name: What its owner called it.
    """

    key_id: str
    tenant: str = ""
    scopes: frozenset[str] = frozenset()
    name: str = ""
