"""Bad replies of what stands where the station should."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from random import Random

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError

from ...fuzz.mutation import Mutator
from ...fuzz.promises import faults, oddities
from ...fuzz.targets import REPLIES, make_reply
from ..conftest import shown
from .conftest import DOOR, order

COUNT = 60


class Stranger:
    """Answers each request with the same bytes, then hangs up."""

    reply = REPLIES[0]

    async def talk(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Answer one request."""
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(self.reply)
            await writer.drain()
        writer.close()


@pytest.fixture
def stranger(socket_enabled: None) -> Stranger:
    """Return who answers instead of the station."""
    return Stranger()


@pytest.fixture
async def entry(
    entry: MockConfigEntry, hass: HomeAssistant, stranger: Stranger
) -> AsyncIterator[MockConfigEntry]:
    """Return an entry for a station that somebody else stands in for."""
    async with await asyncio.start_server(stranger.talk, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        entry.add_to_hass(hass)
        hass.config_entries.async_update_entry(
            entry, data={**entry.data, "host": f"127.0.0.1:{port}"}
        )
        yield entry


async def test_bad_replies(
    hass: HomeAssistant,
    stranger: Stranger,
    home: MockConfigEntry,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Whatever is answered, the caller gets a clear error, or the door is open."""
    for number in range(COUNT):
        stranger.reply = make_reply(Mutator(Random(number)))
        note = f"reply {number}: {stranger.reply!r:.2000}"
        with suppress(HomeAssistantError):
            await order(hass, "unlock")
            assert b"200" in stranger.reply, note
        assert shown(hass, DOOR) in ("locked", "unlocked"), note
        assert not faults(caplog), (note, faults(caplog))
        assert not oddities(hass), (note, oddities(hass))
        caplog.clear()
        # The next good answer is understood.
        stranger.reply = REPLIES[0]
        await order(hass, "unlock")
        assert shown(hass, DOOR) == "unlocked", note
