"""From the bell to the lock: a Tellicon ring, an automation, a The Keys order.

The bell is rung, and the order arrives, at sockets of this process, so that one clock
tells both moments.
"""

import asyncio
from collections.abc import Callable
import json
import time
from typing import Any

from demo.home_assistant import Api
from demo.process import LOOPBACK, free_ports
from simulators.the_keys import Gateway, Lock

from .home import add_automation, add_entry, running
from .rounds import Row, compare
from .tellicon import PATH, TOKEN, WEBHOOK

LOCK = Lock(10000001, "demoShareCode001")

IDLE = 1.2
"""Seconds for which the gateway has had peace before the bell is rung. Our queue leaves
it one second after each reply; who rings within that would measure the pause."""

_COMMAND = """\
rest_command:
  open:
    url: http://{address}/open
    method: post
    content_type: application/x-www-form-urlencoded
    payload: identifier=10000001&ts=1767225600&hash=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAA
"""


class Door:
    """Stands before the gateway, and notes when a request's first bytes come."""

    def __init__(self, port: int, gateway: int) -> None:
        """Describe where it listens, and where it hands on to."""
        self.port = port
        self.busy_at = 0.0
        """When something has last come or gone."""
        self.arrived: asyncio.Queue[tuple[bytes, float]] = asyncio.Queue()
        """First line and moment of each request."""
        self._gateway = gateway

    async def serve(self, reader: asyncio.StreamReader, writer: Any) -> None:
        """Hand on one connection."""
        first = await reader.read(65536)
        self.busy_at = now = time.perf_counter()
        if first:
            self.arrived.put_nowait((first.partition(b"\r\n")[0], now))
        from_gateway, to_gateway = await asyncio.open_connection(
            LOOPBACK, self._gateway
        )
        to_gateway.write(first)

        async def pass_on(source: asyncio.StreamReader, to: Any) -> None:
            while chunk := await source.read(65536):
                self.busy_at = time.perf_counter()
                to.write(chunk)

        asking = asyncio.create_task(pass_on(reader, to_gateway))
        await pass_on(from_gateway, writer)
        asking.cancel()
        to_gateway.close()
        writer.close()


async def run(*, rounds: int, count: int) -> list[Row]:
    """Measure both ways to one gateway in turn."""
    (port,) = free_ports(1)
    async with Gateway([LOCK]) as gateway:
        door = Door(port, int(gateway.host.rpartition(":")[2]))
        async with (
            await asyncio.start_server(door.serve, LOOPBACK, port),
            running(_COMMAND.format(address=f"{LOOPBACK}:{port}")) as (
                home_assistant,
                api,
            ),
        ):
            bell = Bell(home_assistant.port, door)
            await set_up(api, f"{LOOPBACK}:{port}", bell)
            return [
                await compare(
                    "Bell to lock: seconds ÷ webhook trigger and rest_command",
                    lambda: bell.ring(PATH),
                    lambda: bell.ring(f"/api/webhook/{WEBHOOK}"),
                    mark=1.0,
                    rounds=rounds,
                    higher_is_better=False,
                    stretches=count,
                )
            ]


class Bell:
    """Rings, and waits for what that does at the door."""

    def __init__(self, port: int, door: Door) -> None:
        """Know where to ring, and where to look."""
        self._port = port
        self._door = door
        self._rings = 0

    async def send(self, path: str) -> float:
        """Ring; return when the last byte had gone."""
        reader, writer = await asyncio.open_connection(LOOPBACK, self._port)
        self._rings += 1
        body = json.dumps(
            {
                "eventTellicon": {
                    "type": "pushCall",
                    "src": str(self._rings),
                    "client": 505,
                    "building": 1,
                    "apt": 1001,
                    "eventDateTime": int(time.time()),
                }
            }
        )
        writer.write(
            f"POST {path} HTTP/1.1\r\nHost: {LOOPBACK}\r\nConnection: close\r\n"
            f"authTokenTellicon: {TOKEN}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n{body}".encode()
        )
        sent_at = time.perf_counter()
        # While this waits, the door is served by the same event loop.
        await reader.read()
        writer.close()
        return sent_at

    async def ring(self, path: str) -> float:
        """Return the seconds from the last byte of the ring to the first of the order."""
        while True:
            while (rest := self._door.busy_at + IDLE - time.perf_counter()) > 0:
                await asyncio.sleep(rest)
            while not self._door.arrived.empty():
                self._door.arrived.get_nowait()
            async with asyncio.timeout(30):
                rung_at = await self.send(path)
                line, arrived_at = await self._door.arrived.get()
                if line.startswith(b"POST /open"):
                    return arrived_at - rung_at
                # The gateway was just being asked for its locks, and the order waited.
                await self._door.arrived.get()


async def set_up(api: Api, gateway: str, bell: Bell) -> None:
    """Set both systems up, and an automation for either way."""
    await add_entry(api, "tellicon", {"token": TOKEN})
    entry = await add_entry(api, "the_keys", {"host": gateway})
    flows = "/api/config/config_entries/subentries/flow"
    menu = await api.post(flows, {"handler": [entry["result"]["entry_id"], "lock"]})
    flow = f"{flows}/{menu['flow_id']}"
    await api.post(flow, {"next_step_id": "manual"})
    await api.post(
        flow,
        {
            "identifier": str(LOCK.identifier),
            "name": "Front door",
            "share_code": LOCK.code,
        },
    )
    lock = await entity(api, lambda entity_id: entity_id.startswith("lock."))
    # The account's bell appears with its first event.
    await bell.send(PATH)
    doorbell = await entity(api, lambda entity_id: entity_id.endswith("505_doorbell"))
    await add_automation(
        api,
        "bell",
        {
            "trigger": "gatehouse.visitor_called",
            "target": {"entity_id": doorbell},
        },
        {"action": "lock.unlock", "target": {"entity_id": lock}},
    )
    await add_automation(
        api,
        "webhook",
        {"trigger": "webhook", "webhook_id": WEBHOOK, "allowed_methods": ["POST"]},
        {"action": "rest_command.open"},
    )


async def entity(api: Api, wanted: Callable[[str], bool]) -> str:
    """Return the entity that is wanted, once it is there."""
    async with asyncio.timeout(30):
        while True:
            for state in await api.states():
                if wanted(state.entity_id):
                    return state.entity_id
            await asyncio.sleep(0.1)
