"""A service with TLS; the clock is real, for certificates need one."""

import asyncio

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from simulators.innovaphone import Innovaphone

from ..conftest import shown
from .conftest import CONNECTION, PASSWORD, RECEPTION, call, make_entry


@pytest.fixture(autouse=True)
def steady() -> None:
    """Leave the clock alone."""


async def test_tls(hass: HomeAssistant, socket_enabled: None) -> None:
    """A certificate is verified unless one says not to, for devices' servers, too."""
    async with Innovaphone(password=PASSWORD, tls=True) as service:
        entry: MockConfigEntry = make_entry(service)
        entry.add_to_hass(hass)
        # The server is in the same event loop, and reports a handshake broken off.
        report = hass.loop.get_exception_handler()
        hass.loop.set_exception_handler(lambda *_: None)
        assert not await hass.config_entries.async_setup(entry.entry_id)
        assert entry.state is ConfigEntryState.SETUP_RETRY
        await asyncio.sleep(0.01)
        hass.loop.set_exception_handler(report)
        assert not service.attempts
        hass.config_entries.async_update_entry(
            entry, data={**entry.data, "verify_tls": False}
        )
        await hass.config_entries.async_reload(entry.entry_id)
        await hass.async_block_till_done()
        assert shown(hass, CONNECTION) == "on"
        reply = await call(hass, "device_request", hw_id=RECEPTION, path="log.txt")
        assert reply["status"] == 200
        await hass.config_entries.async_unload(entry.entry_id)
