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

    def __init__(
        self, assumed: float, *, known: bool = False, least: float = 1.0
    ) -> None:
        """Begin with a period that is assumed until it has been learnt.

        Args:
            assumed: the period in seconds.
            known: whether it has been learnt before, as before a restart.
            least: gaps below this are no period, but an attempt that is repeated.

        """
        self._assumed = assumed
        self._least = least
        self._known = known
        self._last: float | None = None
        self._gaps: deque[float] = deque(maxlen=REMEMBERED)

    def beat(self, at: float) -> None:
        """Note that it came, at a time in seconds of any clock that only goes forward."""
        if self._last is not None and at - self._last >= self._least:
            self._gaps.append(at - self._last)
        self._last = at

    def pause(self) -> None:
        """Learn nothing from the gap until the next beat, for a reason is known."""
        self._last = None

    @property
    def learnt(self) -> bool:
        """Tell whether the period has been seen, and is not only assumed."""
        return self._known or len(self._gaps) >= ENOUGH

    @property
    def period(self) -> float:
        """Return the usual gap; single late or early ones do not change it."""
        return median(self._gaps) if len(self._gaps) >= ENOUGH else self._assumed
