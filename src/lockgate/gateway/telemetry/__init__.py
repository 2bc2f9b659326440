"""What the endpoint says about itself: metrics, access log, traces, and the admin plane that shows them."""

from lockgate.gateway.telemetry.access_log import AccessLog
from lockgate.gateway.telemetry.admin import TOKEN_NAME, AdminApp, Plane, admin_token
from lockgate.gateway.telemetry.finished import Finished
from lockgate.gateway.telemetry.recorder import Exporter, Telemetry
from lockgate.gateway.telemetry.registry import exposition, merge
from lockgate.gateway.telemetry.starting import start_telemetry

__all__ = [
    "TOKEN_NAME",
    "AccessLog",
    "AdminApp",
    "Exporter",
    "Finished",
    "Plane",
    "Telemetry",
    "admin_token",
    "exposition",
    "merge",
    "start_telemetry",
]
