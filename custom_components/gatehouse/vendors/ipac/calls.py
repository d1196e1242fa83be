"""The calls of a station: what is told of them, and whether one is under way."""

from datetime import datetime, timedelta

from homeassistant.core import CALLBACK_TYPE, HassJob, HomeAssistant, callback
from homeassistant.helpers.event import async_call_later
from homeassistant.util import dt as dt_util

from ...hub import Device
from ...model import Call, CallEvent
from .doors import ECHO
from .protocol import CallValue

CALL_LIMIT = timedelta(hours=1)
"""After which a call counts as over, should its end have been lost."""


class Calls:
    """The calls of one station."""

    def __init__(self, hass: HomeAssistant, station: Device) -> None:
        """Begin with no call."""
        self._hass = hass
        self._station = station
        self._began: datetime | None = None
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
        if dt_util.utcnow() - occurred_at < CALL_LIMIT:
            self.stop()
            self._began = occurred_at
            self._station.publish("call", True)
            self._limit = async_call_later(
                self._hass,
                CALL_LIMIT,
                HassJob(self.forget, cancel_on_shutdown=True),
            )
        placed_at, self._placed_at = self._placed_at, None
        if call.outgoing and placed_at and abs(dt_util.utcnow() - placed_at) < ECHO:
            # Nobody is at the door: this call is our own.
            return
        self._say(
            CallEvent.RING if call.outgoing else CallEvent.INCOMING, call, occurred_at
        )

    @callback
    def end(self, call: CallValue, occurred_at: datetime) -> None:
        """Tell that a call is over."""
        duration = None
        if self._began is not None:
            duration = max(0.0, (occurred_at - self._began).total_seconds())
        self.forget()
        self._say(CallEvent.ENDED, call, occurred_at, duration)

    @callback
    def forget(self, _: datetime | None = None) -> None:
        """Show that no call is under way."""
        self.stop()
        self._began = None
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
