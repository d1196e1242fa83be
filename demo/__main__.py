"""The command line of the demo."""

import argparse
import asyncio
from collections.abc import Coroutine
from contextlib import AsyncExitStack
import shutil
import signal
import sys

import aiohttp

from .check import check
from .dashboard import store_dashboard
from .home_assistant import PASSWORD, ROOT, USER, Api, HomeAssistant
from .house import House
from .neighbourhood import LOCKS, Neighbourhood
from .process import DemoError

FOLDER = ROOT / ".demo"

VISITOR_EVERY = 45.0
"""Seconds between two visitors."""

_BANNER = """
Home Assistant   {url}
                 user {user}, password {password}
The street       {street}
                 be the visitor, turn a bolt by hand, pull a plug
Locks            {locks}

A visitor rings every {every:.0f} s. Ctrl-C stops everything.
"""


def main() -> int:
    """Run the demo or its check; return the exit code."""
    parser = argparse.ArgumentParser(prog="scripts/demo", description=__doc__)
    parser.add_argument(
        "--check",
        action="store_true",
        help="play the whole scenario once, on its own, and say whether all holds",
    )
    parser.add_argument(
        "--fresh", action="store_true", help="forget the last demo and start anew"
    )
    parser.add_argument(
        "--port", type=int, default=8123, help="where Home Assistant listens"
    )
    parser.add_argument(
        "--street-port", type=int, default=8300, help="where the street's page is"
    )
    parser.add_argument(
        "--gateway-port", type=int, default=8301, help="where the gateway listens"
    )
    options = parser.parse_args()
    try:
        if options.check:
            return asyncio.run(_until_signal(check()))
        return asyncio.run(_until_signal(_demo(options)))
    except DemoError as err:
        print(f"scripts/demo: {err}", file=sys.stderr)
        return 1
    except asyncio.CancelledError:
        return 130


async def _until_signal(coroutine: Coroutine[object, object, int]) -> int:
    """Run to the end, or tidy up when someone asks to stop."""
    task = asyncio.ensure_future(coroutine)
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    return await task


async def _demo(options: argparse.Namespace) -> int:
    """Start everything, and keep it running until someone or something ends it."""
    config = FOLDER / "config"
    if options.fresh and config.exists():
        shutil.rmtree(config)
    FOLDER.mkdir(exist_ok=True)
    home_assistant = HomeAssistant(config, options.port)
    neighbourhood = Neighbourhood(
        FOLDER / "simulators.log",
        control_port=options.street_port,
        gateway_port=options.gateway_port,
    )
    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(aiohttp.ClientSession())
        stack.push_async_callback(neighbourhood.program.stop)
        stack.push_async_callback(home_assistant.program.stop)
        stack.callback(print, "Stopping …", flush=True)
        print("Starting the street and Home Assistant …", flush=True)
        await neighbourhood.start(session)
        await home_assistant.start(session)
        await _move_in(session, home_assistant, neighbourhood)
        print(
            _BANNER.format(
                url=home_assistant.url,
                user=USER,
                password=PASSWORD,
                street=neighbourhood.url,
                locks=", ".join(lock.name for lock in LOCKS),
                every=VISITOR_EVERY,
            ),
            flush=True,
        )
        await _first_to_end(session, home_assistant, neighbourhood)
    return 1


async def _move_in(
    session: aiohttp.ClientSession,
    home_assistant: HomeAssistant,
    neighbourhood: Neighbourhood,
) -> None:
    async with Api(session, home_assistant.url) as api:
        house = House(api, neighbourhood)
        is_new = not await house.entries()
        await house.move_in(every=VISITOR_EVERY)
        # Later on it belongs to the user, who may have changed it.
        if is_new:
            await store_dashboard(api, await house.entities(), neighbourhood.url)


async def _first_to_end(
    session: aiohttp.ClientSession,
    home_assistant: HomeAssistant,
    neighbourhood: Neighbourhood,
) -> None:
    """Wait for the first program to end, which none should.

    Raises:
        DemoError: one has ended.

    """
    running = {
        asyncio.create_task(home_assistant.run(session)),
        asyncio.create_task(neighbourhood.program.wait()),
    }
    try:
        await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
    neighbourhood.program.require_running()
    home_assistant.program.require_running()


if __name__ == "__main__":
    sys.exit(main())
