"""Server-sent events, strictly: the few shapes that chat completions use, bounded."""

MAX_EVENT = 1 << 20
_IGNORED = frozenset({"event", "id", "retry"})


class SseError(Exception):
    """The stream is not the event stream that it claims to be; the message quotes nothing."""


class SseReader:
    """Cuts a byte stream into the data of its events (WHATWG HTML, section 9.2).

    Feed it chunks as they come; it holds back what is incomplete. A line ends with LF, CR or both.
    """

    def __init__(self) -> None:
        self._rest = b""
        self._after_cr = False
        self._first = True
        self._data: list[str] = []
        self._size = 0

    def feed(self, chunk: bytes) -> list[str]:
        """The data of every event that `chunk` completes.

        Raises:
            SseError: A line is not UTF-8 or no field of an event, or an event is larger than 1 MiB.
        """
        whole, found, rest = (self._rest + self._with_lf(chunk)).rpartition(b"\n")
        self._rest = rest
        if len(rest) > MAX_EVENT:
            raise SseError("sent a line that is too long")
        if not found:
            return []
        try:
            text = whole.decode("utf-8-sig" if self._first else "utf-8")
        except UnicodeDecodeError as error:
            raise SseError("sent a stream that is not UTF-8") from error
        self._first = False
        return [data for line in text.split("\n") if (data := self._take(line)) is not None]

    def finish(self) -> list[str]:
        """The data of the event in which the stream ended: some servers leave out the blank line behind the last one.

        Raises:
            SseError: As in `feed`.
        """
        return self.feed(b"\n\n")

    def _with_lf(self, chunk: bytes) -> bytes:
        """The chunk with LF at the end of each line; one that stands behind a CR is the same end, in two chunks too."""
        if self._after_cr and chunk:
            self._after_cr = False
            chunk = chunk.removeprefix(b"\n")
        if b"\r" not in chunk:
            return chunk
        self._after_cr = chunk.endswith(b"\r")
        return chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n")

    def _take(self, text: str) -> str | None:
        if not text:
            if not (data := self._data):
                return None
            self._data, self._size = [], 0
            return data[0] if len(data) == 1 else "\n".join(data)
        name, _, value = text.partition(":")
        if name == "data":
            self._size += len(value)
            if self._size > MAX_EVENT:
                raise SseError("sent an event that is too large")
            self._data.append(value.removeprefix(" "))
        elif name and name not in _IGNORED:
            raise SseError("sent a stream that is no event stream")
        return None
