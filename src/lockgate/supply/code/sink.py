"""Collects the calls of a file with a structural place for each."""

import ast
from collections import Counter

from lockgate.supply.code.subject import Argument, Call


class Sink:
    """Is told every call, and gives each a place that survives edits elsewhere in the file."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.scope = ""
        self.loops = 0
        self.asked: set[str] = set()
        self.recording = True
        self.any_origin = False
        self._seen: Counter[str] = Counter()

    def place(self, name: str) -> str:
        """A place for something called `name` in this scope."""
        where = f"{self.scope}/{name}" if self.scope else name
        self._seen[where] += 1
        count = self._seen[where]
        return where if count == 1 else f"{where}#{count}"

    def call(self, node: ast.Call, name: str, arguments: tuple[Argument, ...], *, asks: bool) -> None:
        """Take note of a call."""
        self.any_origin = self.any_origin or asks or any(item.origins for item in arguments)
        if not self.recording:
            return
        if asks:
            self.asked.add(self.scope)
        place = self.place(name)
        self.calls.append(Call(name, place, node.lineno, arguments, asks, looped=self.loops > 0))
