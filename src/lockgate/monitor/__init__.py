"""What happened at runtime: the event store, its summary, and the checks that the monitor gate decides on."""

from lockgate.monitor.catalog import CHECKS
from lockgate.monitor.database import DATABASE_NAME
from lockgate.monitor.errors import MonitorError
from lockgate.monitor.examine import examine, unexamined
from lockgate.monitor.store import LOST_LABEL, EventStore, read_stored, read_summary, utc_now
from lockgate.monitor.subject import MonitorFacts, canonical_json, facts_from, read_facts
from lockgate.monitor.summary import LabelCount, Latency, Summary

__all__ = [
    "CHECKS",
    "DATABASE_NAME",
    "LOST_LABEL",
    "EventStore",
    "LabelCount",
    "Latency",
    "MonitorError",
    "MonitorFacts",
    "Summary",
    "canonical_json",
    "examine",
    "facts_from",
    "read_facts",
    "read_stored",
    "read_summary",
    "unexamined",
    "utc_now",
]
