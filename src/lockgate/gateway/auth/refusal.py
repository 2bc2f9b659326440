"""Why a caller is not let in, for the log, and what the caller is told about it."""

from enum import StrEnum

import msgspec

from lockgate.gateway.errors import ApiError


class Reason(StrEnum):
    """Why a credential was refused. Events carry it as the label `auth.<reason>`."""

    MISSING = "missing"
    MALFORMED = "malformed"
    AMBIGUOUS = "ambiguous"
    UNKNOWN_KEY = "unknown_key"
    REVOKED = "revoked"
    EXPIRED = "expired"
    KEYS_UNAVAILABLE = "keys_unavailable"
    JWT_MALFORMED = "jwt_malformed"
    JWT_ALGORITHM = "jwt_algorithm"
    JWT_HEADER = "jwt_header"
    UNKNOWN_ISSUER = "unknown_issuer"
    UNKNOWN_SIGNER = "unknown_signer"
    ISSUER_UNAVAILABLE = "issuer_unavailable"
    BAD_SIGNATURE = "bad_signature"
    JWT_EXPIRED = "jwt_expired"
    JWT_EARLY = "jwt_early"
    WRONG_AUDIENCE = "wrong_audience"
    BAD_CLAIM = "bad_claim"
    CERTIFICATE_MISSING = "certificate_missing"
    CERTIFICATE_UNKNOWN = "certificate_unknown"
    CERTIFICATE_EXPIRED = "certificate_expired"
    TENANT_MISMATCH = "tenant_mismatch"


# Only what a caller can mend and an attacker cannot use is told apart; all of these come after the signature.
_MESSAGES = {
    Reason.AMBIGUOUS: "The request carries more than one credential. Send one.",
    Reason.JWT_EXPIRED: "The token has expired. Get a new one.",
    Reason.JWT_EARLY: "The token is not valid yet. Check the clocks.",
    Reason.WRONG_AUDIENCE: "The token is meant for somebody else.",
    Reason.BAD_CLAIM: "The token lacks a claim that this endpoint needs.",
    Reason.CERTIFICATE_MISSING: "This endpoint wants a client certificate.",
    Reason.CERTIFICATE_UNKNOWN: "This endpoint does not know the client certificate.",
    Reason.CERTIFICATE_EXPIRED: "The client certificate is outside its dates.",
    Reason.TENANT_MISMATCH: "The credential and the client certificate belong to different tenants.",
}
_UNAVAILABLE = frozenset({Reason.KEYS_UNAVAILABLE, Reason.ISSUER_UNAVAILABLE})
_WRONG = "The API key is missing or wrong. Send 'Authorization: Bearer KEY'."


class Refusal(msgspec.Struct, frozen=True):
    """A caller who is not let in.

    Attributes:
        reason: Why, in one word. It never carries anything that the caller sent.
    """

    reason: Reason

    def error(self) -> ApiError:
        """The answer: 401 `invalid_api_key`, or 503 `keys_unavailable` when nobody can be verified at the moment."""
        labels = (f"auth.{self.reason.value}",)
        if self.reason in _UNAVAILABLE:
            message = "API keys cannot be verified at the moment."
            return ApiError(503, "keys_unavailable", message, retry_after_s=1, labels=labels)
        return ApiError(401, "invalid_api_key", _MESSAGES.get(self.reason, _WRONG), labels=labels)
