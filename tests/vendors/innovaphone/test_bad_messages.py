"""Bad messages over a connection that stands."""

import logging

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.gatehouse.vendors.innovaphone.client import MAX_MESSAGE
from custom_components.gatehouse.wire import Backoff
from homeassistant.core import HomeAssistant
from simulators.innovaphone import Innovaphone

from ...conftest import until
from ...fuzz.length import chances, longest_turn, time_limit
from ...fuzz.mutation import Mutator
from ...fuzz.promises import Given, Turns, faults, oddities, shown as all_shown
from ...fuzz.targets import INNOVAPHONE
from ..conftest import shown
from .conftest import CONNECTION, RECEPTION, RECEPTION_ONLINE

COUNT = 300

LONGEST = MAX_MESSAGE // 3
"""Bytes; what is no text becomes three times as long."""


async def follow(hass: HomeAssistant, service: Innovaphone, *, online: bool) -> None:
    """Send a good message, and wait until it has been followed."""
    await service.update(RECEPTION, online=online)
    await until(lambda: shown(hass, RECEPTION_ONLINE) == ("on" if online else "off"))


@pytest.mark.timeout(time_limit(COUNT))
async def test_bad_messages(
    hass: HomeAssistant,
    service: Innovaphone,
    home: MockConfigEntry,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Whatever comes, the connection stands, and the next good message is followed."""
    given, turns = Given(), Turns()
    # Or where each task was made, and each line of details, would take most of the time.
    hass.loop.set_debug(False)
    caplog.set_level(logging.INFO)
    for number, random in chances(COUNT):
        message = Mutator(random).body(INNOVAPHONE, LONGEST)[:LONGEST]
        before = all_shown(hass)
        with turns.watched():
            await service.push_raw(message.decode(errors="replace"))
            await follow(hass, service, online=bool(number % 2))
        note = f"message {number}: {message!r:.2000}"
        assert turns.longest < longest_turn(), note
        assert not faults(caplog), (note, faults(caplog))
        assert not oddities(hass), (note, oddities(hass))
        good = repr(service.devices[RECEPTION]).encode()
        assert not given.invented(before, all_shown(hass), message, good), note
        caplog.clear()
    assert shown(hass, CONNECTION) == "on"
    assert home.runtime_data.diagnostics()["returns"] == 0


async def test_connection_heals(
    hass: HomeAssistant,
    service: Innovaphone,
    home: MockConfigEntry,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A message that is too long ends the connection, which then comes back."""
    monkeypatch.setattr(Backoff, "next", lambda _: 0)
    hub = home.runtime_data
    for number in range(1, 6):
        await service.push_raw(" " * (MAX_MESSAGE + 1))
        await until(lambda: hub.diagnostics()["returns"] == number)  # noqa: B023
        await follow(hass, service, online=bool(number % 2))
        assert shown(hass, CONNECTION) == "on"
    assert not faults(caplog)
