"""Policy decides: which outcomes hold a gate, and which are waived. It examines nothing and signs nothing."""

from lockgate.policy.decide import Case, decide, hold_line
from lockgate.policy.waivers import WaiverBook

__all__ = ["Case", "WaiverBook", "decide", "hold_line"]
