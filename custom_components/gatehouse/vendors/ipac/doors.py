"""The doors of a station: what is shown of them, and who was let in."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from homeassistant.core import CALLBACK_TYPE, HassJob, HomeAssistant, callback
from homeassistant.helpers.event import async_call_later
from homeassistant.util import dt as dt_util

from ...hub import WAITING_WORDS, Device
from ...model import CHANGED_BY, Access, AccessEvent, BoltState, Method, Reason
from ...people import Actor
from ...wire import Secret
from .protocol import BOTH_RELAYS, RelayReply

ECHO = timedelta(seconds=10)
"""How long after our own order the station's report of the relay is its echo, and after
a typed code that of whoever typed it."""

_REASONS = {
    RelayReply.BAD_REQUEST: Reason.BAD_REQUEST,
    RelayReply.OUTSIDE_HOURS: Reason.OUTSIDE_HOURS,
    RelayReply.WRONG_CODE: Reason.WRONG_CODE,
    RelayReply.LOCKED_OUT: Reason.LOCKED_OUT,
    RelayReply.BUSY: Reason.BUSY,
}


class Denied(Exception):
    """The station has not opened a door."""

    def __init__(self, reason: Reason) -> None:
        """Keep why."""
        super().__init__(reason)
        self.reason = reason


@dataclass(slots=True, kw_only=True)
class Door:
    """A relay, or both together, with what opens it."""

    device: Device
    relay: int
    code: Secret
    open_time: float
    """Seconds that the door is shown unlocked."""
    orders: int = 0
    """Orders that are under way."""
    fired: asyncio.Event = field(default_factory=asyncio.Event, repr=False)
    """Set when the station reports the relay while an order is under way."""
    held_back: deque[Access] = field(
        default_factory=lambda: deque(maxlen=WAITING_WORDS)
    )
    """What was reported meanwhile, and is told only if the order did not cause it."""
    ordered_at: datetime | None = None
    """When we opened it, until the station has reported that, too."""
    close: CALLBACK_TYPE | None = None

    def moved_by(self, relay: int) -> bool:
        """Tell whether a relay that fires opens this door."""
        return relay in (self.relay, BOTH_RELAYS)


class Doors:
    """All doors of a station."""

    def __init__(self, hass: HomeAssistant) -> None:
        """Begin with none."""
        self._hass = hass
        self._doors: list[Door] = []
        self._names: list[tuple[Secret, str]] = []
        self._typed: tuple[datetime, Secret] | None = None
        """When the last code was typed, and which."""
        self._stopped = False

    @callback
    def add(self, door: Door) -> None:
        """Add a door; it is shown locked."""
        door.device.publish("door", BoltState.LOCKED)
        self._doors.append(door)

    @callback
    def add_name(self, code: Secret, name: str) -> None:
        """Give a name to a code."""
        self._names.append((code, name))

    @callback
    def stop(self) -> None:
        """Plan nothing any more."""
        self._stopped = True
        for door in self._doors:
            if door.close is not None:
                door.close()
                door.close = None

    def of(self, device: Device) -> Door:
        """Return the door that a device stands for."""
        return next(door for door in self._doors if door.device is device)

    def name_of(self, code: Secret) -> str | None:
        """Return what the user calls a code, or None for one without a name."""
        names = [name for known, name in self._names if known.matches(code.reveal())]
        return names[0] if names else None

    @callback
    def typed(self, code: Secret, occurred_at: datetime) -> None:
        """Note a code that was typed at the station."""
        self._typed = occurred_at, code

    async def async_open(
        self,
        door: Door,
        fire: Callable[[Door], Awaitable[RelayReply | None]],
        actor: Actor,
    ) -> None:
        """Open a door, show it, and tell what came of it.

        Args:
            door: the door.
            fire: has the relay fired, once, and returns what the station says to it.
            actor: in whose name.

        Raises:
            Denied: the station refuses.
            Exception: what `fire` raises; nothing is told then.

        """
        moved = [other for other in self._doors if other.moved_by(door.relay)]
        door.orders += 1
        for other in moved:
            other.fired.clear()
        if door.close is None:
            door.device.publish("door", BoltState.UNLOCKING)
        try:
            reply = await fire(door)
            if reply is RelayReply.GRANTED:
                for other in moved:
                    self._opened(other, actor)
                return
        finally:
            door.orders -= 1
            if door.close is None and not door.orders:
                door.device.publish("door", BoltState.LOCKED)
            for other in moved:
                for access in other.held_back:
                    other.device.publish(CHANGED_BY, access.person)
                    other.device.say("access", access)
                other.held_back.clear()
        reason = Reason.UNKNOWN if reply is None else _REASONS[reply]
        door.device.say(
            "access",
            Access(
                event_type=AccessEvent.DENIED,
                method=Method.REMOTE,
                person=actor.name,
                person_entity=actor.person,
                reason=reason,
                occurred_at=dt_util.utcnow(),
                context=actor.context,
            ),
        )
        raise Denied(reason)

    @callback
    def _opened(self, door: Door, actor: Actor) -> None:
        """Tell of a door that one of our own orders has opened."""
        now = dt_util.utcnow()
        door.ordered_at = None if door.fired.is_set() else now
        door.held_back.clear()
        self._unlocked(door, {CHANGED_BY: actor.name})
        access = _granted(Method.REMOTE, actor.name, now)
        door.device.say(
            "access",
            replace(access, person_entity=actor.person, context=actor.context),
        )

    @callback
    def reported(
        self, relay: int, code: Secret | None, method: Method, occurred_at: datetime
    ) -> None:
        """Tell of the doors that the station reports to be opened."""
        now = dt_util.utcnow()
        access = _granted(
            method, None if code is None else self.name_of(code), occurred_at
        )
        # Of an order for both relays the station may report each.
        ordered = [
            door
            for door in self._doors
            if door.orders and (door.moved_by(relay) or door.relay == BOTH_RELAYS)
        ]
        for door in ordered:
            if door.relay == BOTH_RELAYS:
                door.fired.set()
        for door in self._doors:
            if not door.moved_by(relay):
                continue
            by: dict[str, str | None] = {}
            if (
                door.ordered_at is not None
                and abs(now - door.ordered_at) < ECHO
                and not self._was_typed(code, occurred_at)
            ):
                # The echo of an order that has been told of.
                door.ordered_at = None
                told = None
            elif any(door.moved_by(order.relay) for order in ordered):
                # It may be that order, whose answer is still to come.
                door.fired.set()
                door.held_back.append(access)
                told = None
            else:
                by = {CHANGED_BY: access.person}
                told = access
            if now - occurred_at < timedelta(seconds=door.open_time):
                self._unlocked(door, by)
            if told is not None:
                door.device.say("access", told)

    def _was_typed(self, code: Secret | None, occurred_at: datetime) -> bool:
        """Tell whether somebody has just typed a code."""
        if code is None or self._typed is None:
            return False
        typed_at, typed = self._typed
        return typed.matches(code.reveal()) and abs(occurred_at - typed_at) < ECHO

    @callback
    def _unlocked(self, door: Door, by: Mapping[str, str | None]) -> None:
        """Show a door unlocked for as long as its relay is said to hold it."""

        @callback
        def close(_: datetime) -> None:
            door.close = None
            door.device.publish("door", BoltState.LOCKED)

        if self._stopped:
            return
        if door.close is not None:
            door.close()
        # Who has opened it is in the same change, for those whom the change wakes.
        door.device.publish_together({"door": BoltState.UNLOCKED, **by})
        door.close = async_call_later(
            self._hass, door.open_time, HassJob(close, cancel_on_shutdown=True)
        )


def _granted(method: Method, person: str | None, occurred_at: datetime) -> Access:
    return Access(
        event_type=AccessEvent.GRANTED,
        person=person,
        method=method,
        occurred_at=occurred_at,
    )
