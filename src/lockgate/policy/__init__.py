"""Policy decides: which outcomes hold a gate, which are waived, what rules say of a request. It examines nothing."""

from lockgate.policy.cedar import CedarBook, read_cedar, waits
from lockgate.policy.decide import Case, decide, hold_line
from lockgate.policy.errors import PolicyError
from lockgate.policy.rules import Effect, RuleBook, Ruling, strictest
from lockgate.policy.rules_attributes import Kind, Vocabulary
from lockgate.policy.rules_request import ACTIONS, FOUND_LATER, REQUEST_VOCABULARY, request_attributes, request_rules
from lockgate.policy.waivers import WaiverBook

__all__ = [
    "ACTIONS",
    "FOUND_LATER",
    "REQUEST_VOCABULARY",
    "Case",
    "CedarBook",
    "Effect",
    "Kind",
    "PolicyError",
    "RuleBook",
    "Ruling",
    "Vocabulary",
    "WaiverBook",
    "decide",
    "hold_line",
    "read_cedar",
    "request_attributes",
    "request_rules",
    "strictest",
    "waits",
]
