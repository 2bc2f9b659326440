"""A request that was let through, until it has ended."""

from types import TracebackType
from typing import Protocol, Self

import msgspec

from lockgate.gateway.asgi import Headers
from lockgate.gateway.errors import ApiError
from lockgate.gateway.limits.gcra import Costs
from lockgate.gateway.limits.plan import Plan
from lockgate.gateway.limits.standing import Shape, standing


class Estimate(msgspec.Struct, frozen=True):
    """What a request may use, before it is known.

    Attributes:
        input_tokens: Tokens of the prompt, rather too many than too few.
        output_tokens: Longest answer that it asks for.
        prompt: What the prompt is told from others by, where `distinct_prompts` is set; empty for never seen before.
    """

    input_tokens: int = 0
    output_tokens: int = 0
    prompt: bytes = b""


def estimate_tokens(size: int) -> int:
    """Tokens of a text of `size` bytes of UTF-8: one for three bytes, more than tokenizers make of most texts."""
    return -(-size // 3)


class Taken(Protocol):
    """Room that was taken, wherever it is counted."""

    def levels(self) -> list[float]:
        """For each limit the seconds that use runs ahead."""
        ...

    def settle(self, costs: Costs) -> None:
        """Give back what is held and count what was used."""
        ...


class Admission:
    """A request in progress. Use it as a context.

    What ends without `settle` counts as the estimate said, unless it ends with an error that says that no model worked.

    Attributes:
        degraded: Whether this process counted alone, because Redis was away.
    """

    __slots__ = ("_costs", "_plan", "_settled", "_shape", "_taken", "degraded")

    def __init__(self, plan: Plan, costs: Costs, taken: Taken, shape: Shape) -> None:
        self._plan = plan
        self._costs = costs
        self._taken = taken
        self._settled = False
        self._shape: Shape = shape
        self.degraded = False

    def headers(self) -> Headers:
        """What is left to the caller, for the response."""
        found = standing(self._plan.entries, self._taken.levels(), self._shape)
        if self.degraded:
            found.append((b"x-lockgate-limits", b"degraded"))
        return found

    def settle(self, *, input_tokens: int, output_tokens: int) -> None:
        """Count what was really used; 0 and 0 when the upstream was not called. Only the first call counts."""
        if not self._settled:
            self._settled = True
            self._taken.settle(self._plan.costs(max(0, input_tokens), max(0, output_tokens)))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, ApiError) and error.unused:
            self.settle(input_tokens=0, output_tokens=0)
        elif not self._settled:
            self._settled = True
            self._taken.settle(self._costs)
