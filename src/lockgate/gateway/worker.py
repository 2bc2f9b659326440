"""One of several processes that answer on the same socket. `workers` starts it as a module; nobody imports it.

Its arguments are two inherited descriptors, the control socket and the listener. It ends when SIGTERM says so or when
the supervisor is gone, after the requests in progress.
"""

import asyncio
import logging
import signal
import socket
import sys

import uvloop

from lockgate.core.errors import LockgateError
from lockgate.gateway.assembly import open_live, server_tls
from lockgate.gateway.control import Answer, Order, hear, tell
from lockgate.gateway.live import Spec
from lockgate.gateway.process import running
from lockgate.gateway.record import unreadable
from lockgate.gateway.site import LocalSite
from lockgate.gateway.telemetry.starting import start_telemetry
from lockgate.monitor import EventStore

_log = logging.getLogger(__name__)


async def _work(control: socket.socket, listener: socket.socket) -> None:
    reader, writer = await asyncio.open_connection(sock=control)
    first = await hear(reader, Order)
    if first is None or first.spec is None:
        return
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    try:
        telemetry = start_telemetry(first.spec.serve.telemetry)
        try:
            with EventStore.open(first.spec.project.state) as store:
                spec, tls = first.spec, server_tls(first.spec)
                drain_s, refused = spec.serve.drain_s, unreadable(spec.source, telemetry)
                async with (
                    open_live(spec, first.endpoints, store=store, telemetry=telemetry, workers=first.workers) as live,
                    running(live, listener, drain_s=drain_s, tls=tls, refused=refused) as listening,
                ):
                    await tell(writer, Answer())
                    site = LocalSite(live, telemetry, listening, spec)
                    await _obey(reader, writer, site, stop)
                    await site.settle()
        finally:
            telemetry.close()
    except LockgateError as error:
        await tell(writer, Answer(problem=error.message, remedy=error.remedy))
    finally:
        writer.close()


async def _obey(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, site: LocalSite, stop: asyncio.Event
) -> None:
    stopped = asyncio.create_task(stop.wait())
    try:
        while True:
            heard = asyncio.create_task(hear(reader, Order))
            await asyncio.wait((heard, stopped), return_when=asyncio.FIRST_COMPLETED)
            if stopped.done() or (order := heard.result()) is None:
                heard.cancel()
                return
            await tell(writer, await _answer(order, site))
    except ConnectionError:
        return
    finally:
        stopped.cancel()


async def _answer(order: Order, site: LocalSite) -> Answer:
    match order.do:
        case "metrics":
            return Answer(families=await site.families())
        case "upstreams":
            return Answer(upstreams=(await site.states())[0])
        case "load":
            return await _load(site, order.spec, order)


async def _load(site: LocalSite, spec: Spec | None, order: Order) -> Answer:
    if spec is None:
        return Answer(problem="There are no settings to load.")
    try:
        await site.load(spec, order.endpoints)
    except LockgateError as error:
        return Answer(problem=error.message, remedy=error.remedy)
    return Answer()


def main() -> None:
    """Answer until told to end."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the supervisor hears it too, and ends this process in order
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    control, listener = (socket.socket(fileno=int(number)) for number in sys.argv[1:])
    with listener, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_work(control, listener))


if __name__ == "__main__":
    main()
