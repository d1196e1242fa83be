"""Notices that a websocket has gone quiet, though nobody has closed it."""

from datetime import datetime
import logging

from homeassistant.core import CALLBACK_TYPE, HassJob, HomeAssistant, callback
from homeassistant.helpers.event import async_call_later

from ...rhythm import Rhythm
from .client import Link

_LOGGER = logging.getLogger(__name__)

ASSUMED_SILENCE = 180.0
"""Seconds of silence that are borne until heartbeats have been seen; how often they
come is not documented."""

LONGEST_SILENCE = 3600.0
"""Seconds that are borne at most, of a server that sends no heartbeats."""

SHORTEST_SILENCE = 15.0
"""Seconds that are borne at least, however often heartbeats come."""

MISSED_BEATS = 3


class Watchdog:
    """Breaks off links over which nothing comes any more.

    Once heartbeats have shown how often they come, three of them may be missing. Until
    then, answers to pings count, too: a server of which nothing else is known and whose
    doors nobody uses is silent for good reason.
    """

    def __init__(self, hass: HomeAssistant) -> None:
        """Begin without a link."""
        self._hass = hass
        self._heartbeat = Rhythm(ASSUMED_SILENCE)
        self._assumed = ASSUMED_SILENCE
        self._link: Link | None = None
        self._beats = 0
        self._timer: CALLBACK_TYPE | None = None

    @property
    def period(self) -> float | None:
        """Return the seconds between two heartbeats, if that is known."""
        return self._heartbeat.period if self._heartbeat.learnt else None

    @property
    def patience(self) -> float:
        """Return the seconds of silence that are borne now."""
        if self.period is None:
            return self._assumed
        return max(self.period * MISSED_BEATS, SHORTEST_SILENCE)

    @callback
    def watch(self, link: Link) -> None:
        """Watch over a new link."""
        self.leave()
        self._heartbeat.pause()
        self._beats = 0
        self._link = link
        self._set_timer()

    @callback
    def leave(self) -> None:
        """Watch over nothing any more."""
        self._link = None
        if self._timer is not None:
            self._timer()
            self._timer = None

    @callback
    def beat(self) -> None:
        """Note a heartbeat."""
        self._heartbeat.beat(self._hass.loop.time())
        self._beats += 1

    def _rest(self) -> float:
        """Return the seconds of silence that are left."""
        assert self._link is not None
        heard_at = self._link.frame_at
        if self.period is None:
            heard_at = max(heard_at, self._link.pong_at)
        return heard_at + self.patience - self._hass.loop.time()

    @callback
    def _set_timer(self) -> None:
        """Look again when the silence would be too long, as far as is known by now."""
        self._timer = async_call_later(
            self._hass,
            min(self._rest(), SHORTEST_SILENCE),
            HassJob(self._look, cancel_on_shutdown=True),
        )

    @callback
    def _look(self, _: datetime) -> None:
        """Break the link off if nothing has come, and be ready for slower beats."""
        self._timer = None
        assert self._link is not None
        if self._rest() > 0:
            self._set_timer()
            return
        _LOGGER.debug("Nothing has come for %.0f seconds", self.patience)
        if self.period is None:
            self._assumed = min(self._assumed * 2, LONGEST_SILENCE)
        elif not self._beats:
            # It beat faster before.
            self._heartbeat = Rhythm(ASSUMED_SILENCE)
        self._link.break_off()
        self._link = None
