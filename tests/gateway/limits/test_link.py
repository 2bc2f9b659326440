import asyncio
from typing import Any

import pytest

from lockgate.gateway.limits import link as links
from lockgate.gateway.limits.link import Link
from lockgate.gateway.limits.link_errors import LinkDownError, ReplyError


async def connected(port: int, timeout_s: float = 5.0) -> tuple[Link, asyncio.Event]:
    lost = asyncio.Event()
    loop = asyncio.get_running_loop()
    _, link = await loop.create_connection(lambda: Link(timeout_s, lost.set), "127.0.0.1", port)
    return link, lost


async def test_replies_come_in_the_order_of_the_commands(redis: Any):
    link, _ = await connected(redis.port)
    sent = [link.send("ECHO", b"%d" % number) for number in range(2_000)]
    failing = link.send("NO-SUCH-COMMAND")
    more = [link.send("INCRBYFLOAT", "n", 0.1) for _ in range(3)]
    assert await asyncio.gather(*sent) == [b"%d" % number for number in range(2_000)]
    with pytest.raises(ReplyError) as caught:
        await failing
    assert caught.value.code == "ERR"
    assert [float(str(await reply, "ascii")) for reply in more] == pytest.approx([0.1, 0.2, 0.3])  # pyright: ignore[reportArgumentType]
    link.close()


async def test_numbers_arrive_as_they_left(redis: Any):
    link, _ = await connected(redis.port)
    for number in (1e-7, 1 / 3, 1e15, 12345678.9012345, 3, 6e-05):
        assert float(await link.send("ECHO", number)) == number  # pyright: ignore[reportArgumentType]
    link.close()


async def test_a_command_after_the_end_fails_at_once(redis: Any):
    link, lost = await connected(redis.port)
    waiting = link.send("BLPOP", "nothing", 0)
    await asyncio.sleep(0.05)
    link.close()
    with pytest.raises(LinkDownError):
        await waiting
    await lost.wait()
    with pytest.raises(LinkDownError, match="has ended"):
        link.send("PING")


async def test_commands_that_wait_are_bounded(redis: Any, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(links, "_MAX_PENDING", 5)
    link, _ = await connected(redis.port)
    sent = [link.send("PING") for _ in range(5)]
    with pytest.raises(LinkDownError, match="too many"):
        link.send("PING")
    assert await asyncio.gather(*sent) == [b"PONG"] * 5
    assert await link.send("PING") == b"PONG"
    link.close()


async def test_a_reply_without_an_end_is_given_up():
    async def pour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        try:
            writer.write(b"$999999999\r\n")
            for _ in range(64):
                writer.write(b"x" * 65_536)
                await writer.drain()
        except ConnectionError:
            pass
        writer.close()

    server = await asyncio.start_server(pour, "127.0.0.1", 0)
    async with server:
        link, _ = await connected(server.sockets[0].getsockname()[1], timeout_s=0.5)
        with pytest.raises(LinkDownError):
            await link.send("GET", "x")
