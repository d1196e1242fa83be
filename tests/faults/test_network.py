"""What can go wrong with the network, for all vendors that Gatehouse calls."""

from collections.abc import Callable

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from simulators.cable import Trouble

from .conftest import Holdings, SetUp
from .simulated_time import SimulatedTime
from .table import CALLED, CALLED_ANYHOW, PUSHED, cells, each
from .vendors import InnovaphoneService, Row

type Lines = Callable[[], list[str]]
type Counts = Callable[[], Holdings]


@cells(CALLED_ANYHOW)
async def test_loss_and_return(
    set_up: SetUp,
    passing: SimulatedTime,
    lines: Lines,
    holdings: Counts,
    kind: type[Row],
    trouble: Trouble,
) -> None:
    """A loss shows, is told once, ends by itself, and leaves nothing behind."""
    row = await set_up(kind)
    assert row.connected()
    assert not lines()
    before = holdings()
    await row.leave()
    await row.cable.suffer(trouble)
    await row.change()
    await passing.until(row.lost, row.notice)
    await passing.pass_(120)
    assert row.lost()
    assert lines() == ["WARNING"]
    await row.cable.mend()
    await row.come_back()
    await passing.until(row.connected, row.recover)
    assert lines() == ["WARNING", "INFO"]
    await row.good_message()
    # What is under way every now and then has an end, too.
    await passing.until(lambda: holdings() == before, 60)


@cells(CALLED_ANYHOW)
async def test_start(
    hass: HomeAssistant,
    set_up: SetUp,
    passing: SimulatedTime,
    lines: Lines,
    holdings: Counts,
    kind: type[Row],
    trouble: Trouble,
) -> None:
    """A start that fails ends in time, leaves nothing, and is repeated by itself."""
    row = await set_up(kind, running=False)
    await row.cable.suffer(trouble)
    before = holdings()
    hass.config_entries.async_schedule_reload(row.entry.entry_id)
    await passing.until(lambda: row.entry.state is ConfigEntryState.SETUP_RETRY, 60)
    await passing.settle()
    left = holdings()
    assert (left.tasks, left.sockets) == (before.tasks, before.sockets)
    # Home Assistant's own.
    assert lines() == ["INFO"]
    await row.cable.mend()
    await passing.until(lambda: row.entry.state is ConfigEntryState.LOADED, 120)
    await passing.until(row.connected, 10)


@cells(CALLED, (Trouble.REFUSED, Trouble.SILENT, Trouble.SLOW))
async def test_unload(
    hass: HomeAssistant,
    set_up: SetUp,
    passing: SimulatedTime,
    holdings: Counts,
    kind: type[Row],
    trouble: Trouble,
) -> None:
    """Whatever is wrong, unloading ends soon, and all ends with it."""
    row = await set_up(kind, running=False)
    before = holdings()
    await passing.outcome(hass.config_entries.async_setup(row.entry.entry_id), 60)
    await row.cable.suffer(trouble)
    await row.change()
    # Amid the attempts to come back.
    await passing.pass_(row.notice + 3)
    assert await passing.outcome(
        hass.config_entries.async_unload(row.entry.entry_id), 5
    )
    await row.leave()
    await row.cable.mend()
    await passing.pass_(5)
    left = holdings()
    assert (left.tasks, left.sockets, left.timers) == (
        before.tasks,
        before.sockets,
        before.timers,
    )
    assert not row.cable.links


@each(PUSHED)
async def test_messages_come_twice(
    set_up: SetUp,
    passing: SimulatedTime,
    lines: Lines,
    holdings: Counts,
    kind: type[Row],
) -> None:
    """What is said twice is told once, and a question has its answer by the first."""
    row = await set_up(kind)
    before = holdings()
    await row.cable.suffer(Trouble.DOUBLED)
    for _ in range(5):
        await row.good_message()
        # Long enough for questions of ours.
        await passing.pass_(60, step=5)
        assert row.connected()
    if isinstance(row, InnovaphoneService):
        await row.add(1, "Telephone")
        await passing.settle()
    assert set(row.told().values()) == {1}
    await row.cable.mend()
    await row.good_message()
    assert not lines()
    assert holdings() == before


@each(CALLED)
async def test_a_hundred_returns(
    set_up: SetUp,
    passing: SimulatedTime,
    lines: Lines,
    holdings: Counts,
    kind: type[Row],
) -> None:
    """However often a connection breaks, it comes back, and nothing gathers."""
    row = await set_up(kind)
    before = holdings()
    for _ in range(100):
        await row.leave()
        row.cable.cut()
        if not row.keeps_connection:
            await row.cable.stop()
        await passing.until(row.lost, row.notice, step=row.stride)
        await row.cable.mend()
        await row.come_back()
        await passing.until(row.connected, row.recover, step=row.stride)
    assert lines() == ["WARNING", "INFO"] * 100
    await row.good_message()
    await passing.until(lambda: holdings() == before, 60)
    assert row.cable.links == row.keeps_connection
