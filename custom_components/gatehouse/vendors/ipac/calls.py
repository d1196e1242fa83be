"""The calls of a station: what is told of them, and whether one is under way."""

from datetime import datetime, timedelta

from homeassistant.core import CALLBACK_TYPE, HassJob, HomeAssistant, callback
from homeassistant.helpers.event import async_call_later
from homeassistant.util import dt as dt_util

from ...hub import Device
from ...model import Call, CallEvent
from .clock import INEXACT
from .doors import ECHO
from .protocol import CallValue

CALL_LIMIT = timedelta(hours=1)
"""After which a call counts as over, should its end have been lost."""

LATE = timedelta(seconds=1)
"""Since when an event is no news. What is told at once is told in the right order."""


class Calls:
    """The calls of one station."""

    def __init__(self, hass: HomeAssistant, station: Device) -> None:
        """Begin with no call."""
        self._hass = hass
        self._station = station
        self._running: tuple[CallValue, datetime] | None = None
        """The call that is under way, and since when."""
        self._ended: tuple[CallValue, datetime] | None = None
        """The call that ended last, and when."""
        self._limit: CALLBACK_TYPE | None = None
        self._placed_at: datetime | None = None
        station.publish("call", False)

    @callback
    def stop(self) -> None:
        """Plan nothing any more."""
        if self._limit is not None:
            self._limit()
            self._limit = None

    @callback
    def placed(self, is_placed: bool) -> None:
        """Note that we have the station call somebody, which it will report, or not."""
        self._placed_at = dt_util.utcnow() if is_placed else None

    @callback
    def begin(self, call: CallValue, occurred_at: datetime) -> None:
        """Tell that the bell was rung, or that somebody calls the station."""
        if not self._is_over(call, occurred_at):
            self.stop()
            self._running = call, occurred_at
            self._station.publish("call", True)
            self._limit = async_call_later(
                self._hass,
                CALL_LIMIT,
                HassJob(self.forget, cancel_on_shutdown=True),
            )
        if (
            call.outgoing
            and self._placed_at is not None
            and abs(occurred_at - self._placed_at) < ECHO
        ):
            # Nobody is at the door: this call is our own.
            self._placed_at = None
            return
        self._say(
            CallEvent.RING if call.outgoing else CallEvent.INCOMING, call, occurred_at
        )

    @callback
    def end(self, call: CallValue, occurred_at: datetime) -> None:
        """Tell that a call is over."""
        duration = None
        if self._running is not None:
            running, began = self._running
            if not _precedes(occurred_at, began, closely=call != running):
                duration = max(0.0, (occurred_at - began).total_seconds())
                self.forget()
        if self._ended is None or self._ended[1] < occurred_at:
            self._ended = call, occurred_at
        self._say(CallEvent.ENDED, call, occurred_at, duration)

    def _is_over(self, call: CallValue, began: datetime) -> bool:
        """Tell whether a call has ended by the time that its beginning is told."""
        if self._ended is not None:
            ended, ended_at = self._ended
            if _precedes(began, ended_at, closely=call == ended):
                return True
        if self._running is not None and _precedes(
            began, self._running[1], closely=False
        ):
            return True
        return dt_util.utcnow() - began >= CALL_LIMIT

    @callback
    def restarted(self, occurred_at: datetime) -> None:
        """Show that no call is under way that began before a restart of the station."""
        if self._running is not None and occurred_at > self._running[1] - INEXACT:
            self.forget()

    @callback
    def forget(self, _: datetime | None = None) -> None:
        """Show that no call is under way."""
        self.stop()
        self._running = None
        self._station.publish("call", False)

    def _say(
        self,
        event_type: CallEvent,
        call: CallValue,
        occurred_at: datetime,
        duration: float | None = None,
    ) -> None:
        """Tell of a call; who calls whom depends on which way it goes."""
        self._station.say(
            "doorbell",
            Call(
                event_type=event_type,
                caller=None if call.outgoing else call.number,
                callee=call.number if call.outgoing else None,
                duration=duration,
                occurred_at=occurred_at,
            ),
        )


def _precedes(occurred_at: datetime, moment: datetime, *, closely: bool) -> bool:
    """Tell whether what is told late has happened before a moment.

    Args:
        occurred_at: when it has happened, as far as that is known.
        moment: that of the end or the beginning of a call.
        closely: what is to be taken for true if it was at about that moment.

    """
    if dt_util.utcnow() - occurred_at < LATE:
        return False
    return occurred_at < (moment + INEXACT if closely else moment - INEXACT)
