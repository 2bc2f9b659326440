"""The trace that upstreams are told of, for as long as a request is answered."""

from contextvars import ContextVar

PASSED_TRACE: ContextVar[str] = ContextVar("passed_trace", default="")
"""A W3C `traceparent`, checked or our own; empty for none."""
