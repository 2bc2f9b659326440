"""Inflates LZ4 frames, which joblib and ordinary tools write, without the library.

Source: the LZ4 frame format 1.6.x and the LZ4 block format of the LZ4 project. Frames with a dictionary are refused.
Checksums of blocks and content are passed over: a loader that finds them wrong refuses the file, and nothing more.
"""

import struct

from lockgate.detect.source import MalformedError

MAGIC = b"\x04\x22\x4d\x18"
HISTORY = 64 << 10
_BLOCK_SIZES = {4: 64 << 10, 5: 256 << 10, 6: 1 << 20, 7: 4 << 20}
_STORED = 1 << 31
_VERSION, _INDEPENDENT, _BLOCK_SUMS, _SIZED, _SUM, _DICTIONARY = 0x40, 0x20, 0x10, 0x08, 0x04, 0x01
_RESERVED = 0x02
_MORE, _SHORTEST, _OFFSET = 15, 4, 2
_U4 = struct.Struct("<I")


class Lz4Machine:
    """A decompressor of one frame that is fed and drained; it gives one block at a time, 4 MiB at most."""

    def __init__(self) -> None:
        self._waiting = bytearray()
        self._history = bytearray()
        self._flags = 0
        self._most = 0
        self._done = False

    @property
    def is_done(self) -> bool:
        """Whether the frame has ended."""
        return self._done

    @property
    def left(self) -> bytes:
        """Input behind the end of the frame."""
        return bytes(self._waiting)

    def feed(self, body: bytes) -> bytes:
        """Take more input and give a block; empty input drains what is waiting.

        Raises:
            MalformedError: The frame breaks the format or needs a dictionary.
        """
        self._waiting += body
        if not self._most and not self._header():
            return b""
        while not self._done:
            block = self._block()
            if block is None or block:
                return block or b""
        return b""

    def _header(self) -> bool:
        """Read the frame's header, if it is there."""
        if len(self._waiting) < len(MAGIC) + 2:
            return False
        flags, sizes = self._waiting[4], self._waiting[5]
        if not self._waiting.startswith(MAGIC) or flags & 0xC0 != _VERSION or flags & _RESERVED or sizes & 0x8F:
            raise _broken()
        if flags & _DICTIONARY:
            raise MalformedError("unsupported", "Its compressed stream needs a dictionary from elsewhere.")
        length = len(MAGIC) + 3 + (8 if flags & _SIZED else 0)
        if len(self._waiting) < length:
            return False
        self._flags, self._most = flags, _BLOCK_SIZES.get(sizes >> 4, 0)
        if not self._most:
            raise _broken()
        del self._waiting[:length]
        return True

    def _block(self) -> bytes | None:
        """The next block; None where it is not there yet, empty where the frame has ended."""
        if len(self._waiting) < _U4.size:
            return None
        (size,) = _U4.unpack_from(self._waiting)
        tail = 4 if self._flags & (_BLOCK_SUMS if size else _SUM) else 0
        stored, size = bool(size & _STORED), size & ~_STORED
        end = _U4.size + size
        if size > self._most:
            raise _broken()
        if len(self._waiting) < end + tail:
            return None
        body = bytes(self._waiting[_U4.size : end])
        del self._waiting[: end + tail]
        if not size:
            self._done = True
            return b""
        made = body if stored else inflate_block(body, self._history, self._most)
        if not self._flags & _INDEPENDENT:
            self._history = (self._history + made)[-HISTORY:]
        return made


def inflate_block(body: bytes, history: bytes | bytearray, most: int) -> bytes:
    """Inflate one block.

    Args:
        body: The compressed bytes.
        history: What came before it, to which it may refer.
        most: Most bytes that it may inflate to.

    Raises:
        MalformedError: It breaks the format.
    """
    made = bytearray(history)
    limit = len(made) + most
    at = 0
    try:
        while True:
            token = body[at]
            count, at = _length(body, at + 1, token >> 4)
            if at + count > len(body):
                raise _broken()
            made += body[at : at + count]
            at += count
            if at == len(body):
                break
            back = body[at] | body[at + 1] << 8
            count, at = _length(body, at + _OFFSET, token & _MORE)
            count += _SHORTEST
            if not 0 < back <= len(made) or len(made) + count > limit:
                raise _broken()
            part = made[len(made) - back : len(made) - back + count]
            made += part if back >= count else (part * (count // back + 1))[:count]
    except IndexError as error:
        raise _broken() from error
    if len(made) > limit:
        raise _broken()
    return bytes(made[len(history) :])


def _length(body: bytes, at: int, first: int) -> tuple[int, int]:
    """A length and the offset behind it: every byte of 255 says that another follows."""
    count = first
    while first == _MORE:
        more = body[at]
        at += 1
        count += more
        if more != 255:  # noqa: PLR2004 - see above
            break
    return count, at


def _broken() -> MalformedError:
    return MalformedError("inflate", "Its compressed stream is broken or asks for too much memory.")
