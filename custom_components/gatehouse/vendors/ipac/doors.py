"""The doors of a station: what is shown of them, and who was let in."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from homeassistant.core import CALLBACK_TYPE, HassJob, HomeAssistant, callback
from homeassistant.helpers.event import async_call_later
from homeassistant.util import dt as dt_util

from ...hub import Device
from ...model import CHANGED_BY, Access, AccessEvent, BoltState, Method, Reason
from ...people import Actor
from ...wire import CannotConnect, InvalidAuth, Secret
from .clock import INEXACT
from .protocol import BOTH_RELAYS, RelayReply
from .tasks import NotFetched

ECHO = timedelta(seconds=10)
"""How long after our own order the station's report of the relay is its echo, and after
a typed code that of whoever typed it."""

MAX_EXPECTED = 16
"""Orders of a door whose report is awaited, which may never come."""

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


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Expected:
    """An order of which the station's report may still come."""

    code: Secret
    since: datetime
    until: datetime
    untold: Access | None
    """What the report is to tell; None of an order that has been told of, as it is known
    that it was carried out."""

    def covers(self, report: Report) -> bool:
        """Tell whether a report is this order's."""
        return (
            self.since < report.occurred_at < self.until
            and report.is_by(self.code)
            and (self.untold is None or report.is_of_an_order)
        )


class Report(NamedTuple):
    """What the station has told of a relay."""

    code: Secret | None
    typed: bool
    """Whether somebody has typed the code at the station."""
    access: Access
    occurred_at: datetime

    def is_by(self, code: Secret) -> bool:
        """Tell whether the relay may have been fired from afar, by an order with a code."""
        return not self.typed and (
            self.code is None or self.code.matches(code.reveal())
        )

    @property
    def is_of_an_order(self) -> bool:
        """Tell whether it cannot be of a push-button."""
        return self.code is not None or self.access.method is Method.REMOTE


@dataclass(slots=True, eq=False, kw_only=True)
class Door:
    """A relay, or both together, with what opens it."""

    device: Device
    relay: int
    code: Secret
    open_time: float
    """Seconds that the door is shown unlocked."""
    expected: deque[Expected] = field(
        default_factory=lambda: deque(maxlen=MAX_EXPECTED), repr=False
    )
    """What we have opened, until the station has reported that, too."""
    close: CALLBACK_TYPE | None = None

    def moved_by(self, relay: int) -> bool:
        """Tell whether a relay that fires opens this door."""
        return relay in (self.relay, BOTH_RELAYS)


@dataclass(slots=True, eq=False, kw_only=True)
class Opening:
    """An order for a door that is under way."""

    door: Door
    began: datetime
    fired: asyncio.Event = field(default_factory=asyncio.Event, repr=False)
    """Set when the station reports the relay."""
    held_back: dict[Door, Report] = field(default_factory=dict, repr=False)
    """What was reported meanwhile, and is told only if the order did not cause it."""

    def may_have_caused(self, door: Door, report: Report) -> bool:
        """Tell whether what is reported of a door may be the work of this order."""
        return (
            door.moved_by(self.door.relay)
            and door not in self.held_back
            and self.began - INEXACT < report.occurred_at
            and report.is_by(self.door.code)
        )


@dataclass(frozen=True, slots=True)
class _Typed:
    """A code that was typed at the station."""

    code: Secret
    at: datetime
    relays: set[int] = field(default_factory=set)
    """Those of which it has been reported that it fired them."""


class Doors:
    """All doors of a station."""

    def __init__(self, hass: HomeAssistant) -> None:
        """Begin with none."""
        self._hass = hass
        self._doors: list[Door] = []
        self._names: list[tuple[Secret, str]] = []
        self._typed: _Typed | None = None
        """What was typed last."""
        self._under_way: list[Opening] = []
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
        self._typed = _Typed(code, occurred_at)

    async def async_open(
        self,
        door: Door,
        fire: Callable[[Opening], Awaitable[RelayReply | None]],
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
        opening = Opening(door=door, began=dt_util.utcnow())
        self._under_way.append(opening)
        if door.close is None:
            door.device.publish("door", BoltState.UNLOCKING)
        try:
            reply = await fire(opening)
            if reply is RelayReply.GRANTED:
                for other in moved:
                    self._opened(other, opening, actor)
                opening.held_back.clear()
                return
        except CannotConnect, InvalidAuth, NotFetched:
            raise
        except BaseException:
            # It may have been carried out, which then is still to be told.
            for other in moved:
                self._expect(other, opening, _granted_to(actor, dt_util.utcnow()))
            raise
        finally:
            self._under_way.remove(opening)
            if door.close is None and not any(
                another.door is door for another in self._under_way
            ):
                door.device.publish("door", BoltState.LOCKED)
            for other, report in opening.held_back.items():
                # It may still be the work of another order.
                if (access := self._news_of(other, report)) is not None:
                    other.device.publish(CHANGED_BY, access.person)
                    other.device.say("access", access)
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
    def _opened(self, door: Door, opening: Opening, actor: Actor) -> None:
        """Tell of a door that one of our own orders has opened."""
        if door not in opening.held_back:
            self._expect(door, opening, None)
        self._unlocked(door, {CHANGED_BY: actor.name})
        door.device.say("access", _granted_to(actor, dt_util.utcnow()))

    @callback
    def _expect(self, door: Door, opening: Opening, untold: Access | None) -> None:
        """Wait for the station's report of an order."""
        door.expected.append(
            Expected(
                code=opening.door.code,
                since=opening.began - INEXACT,
                until=dt_util.utcnow() + ECHO,
                untold=untold,
            )
        )

    @callback
    def reported(
        self, relay: int, code: Secret | None, method: Method, occurred_at: datetime
    ) -> None:
        """Tell of the doors that the station reports to be opened."""
        now = dt_util.utcnow()
        report = Report(
            code=code,
            typed=self._was_typed(code, relay, occurred_at),
            access=_granted(
                method, None if code is None else self.name_of(code), occurred_at
            ),
            occurred_at=occurred_at,
        )
        for opening in self._under_way:
            # Of an order for both relays the station may report each.
            if opening.door.relay == BOTH_RELAYS and opening.may_have_caused(
                opening.door, report
            ):
                opening.fired.set()
        for door in self._doors:
            if not door.moved_by(relay):
                continue
            access = self._news_of(door, report)
            if now - occurred_at < timedelta(seconds=door.open_time):
                self._unlocked(
                    door, {} if access is None else {CHANGED_BY: access.person}
                )
            if access is not None:
                door.device.say("access", access)

    def _news_of(self, door: Door, report: Report) -> Access | None:
        """Return what a report tells; None if that is told with an order."""
        expected = [one for one in door.expected if one.covers(report)]
        for one in expected:
            if one.untold is None:
                door.expected.remove(one)
                return None
        for opening in self._under_way:
            if opening.may_have_caused(door, report):
                # Its answer is still to come.
                opening.fired.set()
                opening.held_back[door] = report
                return None
        for one in expected:
            if one.untold is not None:
                door.expected.remove(one)
                return one.untold._replace(occurred_at=report.occurred_at)
        return report.access

    def _was_typed(
        self, code: Secret | None, relay: int, occurred_at: datetime
    ) -> bool:
        """Tell whether a relay was fired by a code that somebody has just typed."""
        typed = self._typed
        if (
            code is None
            or typed is None
            or relay in typed.relays
            or not typed.code.matches(code.reveal())
            or abs(occurred_at - typed.at) >= ECHO
        ):
            return False
        # A code fires a relay once.
        typed.relays.add(relay)
        return True

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


def _granted_to(actor: Actor, occurred_at: datetime) -> Access:
    return _granted(Method.REMOTE, actor.name, occurred_at)._replace(
        person_entity=actor.person, context=actor.context
    )
