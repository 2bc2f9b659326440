"""Every check of the monitor stage."""

from lockgate.core import Check
from lockgate.monitor.events_lost import EventsLost
from lockgate.monitor.guard_erred import GuardErred
from lockgate.monitor.held_traffic import HeldTraffic
from lockgate.monitor.protected_stopped import ProtectedStopped
from lockgate.monitor.subject import MonitorFacts

CHECKS: tuple[type[Check[MonitorFacts]], ...] = (GuardErred, EventsLost, HeldTraffic, ProtectedStopped)
