"""Policy decides: which outcomes hold a gate, which are waived, what rules say of a request. It examines nothing."""

from lockgate.policy.decide import Case, decide, hold_line
from lockgate.policy.errors import PolicyError
from lockgate.policy.rules import Effect, RuleBook, Ruling, strictest
from lockgate.policy.rules_attributes import Kind, Vocabulary
from lockgate.policy.rules_request import ACTIONS, REQUEST_VOCABULARY, request_attributes, request_rules
from lockgate.policy.waivers import WaiverBook

__all__ = [
    "ACTIONS",
    "REQUEST_VOCABULARY",
    "Case",
    "Effect",
    "Kind",
    "PolicyError",
    "RuleBook",
    "Ruling",
    "Vocabulary",
    "WaiverBook",
    "decide",
    "hold_line",
    "request_attributes",
    "request_rules",
    "strictest",
]
