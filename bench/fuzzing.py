"""Damages inputs, feeds them to a reader, and counts what comes of them. Used by the fuzzing benchmarks beside it."""

import random
import sys
import time
from collections import Counter
from collections.abc import Callable

INSERTED = (b'"', b"[", b"{", b"\\", b"\\u0000", b"null", b"-1", b"1e999", b"\xed\xa0\x80", b"://", b"@", b"\n", b"\0")
WRITTEN_OVER = (b"\xff" * 8, b"\0" * 8, b"[" * 8, b'{"":' * 2, b"9" * 8)


def damaged(body: bytes, draw: random.Random) -> bytes:
    """The bytes after one to three draws: a byte changed, some cut, repeated, written over or put in."""
    found = bytearray(body)
    for _ in range(draw.randint(1, 3)):
        at, kind = draw.randrange(len(found) or 1), draw.randrange(5)
        if kind == 0:
            found[at : at + 1] = bytes([draw.randrange(256)])
        elif kind == 1:
            del found[at : at + draw.randint(1, 8)]
        elif kind == 2:
            found[at:at] = found[at : at + draw.randint(1, 16)]
        elif kind == 3:
            found[at : at + 8] = draw.choice(WRITTEN_OVER)
        else:
            found[at:at] = draw.choice(INSERTED)
    return bytes(found)


def feed(name: str, seed: bytes, read: Callable[[bytes], str], runs: int) -> None:
    """Read damaged copies of a seed and print how often each word came back.

    Args:
        name: What the reader reads, for the table.
        seed: An input that is whole. Copies that the damage left as they were are passed over.
        read: Says in a word what became of an input. What it raises stops the run and prints the bytes.
        runs: How many copies.
    """
    draw, counts, began = random.Random(7), Counter[str](), time.perf_counter()
    for _ in range(runs):
        body = damaged(seed, draw)
        if body == seed:
            continue
        try:
            counts[read(body)] += 1
        except Exception:
            sys.stderr.write(f"{name}: {body!r}\n")
            raise
    shown = ", ".join(f"{count:,} {what}" for what, count in sorted(counts.items()))
    print(f"{name:<19} {counts.total():>8,} executions in {time.perf_counter() - began:5.1f} s: {shown}")
