"""How often something comes by itself, learnt from watching it come.

Vendors do not say how often their devices report. Who knows the period can tell silence
from patience.
"""

from collections import deque
from statistics import median

ENOUGH = 3
"""Gaps from which a period can be told."""

REMEMBERED = 9


class Rhythm:
    """The period of something that recurs, in seconds."""

    def __init__(self, assumed: float) -> None:
        """Begin with a period that is assumed until it has been learnt."""
        self._assumed = assumed
        self._last: float | None = None
        self._gaps: deque[float] = deque(maxlen=REMEMBERED)

    def beat(self, at: float) -> None:
        """Note that it came, at a time in seconds of any clock that only goes forward."""
        if self._last is not None and at > self._last:
            self._gaps.append(at - self._last)
        self._last = at

    def pause(self) -> None:
        """Learn nothing from the gap until the next beat, for a reason is known."""
        self._last = None

    @property
    def learnt(self) -> bool:
        """Tell whether the period has been seen, and is not only assumed."""
        return len(self._gaps) >= ENOUGH

    @property
    def period(self) -> float:
        """Return the usual gap; single late or early ones do not change it."""
        return median(self._gaps) if self.learnt else self._assumed
