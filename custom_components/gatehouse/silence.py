"""Tells a vendor that has fallen silent from doors that nobody uses.

Some that call us give no sign of life between two events. How long their silences usually
are is learnt from watching them end.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

LEARNING = timedelta(days=7)
"""From the first event to one that shows how long a weekend is."""

UNLEARNT_SILENCE = timedelta(days=4)
"""Silence that is borne until then: a long weekend."""

SHORTEST_SILENCE = timedelta(days=1)
LONGEST_SILENCE = timedelta(days=14)
"""Between these lies the silence that is borne afterwards."""

USUAL_TIMES = 2
"""So many times the longest silence that was followed by an event is borne."""

MATTERING_SILENCE = SHORTEST_SILENCE / USUAL_TIMES
"""A shorter one cannot make the silence that is borne longer than the shortest."""

REMEMBERED = timedelta(days=60)
"""For so long a silence counts as usual."""


class _Gap(NamedTuple):
    """A silence, and when it ended."""

    ended_at: datetime
    length: timedelta


class Silence:
    """How long nothing has come, and how long that is usual.

    Time in which Home Assistant did not run does not count, for nobody listened.
    """

    def __init__(
        self, now: datetime, remembered: Mapping[str, Any] | None = None
    ) -> None:
        """Go on from what `as_dict` has returned, or begin anew."""
        self._since: datetime | None = None
        self._heard_at: datetime | None = None
        # Those that are long enough to matter.
        self._gaps: list[_Gap] = []
        if remembered:
            self._since = datetime.fromisoformat(remembered["since"])
            self._heard_at = now - timedelta(seconds=remembered["silent"])
            self._gaps = [
                _Gap(datetime.fromisoformat(ended_at), timedelta(seconds=length))
                for ended_at, length in remembered["gaps"]
            ]

    @property
    def begun(self) -> bool:
        """Tell whether anything has come yet."""
        return self._heard_at is not None

    def hear(self, now: datetime) -> None:
        """Note that an event has come."""
        if self._heard_at is None:
            self._since = now
        elif (length := now - self._heard_at) > MATTERING_SILENCE:
            self._gaps = [*self._usual_gaps(now), _Gap(now, length)]
        self._heard_at = now

    def _usual_gaps(self, now: datetime) -> list[_Gap]:
        """Return the silences that still count."""
        return [gap for gap in self._gaps if gap.ended_at > now - REMEMBERED]

    @property
    def patience(self) -> timedelta:
        """Return how long a silence is borne."""
        if (
            self._since is None
            or self._heard_at is None
            or self._heard_at - self._since < LEARNING
        ):
            return UNLEARNT_SILENCE
        usual = max(
            (gap.length for gap in self._usual_gaps(self._heard_at)),
            default=timedelta(),
        )
        return min(max(usual * USUAL_TIMES, SHORTEST_SILENCE), LONGEST_SILENCE)

    def too_long(self, now: datetime) -> bool:
        """Tell whether the silence is longer than it should be."""
        if self._heard_at is None:
            return False
        silence = now - self._heard_at
        return silence > SHORTEST_SILENCE and silence > self.patience

    def as_dict(self, now: datetime) -> dict[str, Any] | None:
        """Return what must outlive a restart, in JSON's terms."""
        if self._since is None or self._heard_at is None:
            return None
        return {
            "since": self._since.isoformat(),
            "silent": (now - self._heard_at).total_seconds(),
            "gaps": [
                (gap.ended_at.isoformat(), gap.length.total_seconds())
                for gap in self._gaps
            ],
        }
