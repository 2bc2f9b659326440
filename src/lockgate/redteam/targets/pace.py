"""How fast requests may leave."""

import asyncio


class Pace:
    """Spaces requests evenly and pauses all of them when the endpoint asks for it.

    Args:
        rate: Requests a second; 0 for as fast as it goes.
    """

    def __init__(self, rate: float = 0.0) -> None:
        self._gap = 1 / rate if rate > 0 else 0.0
        self._next = 0.0

    def pause(self, seconds: float) -> None:
        """Let no request leave for some seconds."""
        self._next = max(self._next, asyncio.get_running_loop().time() + seconds)

    async def turn(self) -> None:
        """Wait until the next request may leave."""
        now = asyncio.get_running_loop().time()
        at = max(now, self._next)
        self._next = at + self._gap
        if at > now:
            await asyncio.sleep(at - now)
