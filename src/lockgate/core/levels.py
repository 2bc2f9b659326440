"""How bad, and how sure: two separate facts about a finding."""

from enum import StrEnum


class _Ranked(StrEnum):
    @property
    def rank(self) -> int:
        """Position on the scale, 0 for the lowest."""
        return list(type(self)).index(self)

    def reaches(self, threshold: "_Ranked") -> bool:
        """Whether this level is at or above `threshold` on the same scale."""
        return self.rank >= threshold.rank


class Severity(_Ranked):
    """How bad it is when the finding is right."""

    INFO = "info"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


class Confidence(_Ranked):
    """How sure the check is that the finding is right."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
