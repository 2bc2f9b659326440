"""A small parser of regular expressions as Oniguruma reads them. It never matches anything with them.

Source: Oniguruma's `doc/RE`, Ruby syntax, which Hugging Face tokenizers use for `Split` and `Replace`.
"""

from dataclasses import dataclass

import re2

from lockgate.detect.pattern_sets import Alphabet
from lockgate.detect.source import MalformedError

MAX_DEPTH = 60
MAX_COUNT = 100_000
_LOOK_AHEAD = 128
_COUNT = re2.compile(rb"\{(?:([0-9]{1,6})(,?)([0-9]{0,6})|,([0-9]{1,6}))\}")
_FLAGS = re2.compile(rb"\?([A-Za-z-]{0,12})([:)])")
_OPENINGS = ("?:", "?>", "?=", "?!", "?<=", "?<!")
_NAMED = re2.compile(rb"\?(?:<[^>()]{1,64}>|'[^'()]{1,64}')")
_LOOKS = frozenset({"?=", "?!", "?<=", "?<!"})
_CODE = re2.compile(rb"\\(?:x\{([0-9A-Fa-f ]{1,64})\}|x([0-9A-Fa-f]{1,2})|u([0-9A-Fa-f]{4})|([0-7]{1,3}))")
_PROPERTY = re2.compile(rb"\\([pP])\{(\^?)([A-Za-z0-9_ -]{1,64})\}")
_BACKWARDS = re2.compile(rb"\\(?:[1-9][0-9]{0,2}|k<[^>]{1,64}>|k'[^']{1,64}')")
_CONTROLS = {"t": "\t", "n": "\n", "r": "\r", "f": "\f", "v": "\v", "a": "\a", "e": "\x1b"}
_EMPTY = frozenset("bBAZzGKyY")
_POSIX = re2.compile(rb"\[:\^?[a-z]{1,10}:\]")


@dataclass(frozen=True, slots=True)
class Chars:
    """One character of a set; the set is a bit mask over the alphabet."""

    mask: int


@dataclass(frozen=True, slots=True)
class Row:
    """Parts one after the other; none is the empty text."""

    parts: "tuple[Node, ...]"


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several parts."""

    parts: "tuple[Node, ...]"


@dataclass(frozen=True, slots=True)
class Look:
    """A look ahead or behind: it takes no text, and is tried for itself."""

    body: "Node"


@dataclass(frozen=True, slots=True)
class Repeat:
    """A part repeated from `least` to `most` times; `most` is None where nothing bounds it."""

    body: "Node"
    least: int
    most: int | None


Node = Chars | Row | Choice | Look | Repeat


def parse(pattern: str) -> Node:
    """Read a pattern, each of its characters a bounded number of times.

    Args:
        pattern: The pattern; the caller bounds its length.

    Raises:
        MalformedError: It does not parse (`syntax`), nests too deeply (`depth`), or uses a construct whose work cannot
            be bounded by reading it (`construct`).
    """
    parser = _Parser(pattern)
    tree = parser.choice(0)
    if not parser.is_done():
        raise _broken()
    return tree


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        # One byte for each character, since the searches below are for ASCII alone.
        self._bytes = bytes(ord(sign) if sign.isascii() else 0 for sign in text)
        points = [found for match in _CODE.finditer(self._bytes) for found in _code_points(match)]
        flags = "".join(_switched_on(match) for match in _FLAGS.finditer(self._bytes))
        # A switch counts for the whole pattern: sets only grow by it, so an overlap cannot be missed.
        self._sets = Alphabet([*map(ord, text), *points], folded="i" in flags)

    def is_done(self) -> bool:
        """Whether all of the text is read."""
        return self._at >= len(self._text)

    def choice(self, depth: int) -> Node:
        """Alternatives up to a closing bracket or the end."""
        if depth > MAX_DEPTH:
            raise MalformedError("depth", "nests too deeply to be judged")
        rows: list[Node] = [self._row(depth)]
        while self._next("|"):
            rows.append(self._row(depth))
        return rows[0] if len(rows) == 1 else Choice(tuple(rows))

    def _row(self, depth: int) -> Node:
        parts: list[Node] = []
        self._skip_notes()
        while not self.is_done() and self._text[self._at] not in "|)":
            parts.append(self._repeated(self._atom(depth), depth))
        return parts[0] if len(parts) == 1 else Row(tuple(parts))

    def _skip_notes(self) -> None:
        """Skip comments; what repeats after one repeats what stands before it."""
        while self._next("(?#"):
            end = self._text.find(")", self._at)
            if end < 0:
                raise _broken()
            self._at = end + 1

    def _next(self, text: str) -> bool:
        if self._text.startswith(text, self._at):
            self._at += len(text)
            return True
        return False

    def _match(self, shape: "re2.Pattern") -> "re2.Match | None":
        # A slice, so that a look at what comes next costs the same wherever it is.
        match = shape.match(self._bytes[self._at : self._at + _LOOK_AHEAD])
        if match:
            self._at += match.end()
        return match

    def _repeated(self, body: Node, depth: int) -> Node:
        self._skip_notes()
        while not self.is_done():
            sign = self._text[self._at]
            if sign in "*+?":
                self._at += 1
                body = Repeat(body, int(sign == "+"), 1 if sign == "?" else None)
            elif counted := self._match(_COUNT):
                body = _counted(body, counted)
                # After braces a `+` repeats once more; it is no possessive sign there. At the end of an alternative
                # nothing can fail behind it, and patterns written for other engines have it there.
                if self._next("?") or (self._text[self._at : self._at + 2] in {"+", "+|"} and depth == 0):
                    self._next("+")
                    self._skip_notes()
                    continue
            else:
                return body
            if sign in "*+?" and (self._next("?") or self._next("+")):
                self._skip_notes()
                # Lazy and possessive signs change the order of the tries; a possessive one is judged as a greedy one.
                continue
            self._skip_notes()
            depth += 1
            if depth > MAX_DEPTH:
                raise MalformedError("depth", "nests too deeply to be judged")
        return body

    def _atom(self, depth: int) -> Node:
        sign = self._text[self._at]
        if sign == "(":
            self._at += 1
            return self._group(depth + 1)
        if sign == "[":
            self._at += 1
            return Chars(self._set(depth + 1))
        if sign == "\\":
            return self._escaped()
        self._at += 1
        if sign in "^$":
            return Row(())
        if sign in "*+?":
            raise _broken()
        return Chars(self._sets.everything if sign == "." else self._sets.one(ord(sign)))

    def _group(self, depth: int) -> Node:
        opening = next((each for each in _OPENINGS[::-1] if self._next(each)), "")
        if not opening and not self._match(_NAMED) and self._text.startswith("?", self._at):
            flags = self._match(_FLAGS)
            if not flags or "x" in _switched_on(flags):
                raise MalformedError("construct", "uses a construct that cannot be judged by reading it")
            if flags.group(2) == b")":
                # A switch holds to the end of the group around it, with the alternatives that follow.
                return self.choice(depth)
        if self._text.startswith("*", self._at):
            raise MalformedError("construct", "uses a construct that cannot be judged by reading it")
        body = self.choice(depth)
        if not self._next(")"):
            raise _broken()
        return Look(body) if opening in _LOOKS else body

    def _escaped(self) -> Node:
        if self._match(_BACKWARDS):
            # What a group took may be any text of any length.
            return Repeat(Chars(self._sets.everything), 0, None)
        if self._text[self._at + 1 : self._at + 2] == "g":
            raise MalformedError("construct", "calls a group of its own, which may never end")
        if self._text[self._at + 1 : self._at + 2] in _EMPTY:
            self._at += 2
            return Row(())
        if self._next("\\X"):
            return Repeat(Chars(self._sets.everything), 1, None)
        return Chars(self._set_of_escape())

    def _set_of_escape(self) -> int:
        """The characters of an escape, inside or outside of square brackets."""
        if found := self._match(_PROPERTY):
            mask = self._sets.named(_word(found, 3))
            inverted = (found.group(1) == b"P") != bool(found.group(2))
            return self._sets.without(mask) if inverted else mask
        if code := self._match(_CODE):
            mask = 0
            for point in _code_points(code):
                mask |= self._sets.one(point)
            return mask
        sign = self._text[self._at + 1 : self._at + 2]
        if not sign:
            raise _broken()
        self._at += 2
        if sign.lower() in "wsdh":
            mask = self._sets.named(sign.lower())
            return self._sets.without(mask) if sign.isupper() else mask
        if sign in "RNOpPcCM":
            return self._sets.everything
        return self._sets.one(ord(_CONTROLS.get(sign, sign)))

    def _set(self, depth: int) -> int:
        if depth > MAX_DEPTH:
            raise MalformedError("depth", "nests too deeply to be judged")
        inverted = self._next("^")
        mask, cut, doubt, is_first = 0, -1, 0, True
        while is_first or not self._text.startswith("]", self._at):
            if self.is_done():
                raise _broken()
            if self._next("&&"):
                cut, mask = cut & mask, 0
            else:
                member = self._member(depth)
                mask, doubt = mask | member, doubt | member & ~self._sets.everything
            is_first = False
        self._at += 1
        mask = mask & cut | doubt
        return self._sets.without(mask) if inverted else mask

    def _member(self, depth: int) -> int:
        if self._match(_POSIX):
            return self._sets.unknown
        if self._next("["):
            return self._set(depth + 1)
        start = self._at
        low = self._point()
        if low is None:
            return self._set_of_escape()
        if self._text.startswith("-", self._at) and self._text[self._at + 1 : self._at + 2] not in {"]", "["}:
            self._at += 1
            high = None if self.is_done() else self._point()
            if high is not None:
                return self._sets.range(low, high)
            self._at = start
            self._point()
        return self._sets.one(low)

    def _point(self) -> int | None:
        """One character as a number, or None where an escape that names a set stands next."""
        if code := self._match(_CODE):
            return next(iter(_code_points(code)), 0)
        sign = self._text[self._at]
        if sign != "\\":
            self._at += 1
            return ord(sign)
        escaped = self._text[self._at + 1 : self._at + 2]
        if not escaped or (escaped.lower() in "wsdhrnoxpcm" and escaped not in _CONTROLS):
            return None
        self._at += 2
        return ord(_CONTROLS.get(escaped, escaped))


def _word(match: "re2.Match", group: int) -> str:
    return (match.group(group) or b"").decode("ascii")


def _switched_on(flags: "re2.Match") -> str:
    return _word(flags, 1).partition("-")[0]


def _code_points(match: "re2.Match") -> list[int]:
    spaced, short, wide, octal = (_word(match, group) for group in range(1, 5))
    if octal:
        return [int(octal, 8)]
    return [int(digits, 16) for digits in (spaced or short or wide).split() if len(digits) <= 8]  # noqa: PLR2004


def _counted(body: Node, counted: "re2.Match") -> Node:
    least, comma, most, only = (_word(counted, group) for group in range(1, 5))
    if only:
        return Repeat(body, 0, int(only))
    low = int(least or 0)
    high = int(most) if most else None if comma else low
    if low > MAX_COUNT or (high or 0) > MAX_COUNT:
        raise _broken()
    # Oniguruma reads a turned range as its mirror image.
    return Repeat(body, min(low, high), max(low, high)) if high is not None else Repeat(body, low, None)


def _broken() -> MalformedError:
    return MalformedError("syntax", "does not parse")
