"""The scenario of the demo, played once without a person."""

import asyncio
from collections.abc import Mapping
from contextlib import AsyncExitStack
import json
from pathlib import Path
import re
import tempfile
import time

import aiohttp

from .dashboard import URL_PATH, store_dashboard
from .home_assistant import Api, HomeAssistant
from .house import TELEPHONES, House
from .innovaphone_scenario import InnovaphoneScenario
from .ipac_scenario import IpacScenario
from .neighbourhood import LOCKS, SERVER, STATION, TELEPHONY, Neighbourhood, Ports
from .process import accepts, free_ports
from .report import NotAsExpected, Report
from .scenario import Scenario, holds_secret
from .senselink_scenario import SenseLinkScenario
from .tellicon_scenario import TelliconScenario
from .the_keys_scenario import TheKeysScenario

VENDORS = 5

CODES = (
    *(lock.share_code for lock in LOCKS),
    STATION.code,
    STATION.persons_code,
    SERVER.app_key,
    SERVER.app_secret,
    TELEPHONY.password,
)
"""Secrets that are typed into forms."""

NOTIFY_EVERY = 6.0
"""Seconds; a station that hurries is missed sooner."""


async def check() -> int:
    """Play the scenario in a house of its own; return the exit code."""
    report = Report()
    begin = time.monotonic()
    port, *simulated = free_ports(6)
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        session = await stack.enter_async_context(aiohttp.ClientSession())
        home_assistant = HomeAssistant(folder / "config", port, log_level="debug")
        neighbourhood = Neighbourhood(
            folder / "simulators.log", Ports(*simulated), notify_every=NOTIFY_EVERY
        )
        stack.push_async_callback(neighbourhood.program.stop)
        stack.push_async_callback(home_assistant.program.stop)
        await neighbourhood.start(session)
        await home_assistant.start(session)
        async with Api(session, home_assistant.url) as api:
            house = House(api, neighbourhood)
            await report.check(
                "set up through the forms of the frontend", set_up(house)
            )
            secrets = set(CODES)
            if not report.failures:
                # Otherwise nothing else could hold.
                secrets |= await shown_secrets(house)
                await report.check(
                    "the dashboard shows what is there",
                    dashboard(api, house, neighbourhood.url),
                )
                await report.check(
                    "only this machine reaches Home Assistant", loopback(home_assistant)
                )
                await play(await scenarios(session, api, neighbourhood, house), report)
                await report.check(
                    "the diagnostics hold no secret", diagnostics(api, house, secrets)
                )
        await report.check("Home Assistant stops cleanly", stop(home_assistant))
        await report.check(
            "its log holds no fault of Gatehouse and no secret",
            clean_log(home_assistant, secrets),
        )
    print(f"\nPlayed in {time.monotonic() - begin:.0f} s")
    print(f"{report.checks - report.failures} passed, {report.failures} failed")
    return 1 if report.failures else 0


async def set_up(house: House) -> None:
    """Fill in all forms."""
    await house.move_in()
    entries = await house.entries()
    if [entry["state"] for entry in entries.values()] != ["loaded"] * VENDORS:
        raise NotAsExpected(f"the entries are {entries}")


async def dashboard(api: Api, house: House, street: str) -> None:
    """Store the dashboard, and look for all entities that it names."""
    await store_dashboard(api, house, street)
    named = entities_in(await api.command("lovelace/config", url_path=URL_PATH))
    if missing := named - {state.entity_id for state in await api.states()}:
        raise NotAsExpected(f"nothing is known of {', '.join(sorted(missing))}")


def entities_in(config: object) -> set[str]:
    """Return all entities that a dashboard's configuration names."""
    match config:
        case Mapping():
            named = config.get("entity", config.get("entity_id", ()))
            nested = entities_in(list(config.values()))
            return nested | ({named} if isinstance(named, str) else set(named))
        case list():
            return set().union(*map(entities_in, config))
    return set()


async def loopback(home_assistant: HomeAssistant) -> None:
    """Try another address of this machine."""
    port = home_assistant.port
    # One that is bound to everything answers here too.
    if await asyncio.to_thread(accepts, "127.0.0.2", port):
        raise NotAsExpected(f"something answers at 127.0.0.2:{port}")


async def scenarios(
    session: aiohttp.ClientSession,
    api: Api,
    neighbourhood: Neighbourhood,
    house: House,
) -> list[Scenario]:
    """Return what is to be played with each vendor."""
    entities = await house.entities()
    devices = await house.devices()
    station = devices[STATION.name]
    return [
        TelliconScenario(session, api, neighbourhood, entities),
        TheKeysScenario(api, neighbourhood, entities),
        IpacScenario(
            api,
            neighbourhood,
            entities,
            entry_id=station["primary_config_entry"],
            device_id=station["id"],
        ),
        SenseLinkScenario(api, neighbourhood, entities),
        InnovaphoneScenario(
            api,
            neighbourhood,
            entities,
            entry_id=devices[TELEPHONES]["primary_config_entry"],
        ),
    ]


async def play(to_play: list[Scenario], report: Report) -> None:
    """Play all at the same time: most of it is waiting, and no vendor may hold up another."""
    async with asyncio.TaskGroup() as tasks:
        for scenario in to_play:
            tasks.create_task(scenario.play(report))


async def shown_secrets(house: House) -> set[str]:
    """Return the secrets that were made up here, and are shown to the user alone."""
    tellicon, asm = await house.page("Tellicon"), await house.page("IPAC")
    address = asm["path"].rstrip("/").rpartition("/")[2]
    return {tellicon["token"], asm["token"], address}


async def diagnostics(api: Api, house: House, secrets: set[str]) -> None:
    """Search the diagnostics of all entries."""
    for title, entry in (await house.entries()).items():
        if holds_secret(json.dumps(await api.diagnostics(entry["entry_id"])), secrets):
            raise NotAsExpected(f"a secret is in those of {title}")


async def stop(home_assistant: HomeAssistant) -> None:
    """Stop Home Assistant as the system does."""
    code = await home_assistant.program.stop()
    if code != 0:
        raise NotAsExpected(f"its exit code is {code}")


async def clean_log(home_assistant: HomeAssistant, secrets: set[str]) -> None:
    """Search everything that Home Assistant has written to its log."""
    log = home_assistant.program.log.read_text(errors="replace")
    if holds_secret(log, secrets):
        raise NotAsExpected("a secret is in it")
    if faults := faults_of_gatehouse(log):
        raise NotAsExpected("it holds\n       " + "\n       ".join(faults))


def faults_of_gatehouse(log: str) -> list[str]:
    """Return the lines that tell of a fault of Gatehouse, or of a use that ends soon."""
    first_lines = re.split(r"\n(?=\d{4}-\d\d-\d\d )", log)
    return [
        entry.splitlines()[0]
        for entry in first_lines
        if "gatehouse" in entry
        and (
            re.search(r"^\S+ \S+ (ERROR|CRITICAL) ", entry)
            or "Traceback" in entry
            or "Detected that custom integration" in entry
        )
    ]
