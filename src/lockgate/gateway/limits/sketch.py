"""How many different prompts a key sent lately, in a few kilobytes, whatever it sends.

HyperLogLog (Flajolet, Fusy, Gandouet, Meunier 2007, https://doi.org/10.46298/dmtcs.3545) with 1,024 registers, so with
a standard error of 3.2 %, and linear counting for small numbers. The hash is keyed with a secret of this process:
whoever knew it could choose prompts that all fall into one register.
"""

import hashlib
import math
from collections import OrderedDict, deque
from collections.abc import Callable

_BITS = 10
_REGISTERS = 1 << _BITS
_BIAS = 0.7213 / (1 + 1.079 / _REGISTERS)
_SMALL = 2.5 * _REGISTERS
_MAX_KEYS = 10_000
SLICES = 4


def fingerprint(prompt: bytes, salt: bytes) -> bytes:
    """A keyed hash of a prompt, 8 bytes; from it the prompt cannot be told."""
    return hashlib.blake2b(prompt, digest_size=8, key=salt[:64]).digest()


class Sketch:
    """A HyperLogLog counter."""

    __slots__ = ("_empty", "_sum", "registers")

    def __init__(self) -> None:
        self.registers = bytearray(_REGISTERS)
        self._sum = float(_REGISTERS)
        self._empty = _REGISTERS

    def add(self, digest: bytes) -> None:
        """Count a fingerprint, once however often it comes."""
        value = int.from_bytes(digest, "big")
        rest = value >> _BITS
        self._raise(value & (_REGISTERS - 1), 64 - _BITS - rest.bit_length() + 1)

    def merge(self, other: "Sketch") -> None:
        """Count what `other` has counted."""
        for index, rank in enumerate(other.registers):
            if rank:
                self._raise(index, rank)

    def count(self) -> float:
        """About how many different fingerprints came."""
        estimate = _BIAS * _REGISTERS * _REGISTERS / self._sum
        if estimate <= _SMALL and self._empty:
            return _REGISTERS * math.log(_REGISTERS / self._empty)
        return estimate

    def _raise(self, index: int, rank: int) -> None:
        old = self.registers[index]
        if rank > old:
            self.registers[index] = rank
            self._sum += 2.0**-rank - 2.0**-old
            self._empty -= not old


class _Window:
    """The last `SLICES` slices of one key, the running one, and all of them together."""

    __slots__ = ("slices", "total")

    def __init__(self) -> None:
        self.slices: deque[tuple[int, Sketch]] = deque()
        self.total = Sketch()


class DistinctMeters:
    """Different prompts of each key in a sliding window, which moves on by a quarter.

    Args:
        limit: Prompts that one key may send in a window.
        every_s: Seconds of the window.
        clock: Seconds that never go back.
        salt: Secret key of the hash.
    """

    def __init__(self, limit: int, every_s: float, clock: Callable[[], float], salt: bytes) -> None:
        self._limit = limit
        self._slice_s = every_s / SLICES
        self._clock = clock
        self._salt = salt
        self._windows: OrderedDict[str, _Window] = OrderedDict()

    def wait(self, key: str) -> float:
        """Seconds until `key` may send another prompt; 0 when it may now."""
        now = self._clock()
        window = self._windows.get(key)
        if window is None:
            return 0.0 if self._has_room(now) else self._slice_s
        self._move(window, int(now / self._slice_s))
        return 0.0 if window.total.count() < self._limit else self._slice_s - now % self._slice_s

    def add(self, key: str, prompt: bytes) -> None:
        """Count a prompt."""
        window = self._windows.setdefault(key, _Window())
        self._windows.move_to_end(key)
        current = int(self._clock() / self._slice_s)
        self._move(window, current)
        if not window.slices or window.slices[-1][0] != current:
            window.slices.append((current, Sketch()))
        digest = fingerprint(prompt, self._salt)
        window.slices[-1][1].add(digest)
        window.total.add(digest)

    def _move(self, window: _Window, current: int) -> None:
        oldest = current - SLICES
        if window.slices and window.slices[0][0] < oldest:
            while window.slices and window.slices[0][0] < oldest:
                window.slices.popleft()
            window.total = Sketch()
            for _, sketch in window.slices:
                window.total.merge(sketch)

    def _has_room(self, now: float) -> bool:
        if len(self._windows) < _MAX_KEYS:
            return True
        key, window = next(iter(self._windows.items()))
        # The first is the one that was used longest ago; while it still counts, dropping it would reset its limit.
        if window.slices and window.slices[-1][0] >= int(now / self._slice_s) - SLICES:
            return False
        del self._windows[key]
        return True
