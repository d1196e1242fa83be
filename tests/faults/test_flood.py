"""A flood of numbered events, counted where automations hear of them.

What is accepted is told once. `scripts/flood` is the long form; here a few hundred do.
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
import logging
import os
import time

import pytest

from homeassistant.core import Event, HomeAssistant, callback
from homeassistant.setup import async_setup_component

from ..vendors.innovaphone import conftest as innovaphone
from ..vendors.ipac import conftest as ipac
from ..vendors.senselink import conftest as senselink
from .conftest import SetUp
from .table import name_of
from .test_served import ACCEPTED, Client
from .vendors import (
    InnovaphoneService,
    IpacStation,
    Row,
    SenseLinkSubscription,
    SenseLinkWebsocket,
    TelliconAccount,
)

COUNT = int(os.environ.get("FLOOD_COUNT", "300"))
CONNECTIONS = 8
FIRST = 100_000

MOST_DEVICES = 1000
"""Devices that come and go, under other names each time: each hardware id stays in Home
Assistant's registries."""

# The Keys pushes nothing.
HEARD: dict[type[Row], tuple[str, str, str]] = {
    IpacStation: (ipac.DOORBELL, "callee", "ring"),
    InnovaphoneService: (innovaphone.INVENTORY, "name", "device_added"),
    SenseLinkWebsocket: (senselink.ACCESS, "record_id", "access_granted"),
    SenseLinkSubscription: (senselink.ACCESS, "record_id", "access_granted"),
    TelliconAccount: ("event.unit_505_1_7_doorbell", "caller", "ring"),
}


async def count_heard(hass: HomeAssistant, kind: type[Row]) -> Counter[int]:
    """Return what counts the numbers that an automation hears of."""
    entity_id, attribute, event_type = HEARD[kind]
    number = (
        f"trigger.to_state.attributes.{attribute}"
        " | replace('sip:', '') | replace('Telephone ', '') | int"
    )
    assert await async_setup_component(
        hass,
        "automation",
        {
            "automation": {
                "alias": "Count",
                "mode": "parallel",
                "max": 10 * COUNT,
                "triggers": {
                    "trigger": "event.received",
                    "target": {"entity_id": entity_id},
                    "options": {"event_type": [event_type]},
                },
                "actions": {
                    "event": "number_heard",
                    "event_data": {"number": f"{{{{ {number} }}}}"},
                },
            }
        },
    )
    counted: Counter[int] = Counter()

    @callback
    def count(event: Event) -> None:
        counted[int(event.data["number"])] += 1

    hass.bus.async_listen("number_heard", count)
    return counted


async def send(
    row: Row, numbers: list[int], accepted: set[int], half: asyncio.Event
) -> None:
    """Send messages over one connection, each again until it is accepted."""
    async with Client(row) as client:
        for number in numbers:
            while number not in accepted:
                client.writer.write(b"".join(client.message(number)))
                if await client.status() == ACCEPTED:
                    accepted.add(number)
            if len(accepted) >= COUNT / 2:
                half.set()


async def flood(hass: HomeAssistant, row: Row) -> set[int]:
    """Have very many things happen; return the numbers of what was accepted."""
    numbers = [*range(FIRST, FIRST + COUNT)]
    accepted: set[int] = set()
    match row:
        case InnovaphoneService():
            for number in numbers:
                await row.add(number % MOST_DEVICES, f"Telephone {number}")
                accepted.add(number)
                # No more than its own queue bears.
                await asyncio.sleep(0)
                await row.remove(number % MOST_DEVICES)
        case SenseLinkWebsocket():
            for number in numbers:
                await row.record(number)
                accepted.add(number)
        case _:
            half = asyncio.Event()
            async with asyncio.TaskGroup() as senders:
                for first in range(CONNECTIONS):
                    senders.create_task(
                        send(row, numbers[first::CONNECTIONS], accepted, half)
                    )
                await half.wait()
                # Messages go on coming, and wait for it.
                await hass.config_entries.async_reload(row.entry.entry_id)
    return accepted


@pytest.mark.parametrize("kind", HEARD, ids=name_of)
@pytest.mark.timeout(60 + COUNT / 10)
async def test_flood(
    hass: HomeAssistant,
    set_up: SetUp,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    lines: Callable[[], list[str]],
    kind: type[Row],
) -> None:
    """Whatever is accepted reaches automations, once."""
    row = await set_up(kind)
    # Or most of the time would go into where each task was made, and into each line.
    hass.loop.set_debug(False)
    caplog.set_level(logging.WARNING)
    monkeypatch.setattr(logging.getLogger("aiohttp.access"), "disabled", True)
    began = time.perf_counter()
    counted = await count_heard(hass, kind)
    accepted = await flood(hass, row)
    with suppress(TimeoutError):
        async with asyncio.timeout(120):
            while counted.keys() != accepted:
                await asyncio.sleep(0.01)
    if "FLOOD_COUNT" in os.environ:
        with capsys.disabled():
            print(  # noqa: T201  # what `scripts/flood` shows
                f"{name_of(kind)}: {len(accepted)} accepted,"
                f" {counted.total()} counted, {len(counted)} of them different,"
                f" {time.perf_counter() - began:.0f} s"
            )
    assert counted == Counter(accepted)
    assert not lines()
