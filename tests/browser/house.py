"""A house to look at: the demo's Home Assistant and neighbourhood, in a folder of its own.

    python -m tests.browser.house FOLDER

Run by the Python of the demo. Prints the addresses of both as JSON when all is there,
and goes on until it is told to end.
"""

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


async def live_in(folder: Path) -> None:
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
            await House(api, neighbourhood).move_in()
        addresses = {"home_assistant": home_assistant.url, "street": neighbourhood.url}
        sys.stdout.write(f"{json.dumps(addresses)}\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


async def main() -> None:
    """Live in the folder that the command line names."""
    living = asyncio.ensure_future(live_in(Path(sys.argv[1])))
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, living.cancel)
    with suppress(asyncio.CancelledError):
        await living


if __name__ == "__main__":
    asyncio.run(main())
