"""What comes at once is handled together, and what comes alone at once."""

import asyncio
from collections.abc import Callable
from types import SimpleNamespace

import pytest

from custom_components.gatehouse import together
from custom_components.gatehouse.together import MAX_TOGETHER, Together
from custom_components.gatehouse.wire import STRETCH


class Handled:
    """What has been done with numbers, in the order in which it was done."""

    def __init__(self, understand: Callable[[int], int | None] | None = None) -> None:
        """Understand all numbers, unless told otherwise."""
        self.steps: list[tuple[str, int]] = []
        self.numbers: Together[int, int] = Together(
            asyncio.get_running_loop(),
            "Numbers",
            understand or (lambda number: number),
            lambda number: self.steps.append(("say", number)),
            lambda number: self.steps.append(("show", number)),
        )

    def take(self, *numbers: int) -> None:
        """Take numbers within one turn of the event loop."""
        for number in numbers:
            self.numbers.take(number)

    def of(self, step: str) -> list[int]:
        """Return the numbers with which a step was done."""
        return [number for done, number in self.steps if done == step]


async def turns(number: int = 4) -> None:
    """Let the event loop turn."""
    for _ in range(number):
        await asyncio.sleep(0)


async def test_alone_at_once() -> None:
    """Nobody waits for company."""
    handled = Handled()
    for number in range(3):
        handled.take(number)
        assert handled.steps[-2:] == [("say", number), ("show", number)]
        await turns()
    assert len(handled.steps) == 6


async def test_step_by_step() -> None:
    """The first one goes ahead; the others go together, when no more comes."""
    handled = Handled()
    handled.take(1, 2, 3)
    assert handled.steps == [("say", 1), ("show", 1)]
    await turns()
    assert handled.steps[2:] == [("say", 2), ("say", 3), ("show", 2), ("show", 3)]


async def test_company(monkeypatch: pytest.MonkeyPatch) -> None:
    """What waits goes with what follows in the next turns, but not for long."""
    moment = 0.0
    monkeypatch.setattr(together, "time", SimpleNamespace(monotonic=lambda: moment))
    handled = Handled()
    for number in range(4):
        handled.take(2 * number, 2 * number + 1)
        await turns(1)
    assert handled.of("show") == [0]
    moment = STRETCH
    handled.take(8)
    await turns(1)
    assert handled.of("show") == list(range(9))


async def test_many() -> None:
    """However many come at once, all are handled, in their order."""
    handled = Handled()
    many = range(5 * MAX_TOGETHER)
    handled.take(*many)
    # Memory is bounded by handling some before the turn is over.
    assert len(handled.of("show")) > 4 * MAX_TOGETHER
    await turns(5)
    assert handled.of("say") == handled.of("show") == list(many)


async def test_flush() -> None:
    """What must come before something else does not wait for the turn's end."""
    handled = Handled()
    handled.take(1, 2, 3)
    handled.numbers.flush()
    assert handled.of("show") == [1, 2, 3]
    handled.take(4)
    await turns()
    assert handled.of("say") == handled.of("show") == [1, 2, 3, 4]


async def test_slow(monkeypatch: pytest.MonkeyPatch) -> None:
    """What takes long is spread over several turns, and keeps its order."""
    moment = 0.0

    def understand(number: int) -> int:
        nonlocal moment
        moment += STRETCH
        return number

    monkeypatch.setattr(together, "time", SimpleNamespace(monotonic=lambda: moment))
    handled = Handled(understand)
    handled.take(0, 1, 2, 3)
    await turns(1)
    assert len(handled.of("show")) <= 2
    handled.take(4)
    await turns(2)
    assert 2 <= len(handled.of("show")) <= 4
    handled.numbers.flush()
    assert handled.of("say") == handled.of("show") == [0, 1, 2, 3, 4]


async def test_no_news() -> None:
    """What says nothing goes no further."""
    handled = Handled(lambda number: number if number % 2 else None)
    handled.take(*range(6))
    await turns()
    assert handled.of("show") == [1, 3, 5]


async def test_fault(caplog: pytest.LogCaptureFixture) -> None:
    """The fault of one costs the others nothing."""

    def understand(number: int) -> int:
        return 6 // (number - 2)

    handled = Handled(understand)
    handled.take(1, 2, 3, 4)
    await turns()
    assert handled.of("show") == [-6, 6, 3]
    assert caplog.text.count("A message of Numbers was lost") == 1


async def test_fault_of_a_step(caplog: pytest.LogCaptureFixture) -> None:
    """The other steps follow nevertheless."""
    shown: list[int] = []

    def say(number: int) -> None:
        if number == 2:
            raise ValueError

    numbers: Together[int, int] = Together(
        asyncio.get_running_loop(), "Numbers", lambda number: number, say, shown.append
    )
    for number in (1, 2, 3):
        numbers.take(number)
    await turns()
    assert shown == [1, 2, 3]
    assert caplog.text.count("A message of Numbers was told in part only") == 1
