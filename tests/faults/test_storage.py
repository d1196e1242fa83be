"""A disk that is full, for all vendors alike."""

from collections.abc import Awaitable, Callable
import errno

import pytest

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.util.file import WriteError

from .conftest import Holdings, SetUp
from .simulated_time import SimulatedTime
from .table import each
from .vendors import ROWS, Row

FULL = OSError(errno.ENOSPC, "No space left on device")


def fail(error: Exception) -> Callable[..., Awaitable[None]]:
    """Return what fails to write."""

    async def write(*_: object) -> None:
        raise error

    return write


@pytest.mark.parametrize(
    ("method", "error"),
    [("_async_write_data", WriteError(FULL)), ("async_save", FULL)],
    ids=["reported", "raised"],
)
@each(ROWS)
async def test_full_disk(
    hass: HomeAssistant,
    set_up: SetUp,
    passing: SimulatedTime,
    lines: Callable[[], list[str]],
    holdings: Callable[[], Holdings],
    monkeypatch: pytest.MonkeyPatch,
    kind: type[Row],
    method: str,
    error: Exception,
) -> None:
    """What cannot be remembered is told all the same, also after a reload."""
    row = await set_up(kind)
    before = holdings()
    with monkeypatch.context() as patch:
        patch.setattr(row.entry.runtime_data.store, method, fail(error))
        await row.good_message()
        await passing.pass_(70)
        await row.good_message()
        assert await passing.outcome(
            hass.config_entries.async_reload(row.entry.entry_id), 30
        )
    assert row.entry.state is ConfigEntryState.LOADED
    await row.good_message()
    assert not set(lines()) - {"WARNING"}
    await passing.until(lambda: holdings() == before, 120)
