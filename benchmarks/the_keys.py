"""The Keys: orders a second through our queue ÷ the same requests, bare."""

import time

import aiohttp
from yarl import URL

from custom_components.gatehouse.vendors.the_keys.client import (
    GatewayClient,
    Pace,
    Share,
)
from custom_components.gatehouse.vendors.the_keys.protocol import sign
from custom_components.gatehouse.wire import Secret
from simulators.the_keys import Gateway, Lock

from .rounds import Row, compare

IDENTIFIER = 10000001
CODE = "demoShareCode001"
STRETCH = 50


async def run(*, rounds: int, count: int) -> list[Row]:
    """Measure against a simulated gateway that answers at once.

    The pauses that a real gateway needs are left out: what is measured is what the
    queue, the signing and the reading of replies cost. Orders come faster than seconds
    pass, so their timestamps run ahead of the clock.
    """
    async with (
        Gateway([Lock(IDENTIFIER, CODE)], future_tolerance=1e9) as gateway,
        aiohttp.ClientSession() as session,
    ):
        url = URL(f"http://{gateway.host}")
        client = GatewayClient(session, url, pace=Pace(gap=0))
        share = Share(str(IDENTIFIER), Secret(CODE))

        async def through_the_queue() -> float:
            start = time.perf_counter()
            for _ in range(STRETCH):
                await client.open(share)
            return STRETCH / (time.perf_counter() - start)

        async def bare() -> float:
            start = time.perf_counter()
            for _ in range(STRETCH):
                timestamp = client.timestamps.take()
                async with session.post(
                    url / "open",
                    data={
                        "identifier": IDENTIFIER,
                        "ts": timestamp,
                        "hash": sign(CODE, timestamp),
                    },
                    headers={"Connection": "close"},
                ) as reply:
                    await reply.json(content_type=None)
            return STRETCH / (time.perf_counter() - start)

        row = await compare(
            "The Keys: orders/s through the queue ÷ bare POSTs",
            through_the_queue,
            bare,
            mark=0.9,
            rounds=rounds,
            stretches=count // STRETCH,
        )
        client.close()
    return [row]
