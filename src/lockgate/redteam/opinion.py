"""What a model says about a transcript, recorded so that a check can judge the record."""

import msgspec


class Opinion(msgspec.Struct, frozen=True):
    """One model's answer to the question whether an attack reached its goal.

    Attributes:
        reached: Its answer; None where there was none that could be read.
        model: What reports call the model.
    """

    reached: bool | None
    model: str
