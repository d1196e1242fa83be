"""SenseLink: records a second from socket to state ÷ through a bare loop."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
import sys
import time
from typing import Any

from demo.home_assistant import Api
from demo.process import LOOPBACK
from simulators import senselink_frames as frames
from simulators.senselink import SenseLink

from .home import add_entry, running
from .rounds import Row, compare
from .terminals import make_terminals

ROOT = Path(__file__).parents[1]
OURS, YARDSTICK = range(2)
STRETCH = 200


async def run(*, rounds: int, count: int, terminals: Sequence[int]) -> list[Row]:
    """Measure with each of these numbers of terminals, in a Home Assistant each."""
    return [await _run(rounds, count, number) for number in terminals]


async def _run(rounds: int, count: int, number: int) -> Row:
    """Measure two servers in turn, one for either side."""
    server = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "benchmarks.terminals",
        str(number),
        cwd=ROOT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    orders, told = server.stdin, server.stdout
    assert orders is not None
    assert told is not None
    ports = [int(port) for port in (await told.readline()).split()]
    try:
        async with running() as (_, api):

            async def push(which: int, records: int) -> float:
                """Have records pushed; return the seconds from first to last state."""
                await api.post("/gatehouse_yardstick/watch", {"records": records})
                orders.write(f"{which} {records}\n".encode())
                took = await api.get("/gatehouse_yardstick/watch")
                return float(took["seconds"])

            async def rate(which: int) -> float:
                # The seconds begin when the first one is there.
                return (STRETCH - 1) / await push(which, STRETCH)

            await set_up(api, ports, number)
            # A terminal appears with its first record.
            await push(OURS, number)
            return await compare(
                "SenseLink: records/s from socket to state ÷ bare loop,"
                f" {number} terminal{'s' if number > 1 else ''}",
                lambda: rate(OURS),
                lambda: rate(YARDSTICK),
                mark=0.7,
                rounds=rounds,
                stretches=count // STRETCH,
            )
    finally:
        orders.close()
        await server.wait()


async def set_up(api: Api, ports: list[int], number: int) -> None:
    """Have both sides listen, each to a server of its own."""
    key: dict[str, Any] = {
        name: getattr(SenseLink(), name) for name in ("app_key", "app_secret")
    }
    await add_entry(
        api,
        "senselink",
        {
            "host": LOOPBACK,
            "port": ports[OURS],
            "delivery": "websocket",
            **key,
            "tls": False,
            "verify_tls": False,
            "photos": False,
        },
    )
    now = str(int(time.time() * 1000))
    await api.post(
        "/gatehouse_yardstick/terminals",
        {
            "url": f"ws://{LOOPBACK}:{ports[YARDSTICK]}/websocket/record"
            f"/{key['app_key']}/{now}/{frames.sign(now, key['app_secret'])}",
            "terminals": [terminal.ldid for terminal in make_terminals(number)],
        },
    )
