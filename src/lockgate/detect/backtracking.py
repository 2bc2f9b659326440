"""Tells whether a backtracking engine may run for ever on a pattern, by reading the pattern alone.

The pattern becomes an automaton with one state for each character that it names (Glushkov's construction). Where one
text leads from a state back to itself in two ways, an engine that tries one way after the other doubles its work with
every round (Weideman and others, "Analyzing matching time behavior of backtracking regular expression matchers by
using ambiguity of NFA", 2016). A pattern that takes too many steps to judge is reported as such.
"""

from lockgate.detect.pattern_tree import Chars, Choice, Look, Node, Repeat, Row, parse
from lockgate.detect.source import MalformedError

MAX_PATTERN = 4_000
MAX_STEPS = 100_000
_MANY = 5
_COPIES = 3
_LONG_ROW = 5
_LONG_OPTIONS = 16
_NESTED = "repeats what repeats itself, so that one text matches in many ways and a matcher may try all of them"
_ROW = "has many repetitions of the same characters one after the other, so that a matcher may try every split"


def why_endless(pattern: str) -> str:
    """Why a matcher may run for ever on this pattern, in words that follow "it"; empty where it will not.

    Args:
        pattern: The pattern in Oniguruma's syntax. It is read, never matched.
    """
    if len(pattern) > MAX_PATTERN:
        return f"is longer than {MAX_PATTERN:,} characters"
    try:
        tree = parse(pattern)
        automaton = _Automaton()
        automaton.add(tree)
        automaton.judge()
    except MalformedError as error:
        return error.message
    return ""


class _Ends:
    """Where a part of the pattern begins and ends."""

    def __init__(self, *, empty: bool, first: list[int], last: list[int]) -> None:
        self.empty = empty
        self.first = first
        self.last = last


class _Automaton:
    def __init__(self) -> None:
        self._masks: list[int] = []
        self._follow: list[dict[int, int]] = []
        self._steps = 0
        self._widths: dict[int, int | None] = {}
        self._rows: set[int] = set()

    def _step(self, count: int = 1) -> None:
        self._steps += count
        if self._steps > MAX_STEPS:
            raise MalformedError("budget", "is too complicated to be judged")

    def add(self, node: Node) -> _Ends:
        """Add the states of a part of the pattern."""
        self._step()
        if isinstance(node, Chars):
            self._masks.append(node.mask)
            self._follow.append({})
            return _Ends(empty=False, first=[len(self._masks) - 1], last=[len(self._masks) - 1])
        if isinstance(node, Look):
            self.add(node.body)
            return _Ends(empty=True, first=[], last=[])
        if isinstance(node, Choice):
            parts = [self.add(part) for part in node.parts]
            return _Ends(
                empty=any(part.empty for part in parts),
                first=[state for part in parts for state in part.first],
                last=[state for part in parts for state in part.last],
            )
        if isinstance(node, Row):
            if id(node) not in self._rows:
                self._rows.add(id(node))
                _check_row(node)
            ends = _Ends(empty=True, first=[], last=[])
            for part in node.parts:
                ends = self._join(ends, self.add(part))
            return ends
        return self._repeat(node)

    def _connect(self, before: list[int], after: list[int]) -> None:
        self._step(len(before) * len(after))
        for state in before:
            follow = self._follow[state]
            for target in after:
                follow[target] = follow.get(target, 0) + 1

    def _join(self, left: _Ends, right: _Ends) -> _Ends:
        self._connect(left.last, right.first)
        self._step(len(left.last) + len(right.first))
        return _Ends(
            empty=left.empty and right.empty,
            first=left.first + right.first if left.empty else left.first,
            last=left.last + right.last if right.empty else right.last,
        )

    def _repeat(self, node: Repeat) -> _Ends:
        if node.most == 0:
            return _Ends(empty=True, first=[], last=[])
        ends = self.add(node.body)
        if node.most == 1:
            return _Ends(empty=ends.empty or node.least == 0, first=ends.first, last=ends.last)
        # Many rounds of what varies in length are as bad as rounds without an end.
        is_loose = self._width(node.body) is None
        if ends.empty and node.most is not None and node.most >= _MANY and ends.first:
            # Each round may be empty or not: `(a?){30}` splits a text in as many ways as there are choices of rounds.
            raise MalformedError("nested", _NESTED)
        if node.most is None or (is_loose and (node.most >= _MANY or ends.empty)):
            self._connect(ends.last, ends.first)
            return _Ends(empty=ends.empty or node.least == 0, first=ends.first, last=ends.last)
        needed = min(node.least, _COPIES)
        last = list(ends.last) if needed <= 1 else []
        before = ends
        # A later round is only reached through the one before it, so that `x{1,3}` matches a text in one way.
        for number in range(2, needed + min(node.most - node.least, _COPIES) + 1):
            copy = self.add(node.body)
            self._connect(before.last, copy.first)
            last += copy.last if number >= needed else []
            before = copy
        return _Ends(empty=ends.empty or node.least == 0, first=ends.first, last=last)

    def _width(self, node: Node) -> int | None:
        """How many characters a part takes, where that is one number."""
        if id(node) not in self._widths:
            self._widths[id(node)] = self._measure(node)
        return self._widths[id(node)]

    def _measure(self, node: Node) -> int | None:
        if isinstance(node, Chars):
            return 1
        if isinstance(node, Look):
            return 0
        if isinstance(node, Repeat):
            inner = self._width(node.body)
            return inner * node.least if inner is not None and node.least == node.most else None
        widths = [self._width(part) for part in node.parts]
        if isinstance(node, Choice):
            return widths[0] if len(set(widths)) == 1 else None
        known = [width for width in widths if width is not None]
        return sum(known) if len(known) == len(widths) else None

    def judge(self) -> None:
        """Raise where one text leads from a state back to itself in two ways."""
        component = self._components()
        for state, follow in enumerate(self._follow):
            for target, ways in follow.items():
                if ways > 1 and component[state] == component[target]:
                    raise MalformedError("nested", _NESTED)
        inside = [
            [target for target in follow if component[target] == component[state]]
            for state, follow in enumerate(self._follow)
        ]
        seen: set[tuple[int, int]] = set()
        waiting = [(state, state) for state, targets in enumerate(inside) if len(targets) > 1]
        while waiting:
            one, other = waiting.pop()
            for left in inside[one]:
                self._step(len(inside[other]) + 1)
                for right in inside[other]:
                    if not self._masks[left] & self._masks[right]:
                        continue
                    if left == right and one != other:
                        raise MalformedError("nested", _NESTED)
                    pair = (min(left, right), max(left, right))
                    if left != right and pair not in seen:
                        seen.add(pair)
                        waiting.append(pair)

    def _components(self) -> list[int]:
        """For each state a number that it shares with the states on a common circle (Tarjan's algorithm)."""
        count = len(self._follow)
        order, low, component = [-1] * count, [0] * count, [-1] * count
        stack: list[int] = []
        clock = 0
        for start in range(count):
            if order[start] >= 0:
                continue
            work = [(start, iter(self._follow[start]))]
            order[start] = low[start] = clock
            clock += 1
            stack.append(start)
            while work:
                state, targets = work[-1]
                for target in targets:
                    if order[target] < 0:
                        order[target] = low[target] = clock
                        clock += 1
                        stack.append(target)
                        work.append((target, iter(self._follow[target])))
                        break
                    if component[target] < 0:
                        low[state] = min(low[state], order[target])
                else:
                    work.pop()
                    if work:
                        low[work[-1][0]] = min(low[work[-1][0]], low[state])
                    if low[state] == order[state]:
                        _close(stack, component, state)
        return component


def _close(stack: list[int], component: list[int], root: int) -> None:
    while True:
        state = stack.pop()
        component[state] = root
        if state == root:
            return


def _check_row(row: Row) -> None:
    """Raise where many repetitions of the same characters stand one after the other."""
    common, endless, options = -1, 0, 0
    for part in _flat(row):
        if isinstance(part, Chars):
            common &= part.mask
        elif isinstance(part, Repeat) and isinstance(part.body, Chars):
            shared = common & part.body.mask
            if not shared and part.least == 0:
                continue
            common = shared or part.body.mask
            endless, options = (endless, options) if shared else (0, 0)
            endless += part.most is None
            options += part.most is not None and part.most > part.least
        if not common:
            common, endless, options = -1, 0, 0
        if endless >= _LONG_ROW or options >= _LONG_OPTIONS:
            raise MalformedError("row", _ROW)


def _flat(row: Row) -> list[Node]:
    """The parts of a row, with the rows among them taken apart."""
    found: list[Node] = []
    waiting: list[Node] = [row]
    while waiting:
        node = waiting.pop()
        if isinstance(node, Row):
            waiting.extend(node.parts[::-1])
        else:
            found.append(node)
    return found
