"""Tellicon: requests a second at our address ÷ at addresses that do as much or less."""

import asyncio
from pathlib import Path
import sys

from .home import add_automation, add_entry, running
from .rounds import Row, compare

ROOT = Path(__file__).parents[1]
PATH = "/eventTellicon"
TOKEN = "benchmark-token-24-chars"
YARDSTICK_TOKEN = "yardstick-token-24-chars"
WEBHOOK = "gatehouse_yardstick"
CONNECTIONS = 8


async def load(port: int, path: str, token: str, count: int) -> float:
    """Return the requests per second that a process of its own gets answered."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "benchmarks.load",
        str(port),
        path,
        str(count),
        str(CONNECTIONS),
        f"authTokenTellicon:{token}",
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await process.communicate()
    if process.returncode:
        raise RuntimeError("the load was not answered as it should be")
    return float(output)


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

        async def ours() -> float:
            return await load(home_assistant.port, PATH, TOKEN, count)

        async def at(path: str) -> float:
            return await load(home_assistant.port, path, YARDSTICK_TOKEN, count)

        return [
            await compare(
                "Tellicon: requests/s ÷ bare view, as many event entities",
                ours,
                lambda: at("/gatehouse_yardstick"),
                mark=0.9,
                rounds=rounds,
            ),
            await compare(
                "Tellicon: requests/s ÷ webhook trigger that fires one event",
                ours,
                lambda: at(f"/api/webhook/{WEBHOOK}"),
                mark=1.5,
                rounds=rounds,
            ),
        ]
