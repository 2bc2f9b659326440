"""The guarded endpoint: OpenAI's chat interface, in which nothing travels that the guard has not seen."""

from lockgate.gateway.app import Gateway
from lockgate.gateway.application import Application, build_guard, read_application
from lockgate.gateway.embedded import EmbeddedModel
from lockgate.gateway.errors import ApiError, GatewayError
from lockgate.gateway.guarding import GuardPool
from lockgate.gateway.keys import ApiKey, EphemeralKey, KeyStore, Verifier, create, list_keys, revoke
from lockgate.gateway.server import Running, open_endpoint, run_server, serve_app, serve_settings
from lockgate.gateway.upstream import Endpoint, Upstream
from lockgate.gateway.verified import verified_copy

__all__ = [
    "ApiError",
    "ApiKey",
    "Application",
    "EmbeddedModel",
    "Endpoint",
    "EphemeralKey",
    "Gateway",
    "GatewayError",
    "GuardPool",
    "KeyStore",
    "Running",
    "Upstream",
    "Verifier",
    "build_guard",
    "create",
    "list_keys",
    "open_endpoint",
    "read_application",
    "revoke",
    "run_server",
    "serve_app",
    "serve_settings",
    "verified_copy",
]
