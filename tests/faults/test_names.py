"""Names that are not resolved, and TLS where there is none, for all that are called."""

from collections.abc import Callable
import socket
from typing import Any
from unittest.mock import patch

import pytest

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant

from .conftest import Holdings, SetUp
from .simulated_time import SimulatedTime
from .table import CALLED, WITH_TLS, each
from .vendors import Row

NAME = "gate.test"


class Names:
    """Resolves one name, or none at all."""

    def __init__(self, ask: Callable[..., Any]) -> None:
        self.known = True
        self.asked = 0
        self._ask = ask

    def _look(self) -> None:
        self.asked += 1
        if not self.known:
            raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure")

    async def resolve(
        self, host: str, port: int = 0, family: int = socket.AF_INET
    ) -> list[dict[str, Any]]:
        """Answer as aiohttp wants it."""
        self._look()
        return [
            {
                "hostname": host,
                "host": "127.0.0.1",
                "port": port,
                "family": socket.AF_INET,
                "proto": 0,
                "flags": socket.AI_NUMERICHOST,
            }
        ]

    async def getaddrinfo(self, host: Any, port: Any, **hints: Any) -> Any:
        """Answer as the event loop does."""
        if host == NAME:
            self._look()
            host = "127.0.0.1"
        return await self._ask(host, port, **hints)

    async def close(self) -> None:
        """Have nothing to close."""

    real_close = close


@pytest.fixture
def names(hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return what resolves names."""
    names = Names(hass.loop.getaddrinfo)
    monkeypatch.setattr(hass.loop, "getaddrinfo", names.getaddrinfo)
    with patch(
        "homeassistant.helpers.aiohttp_client._async_make_resolver", return_value=names
    ):
        yield names


@each(CALLED)
async def test_no_names(
    set_up: SetUp,
    passing: SimulatedTime,
    names: Names,
    lines: Callable[[], list[str]],
    holdings: Callable[[], Holdings],
    kind: type[Row],
) -> None:
    """While names are not resolved a vendor is lost, and comes back with them."""
    row = await set_up(kind, host_name=NAME)
    assert names.asked
    before = holdings()
    names.known = False
    await row.leave()
    row.cable.cut()
    await passing.until(row.lost, row.notice)
    await passing.pass_(60)
    assert lines() == ["WARNING"]
    names.known = True
    await row.come_back()
    await passing.until(row.connected, row.recover)
    assert lines() == ["WARNING", "INFO"]
    await row.good_message()
    await passing.until(lambda: holdings() == before, 60)


@each(CALLED)
async def test_no_names_at_the_start(
    hass: HomeAssistant,
    set_up: SetUp,
    passing: SimulatedTime,
    names: Names,
    kind: type[Row],
) -> None:
    """A start without names is repeated by itself."""
    names.known = False
    row = await set_up(kind, host_name=NAME, running=False)
    hass.config_entries.async_schedule_reload(row.entry.entry_id)
    await passing.until(lambda: row.entry.state is ConfigEntryState.SETUP_RETRY, 30)
    names.known = True
    await passing.until(lambda: row.entry.state is ConfigEntryState.LOADED, 120)


@each(WITH_TLS)
async def test_tls_to_a_plain_port(
    hass: HomeAssistant, set_up: SetUp, passing: SimulatedTime, kind: type[Row]
) -> None:
    """Who speaks TLS where there is none gets no connection, and does not hang."""
    row = await set_up(kind, running=False)
    hass.config_entries.async_update_entry(row.entry, data=row.with_tls())
    hass.config_entries.async_schedule_reload(row.entry.entry_id)
    await passing.until(lambda: row.entry.state is ConfigEntryState.SETUP_RETRY, 60)
    await passing.settle()
    assert not row.cable.links
