"""The station's clock, which shows local time as if it were UTC, and goes wrong."""

from datetime import datetime, timedelta

from homeassistant.util import dt as dt_util

TOLERANCE = 2
"""Seconds by which the measured difference may change without meaning anything: times
are whole seconds, and messages take a moment."""

INEXACT = timedelta(seconds=5)
"""By how much the moment of an event that comes late may be wrong."""

UNDER_WAY = 60
"""Seconds that a message may take to get here and be looked at."""

MAX_LATE = timedelta(days=7)
"""How old an event may be when it comes."""


class StationClock:
    """What the station's clock shows, beside ours."""

    def __init__(self) -> None:
        """Begin without a measurement."""
        self.offset: int | None = None
        """Seconds that it is ahead of ours."""
        self.zone: int | None = None
        """Seconds that the house's local time was ahead of UTC when that was measured."""

    def begins_anew(self, theirs: int, now: datetime) -> bool:
        """Tell whether it has been set back, and so shows times again.

        A message that takes long to get here looks like that, too. If it is by less than
        a minute, nobody can tell which, and the times that come again are over before
        another sign of life could.
        """
        return self.offset is None or theirs - now.timestamp() < self.offset - UNDER_WAY

    def measure(self, theirs: int, now: datetime) -> bool:
        """Compare, by a message that is never late; return whether it was set."""
        self.zone = _zone(now)
        offset = theirs - round(now.timestamp())
        if self.offset is not None and abs(offset - self.offset) <= TOLERANCE:
            return False
        self.offset = offset
        return True

    def follows_summer_time(self, theirs: int, now: datetime) -> bool:
        """Follow summer time if an event shows its end or beginning; tell whether it does.

        So does the next sign of life, but whoever comes before it would be told of as of
        an hour ago. If the house's local time has changed since the last one, an event
        that seems to be late by just as much, to a few seconds, is taken to be new. The
        hour of one that is late indeed cannot be known then.
        """
        if self.offset is None or self.zone is None:
            return False
        change = _zone(now) - self.zone
        late = now.timestamp() - (theirs - self.offset)
        if change == 0 or abs(late + change) > INEXACT.total_seconds():
            return False
        self.offset += change
        self.zone += change
        return True

    def moment(self, theirs: int | None, now: datetime) -> datetime:
        """Return by our clock when something happened that is told now.

        A message can be sent again for long, and its time stays what it was.
        """
        if theirs is None or self.offset is None:
            return now
        late = now.timestamp() - (theirs - self.offset)
        # A clock that has been set meanwhile is not to be believed.
        if not TOLERANCE < late < MAX_LATE.total_seconds():
            return now
        return now - timedelta(seconds=late)


def _zone(now: datetime) -> int:
    """Return the seconds that the house's local time is ahead of UTC."""
    ahead = dt_util.as_local(now).utcoffset()
    return 0 if ahead is None else round(ahead.total_seconds())
