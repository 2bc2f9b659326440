"""How long a step may take."""

import math

import msgspec


class Budget(msgspec.Struct, frozen=True):
    """By the clock, by steps, or whichever ends first.

    Attributes:
        minutes: Of training, resumed stretches included.
        steps: Of 32 examples; of the convolutional model 128; for the teacher windows.
    """

    minutes: float = math.inf
    steps: float = math.inf

    def spent(self, seconds: float, steps: int) -> float:
        """The share that is used up; 1 or more when it is over."""
        return max(seconds / (60 * self.minutes), steps / self.steps)
