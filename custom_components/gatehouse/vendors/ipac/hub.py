"""The hub of an IPAC 500: opens its doors, and takes what it reports as its ASM server."""

import asyncio
from collections.abc import Awaitable, Mapping
from contextlib import suppress
from datetime import datetime
from http import HTTPStatus
import logging
import re
from typing import Any, override

from homeassistant.config_entries import ConfigSubentry
from homeassistant.const import CONF_CODE, CONF_HOST, CONF_PASSWORD, CONF_USERNAME
from homeassistant.core import Context, HomeAssistant, callback
from homeassistant.exceptions import (
    ConfigEntryAuthFailed,
    ConfigEntryNotReady,
    HomeAssistantError,
)
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from homeassistant.util import dt as dt_util

from ...const import DOMAIN
from ...flow import base_url
from ...hub import Device, GatehouseConfigEntry, Hub, Offers
from ...model import Keypad, Method, Reason, Station, StationEvent
from ...people import Actor
from ...picture import async_fit_picture, async_load_picture
from ...recent import Recent
from ...wire import (
    CannotConnect,
    InvalidAuth,
    LostReply,
    Secret,
    TimedOut,
    UnexpectedReply,
    WireError,
)
from .calls import Calls
from .client import Auth, IpacClient, Refused
from .clock import StationClock
from .display import Display
from .doors import Denied, Door, Doors, Opening
from .presence import Presence
from .protocol import (
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
from .tasks import NoResult, NotFetched, Tasks

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

REPORT_TIMEOUT = 5.0
"""Seconds after a lost answer in which the station may still report the relay."""

SETTINGS_TRIES = 3
"""Signs of life that are answered by asking for the settings, which may never come."""

MAX_UNKNOWN = 64
"""Unknown codes that are logged."""

# What looks as if it had been typed at a door is not for the log.
_TYPED = re.compile(r"\d{3,}", re.ASCII)

# What a repair says of a station is read as Markdown.
_UNUSUAL = re.compile(r"[^\w :-]")

SAVE_DELAY = 10.0
"""Seconds from an event to the saving of what has come, which matters only for an
unclean end."""

# What the user reads when the station refuses to open.
_DENIALS = {
    Reason.BAD_REQUEST: "door_bad_request",
    Reason.OUTSIDE_HOURS: "door_outside_hours",
    Reason.WRONG_CODE: "door_wrong_code",
    Reason.LOCKED_OUT: "door_locked_out",
    Reason.BUSY: "door_busy",
    Reason.UNKNOWN: "door_refused",
}

# What the user reads when an order for a door had no answer that says anything.
_DOOR_FAILURES: dict[type[WireError], str] = {
    CannotConnect: "station_unreachable",
    InvalidAuth: "station_login_refused",
    LostReply: "door_not_confirmed",
    NoResult: "door_not_confirmed",
    NotFetched: "order_not_fetched",
    TimedOut: "door_not_confirmed",
    UnexpectedReply: "door_not_confirmed",
}

# What the user reads when anything else had none.
_FAILURES: dict[type[WireError], str] = {
    CannotConnect: "station_unreachable",
    InvalidAuth: "station_login_refused",
    LostReply: "station_no_answer",
    Refused: "station_refused",
    TimedOut: "station_no_answer",
    UnexpectedReply: "station_unexpected_reply",
}

_STATION_EVENTS: dict[str, StationEvent] = {
    EventCode.RESTARTED: StationEvent.RESTARTED,
    EventCode.STREAM: StationEvent.STREAM_STARTED,
    EventCode.STREAM_ENDED: StationEvent.STREAM_ENDED,
}

type Reply = tuple[HTTPStatus, Mapping[str, Any]]


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
        self.token = Secret(entry.data[CONF_ASM_TOKEN])
        self._uid = f"{KEY}_{entry.entry_id}"
        self._display = Display(hass)
        self._doors = Doors(hass)
        self._tasks = Tasks()
        self._clock = StationClock()
        self._presence = Presence(
            hass,
            entry,
            probe=self._async_look,
            on_reach=self._show_reach,
            on_silence=self._show_silence,
        )
        self._object_id: str | None = None
        self._settings_wanted = 0
        # What somebody typed could be found out by trying all codes.
        self._key = Secret(entry.data[CONF_ASM_SECRET])
        self._recent: Recent[bytes] = Recent(secret=self._key)
        self._unknown_codes: set[str] = set()

    # --- Beginning and end

    @override
    async def async_start(self) -> None:
        """Find the station, or wait for it if it is known to find us."""
        remembered = await self.store.async_load()
        if remembered is not None:
            self._object_id = remembered["object_id"]
            self._clock.offset = remembered["clock_offset"]
            self._clock.zone = remembered.get("clock_zone")
            self._tasks.next_id = remembered["next_task"]
            self._recent = Recent(remembered.get("recent", ()), secret=self._key)
        unreachable: WireError | None = None
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
            if remembered is None:
                raise ConfigEntryNotReady(
                    translation_domain=DOMAIN,
                    translation_key="station_unreachable",
                    translation_placeholders=self._names,
                ) from err
            unreachable = err
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
                self._doors.add_name(Secret(subentry.data[CONF_CODE]), subentry.title)
        self._calls = Calls(self.hass, self._station)
        self.entry.async_on_unload(self._calls.stop)
        self._station.publish("clock_offset", self._clock.offset)
        if unreachable is None:
            self._presence.found()
        else:
            self._presence.lost(unreachable)
        if remembered is not None:
            self._presence.begin(remembered["period"])

    def _add_door(self, subentry: ConfigSubentry) -> None:
        """Add the door of a relay."""
        relay = subentry.data[CONF_RELAY]
        self._doors.add(
            Door(
                device=self.add_device(
                    f"{self._uid}_relay_{relay}",
                    DOOR,
                    subentry_id=subentry.subentry_id,
                    via=self._station,
                    manufacturer=MANUFACTURER,
                    model=f"{MODEL} relay",
                    name=subentry.title,
                ),
                relay=int(relay),
                code=Secret(subentry.data[CONF_CODE]),
                open_time=subentry.data[CONF_OPEN_TIME],
            )
        )

    @override
    async def async_stop(self) -> None:
        """Plan nothing any more, and withdraw what has not been fetched."""
        await super().async_stop()
        self._presence.stop()
        self._doors.stop()
        self._tasks.close()
        self.clear_issue("station_silent", self._uid)
        self.clear_issue("another_station", self._uid)
        if self._object_id is not None:
            await self.async_save()

    @override
    def to_remember(self) -> dict[str, Any]:
        """Return what must outlive the hub of a station that reports."""
        return {
            "object_id": self._object_id,
            "period": self._presence.period,
            "clock_offset": self._clock.offset,
            "clock_zone": self._clock.zone,
            "next_task": self._tasks.next_id,
            "recent": self._recent.as_list(),
        }

    @override
    def diagnostics(self) -> Mapping[str, Any]:
        """Return how the station reports, and no secret."""
        return {
            "paired": self._object_id is not None,
            "reports": self._presence.reports,
            "silent": self._presence.silent,
            "notify_period": self._presence.period,
            "clock_offset": self._clock.offset,
            "unknown_codes": sorted(self._unknown_codes),
            "tasks_waiting": len(self._tasks),
        }

    # --- Doors

    async def async_open(self, device: Device, actor: Actor) -> None:
        """Open a door: by the local API, or if need be by an order that is fetched.

        Raises:
            HomeAssistantError: it was not opened, or nobody knows.

        """
        try:
            await self._doors.async_open(
                self._doors.of(device), self._async_fire, actor
            )
        except Denied as err:
            raise self._error(_DENIALS[err.reason], device) from err
        except WireError as err:
            raise self._error(_DOOR_FAILURES[type(err)], device) from err

    async def async_lock(self, device: Device, actor: Actor) -> None:
        """Explain that the door locks by itself.

        Raises:
            HomeAssistantError: always.

        """
        raise self._error("door_locks_itself", device)

    async def _async_fire(self, opening: Opening) -> RelayReply | None:
        """Have a relay fired, once; return what the station says to it."""
        door = opening.door
        try:
            reply = await self.client.open_relay(door.relay, door.code)
        except CannotConnect as err:
            # Nothing has arrived, so the other way may be tried.
            if self._presence.reports:
                # The order's number must not be given again, whatever happens.
                self.save_soon(0)
                return await self._tasks.run(door.relay, door.code)
            self._presence.lost(err)
            raise
        except InvalidAuth:
            self._presence.found()
            self.entry.async_start_reauth(self.hass)
            raise
        except WireError:
            # The relay's own report says whether the order has arrived.
            if not self._presence.reports:
                self._presence.unanswered()
                raise
            with suppress(TimeoutError):
                async with asyncio.timeout(REPORT_TIMEOUT):
                    await opening.fired.wait()
            if not opening.fired.is_set():
                raise
            return RelayReply.GRANTED
        self._presence.found()
        return reply

    # --- What else the station can do

    async def async_answer(self, device: Device, actor: Actor) -> None:
        """Answer the call that comes in at the station."""
        await self._async_ask(self.client.answer())

    async def async_hang_up(self, device: Device, actor: Actor) -> None:
        """End the station's call."""
        await self._async_ask(self.client.hang_up())

    async def async_clear_display(self, device: Device, actor: Actor) -> None:
        """Show what the station shows by itself."""
        await self._display.async_clear(
            lambda: self._async_ask(self.client.clear_display())
        )

    async def async_play(self, device: Device, wav: bytes, loop: int) -> None:
        """Play a WAV file so many times."""
        await self._async_ask(self.client.play_sound(wav, loop))

    async def async_stop_sound(self, device: Device) -> None:
        """End what is being played."""
        await self._async_ask(self.client.stop_sound())

    async def async_show(self, device: Device, picture: Awaitable[bytes]) -> None:
        """Show a picture of the display's size until it is cleared."""
        await self._async_show(picture, 0)

    async def async_place_call(
        self, device: Device | None, fields: Mapping[str, Any], context: Context
    ) -> None:
        """Call a contact, or an address."""
        # The station may report the call before it has answered.
        self._calls.placed(True)
        try:
            await self._async_ask(
                self.client.place_call(Table(fields["table"]), fields["number"])
            )
        except HomeAssistantError:
            self._calls.placed(False)
            raise

    async def async_show_image(
        self, device: Device | None, fields: Mapping[str, Any], context: Context
    ) -> None:
        """Show a picture from anywhere in Home Assistant."""

        async def picture() -> bytes:
            content = await async_load_picture(self.hass, fields["image"], context)
            return await async_fit_picture(self.hass, content, DISPLAY_SIZE)

        await self._async_show(picture(), fields["duration"])

    async def _async_show(self, picture: Awaitable[bytes], seconds: int) -> None:
        """Show a picture for so many seconds; 0 is until it is cleared."""
        await self._display.async_show(
            picture,
            lambda content: self._async_ask(self.client.show_picture(content, seconds)),
        )

    async def _async_ask(self, request: Awaitable[None]) -> None:
        """Await a request, and tell the user what went wrong in their own language."""
        try:
            await request
        except WireError as err:
            match err:
                case Refused():
                    self._presence.found()
                case InvalidAuth():
                    self._presence.found()
                    self.entry.async_start_reauth(self.hass)
                case CannotConnect():
                    self._presence.lost(err)
                case _:
                    self._presence.unanswered()
            raise self._error(_FAILURES[type(err)], self._station) from err
        self._presence.found()

    def _error(self, key: str, device: Device) -> HomeAssistantError:
        return HomeAssistantError(
            translation_domain=DOMAIN,
            translation_key=key,
            translation_placeholders={**self._names, "name": device.name},
        )

    @property
    def _names(self) -> dict[str, str]:
        return {"host": self.entry.data[CONF_HOST]}

    # --- Health

    async def _async_look(self) -> None:
        """Ask the station whether it is there; a refused login is an answer, too."""
        try:
            await self.client.stop_sound()
        except InvalidAuth:
            self.entry.async_start_reauth(self.hass)

    @callback
    def _show_reach(self, within_reach: bool) -> None:
        """Show whether the station is there."""
        self.show_connection(
            self._station,
            within_reach,
            issue="station_unreachable",
            placeholders=self._names,
        )
        if within_reach:
            self.show_contact(self._station, dt_util.utcnow(), news=False)
        for device in self.devices.values():
            device.set_available(within_reach)

    @callback
    def _show_silence(self, silent: bool) -> None:
        """Tell the user that a station reports no more, or take that back."""
        if silent:
            self.raise_issue(
                "station_silent",
                self._station,
                fixable=True,
                placeholders=self._names,
            )
        else:
            self.clear_issue("station_silent", self._uid)

    # --- What the station tells its ASM server

    @callback
    def receive(self, message: Message) -> Reply:
        """Take a message of whoever knows the secret and the token."""
        if not self._admits(message):
            return HTTPStatus.NOT_FOUND, UNKNOWN_OBJECT_ID
        self._presence.reported()
        match message:
            case Event():
                reply = self._receive_event(message)
                self.show_contact(self._station, dt_util.utcnow())
                return reply
            case Settings():
                return self._receive_settings(message)
        return self._receive_notify(message)

    def _admits(self, message: Message) -> bool:
        """Tell whether a message is from this station; the first one is taken for it."""
        if message.object_id is None:
            return True
        theirs = _UNUSUAL.sub("?", message.object_id)
        if self._object_id is None:
            self._pair(theirs)
        if theirs == self._object_id:
            return True
        self.raise_issue(
            "another_station",
            self._station,
            fixable=True,
            placeholders={
                **self._names,
                CONF_OBJECT_ID: theirs,
                "paired_id": self._object_id or "",
            },
        )
        return False

    @callback
    def _pair(self, object_id: str) -> None:
        """Belong to a station from now on, and ask it what it is."""
        self._object_id = object_id
        self._settings_wanted = SETTINGS_TRIES
        self.update_device(self._station, serial_number=object_id)
        self.save_soon(0)

    @override
    async def async_fix(self, key: str, data: Mapping[str, Any]) -> None:
        """Let another station take the place of this one, or expect no more reports."""
        self.clear_issue(key, self._uid)
        self._presence.begin_anew()
        if key == "another_station":
            # The new one has its own clock.
            self._clock = StationClock()
            self._station.publish("clock_offset", None)
            self._recent.clear()
            self._pair(data[CONF_OBJECT_ID])
        else:
            self._object_id = None
            await self.async_forget()

    @callback
    def _receive_notify(self, message: Message) -> Reply:
        """Answer a sign of life with what there is to do."""
        if self._presence.beat():
            self.save_soon(SAVE_DELAY)
        self._compare_clocks(message)
        if self._settings_wanted:
            # The station answers to this with its settings.
            self._settings_wanted -= 1
            return HTTPStatus.NOT_FOUND, UNKNOWN_OBJECT_ID
        if (task := self._tasks.fetch()) is None:
            return HTTPStatus.OK, NOTHING_TO_DO
        return HTTPStatus.OK, open_task(
            task.task_id,
            token=self.token,
            object_id=message.object_id or self._object_id or "",
            relay=task.relay,
            code=task.code,
            now=int(dt_util.utcnow().timestamp()),
        )

    @callback
    def _compare_clocks(self, message: Message) -> None:
        """Measure the station's clock; signs of life are not kept for later."""
        if message.time is None:
            return
        now = dt_util.utcnow()
        if self._clock.begins_anew(message.time, now):
            # It tells times that it has told before.
            self._recent.clear()
        if self._clock.measure(message.time, now):
            self._station.publish("clock_offset", self._clock.offset)

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
        now = dt_util.utcnow()
        if event.time is not None:
            self._follow_summer_time(event.time, now)
        if not self._is_repetition(event):
            self._tell(event, self._clock.moment(event.time, now))
        if event.task_id is not None:
            return HTTPStatus.OK, task_finished(event.task_id)
        return HTTPStatus.OK, EVENT_RECORDED

    @callback
    def _follow_summer_time(self, theirs: int, now: datetime) -> None:
        """Set right what is known of the station's clock if an event shows that."""
        begins_anew = self._clock.begins_anew(theirs, now)
        if self._clock.follows_summer_time(theirs, now):
            self._station.publish("clock_offset", self._clock.offset)
            if begins_anew:
                # In autumn it tells times that it has told before.
                self._recent.clear()

    def _is_repetition(self, event: Event) -> bool:
        """Tell whether an event came before, as when its answer got lost."""
        if event.time is None:
            return False
        if not self._recent.is_new(event.fingerprint):
            return True
        if event.code == EventCode.RESTARTED and self._clock.begins_anew(
            event.time, dt_util.utcnow()
        ):
            # It tells times that it has told before.
            self._recent.clear()
            self._recent.is_new(event.fingerprint)
        if self._object_id is not None:
            self.save_soon(SAVE_DELAY)
        return False

    @callback
    def _tell(self, event: Event, occurred_at: datetime) -> None:
        """Tell what has happened."""
        match event.value:
            case CallValue() as call if event.code == EventCode.CALL:
                self._calls.begin(call, occurred_at)
            case CallValue() as call:
                self._calls.end(call, occurred_at)
            case RelayValue(code, relay) if event.task_id is None:
                method = Method.UNKNOWN if code is None else Method.CODE
                self._doors.reported(relay, code, method, occurred_at)
            case RelayValue(_, relay):
                self._settle(event.task_id, {relay: RelayReply.GRANTED}, occurred_at)
            case TaskResult(replies):
                self._settle(event.task_id, replies, occurred_at)
            case KeypadValue(code):
                self._doors.typed(code, occurred_at)
                name = self._doors.name_of(code)
                self._station.say(
                    "keypad",
                    Keypad(
                        code_name=name, known=name is not None, occurred_at=occurred_at
                    ),
                )
            case detail if (happened := _STATION_EVENTS.get(event.code)) is not None:
                if happened is StationEvent.RESTARTED:
                    self._calls.restarted(occurred_at)
                    self._station.publish("speaker", dt_util.utcnow())
                self._station.say(
                    "station",
                    Station(
                        event_type=happened, detail=detail, occurred_at=occurred_at
                    ),
                )
            case _:
                self._log_unknown(event.code)

    @callback
    def _settle(
        self, task_id: int | None, replies: Mapping[int, int], occurred_at: datetime
    ) -> None:
        """Hand the result of an order to the caller who waits for it."""
        if self._tasks.settle(task_id, replies):
            return
        for relay, reply in replies.items():
            if reply == RelayReply.GRANTED:
                # Nobody waits any more, but the door did open.
                self._doors.reported(relay, None, Method.REMOTE, occurred_at)

    @callback
    def _log_unknown(self, code: str) -> None:
        """Log what we do not know, once for each code."""
        code = _TYPED.sub("…", code)
        if code not in self._unknown_codes and len(self._unknown_codes) < MAX_UNKNOWN:
            self._unknown_codes.add(code)
            _LOGGER.info("The station has told something unknown, with code %r", code)
