"""A house to look at: the demo's Home Assistant and neighbourhood, in a folder of its own.

    python -m tests.browser.house [--bare] FOLDER

Run by the Python of the demo. Prints the addresses as JSON when all is there, and goes on
until it is told to end. In a bare house nothing of Gatehouse is set up yet.
"""

import argparse
import asyncio
from contextlib import AsyncExitStack, suppress
from dataclasses import fields
import json
from pathlib import Path
import signal
import sys

import aiohttp

from demo.home_assistant import Api, HomeAssistant
from demo.house import House
from demo.neighbourhood import Neighbourhood, Ports
from demo.process import free_ports


async def live_in(folder: Path, *, bare: bool) -> None:
    """Set everything up in a folder, and keep it running."""
    port, *simulated = free_ports(1 + len(fields(Ports)))
    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(aiohttp.ClientSession())
        home_assistant = HomeAssistant(folder / "config", port)
        neighbourhood = Neighbourhood(folder / "simulators.log", Ports(*simulated))
        stack.push_async_callback(neighbourhood.program.stop)
        stack.push_async_callback(home_assistant.program.stop)
        await neighbourhood.start(session)
        await home_assistant.start(session)
        async with Api(session, home_assistant.url) as api:
            house = House(api, neighbourhood)
            await (house.settle_down() if bare else house.move_in())
        addresses = {
            "home_assistant": home_assistant.url,
            "street": neighbourhood.url,
            "gateway": neighbourhood.gateway,
            "station": neighbourhood.station,
            "senselink_port": neighbourhood.senselink_port,
            "innovaphone": neighbourhood.innovaphone_url,
        }
        sys.stdout.write(f"{json.dumps(addresses)}\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


async def main() -> None:
    """Live in the folder that the command line names."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--bare", action="store_true")
    parser.add_argument("folder", type=Path)
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    living = asyncio.ensure_future(live_in(options.folder, bare=options.bare))
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, living.cancel)
    with suppress(asyncio.CancelledError):
        await living


if __name__ == "__main__":
    asyncio.run(main())
