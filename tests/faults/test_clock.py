"""Clocks that are set, for all vendors alike."""

from collections.abc import Callable
from contextlib import suppress

import pytest

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError

from .conftest import Holdings, SetUp
from .simulated_time import SimulatedTime
from .table import CALLED, SIGNED, each
from .vendors import ROWS, Row

HOUR = 3600


@pytest.fixture(params=[HOUR, -HOUR], ids=["ahead", "back"])
def hour(request: pytest.FixtureRequest) -> int:
    """Return by how much a clock is set."""
    return request.param


@each(ROWS)
async def test_our_clock(
    set_up: SetUp,
    passing: SimulatedTime,
    lines: Callable[[], list[str]],
    holdings: Callable[[], Holdings],
    kind: type[Row],
    hour: int,
) -> None:
    """When the house's clock is set, everything goes on, and the same when set back."""
    row = await set_up(kind)
    row.bear_any_clock()
    before = holdings()
    for seconds in (hour, -hour):
        passing.jump(seconds)
        for _ in range(3):
            await row.good_message()
            await passing.pass_(20, step=5)
        if row.connection:
            assert row.connected()
    assert not lines()
    await passing.until(lambda: holdings() == before, 60)


@each(CALLED)
async def test_loss_after_our_clock(
    set_up: SetUp,
    passing: SimulatedTime,
    lines: Callable[[], list[str]],
    kind: type[Row],
    hour: int,
) -> None:
    """A loss and a return show as soon as ever after the house's clock was set."""
    row = await set_up(kind)
    row.bear_any_clock()
    passing.jump(hour)
    await row.leave()
    row.cable.cut()
    await row.cable.stop()
    await passing.until(row.lost, row.notice)
    await row.cable.mend()
    await row.come_back()
    await passing.until(row.connected, row.recover)
    await row.good_message()
    assert lines() == ["WARNING", "INFO"]


@each(ROWS)
async def test_their_clock(
    set_up: SetUp,
    passing: SimulatedTime,
    lines: Callable[[], list[str]],
    holdings: Callable[[], Holdings],
    kind: type[Row],
    hour: int,
) -> None:
    """When the vendor's clock is set, everything goes on."""
    row = await set_up(kind)
    row.bear_any_clock()
    before = holdings()
    for seconds in (hour, 0):
        row.set_clock(seconds)
        # Some tell it with their next sign of life.
        await passing.pass_(60, step=5)
        for _ in range(3):
            await row.good_message()
            await passing.pass_(20, step=5)
    assert not lines()
    await passing.until(lambda: holdings() == before, 60)


@each(SIGNED)
async def test_order_after_a_wrong_clock(
    hass: HomeAssistant,
    set_up: SetUp,
    passing: SimulatedTime,
    kind: type[Row],
    hour: int,
) -> None:
    """Once a clock that was wrong is right again, doors open at once."""
    row = await set_up(kind)
    assert row.order is not None
    # The vendor's clock stays right, and may refuse what is signed by a wrong one.
    passing.jump(hour)
    row.set_clock(-hour)
    with suppress(HomeAssistantError):
        await passing.outcome(row.call(*row.order), row.order_limit)
    await passing.pass_(60, step=5)
    openings = row.openings()
    assert openings <= 1
    passing.jump(-hour)
    row.set_clock(0)
    await passing.pass_(60, step=5)
    await passing.outcome(row.call(*row.order), row.order_limit)
    assert row.openings() == openings + 1
    assert not hass.config_entries.flow.async_progress()
