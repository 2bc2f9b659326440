"""An abusive client in a process of its own, so that its work is not the good client's wait.

Run as `abuser.py PORT KEY FILE`: sends the body in FILE over several connections without a pause until its standard
input ends, then prints how many answers of each status it got. An empty line before says that it begins.
"""

import asyncio
import json
import sys
from collections import Counter
from pathlib import Path

import uvloop

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from gateway_parts.load import Address, read_whole

CONNECTIONS = 8
_PAUSE_S = 0.01


async def send(address: Address, body: bytes, seen: "Counter[int]") -> None:
    while True:
        writer = None
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", address.port)
            while True:
                writer.write(address.request(body))
                seen[(await read_whole(reader))[0]] += 1
        except (OSError, asyncio.IncompleteReadError, ValueError):
            await asyncio.sleep(_PAUSE_S)  # the endpoint closed the connection: once more
        finally:
            if writer is not None:
                writer.close()


async def main(address: Address, body: bytes) -> None:
    seen: Counter[int] = Counter()
    tasks = [asyncio.create_task(send(address, body, seen)) for _ in range(CONNECTIONS)]
    print(flush=True)
    await asyncio.to_thread(sys.stdin.read)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    print(json.dumps(seen))


if __name__ == "__main__":
    uvloop.run(main(Address(int(sys.argv[1]), sys.argv[2]), Path(sys.argv[3]).read_bytes()))
