"""The command line of the demo."""

import argparse
import asyncio
from contextlib import AsyncExitStack
import shutil
import sys

import aiohttp

from .check import check
from .dashboard import store_dashboard
from .home_assistant import PASSWORD, ROOT, USER, Api, HomeAssistant
from .house import House
from .neighbourhood import LOCKS, STATION, Neighbourhood, Ports
from .process import DemoError, until_signal

FOLDER = ROOT / ".demo"

VISITORS_EVERY = 45.0
"""Seconds between two visitors, at each of the bells and at the terminals."""

_BANNER = """
Home Assistant   {url}
                 user {user}, password {password}
The street       {street}
                 be the visitor, type a code, turn a bolt by hand, pull a plug
Doors            {doors}
Codes to type    {code} opens, {persons_code} is that of the {person}

At each bell a visitor rings every {every:.0f} s, and somebody stands before a terminal.
Ctrl-C stops everything.
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
    parser.add_argument(
        "--station-port", type=int, default=8302, help="where the door station listens"
    )
    parser.add_argument(
        "--senselink-port", type=int, default=8303, help="where SenseLink listens"
    )
    parser.add_argument(
        "--innovaphone-port", type=int, default=8304, help="where innovaphone listens"
    )
    options = parser.parse_args()
    try:
        if options.check:
            return asyncio.run(until_signal(check()))
        return asyncio.run(until_signal(_demo(options)))
    except DemoError as err:
        print(f"scripts/demo: {err}", file=sys.stderr)
        return 1
    except asyncio.CancelledError:
        return 130


async def _demo(options: argparse.Namespace) -> int:
    """Start everything, and keep it running until someone or something ends it."""
    config = FOLDER / "config"
    if options.fresh and config.exists():
        shutil.rmtree(config)
    FOLDER.mkdir(exist_ok=True)
    home_assistant = HomeAssistant(config, options.port)
    neighbourhood = Neighbourhood(
        FOLDER / "simulators.log",
        Ports(
            control=options.street_port,
            gateway=options.gateway_port,
            station=options.station_port,
            senselink=options.senselink_port,
            innovaphone=options.innovaphone_port,
        ),
        visitors_every=VISITORS_EVERY,
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
                doors=", ".join([*(lock.name for lock in LOCKS), STATION.door]),
                code=STATION.code,
                persons_code=STATION.persons_code,
                person=STATION.person.lower(),
                every=VISITORS_EVERY,
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
        # Later on it belongs to the user, who may have changed it.
        if await house.move_in():
            await store_dashboard(api, house, neighbourhood.url)
            await neighbourhood.welcome()


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
