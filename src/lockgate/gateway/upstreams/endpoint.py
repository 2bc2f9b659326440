"""Where a model answers that speaks OpenAI's interface."""

import msgspec


class Endpoint(msgspec.Struct, frozen=True):
    """Where the model answers.

    Attributes:
        base_url: Address up to and including `/v1`.
        model: Name of the model there.
        api_key: Sent as a bearer token; empty for none. Never shown.
    """

    base_url: str
    model: str
    api_key: str = ""

    def __repr__(self) -> str:
        return f"Endpoint({self.base_url!r}, {self.model!r})"
