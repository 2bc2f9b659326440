"""Several upstreams behind one interface: aliases, fallbacks, second tries, circuits, and a dialect for each kind."""

from lockgate.gateway.upstreams.addresses import is_loopback
from lockgate.gateway.upstreams.aiohttp_transport import AiohttpTransport
from lockgate.gateway.upstreams.credentials import Resolve, read_api_key
from lockgate.gateway.upstreams.dialect import CHAT, Dialect, Surface
from lockgate.gateway.upstreams.endpoint import Endpoint
from lockgate.gateway.upstreams.opening import build_router, check_upstreams, declared, open_router
from lockgate.gateway.upstreams.router import Router, Target
from lockgate.gateway.upstreams.server import CallObserver, Server, UpstreamState
from lockgate.gateway.upstreams.transport import Fault, Reply, Transport, TransportError

__all__ = [
    "CHAT",
    "AiohttpTransport",
    "CallObserver",
    "Dialect",
    "Endpoint",
    "Fault",
    "Reply",
    "Resolve",
    "Router",
    "Server",
    "Surface",
    "Target",
    "Transport",
    "TransportError",
    "UpstreamState",
    "build_router",
    "check_upstreams",
    "declared",
    "is_loopback",
    "open_router",
    "read_api_key",
]
