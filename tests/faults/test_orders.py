"""What can go wrong around an order for a door: it opens once, or not at all."""

from collections.abc import Callable

from homeassistant.exceptions import HomeAssistantError
from simulators.cable import Trouble

from .conftest import SetUp
from .simulated_time import SimulatedTime
from .table import ORDERED, cells, each
from .vendors import Row


async def give(row: Row) -> str | None:
    """Give the order; return the key of what the caller reads, None for success."""
    assert row.order is not None
    try:
        await row.call(*row.order)
    except HomeAssistantError as err:
        return err.translation_key or "not translated"
    return None


@cells(ORDERED)
async def test_order_amid_trouble(
    set_up: SetUp,
    passing: SimulatedTime,
    lines: Callable[[], list[str]],
    kind: type[Row],
    trouble: Trouble,
) -> None:
    """An order is carried out at most once, and its caller told the truth, soon."""
    row = await set_up(kind)
    await row.cable.suffer(trouble)
    error = await passing.outcome(give(row), row.order_limit)
    openings = row.openings()
    assert openings <= 1
    assert error != "not translated"
    if error is None:
        assert openings == 1
    await row.cable.mend()
    await passing.until(row.connected, row.notice + row.recover)
    await passing.pass_(120)
    # Nothing was kept back to be sent now.
    assert row.openings() == openings
    await row.good_message()
    assert await passing.outcome(give(row), row.order_limit) is None
    assert row.openings() == openings + 1
    lines()


@cells(ORDERED, (Trouble.UNANSWERED, Trouble.SLOW, Trouble.RESET, Trouble.TRUNCATED))
async def test_trouble_mended_at_once(
    set_up: SetUp, passing: SimulatedTime, kind: type[Row], trouble: Trouble
) -> None:
    """An answer that alone is lost does not have the door opened again."""
    row = await set_up(kind)
    await row.cable.suffer(trouble)
    task = passing.start(give(row))
    await passing.until(row.openings, 10)
    await row.cable.mend()
    await passing.until(task.done, row.order_limit)
    assert row.openings() == 1
    await passing.pass_(60)
    assert row.openings() == 1


@each(ORDERED)
async def test_many_orders_at_once(
    set_up: SetUp, passing: SimulatedTime, kind: type[Row]
) -> None:
    """Whoever presses ten times has the door opened no more often than that."""
    row = await set_up(kind)
    await row.cable.suffer(Trouble.UNANSWERED)
    tasks = [passing.start(give(row)) for _ in range(10)]
    await passing.pass_(2)
    await row.cable.mend()
    await passing.until(lambda: all(task.done() for task in tasks), 300)
    openings = row.openings()
    assert 1 <= openings <= 10
    await passing.pass_(60)
    assert row.openings() == openings


@each(ORDERED)
async def test_caller_gone(
    set_up: SetUp, passing: SimulatedTime, kind: type[Row]
) -> None:
    """An order whose caller has gone before it could be sent opens nothing later."""
    row = await set_up(kind)
    await row.cable.suffer(Trouble.SILENT)
    task = passing.start(give(row))
    await passing.pass_(2)
    task.cancel()
    await passing.settle()
    await row.cable.mend()
    await passing.pass_(120)
    assert row.openings() == 0
    assert await passing.outcome(give(row), row.order_limit) is None
    assert row.openings() == 1
