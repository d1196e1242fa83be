"""A vendor, a network that can go wrong, and a house that must bear it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
import logging
from pathlib import Path
from typing import Any

import pytest
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
from homeassistant.util.async_ import get_scheduled_timer_handles

from .simulated_time import SimulatedTime
from .vendors import Row

type SetUp = Callable[..., Awaitable[Row]]


@pytest.fixture(autouse=True)
def hurried_gateway() -> None:
    """Leave all times as they are, for no real time passes here."""


@pytest.fixture
async def rows(
    hass: HomeAssistant, passing: SimulatedTime, socket_enabled: None
) -> AsyncIterator[list[Row]]:
    """Return the vendors that have been started, and stop them at the end."""
    started: list[Row] = []
    yield started
    for row in started:
        for entry in hass.config_entries.async_entries("gatehouse"):
            if entry.state.recoverable:
                await passing.outcome(
                    hass.config_entries.async_unload(entry.entry_id), 60
                )
        await row.stop()
        await passing.settle()


@pytest.fixture
def set_up(
    hass: HomeAssistant,
    passing: SimulatedTime,
    rows: list[Row],
    hass_client_no_auth: ClientSessionGenerator,
) -> SetUp:
    """Return what sets a vendor up, with all that goes in both directions."""

    async def set_up(
        kind: type[Row], *, running: bool = True, host_name: str = "127.0.0.1"
    ) -> Row:
        # In real time: the start of FFmpeg knows no other.
        for component in ("config", "diagnostics", "websocket_api", "gatehouse"):
            assert await async_setup_component(hass, component, {})
        row = kind(hass, passing)
        row.host_name = host_name
        rows.append(row)
        if row.tls:
            _leave_to_stand_in(hass)
        await row.start(set_up=running)
        if row.serves and running:
            # After the entry, or its address could be served no more.
            client = await hass_client_no_auth()
            row.url = str(client.make_url("")).rstrip("/")
            await row.connect()
        if running:
            await row.good_message()
        return row

    return set_up


def _leave_to_stand_in(hass: HomeAssistant) -> None:
    """Report no handshake that was broken off at the side of whom Gatehouse calls.

    The stand-in is in the same event loop, which reports it for a fault of ours.
    """
    report = hass.loop.get_exception_handler()
    assert report is not None

    def sift(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        if "incoming connection" not in context["message"]:
            report(loop, context)

    hass.loop.set_exception_handler(sift)


@dataclass(frozen=True)
class Holdings:
    """What of a process must not grow."""

    tasks: list[str]
    sockets: int
    timers: int


@pytest.fixture
def holdings(hass: HomeAssistant) -> Callable[[], Holdings]:
    """Return what counts the tasks, sockets and timers there are."""

    def holdings() -> Holdings:
        return Holdings(
            tasks=sorted(
                task.get_coro().__qualname__
                for task in asyncio.all_tasks() - {asyncio.current_task()}
            ),
            sockets=_sockets(),
            timers=sum(
                "gatehouse" in repr(handle)
                for handle in get_scheduled_timer_handles(hass.loop)
                if not handle.cancelled()
            ),
        )

    return holdings


def _sockets() -> int:
    """Return how many sockets this process has open."""
    count = 0
    for link in Path("/proc/self/fd").iterdir():
        # The one that the folder is read with is gone by now.
        with suppress(FileNotFoundError):
            count += str(link.readlink()).startswith("socket:")
    return count


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> Callable[[], list[str]]:
    """Return what lists the levels of what Gatehouse has logged, but for details.

    A traceback fails the test, whoever has logged it.
    """
    caplog.set_level(logging.INFO, "custom_components")

    def lines() -> list[str]:
        tracebacks = [
            record.getMessage()
            for record in caplog.records
            # Its log of requests is at odds with the simulated clock.
            if record.exc_info and record.name != "aiohttp.access"
        ]
        assert not tracebacks
        return [
            record.levelname
            for record in caplog.records
            if record.name.startswith("custom_components")
        ]

    return lines
