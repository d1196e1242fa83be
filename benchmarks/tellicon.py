"""Tellicon: requests a second at our address ÷ at addresses that do as much, or less."""

import asyncio
from pathlib import Path
import sys

from .home import add_automation, add_entry, running
from .rounds import Row

ROOT = Path(__file__).parents[1]
PATH = "/eventTellicon"
# The same as the yardstick has.
TOKEN = "yardstick-token-24-chars"
WEBHOOK = "gatehouse_yardstick"
CONNECTIONS = 8


async def load(port: int, rounds: int, count: int, other: str) -> tuple[float, ...]:
    """Return our requests per second ÷ those of another path, for each round.

    A process of its own sends them, and changes between the two many times a second.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "benchmarks.load",
        str(port),
        str(rounds),
        str(count),
        str(CONNECTIONS),
        f"authTokenTellicon:{TOKEN}",
        PATH,
        other,
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await process.communicate()
    if process.returncode:
        raise RuntimeError("the load was not answered as it should be")
    rates = [[float(rate) for rate in line.split()] for line in output.splitlines()]
    return tuple(mine / beside for mine, beside in rates)


async def run(*, rounds: int, count: int) -> list[Row]:
    """Measure the addresses of one Home Assistant in turn."""
    async with running() as (home_assistant, api):
        await add_entry(api, "tellicon", {"token": TOKEN})
        await add_automation(
            api,
            "webhook_yardstick",
            {"trigger": "webhook", "webhook_id": WEBHOOK, "allowed_methods": ["POST"]},
            {"event": "gatehouse_yardstick"},
        )
        return [
            Row(name, await load(home_assistant.port, rounds, count, path), mark)
            for name, path, mark in (
                (
                    "Tellicon: requests/s ÷ bare view, as many event entities",
                    "/gatehouse_yardstick",
                    0.9,
                ),
                (
                    "Tellicon: requests/s ÷ webhook trigger that fires one event",
                    f"/api/webhook/{WEBHOOK}",
                    1.5,
                ),
            )
        ]
