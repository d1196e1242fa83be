"""A websocket with TLS; the clock is real, for certificates need one."""

import asyncio

import pytest

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from simulators.senselink import SenseLink

from ...conftest import until
from .conftest import ACCESS, APP_KEY, APP_SECRET, Told, make_entry


@pytest.fixture(autouse=True)
def steady() -> None:
    """Leave the clock alone."""


async def test_tls(hass: HomeAssistant, socket_enabled: None, told: Told) -> None:
    """A certificate is verified unless one says not to."""
    async with SenseLink(
        app_key=APP_KEY, app_secret=APP_SECRET, tls=True, heartbeat=None
    ) as server:
        entry = make_entry(server, tls=True)
        entry.add_to_hass(hass)
        # The server is in the same event loop, and reports a handshake broken off.
        report = hass.loop.get_exception_handler()
        hass.loop.set_exception_handler(lambda *_: None)
        assert not await hass.config_entries.async_setup(entry.entry_id)
        assert entry.state is ConfigEntryState.SETUP_RETRY
        await asyncio.sleep(0.01)
        hass.loop.set_exception_handler(report)
        assert not server.attempts
        hass.config_entries.async_update_entry(
            entry, data={**entry.data, "verify_tls": False}
        )
        await hass.config_entries.async_reload(entry.entry_id)
        assert entry.state is ConfigEntryState.LOADED
        await server.recognise(photo=True)
        await until(lambda: told(ACCESS))
        await hass.config_entries.async_unload(entry.entry_id)
