"""Home Assistant stops, or an entry is reloaded, at the worst moment, for all vendors."""

import asyncio
from collections.abc import Callable

import pytest

from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import EVENT_HOMEASSISTANT_FINAL_WRITE
from homeassistant.core import CoreState, Event, HomeAssistant, callback
from simulators.cable import Trouble

from .conftest import Holdings, SetUp
from .simulated_time import SimulatedTime
from .table import CALLED, ORDERED, SERVED, each
from .test_served import ACCEPTED, Client
from .vendors import ROWS, Row

# Between a refused attempt and the next.
WAITING = 5


async def stop(hass: HomeAssistant, passing: SimulatedTime, row: Row) -> None:
    """Stop Home Assistant, which must not take long, and see that all has ended."""
    await passing.outcome(hass.async_stop(force=True), 5)
    assert hass.state is CoreState.stopped
    if row.cable is not None:
        await passing.pass_(2)
        assert not row.cable.links
    accepted = row.cable and row.cable.accepted
    await passing.pass_(120)
    assert (row.cable and row.cable.accepted) == accepted


@pytest.mark.parametrize("seconds", [0, 5])
@each(CALLED)
async def test_stop_during_set_up(
    hass: HomeAssistant,
    set_up: SetUp,
    passing: SimulatedTime,
    kind: type[Row],
    seconds: int,
) -> None:
    """Home Assistant stops while the vendor is being waited for."""
    row = await set_up(kind, running=False)
    await row.cable.suffer(Trouble.SILENT)
    hass.config_entries.async_schedule_reload(row.entry.entry_id)
    await passing.pass_(seconds)
    await passing.until(lambda: row.cable.links, 5)
    await stop(hass, passing, row)


@each(CALLED)
async def test_stop_before_set_up_ends(
    hass: HomeAssistant,
    set_up: SetUp,
    passing: SimulatedTime,
    monkeypatch: pytest.MonkeyPatch,
    kind: type[Row],
) -> None:
    """What is set up while Home Assistant stops does not stay."""
    row = await set_up(kind, running=False)
    going_on = asyncio.Event()
    forward = hass.config_entries.async_forward_entry_setups

    async def forward_later(*args: object) -> None:
        await going_on.wait()
        await forward(*args)

    monkeypatch.setattr(
        hass.config_entries, "async_forward_entry_setups", forward_later
    )
    hass.config_entries.async_schedule_reload(row.entry.entry_id)
    await passing.settle()

    @callback
    def go_on(_: Event) -> None:
        going_on.set()

    hass.bus.async_listen_once(EVENT_HOMEASSISTANT_FINAL_WRITE, go_on)
    stopping = passing.start(hass.async_stop(force=True))
    await passing.until(stopping.done, 10)
    await passing.pass_(5)
    assert not row.cable.links


@each(ROWS)
async def test_stop_at_rest(
    hass: HomeAssistant, set_up: SetUp, passing: SimulatedTime, kind: type[Row]
) -> None:
    """Home Assistant stops while nothing happens."""
    await stop(hass, passing, await set_up(kind))


@pytest.mark.parametrize("turns", [2**power for power in range(10)])
@each(ROWS)
async def test_stop_amid_a_reload(
    hass: HomeAssistant,
    set_up: SetUp,
    passing: SimulatedTime,
    kind: type[Row],
    turns: int,
) -> None:
    """Home Assistant stops at whatever step of the end of an entry, or of its start."""
    row = await set_up(kind)
    hass.config_entries.async_schedule_reload(row.entry.entry_id)
    for _ in range(turns):
        await asyncio.sleep(0)
    await stop(hass, passing, row)


@pytest.mark.parametrize(
    "trouble", [Trouble.REFUSED, Trouble.SILENT], ids=lambda one: one.name.lower()
)
@each(CALLED)
async def test_stop_while_lost(
    hass: HomeAssistant,
    set_up: SetUp,
    passing: SimulatedTime,
    lines: Callable[[], list[str]],
    kind: type[Row],
    trouble: Trouble,
) -> None:
    """Home Assistant stops between two attempts to come back, or amid one."""
    row = await set_up(kind)
    await row.leave()
    await row.cable.suffer(trouble)
    await passing.until(row.lost, row.notice)
    await passing.pass_(WAITING)
    await stop(hass, passing, row)
    assert lines() == ["WARNING"]


@each(ORDERED)
async def test_stop_during_an_order(
    hass: HomeAssistant, set_up: SetUp, passing: SimulatedTime, kind: type[Row]
) -> None:
    """Home Assistant stops while an order is under way, which is not repeated."""
    row = await set_up(kind)
    assert row.order is not None
    await row.cable.suffer(Trouble.UNANSWERED)
    passing.start(row.call(*row.order))
    await passing.until(row.openings, 10)
    await stop(hass, passing, row)
    assert row.openings() == 1


@each(SERVED)
async def test_stop_while_a_message_comes(
    hass: HomeAssistant, set_up: SetUp, passing: SimulatedTime, kind: type[Row]
) -> None:
    """Home Assistant stops while a vendor is sending."""
    row = await set_up(kind)
    async with Client(row) as client:
        head, body = client.message(1)
        client.writer.write(head + body[:20])
        await passing.settle()
        stopping = passing.start(hass.async_stop(force=True))
        await passing.settle()
        client.writer.write(body[20:])
        await passing.until(stopping.done, 15)
    assert hass.state is CoreState.stopped


@each(ROWS)
async def test_reload_under_load(
    hass: HomeAssistant,
    set_up: SetUp,
    passing: SimulatedTime,
    lines: Callable[[], list[str]],
    holdings: Callable[[], Holdings],
    kind: type[Row],
) -> None:
    """An entry that is reloaded while much happens is as good as before."""
    row = await set_up(kind)
    before = holdings()
    for _ in range(5):
        work = [passing.start(row.change()) for _ in range(10)]
        work.append(passing.start(hass.config_entries.async_reload(row.entry.entry_id)))
        await passing.outcome(asyncio.wait(work), 60)
    assert row.entry.state is ConfigEntryState.LOADED
    await row.good_message()
    await passing.until(lambda: holdings() == before, 120)
    assert not lines()


@each(SERVED)
async def test_message_during_reload(
    hass: HomeAssistant, set_up: SetUp, passing: SimulatedTime, kind: type[Row]
) -> None:
    """What comes while an entry is reloaded is told afterwards, once."""
    row = await set_up(kind)
    reloading = passing.start(hass.config_entries.async_reload(row.entry.entry_id))
    async with Client(row) as client:
        client.writer.write(b"".join(client.message(1)))
        assert await passing.outcome(client.status(), 10) == ACCEPTED
    await passing.until(reloading.done, 10)
    await passing.settle()
    assert row.told()[1] == 1
