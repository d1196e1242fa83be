"""The hub of an IPAC 500: opens its doors, and takes what it reports as its ASM server."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http import HTTPStatus
import logging
from typing import Any, override

from homeassistant.config_entries import ConfigSubentry
from homeassistant.const import CONF_CODE, CONF_HOST, CONF_PASSWORD, CONF_USERNAME
from homeassistant.core import CALLBACK_TYPE, Context, HassJob, HomeAssistant, callback
from homeassistant.exceptions import (
    ConfigEntryAuthFailed,
    ConfigEntryNotReady,
    HomeAssistantError,
)
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from homeassistant.helpers.event import async_call_later
from homeassistant.util import dt as dt_util

from ...const import DOMAIN
from ...flow import base_url
from ...hub import Device, GatehouseConfigEntry, Hub, Offers
from ...model import (
    Access,
    AccessEvent,
    BoltState,
    Call,
    CallEvent,
    Keypad,
    Method,
    Reason,
    Station,
    StationEvent,
)
from ...picture import async_load_picture, fit_picture
from ...rhythm import Rhythm
from ...wire import (
    CannotConnect,
    InvalidAuth,
    LostReply,
    Secret,
    TimedOut,
    UnexpectedReply,
    WireError,
)
from .client import Auth, IpacClient, Refused
from .protocol import (
    BOTH_RELAYS,
    DISPLAY_SIZE,
    EVENT_RECORDED,
    NOTHING_TO_DO,
    UNKNOWN_OBJECT_ID,
    CallValue,
    Event,
    EventCode,
    KeypadValue,
    Message,
    RelayReply,
    RelayValue,
    Settings,
    Table,
    TaskResult,
    configuration_updated,
    open_task,
    task_finished,
)

_LOGGER = logging.getLogger(__name__)

KEY = "ipac"

STATION = "station"
DOOR = "door"

RELAY = "relay"
KEYPAD_CODE = "keypad_code"

CONF_AUTH = "auth"
CONF_TLS = "tls"
CONF_VERIFY_TLS = "verify_tls"
CONF_ASM_SECRET = "asm_secret"
CONF_ASM_TOKEN = "asm_token"
CONF_RELAY = "relay"
CONF_OPEN_TIME = "open_time"
CONF_OBJECT_ID = "object_id"

MANUFACTURER = "Amphitech"
MODEL = "IPAC 500"

ASSUMED_PERIOD = 60.0
"""Seconds between two signs of life until they have been learnt; not documented."""

LEAST_PERIOD = 5.0
"""Seconds; signs of life that come faster are not a station's rhythm."""

LONG_PERIOD = 360.0
"""Seconds that are granted between two signs of life before the user is told of silence,
until they have been learnt."""

RECENT_PERIODS = 3
"""Missing signs of life after which a station is asked whether it is still there."""

SILENT_PERIODS = 10
"""Missing signs of life after which the user is told."""

PROBE_INTERVAL = timedelta(seconds=60)
"""Between two attempts to find a station that does not answer."""

TASK_LIFETIME = 30.0
"""Seconds from an order to its withdrawal, if the station has not fetched it."""

RESULT_TIMEOUT = 15.0
"""Seconds that a station may take to tell what became of an order that it fetched."""

REPORT_TIMEOUT = 5.0
"""Seconds after a lost answer in which the station may still report the relay."""

ECHO = timedelta(seconds=10)
"""How long after our own order the station's report of the relay is its echo."""

CALL_LIMIT = timedelta(hours=1)
"""After which a call counts as over, should its end have been lost."""

SETTINGS_TRIES = 3
"""Signs of life that are answered by asking for the settings, which may never come."""

REMEMBERED_EVENTS = 256

CLOCK_TOLERANCE = 2
"""Seconds by which the measured difference of the clocks may change without being
shown: times are whole seconds, and messages take a moment."""

MAX_LATE = timedelta(days=7)
"""How old an event may be when it comes."""

MAX_SHOWN = 64
"""Characters of what a station calls itself, and unknown codes that are logged."""

SAVE_DELAY = 60.0

_REASONS = {
    RelayReply.BAD_REQUEST: Reason.BAD_REQUEST,
    RelayReply.OUTSIDE_HOURS: Reason.OUTSIDE_HOURS,
    RelayReply.WRONG_CODE: Reason.WRONG_CODE,
    RelayReply.LOCKED_OUT: Reason.LOCKED_OUT,
    RelayReply.BUSY: Reason.BUSY,
}

# What the user reads when the station refuses to open.
_DENIALS = {
    Reason.BAD_REQUEST: "door_bad_request",
    Reason.OUTSIDE_HOURS: "door_outside_hours",
    Reason.WRONG_CODE: "door_wrong_code",
    Reason.LOCKED_OUT: "door_locked_out",
    Reason.BUSY: "door_busy",
    Reason.UNKNOWN: "door_refused",
}

# What the user reads when there is no answer, or none that can be understood.
_FAILURES: dict[type[WireError], str] = {
    CannotConnect: "station_unreachable",
    LostReply: "station_no_answer",
    TimedOut: "station_no_answer",
    InvalidAuth: "station_login_refused",
    Refused: "station_refused",
    UnexpectedReply: "station_unexpected_reply",
}

_STATION_EVENTS: dict[str, StationEvent] = {
    EventCode.RESTARTED: StationEvent.RESTARTED,
    EventCode.STREAM: StationEvent.STREAM_STARTED,
    EventCode.STREAM_ENDED: StationEvent.STREAM_ENDED,
}

type Reply = tuple[HTTPStatus, Mapping[str, Any]]


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
    held_back: list[Access] = field(default_factory=list)
    """What was reported meanwhile, and is told only if the order did not cause it."""
    ordered_at: datetime | None = None
    """When we opened it, until the station has reported that, too."""
    close: CALLBACK_TYPE | None = None

    def moved_by(self, relay: int) -> bool:
        """Tell whether a relay that fired opens this door."""
        return relay in (self.relay, BOTH_RELAYS)


@dataclass(slots=True, kw_only=True)
class Task:
    """An order that waits for the station to fetch it."""

    task_id: int
    door: Door
    result: asyncio.Future[RelayReply | None] = field(repr=False)
    """What the station says to it; None if it names the relay in no way we know."""
    fetched: asyncio.Event = field(default_factory=asyncio.Event, repr=False)

    def settle(self, result: RelayReply | WireError | None) -> None:
        """Let the caller know, who may still wait for the order to be fetched."""
        self.fetched.set()
        if self.result.done():
            return
        if isinstance(result, WireError):
            self.result.set_exception(result)
        else:
            self.result.set_result(result)


def make_client(hass: HomeAssistant, data: Mapping[str, Any]) -> IpacClient:
    """Return a client for the station that an entry's data describe."""
    return IpacClient(
        async_get_clientsession(
            hass, verify_ssl=not data[CONF_TLS] or data[CONF_VERIFY_TLS]
        ),
        base_url(data[CONF_HOST], scheme="https" if data[CONF_TLS] else "http"),
        auth=Auth(data[CONF_AUTH]),
        username=data[CONF_USERNAME],
        password=Secret(data[CONF_PASSWORD]),
    )


class IpacHub(Hub):
    """One station, its doors, and the ASM server that it reports to."""

    def __init__(
        self, hass: HomeAssistant, entry: GatehouseConfigEntry, offers: Offers
    ) -> None:
        """Prepare the hub of an entry."""
        super().__init__(hass, entry, offers)
        self.client = make_client(hass, entry.data)
        self.secret = Secret(entry.data[CONF_ASM_SECRET])
        self.token = Secret(entry.data[CONF_ASM_TOKEN])
        self._uid = f"{KEY}_{entry.entry_id}"
        self._doors: list[Door] = []
        self._code_names: list[tuple[Secret, str]] = []
        self._stopped = False
        # What the station has told of itself
        self._object_id: str | None = None
        self._settings_wanted = 0
        self._rhythm = Rhythm(ASSUMED_PERIOD, least=LEAST_PERIOD)
        self._clock_offset: int | None = None
        self._seen: OrderedDict[bytes, None] = OrderedDict()
        self._unknown_codes: set[str] = set()
        self._call_began: datetime | None = None
        self._placed_at: datetime | None = None
        """When we had the station call somebody, until it has reported that."""
        self._typed: tuple[datetime, Secret] | None = None
        """What was typed last, and when."""
        # Health
        self._reports = False
        """Whether it has given a sign of life not long ago."""
        self._silent = False
        """Whether the user has been told that it gives none."""
        self._timers: dict[str, CALLBACK_TYPE] = {}
        # Orders that the station is to fetch
        self._next_task = 0
        self._tasks: OrderedDict[int, Task] = OrderedDict()

    # --- Beginning and end

    @override
    async def async_start(self) -> None:
        """Find the station, or wait for it if it is known to find us."""
        if remembered := await self.store.async_load():
            self._object_id = remembered["object_id"]
            if remembered["period"] is not None:
                self._rhythm = Rhythm(
                    remembered["period"], known=True, least=LEAST_PERIOD
                )
            self._clock_offset = remembered["clock_offset"]
            self._next_task = remembered["next_task"]
        unreachable = None
        try:
            await self.client.stop_sound()
        except InvalidAuth as err:
            raise ConfigEntryAuthFailed(
                translation_domain=DOMAIN,
                translation_key="station_login_refused",
                translation_placeholders=self._names,
            ) from err
        except WireError as err:
            # A station that reports to us is of use also while it cannot be called.
            if self._object_id is None:
                raise ConfigEntryNotReady(
                    translation_domain=DOMAIN,
                    translation_key="station_unreachable",
                    translation_placeholders=self._names,
                ) from err
            unreachable = type(err).__name__
        self._station = self.add_device(
            self._uid,
            STATION,
            manufacturer=MANUFACTURER,
            model=MODEL,
            name=self.entry.title,
            serial_number=self._object_id,
        )
        for subentry in self.entry.subentries.values():
            if subentry.subentry_type == RELAY:
                self._add_door(subentry)
            else:
                self._code_names.append(
                    (Secret(subentry.data[CONF_CODE]), subentry.title)
                )
        self._station.publish("call", False)
        self._station.publish("clock_offset", self._clock_offset)
        if unreachable is None:
            self._found()
        else:
            self._lose(unreachable)
        if self._object_id is not None:
            self._expect()

    @override
    async def async_stop(self) -> None:
        """Plan nothing any more, and withdraw what has not been fetched."""
        await super().async_stop()
        self._stopped = True
        for cancel in self._timers.values():
            cancel()
        self._timers.clear()
        for door in self._doors:
            if door.close is not None:
                door.close()
                door.close = None
        for task in self._tasks.values():
            task.settle(CannotConnect())
        if not self.hass.is_stopping:
            # Otherwise they come back after the start, ignored if they have been.
            self._clear_issue("station_silent")
            self._clear_issue("another_station")
        if self._object_id is not None:
            await self.store.async_save(self._remembered())

    def _remembered(self) -> dict[str, Any]:
        """Return what must outlive the hub."""
        return {
            "object_id": self._object_id,
            "period": self._period,
            "clock_offset": self._clock_offset,
            "next_task": self._next_task,
        }

    @override
    def diagnostics(self) -> Mapping[str, Any]:
        """Return how the station reports, and no secret."""
        return {
            "paired": self._object_id is not None,
            "silent": self._silent,
            "notify_period": self._period,
            "clock_offset": self._clock_offset,
            "unknown_codes": sorted(self._unknown_codes),
            "tasks_waiting": len(self._tasks),
        }

    def _add_door(self, subentry: ConfigSubentry) -> None:
        """Add the door of a relay."""
        device = self.add_device(
            f"{self._uid}_relay_{subentry.data[CONF_RELAY]}",
            DOOR,
            subentry_id=subentry.subentry_id,
            via=self._station,
            manufacturer=MANUFACTURER,
            model=f"{MODEL} relay",
            name=subentry.title,
        )
        device.publish("door", BoltState.LOCKED)
        self._doors.append(
            Door(
                device=device,
                relay=int(subentry.data[CONF_RELAY]),
                code=Secret(subentry.data[CONF_CODE]),
                open_time=subentry.data[CONF_OPEN_TIME],
            )
        )

    # --- Doors

    async def async_open(self, device: Device) -> None:
        """Open a door: by the local API, or if need be by an order that is fetched.

        Raises:
            HomeAssistantError: it was not opened, or nobody knows.

        """
        door = next(door for door in self._doors if door.device is device)
        moved = [other for other in self._doors if other.moved_by(door.relay)]
        door.orders += 1
        for other in moved:
            other.fired.clear()
        if door.close is None:
            device.publish("door", BoltState.UNLOCKING)
        try:
            reply = await self._async_fire(door)
            if reply is RelayReply.GRANTED:
                for other in moved:
                    self._opened(other)
                return
        finally:
            door.orders -= 1
            if door.close is None and not door.orders:
                device.publish("door", BoltState.LOCKED)
            for other in moved:
                for access in other.held_back:
                    other.device.say("access", access)
                other.held_back.clear()
        reason = Reason.UNKNOWN if reply is None else _REASONS[reply]
        device.say(
            "access",
            Access(
                event_type=AccessEvent.DENIED,
                method=Method.REMOTE,
                reason=reason,
                occurred_at=dt_util.utcnow(),
            ),
        )
        raise self._error(_DENIALS[reason], device)

    async def async_lock(self, device: Device) -> None:
        """Explain that the door locks by itself.

        Raises:
            HomeAssistantError: always.

        """
        raise self._error("door_locks_itself", device)

    async def _async_fire(self, door: Door) -> RelayReply | None:
        """Have the relay fired, once; return what the station says to it."""
        try:
            reply = await self.client.open_relay(door.relay, door.code)
        except CannotConnect as err:
            # Nothing has arrived, so the other way may be tried.
            if self._reports:
                return await self._async_fire_by_task(door)
            self._lose(type(err).__name__)
            raise self._error("station_unreachable", door.device) from err
        except InvalidAuth as err:
            self.entry.async_start_reauth(self.hass)
            raise self._error("station_login_refused", door.device) from err
        except WireError as err:
            if self._reports and await self._async_reported(door):
                return RelayReply.GRANTED
            raise self._error("door_not_confirmed", door.device) from err
        self._found()
        return reply

    async def _async_reported(self, door: Door) -> bool:
        """Return whether the station reports a relay whose order got no answer."""
        with suppress(TimeoutError):
            async with asyncio.timeout(REPORT_TIMEOUT):
                await door.fired.wait()
        return door.fired.is_set()

    async def _async_fire_by_task(self, door: Door) -> RelayReply | None:
        """Have the station fetch an order with its next sign of life."""
        task = Task(
            task_id=self._next_task,
            door=door,
            result=asyncio.get_running_loop().create_future(),
        )
        self._next_task += 1
        self.store.async_delay_save(self._remembered, SAVE_DELAY)
        self._tasks[task.task_id] = task
        failure = "order_not_fetched"
        try:
            async with asyncio.timeout(TASK_LIFETIME):
                await task.fetched.wait()
            failure = "door_not_confirmed"
            async with asyncio.timeout(RESULT_TIMEOUT):
                return await task.result
        except (TimeoutError, CannotConnect) as err:
            raise self._error(failure, door.device) from err
        finally:
            # Whatever has happened, also if the caller has gone: it is handed out no
            # more.
            del self._tasks[task.task_id]

    @callback
    def _opened(self, door: Door) -> None:
        """Tell of a door that one of our own orders has opened."""
        now = dt_util.utcnow()
        door.ordered_at = None if door.fired.is_set() else now
        door.held_back.clear()
        self._unlocked(door)
        door.device.say("access", _granted(Method.REMOTE, None, now))

    @callback
    def _reported(
        self, relay: int, code: Secret | None, method: Method, occurred_at: datetime
    ) -> None:
        """Tell of the doors that the station reports to be opened."""
        now = dt_util.utcnow()
        name = None if code is None else self._name_of_code(code)
        typed = (
            code is not None
            and self._typed is not None
            and self._typed[1].matches(code.reveal())
            and abs(occurred_at - self._typed[0]) < ECHO
        )
        # Of an order for both relays the station may report each.
        ordered = [
            door
            for door in self._doors
            if door.orders and (door.moved_by(relay) or door.relay == BOTH_RELAYS)
        ]
        for door in ordered:
            door.fired.set()
        for door in self._doors:
            if not door.moved_by(relay):
                continue
            if now - occurred_at < timedelta(seconds=door.open_time):
                self._unlocked(door)
            access = _granted(method, name, occurred_at)
            if any(door.moved_by(order.relay) for order in ordered):
                # It may be that order, whose answer is still to come.
                door.fired.set()
                door.held_back.append(access)
            elif (
                not typed
                and door.ordered_at is not None
                and now - door.ordered_at < ECHO
            ):
                door.ordered_at = None
            else:
                door.device.say("access", access)

    @callback
    def _unlocked(self, door: Door) -> None:
        """Show a door unlocked for as long as its relay is said to hold it."""

        @callback
        def close(_: datetime) -> None:
            door.close = None
            door.device.publish("door", BoltState.LOCKED)

        if self._stopped:
            return
        if door.close is not None:
            door.close()
        door.device.publish("door", BoltState.UNLOCKED)
        door.close = async_call_later(
            self.hass, door.open_time, HassJob(close, cancel_on_shutdown=True)
        )

    # --- What else the station can do

    async def async_answer(self, device: Device) -> None:
        """Answer the call that comes in at the station."""
        await self._async_ask(self.client.answer())

    async def async_hang_up(self, device: Device) -> None:
        """End the station's call."""
        await self._async_ask(self.client.hang_up())

    async def async_clear_display(self, device: Device) -> None:
        """Show what the station shows by itself."""
        await self._async_ask(self.client.clear_display())

    async def async_play(self, device: Device, wav: bytes, loop: int) -> None:
        """Play a WAV file so many times."""
        await self._async_ask(self.client.play_sound(wav, loop))

    async def async_stop_sound(self, device: Device) -> None:
        """End what is being played."""
        await self._async_ask(self.client.stop_sound())

    async def async_show(self, device: Device, picture: bytes) -> None:
        """Show a picture of the display's size until it is cleared."""
        await self._async_ask(self.client.show_picture(picture, 0))

    async def async_place_call(
        self, device: Device | None, fields: Mapping[str, Any], context: Context
    ) -> None:
        """Call a contact, or an address."""
        self._placed_at = dt_util.utcnow()
        await self._async_ask(
            self.client.place_call(Table(fields["table"]), fields["number"])
        )

    async def async_show_image(
        self, device: Device | None, fields: Mapping[str, Any], context: Context
    ) -> None:
        """Show a picture from anywhere in Home Assistant."""
        content = await async_load_picture(self.hass, fields["image"])
        picture = await self.hass.async_add_executor_job(
            fit_picture, content, DISPLAY_SIZE
        )
        await self._async_ask(self.client.show_picture(picture, fields["duration"]))

    async def _async_ask(self, request: Awaitable[None]) -> None:
        """Await a request, and tell the user what went wrong in their own language."""
        try:
            await request
        except WireError as err:
            if isinstance(err, InvalidAuth):
                self.entry.async_start_reauth(self.hass)
            elif isinstance(err, CannotConnect) and not self._reports:
                self._lose(type(err).__name__)
            raise self._error(_FAILURES[type(err)], self._station) from err
        self._found()

    def _error(self, key: str, device: Device) -> HomeAssistantError:
        return HomeAssistantError(
            translation_domain=DOMAIN,
            translation_key=key,
            translation_placeholders={**self._names, "name": _name_of(device)},
        )

    @property
    def _names(self) -> dict[str, str]:
        return {"host": self.entry.data[CONF_HOST]}

    # --- Health

    @callback
    def _found(self) -> None:
        """Note that the station is there."""
        if self._stopped:
            return
        self._station.publish("last_contact", _now())
        self._station.publish("connection", True)
        self._cancel("probe")
        if not self._station.available:
            _LOGGER.info("The station at %s is there again", self.entry.data[CONF_HOST])
            for device in self.devices.values():
                device.set_available(True)

    @callback
    def _lose(self, why: str) -> None:
        """Note that the station cannot be reached in any way, and look for it."""
        if self._stopped or not self._station.available:
            return
        _LOGGER.warning(
            "The station at %s cannot be reached: %s", self.entry.data[CONF_HOST], why
        )
        self._station.publish("connection", False)
        for device in self.devices.values():
            device.set_available(False)
        self._probe_later()

    @callback
    def _probe_later(self) -> None:
        self._later("probe", PROBE_INTERVAL.total_seconds(), self._probe)

    @callback
    def _probe(self) -> None:
        """Ask the station whether it is there."""
        self.entry.async_create_background_task(
            self.hass, self._async_probe(), f"Look for {self.entry.title}"
        )

    async def _async_probe(self) -> None:
        """Find out whether the station can be reached."""
        try:
            await self.client.stop_sound()
        except InvalidAuth:
            self.entry.async_start_reauth(self.hass)
        except WireError as err:
            if self._reports:
                return
            if self._station.available:
                self._lose(type(err).__name__)
            else:
                self._probe_later()
            return
        self._found()

    @property
    def _period(self) -> float | None:
        """Return the learnt seconds between two signs of life."""
        return self._rhythm.period if self._rhythm.learnt else None

    @callback
    def _expect(self) -> None:
        """Wait for the next sign of life, and begin to doubt when it is overdue."""
        self._later("doubt", RECENT_PERIODS * self._rhythm.period, self._doubt)
        self._later(
            "silence", SILENT_PERIODS * (self._period or LONG_PERIOD), self._fall_silent
        )

    @callback
    def _doubt(self) -> None:
        """Ask a station that should have reported whether it is there at all."""
        self._reports = False
        self._probe()

    @callback
    def _fall_silent(self) -> None:
        """Tell the user that a station that used to report does so no more."""
        self._silent = True
        self._rhythm.pause()
        _LOGGER.warning(
            "The station at %s has stopped reporting to Home Assistant",
            self.entry.data[CONF_HOST],
        )
        self._raise_issue("station_silent", fixable=True)

    @callback
    def _later(self, name: str, delay: float, action: CALLBACK_TYPE) -> None:
        """Plan something, instead of what was planned under the same name."""

        @callback
        def run(_: datetime) -> None:
            del self._timers[name]
            action()

        self._cancel(name)
        if not self._stopped:
            self._timers[name] = async_call_later(
                self.hass, delay, HassJob(run, cancel_on_shutdown=True)
            )

    @callback
    def _cancel(self, name: str) -> None:
        if (cancel := self._timers.pop(name, None)) is not None:
            cancel()

    # --- What the station tells its ASM server

    @callback
    def receive(self, message: Message) -> Reply:
        """Take a message of whoever knows the secret and the token."""
        if not self._admits(message):
            return HTTPStatus.NOT_FOUND, UNKNOWN_OBJECT_ID
        self._reports = True
        self._expect()
        self._found()
        if self._silent:
            self._silent = False
            _LOGGER.info("The station at %s reports again", self.entry.data[CONF_HOST])
            self._clear_issue("station_silent")
        match message:
            case Event():
                return self._receive_event(message)
            case Settings():
                return self._receive_settings(message)
        return self._receive_notify(message)

    def _admits(self, message: Message) -> bool:
        """Tell whether a message is from this station; the first one is taken for it."""
        theirs = message.object_id
        if theirs is None or theirs == self._object_id:
            return True
        if self._object_id is None:
            self._pair(theirs)
            return True
        self._raise_issue(
            "another_station",
            fixable=True,
            object_id=theirs[:MAX_SHOWN],
            paired_id=self._object_id,
        )
        return False

    @callback
    def _pair(self, object_id: str) -> None:
        """Belong to a station from now on, and ask it what it is."""
        self._object_id = object_id[:MAX_SHOWN]
        self._settings_wanted = SETTINGS_TRIES
        self.update_device(self._station, serial_number=self._object_id)
        self.store.async_delay_save(self._remembered)

    @override
    async def async_fix(self, key: str, data: Mapping[str, Any]) -> None:
        """Let another station take the place of this one, or expect no more reports."""
        self._clear_issue(key)
        self._rhythm = Rhythm(ASSUMED_PERIOD, least=LEAST_PERIOD)
        if key == "another_station":
            self._pair(data[CONF_OBJECT_ID])
        else:
            self._object_id = None
            self._silent = False
            await self.store.async_remove()

    @callback
    def _receive_notify(self, message: Message) -> Reply:
        """Answer a sign of life with what there is to do."""
        learnt = self._rhythm.learnt
        self._rhythm.beat(asyncio.get_running_loop().time())
        self._measure_clock(message)
        if self._rhythm.learnt and not learnt:
            self.store.async_delay_save(self._remembered, SAVE_DELAY)
        if self._settings_wanted:
            # The station answers to this with its settings.
            self._settings_wanted -= 1
            return HTTPStatus.NOT_FOUND, UNKNOWN_OBJECT_ID
        for task in self._tasks.values():
            if not task.fetched.is_set():
                task.fetched.set()
                return HTTPStatus.OK, open_task(
                    task.task_id,
                    token=self.token,
                    object_id=message.object_id or self._object_id or "",
                    relay=task.door.relay,
                    code=task.door.code,
                    now=int(dt_util.utcnow().timestamp()),
                )
        return HTTPStatus.OK, NOTHING_TO_DO

    @callback
    def _receive_settings(self, message: Settings) -> Reply:
        """Keep of the settings what the device is, and nothing else."""
        self._settings_wanted = 0
        changes = {
            key: value
            for key, value in (
                ("sw_version", message.firmware),
                ("model_id", message.product),
            )
            if value is not None
        }
        if changes:
            self.update_device(self._station, **changes)
        return HTTPStatus.OK, configuration_updated(
            message.object_id, int(dt_util.utcnow().timestamp())
        )

    @callback
    def _receive_event(self, event: Event) -> Reply:
        """Tell what has happened, once, however often it is sent."""
        if not self._is_repetition(event):
            self._tell(event, self._occurred_at(event))
        if event.task_id is not None:
            return HTTPStatus.OK, task_finished(event.task_id)
        return HTTPStatus.OK, EVENT_RECORDED

    def _is_repetition(self, event: Event) -> bool:
        """Tell whether an event came before, as when its answer got lost."""
        if event.time is None:
            return False
        if event.code == EventCode.RESTARTED and event.fingerprint not in self._seen:
            self._seen.clear()
        if event.fingerprint in self._seen:
            return True
        self._seen[event.fingerprint] = None
        if len(self._seen) > REMEMBERED_EVENTS:
            self._seen.popitem(last=False)
        return False

    @callback
    def _tell(self, event: Event, occurred_at: datetime) -> None:
        """Tell what has happened."""
        match event.value:
            case CallValue() as call if event.code == EventCode.CALL:
                self._begin_call(call, occurred_at)
            case CallValue() as call:
                self._end_call(call, occurred_at)
            case RelayValue(code, relay) if event.task_id is None:
                method = Method.UNKNOWN if code is None else Method.CODE
                self._reported(relay, code, method, occurred_at)
            case RelayValue(_, relay):
                self._settle(event.task_id, {relay: RelayReply.GRANTED}, occurred_at)
            case TaskResult(replies):
                self._settle(event.task_id, replies, occurred_at)
            case KeypadValue(code):
                self._typed = occurred_at, code
                name = self._name_of_code(code)
                self._station.say(
                    "keypad",
                    Keypad(
                        code_name=name, known=name is not None, occurred_at=occurred_at
                    ),
                )
            case detail if (happened := _STATION_EVENTS.get(event.code)) is not None:
                if happened is StationEvent.RESTARTED:
                    self._restarted()
                self._station.say(
                    "station",
                    Station(
                        event_type=happened, detail=detail, occurred_at=occurred_at
                    ),
                )
            case _:
                self._log_unknown(event.code)

    @callback
    def _begin_call(self, call: CallValue, occurred_at: datetime) -> None:
        """Tell that the bell was rung, or that somebody calls the station."""
        if dt_util.utcnow() - occurred_at < CALL_LIMIT:
            self._call_began = occurred_at
            self._station.publish("call", True)
            self._later("call", CALL_LIMIT.total_seconds(), self._forget_call)
        placed_at, self._placed_at = self._placed_at, None
        if call.outgoing and placed_at and dt_util.utcnow() - placed_at < ECHO:
            # Nobody is at the door: this call is our own.
            return
        self._station.say(
            "doorbell",
            Call(
                event_type=CallEvent.RING if call.outgoing else CallEvent.INCOMING,
                caller=None if call.outgoing else call.number,
                callee=call.number if call.outgoing else None,
                occurred_at=occurred_at,
            ),
        )

    @callback
    def _end_call(self, call: CallValue, occurred_at: datetime) -> None:
        """Tell that a call is over."""
        duration = None
        if self._call_began is not None:
            duration = max(0.0, (occurred_at - self._call_began).total_seconds())
        self._forget_call()
        self._station.say(
            "doorbell",
            Call(
                event_type=CallEvent.ENDED,
                caller=None if call.outgoing else call.number,
                callee=call.number if call.outgoing else None,
                duration=duration,
                occurred_at=occurred_at,
            ),
        )

    @callback
    def _forget_call(self) -> None:
        """Show that no call is running."""
        self._call_began = None
        self._cancel("call")
        self._station.publish("call", False)

    @callback
    def _restarted(self) -> None:
        """Show what a restart has ended."""
        self._forget_call()
        self._station.publish("speaker", dt_util.utcnow())

    @callback
    def _settle(
        self, task_id: int | None, replies: Mapping[int, int], occurred_at: datetime
    ) -> None:
        """Hand the result of an order to the caller who waits for it."""
        task = None if task_id is None else self._tasks.get(task_id)
        if task is not None and task.fetched.is_set():
            task.settle(_reply_for(task.door.relay, replies))
            return
        for relay, reply in replies.items():
            if reply == RelayReply.GRANTED:
                # Nobody waits any more, but the door did open.
                self._reported(relay, None, Method.REMOTE, occurred_at)

    def _name_of_code(self, code: Secret) -> str | None:
        """Return what the user calls a code, or None for one without a name."""
        names = [
            name for known, name in self._code_names if known.matches(code.reveal())
        ]
        return names[0] if names else None

    @callback
    def _log_unknown(self, code: str) -> None:
        """Log what we do not know, once for each code."""
        code = code[:MAX_SHOWN]
        if code not in self._unknown_codes and len(self._unknown_codes) < MAX_SHOWN:
            self._unknown_codes.add(code)
            _LOGGER.info("The station has told something unknown, with code %r", code)

    # --- The station's clock

    @callback
    def _measure_clock(self, message: Message) -> None:
        """Compare the station's clock with ours; signs of life are never late."""
        if message.time is None:
            return
        offset = message.time - round(dt_util.utcnow().timestamp())
        if (
            self._clock_offset is None
            or abs(offset - self._clock_offset) > CLOCK_TOLERANCE
        ):
            self._clock_offset = offset
            # A clock that begins anew tells times that it has told before.
            self._seen.clear()
            self._station.publish("clock_offset", offset)

    def _occurred_at(self, event: Event) -> datetime:
        """Return when an event happened by our clock, also if it comes late."""
        now = dt_util.utcnow()
        if event.time is None or self._clock_offset is None:
            return now
        late = now.timestamp() - (event.time - self._clock_offset)
        # A clock that has been set meanwhile is not to be believed.
        if not CLOCK_TOLERANCE < late < MAX_LATE.total_seconds():
            return now
        return now - timedelta(seconds=late)

    # --- What only the user can mend

    @callback
    def _raise_issue(
        self, key: str, *, fixable: bool = False, **placeholders: str
    ) -> None:
        ir.async_create_issue(
            self.hass,
            DOMAIN,
            f"{key}_{self._uid}",
            data={"entry_id": self.entry.entry_id, "key": key, **placeholders},
            is_fixable=fixable,
            severity=ir.IssueSeverity.WARNING,
            translation_key=key,
            translation_placeholders={
                **self._names,
                **placeholders,
                "name": _name_of(self._station),
            },
        )

    @callback
    def _clear_issue(self, key: str) -> None:
        ir.async_delete_issue(self.hass, DOMAIN, f"{key}_{self._uid}")


def _granted(method: Method, person: str | None, occurred_at: datetime) -> Access:
    return Access(
        event_type=AccessEvent.GRANTED,
        person=person,
        method=method,
        occurred_at=occurred_at,
    )


def _reply_for(relay: int, replies: Mapping[int, int]) -> RelayReply | None:
    """Return what the station says of an order; of one for both relays, the best."""
    told = [
        reply
        for told_relay, reply in replies.items()
        if relay in (told_relay, BOTH_RELAYS)
    ]
    if RelayReply.GRANTED in told:
        return RelayReply.GRANTED
    known = [reply for reply in told if reply in tuple(RelayReply)]
    return RelayReply(known[0]) if known else None


def _name_of(device: Device) -> str:
    """Return what the user calls a device."""
    return device.entry.name_by_user or device.entry.name or device.uid


def _now() -> datetime:
    """Return the time as states show it; more often they could not change."""
    return dt_util.utcnow().replace(microsecond=0)
