"""Alternating rounds, so that a noisy machine troubles both sides alike."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from statistics import median

type Measure = Callable[[], Awaitable[float]]


@dataclass(frozen=True)
class Row:
    """One line of the table: ours divided by the yardstick's."""

    name: str
    ratios: tuple[float, ...]
    mark: float
    """The ratio to reach."""
    higher_is_better: bool = True

    @property
    def median(self) -> float:
        """Return the ratio of a round in the middle."""
        return median(self.ratios)

    @property
    def reached(self) -> bool:
        """Tell whether the mark is reached."""
        if self.higher_is_better:
            return self.median >= self.mark
        return self.median <= self.mark

    def __str__(self) -> str:
        """Return the line."""
        sign = "≥" if self.higher_is_better else "≤"
        return (
            f"{self.name:<62} {self.median:6.2f}  "
            f"({min(self.ratios):.2f} to {max(self.ratios):.2f})  "
            f"mark {sign} {self.mark:.2f}  {'ok' if self.reached else 'MISSED'}"
        )


async def compare(
    name: str,
    ours: Measure,
    yardstick: Measure,
    *,
    mark: float,
    rounds: int,
    higher_is_better: bool = True,
    stretches: int = 1,
) -> Row:
    """Measure both sides in turn, after one round each that does not count.

    Args:
        name: of the row.
        ours: measures our side.
        yardstick: measures the other.
        mark: the ratio to reach.
        rounds: how many ratios there are.
        higher_is_better: whether the mark is the least ratio, or the highest.
        stretches: how often a round changes from one side to the other; its ratio is
            that of the medians.

    """
    await ours()
    await yardstick()
    ratios = []
    for _ in range(rounds):
        mine, beside = [], []
        for number in range(stretches):
            # Who goes first changes, for the second finds a warmer machine.
            if (len(ratios) + number) % 2:
                beside.append(await yardstick())
                mine.append(await ours())
            else:
                mine.append(await ours())
                beside.append(await yardstick())
        ratios.append(median(mine) / median(beside))
    return Row(name, tuple(ratios), mark, higher_is_better)
