"""Whether a series of measurements is flat.

A series is flat if the line through its part after the warm-up rises by no more than is
allowed for that series. The line is that of Theil and Sen: its slope is the median of the
slopes between all pairs of measurements, so that single ones far off, such as while a
gateway is gone, do not turn it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import median

MOST_POINTS = 400
"""Longer series are thinned out evenly, for pairs grow with the square."""


@dataclass(frozen=True, slots=True)
class Limit:
    """What a series may rise by from the end of the warm-up to the end of the run."""

    share: float = 0.0
    """Of the series' median."""
    at_least: float = 0.0
    """In the series' own unit, where the share is less."""

    def of(self, middle: float) -> float:
        """Return the rise that is allowed where this is the median."""
        return max(self.share * middle, self.at_least)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found of a series."""

    first: float
    """Median of the first tenth after the warm-up."""
    last: float
    """Median of the last tenth."""
    rise: float
    """Of the line, from the end of the warm-up to the end."""
    allowed: float

    @property
    def flat(self) -> bool:
        """Tell whether it rises by no more than is allowed."""
        return self.rise <= self.allowed


def slope(times: Sequence[float], values: Sequence[float]) -> float:
    """Return the median of the slopes between all pairs; 0 without any."""
    step = max(1, len(times) // MOST_POINTS)
    points = list(zip(times[::step], values[::step], strict=True))
    slopes = [
        (b - a) / (until - since)
        for (since, a), (until, b) in combinations(points, 2)
        if until > since
    ]
    return median(slopes) if slopes else 0.0


def judge(
    times: Sequence[float], values: Sequence[float], limit: Limit, warm_up: float
) -> Verdict:
    """Judge a series.

    Args:
        times: of the measurements, in seconds since the beginning, rising.
        values: what was measured.
        limit: what it may rise by.
        warm_up: seconds from the beginning that do not count.

    Raises:
        ValueError: fewer than three measurements are left after the warm-up.

    """
    kept = [pair for pair in zip(times, values, strict=True) if pair[0] >= warm_up]
    if len(kept) < 3:
        raise ValueError("there is nothing to judge after the warm-up")
    late, numbers = zip(*kept, strict=True)
    tenth = max(1, len(numbers) // 10)
    return Verdict(
        first=median(numbers[:tenth]),
        last=median(numbers[-tenth:]),
        rise=slope(late, numbers) * (late[-1] - late[0]),
        allowed=limit.of(median(numbers)),
    )
