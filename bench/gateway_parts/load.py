"""A client as cheap as Python allows, and what the kernel knows of a process."""

import asyncio
import itertools
import json
import os
import time
from pathlib import Path

from gateway_parts.servers import STALL_S, sent_before_pause

OK = 200
MARK = b"nnnnnnnn"
_LETTERS = "abcdefghijklm"
_SETTLED_S = STALL_S / 2
_numbers = itertools.count()


class Address:
    """Where requests go, and the head that they carry."""

    def __init__(self, port: int, key: str = "") -> None:
        self.port = port
        self.key = key

    def request(self, body: bytes) -> bytes:
        """The bytes of one request; `MARK` in the body becomes a word that was never sent before."""
        body = body.replace(MARK, _fresh())
        key = f"authorization: Bearer {self.key}\r\n" if self.key else ""
        head = (
            f"POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n{key}"
            f"content-length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body


def _fresh() -> bytes:
    number, word = next(_numbers), ""
    for _ in MARK:
        number, letter = divmod(number, len(_LETTERS))
        word += _LETTERS[letter]
    return word.encode()


class BadAnswerError(Exception):
    """An answer that is no success."""


async def read_answer(reader: asyncio.StreamReader) -> bytes:
    """The body of one successful answer."""
    status, head, body = await read_whole(reader)
    if status != OK:
        raise BadAnswerError((head.split(b"\r\n", 1)[0] + body).decode("latin-1"))
    return body


async def read_whole(reader: asyncio.StreamReader) -> tuple[int, bytes, bytes]:
    """Status, head in lower case and body of one answer, with its length announced or in chunks."""
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    status = int(head[9:12])
    if b"transfer-encoding: chunked" not in head:
        return status, head, await reader.readexactly(int(field(head, b"content-length") or b"0"))
    found = b""
    while True:
        size = int((await reader.readuntil(b"\r\n")).strip(), 16)
        found += (await reader.readexactly(size + 2))[:-2]
        if not size:
            return status, head, found


def field(head: bytes, name: bytes) -> bytes:
    """The value of a header; empty where it is absent."""
    _, found, rest = head.partition(b"\r\n" + name + b":")
    return rest.split(b"\r\n", 1)[0].strip() if found else b""


async def one_after_the_other(address: Address, bodies: list[bytes], count: int) -> list[str]:
    """Send `count` requests over one connection; gives how each failure looked."""
    failed: list[str] = []
    reader, writer = await asyncio.open_connection("127.0.0.1", address.port)
    for number in range(count):
        writer.write(address.request(bodies[number % len(bodies)]))
        try:
            await read_answer(reader)
        except BadAnswerError as error:
            failed.append(str(error)[-300:])
            writer.close()
            reader, writer = await asyncio.open_connection("127.0.0.1", address.port)
    writer.close()
    return failed


async def flood(address: Address, bodies: list[bytes], count: int, connections: int = 16) -> tuple[float, list[str]]:
    """Send `count` requests over several connections; gives requests a second and failures."""
    started = time.perf_counter()
    spread = [bodies[number:] + bodies[:number] for number in range(connections)]
    failed = await asyncio.gather(
        *(
            one_after_the_other(address, spread[number % len(spread)], count // connections)
            for number in range(connections)
        )
    )
    return count / (time.perf_counter() - started), [text for one in failed for text in one]


async def first_token_ms(address: Address, body: bytes) -> float:
    """Milliseconds from a streamed request to the first event with text; the stream is read to its end."""
    reader, writer = await asyncio.open_connection("127.0.0.1", address.port)
    started = time.perf_counter()
    writer.write(address.request(body))
    seen = b""
    while b'"content":"We' not in seen.replace(b'": "', b'":"'):
        piece = await reader.read(65_536)
        if not piece:
            raise BadAnswerError(seen[:500].decode("latin-1"))
        seen += piece
    took = (time.perf_counter() - started) * 1000
    while b"[DONE]" not in seen and (piece := await reader.read(65_536)):
        seen = seen[-16:] + piece
    writer.close()
    return took


async def stream_to_end(address: Address, body: bytes) -> str:
    """Read one stream to its end; empty where it was whole, else the code of the error, or how it ended."""
    last = b""
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", address.port)
        writer.write(address.request(body))
        while piece := await asyncio.wait_for(reader.read(65_536), 60):
            last = (last + piece)[-512:]
            if b"data: [DONE]" in last:
                break
        writer.close()
    except (OSError, TimeoutError) as error:
        return type(error).__name__
    if b"data: [DONE]" in last:
        return ""
    _, found, rest = last.partition(b'"code":"')
    return rest.partition(b'"')[0].decode("latin-1") if found else "cut off"


async def held_back(address: Address, body: bytes) -> int:
    """Characters that the mock sent before it paused in mid-stream and that have not come by then."""
    reader, writer = await asyncio.open_connection("127.0.0.1", address.port)
    writer.write(address.request(body))
    seen = b""
    until = asyncio.get_running_loop().time() + _SETTLED_S
    while b"[DONE]" not in seen:
        left = until - asyncio.get_running_loop().time()
        try:
            seen += await asyncio.wait_for(reader.read(65_536), max(left, 0.001))
        except TimeoutError:
            break
    writer.close()
    return sent_before_pause(body) - len("".join(pieces(seen)))


def pieces(stream: bytes) -> list[str]:
    """The texts of the events of a stream of chat completions, in order."""
    found: list[str] = []
    for line in stream.splitlines():
        if line.startswith(b"data: {"):
            choices = json.loads(line[6:])["choices"]
            found += [choices[0]["delta"].get("content") or ""] if choices else []
    return found


def cpu_s(pid: int) -> float:
    """Seconds of processor time that a process has used, user and system, all threads.

    The clock is the one of `clock_getcpuclockid(3)`, whose number Linux makes from the process id; /proc counts in
    hundredths of a second only.
    """
    return time.clock_gettime((~pid << 3) | 2)


def memory_mb(pid: int) -> float:
    """Resident memory now."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def descriptors(pid: int) -> int:
    """Open file descriptors now."""
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))
