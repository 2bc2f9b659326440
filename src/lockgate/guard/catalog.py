"""The guard's checks on answers, for red-team judges and monitors."""

from lockgate.core import Check
from lockgate.guard.completion import Completion
from lockgate.guard.personal_data import PersonalData
from lockgate.guard.protected_value import ProtectedValue

CHECKS: tuple[type[Check[Completion]], ...] = (ProtectedValue, PersonalData)
