"""innovaphone: thousands of devices ÷ a few, and ÷ as many plain entities."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from simulators.innovaphone import Innovaphone

from .rounds import Row
from .stopwatch import Entry, Measured, measure

FEW = 50

STALL = 0.05
"""Seconds that nobody should have to wait for the event loop."""

type Rounds = list[dict[str, Measured]]


def entry_of(service: Innovaphone) -> Entry:
    """Return an entry for a service."""
    return Entry(
        "gatehouse",
        "innovaphone example.com",
        {
            "vendor": "innovaphone",
            "url": f"{service.url}{service.base}",
            "app": "innovaphone-devices-api",
            "domain": "example.com",
            "password": "demoInstance01",
            "verify_tls": False,
        },
    )


async def run(*, rounds: int, count: int, updates: int) -> list[Row]:
    """Measure in turn, each in a Home Assistant of its own."""
    kinds: dict[str, Callable[[], Awaitable[Measured]]] = {
        "many": lambda: devices(count, updates),
        "few": lambda: devices(FEW, updates),
        "many plain": lambda: plain(count),
        "few plain": lambda: plain(FEW),
        "many plain in stretches": lambda: plain(count, in_stretches=True),
    }
    if rounds > 1:
        # The first of all compile what is measured, and do not count.
        await devices(FEW, 2)
        await plain(FEW)
    measured: Rounds = []
    for number in range(rounds):
        turns = list(kinds.items())
        if number % 2:
            turns.reverse()
        measured.append({name: await kind() for name, kind in turns})
    return [
        _row(
            f"innovaphone: a DeviceUpdate, {count} devices ÷ {FEW}",
            measured,
            lambda took: took["many"].update / took["few"].update,
            mark=1.2,
        ),
        _row(
            f"innovaphone: set-up, {count} devices ÷ as many plain",
            measured,
            lambda took: took["many"].cpu / took["many plain"].cpu,
            mark=1.5,
        ),
        _row(
            "innovaphone: longest stall, collections apart ÷ 50 ms",
            measured,
            lambda took: took["many"].own_stall / STALL,
            mark=1.0,
        ),
        _row(
            "innovaphone: longest stall ÷ plain entities in stretches",
            measured,
            lambda took: took["many"].stall / took["many plain in stretches"].stall,
            mark=1.2,
        ),
        _row(
            "innovaphone: memory of a device ÷ as many plain entities",
            measured,
            lambda took: (
                (took["many"].memory - took["few"].memory)
                / (took["many plain"].memory - took["few plain"].memory)
            ),
            mark=1.5,
        ),
    ]


def _row(
    name: str, measured: Rounds, ratio: Callable[[Any], float], *, mark: float
) -> Row:
    """Return a row whose lower ratios are the better ones."""
    return Row(name, tuple(map(ratio, measured)), mark, higher_is_better=False)


async def devices(count: int, updates: int) -> Measured:
    """Set an entry with so many devices up, and have the service tell of changes."""
    async with Innovaphone(devices=count, tls=True) as service:
        shown = [one for one in service.devices.values() if one.online]

        async def update() -> None:
            for number in range(updates):
                device = shown[number % len(shown)]
                await service.update(device.hw_id, online=not device.online)
                # A burst would be read and parsed before the first change is counted.
                if number % 10 == 0:
                    await asyncio.sleep(0.002)

        return await measure(entry_of(service), updates=updates, update=update)


async def plain(count: int, *, in_stretches: bool = False) -> Measured:
    """Set as many plain entities up."""
    return await measure(
        Entry(
            "gatehouse_plain",
            "Plain entities",
            {"devices": count, "in_stretches": in_stretches},
        )
    )
