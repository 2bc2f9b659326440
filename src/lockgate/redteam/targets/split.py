"""One target with several doors."""

from collections.abc import Sequence

from lockgate.redteam.corpus import Attack, Benign
from lockgate.redteam.message import Answer, Message
from lockgate.redteam.target import Target


class SplitTarget:
    """The same application behind doors of their own, so that what is sent side by side does not wait for each other.

    Args:
        attacked: Where attacks go. Its name is that of all.
        harmless: Where harmless conversations go.
        obedient: The same guard before the scripted target, for attacks that ask for that.
    """

    def __init__(self, attacked: Target, harmless: Target | None = None, *, obedient: Target | None = None) -> None:
        doors = [door for door in (attacked, harmless, obedient) if door is not None]
        self.name = attacked.name
        self.fingerprint = "|".join(dict.fromkeys(door.fingerprint for door in doors))
        self.repeatable = all(door.repeatable for door in doors)
        self._attacked = attacked
        self._harmless = harmless or attacked
        self._obedient = obedient or attacked

    async def reply(self, history: Sequence[Message], about: Attack | Benign) -> Answer:
        """Pass the conversation to the door that it belongs to."""
        return await self._door(about).reply(history, about)

    def _door(self, about: Attack | Benign) -> Target:
        if isinstance(about, Benign):
            return self._harmless
        return self._obedient if about.target == "obedient" else self._attacked
