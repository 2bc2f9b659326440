"""The process that reads hostile files: `python -m lockgate.supply.worker`, with a socket as standard input.

Each request is a file's name with an open descriptor; each reply is its facts. The process has little memory, little
time and no right to write, so a file that breaks a parser breaks only this process, and the file counts as unreadable.
"""

import contextlib
import gc
import os
import resource
import socket
import struct
import sys

import msgspec

from lockgate.supply.formats import read_model
from lockgate.supply.subject import ModelFacts

MAX_SECONDS = 60
MAX_REQUEST = 1 << 16
LENGTH = struct.Struct("<I")


class Reply(msgspec.Struct, frozen=True):
    """What came of one request: facts, or the reason why there are none."""

    facts: ModelFacts | None
    failure: str = ""


class Descriptor:
    """An open file as a source. Reads by position, so the descriptor's own offset does not matter."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._size = os.fstat(descriptor).st_size

    @property
    def size(self) -> int:
        """How many bytes the file has."""
        return self._size

    def read(self, offset: int, length: int) -> bytes:
        """Up to `length` bytes from `offset` on."""
        if offset < 0 or length <= 0:
            return b""
        parts: list[bytes] = []
        while length and (part := os.pread(self._descriptor, min(length, 1 << 26), offset)):
            parts.append(part)
            offset += len(part)
            length -= len(part)
        return b"".join(parts)


def main(memory: int) -> None:
    """Answer requests until the parent closes the socket.

    Args:
        memory: Most bytes of address space that this process may take.
    """
    # Millions of symbolic values live at once and die together; collecting in between only costs time.
    gc.disable()
    gc.freeze()
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_FSIZE, 0)
    _limit(resource.RLIMIT_AS, memory)
    with socket.socket(fileno=0) as parent:
        while True:
            request, descriptors, _, _ = socket.recv_fds(parent, MAX_REQUEST, 1)
            if not request or len(descriptors) != 1:
                return
            try:
                _limit_seconds()
                reply = _answer(descriptors[0], os.fsdecode(request))
            finally:
                os.close(descriptors[0])
            body = msgspec.msgpack.encode(reply)
            parent.sendall(LENGTH.pack(len(body)) + body)
            gc.collect()


def _answer(descriptor: int, name: str) -> Reply:
    try:
        return Reply(read_model(Descriptor(descriptor), name))
    except MemoryError:
        return Reply(None, "reading it takes more memory than it may")
    except Exception as error:  # noqa: BLE001 - whatever a hostile file provokes makes that file unreadable
        return Reply(None, f"reading it fails ({type(error).__name__})")


def _limit(kind: int, value: int) -> None:
    # Some systems refuse a limit they do not know; the parent's wall clock holds there as well.
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(kind, (value, value))


def _limit_seconds() -> None:
    used = resource.getrusage(resource.RUSAGE_SELF)
    seconds = int(used.ru_utime + used.ru_stime) + MAX_SECONDS
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, resource.RLIM_INFINITY))


if __name__ == "__main__":
    main(int(sys.argv[1]))
