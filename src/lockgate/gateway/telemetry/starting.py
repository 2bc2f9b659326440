"""From settings to a `Telemetry`."""

import os
import sys

from lockgate.core.config_upstreams import TelemetryConfig
from lockgate.gateway.errors import GatewayError
from lockgate.gateway.telemetry.access_log import AccessLog
from lockgate.gateway.telemetry.recorder import Exporter, Telemetry

_STDERR = 2


def start_telemetry(settings: TelemetryConfig) -> Telemetry:
    """Open what the settings ask for; the access log goes to the error stream.

    Raises:
        GatewayError: OpenTelemetry is asked for and not installed.
    """
    return Telemetry(*open_sinks(settings))


def open_sinks(settings: TelemetryConfig) -> tuple[AccessLog | None, Exporter | None]:
    """Where requests are reported: the access log and OpenTelemetry, each None where it is not asked for.

    Raises:
        GatewayError: OpenTelemetry is asked for and not installed.
    """
    exporter = _exporter(settings.trace_share) if settings.otel else None
    log = None if settings.access_log == "off" else AccessLog(settings.access_log, _to_stderr)
    return log, exporter


def _exporter(share: float) -> Exporter:
    try:
        from lockgate.gateway.telemetry.otel import OtelExporter  # noqa: PLC0415 - an optional extra
    except ImportError as error:
        raise GatewayError("OpenTelemetry is not installed.", remedy="Run: pip install 'lockgate[otel]'") from error
    return OtelExporter.over_http(share)


def _to_stderr(lines: bytes) -> None:
    sys.stderr.flush()
    while lines:
        lines = lines[os.write(_STDERR, lines) :]
