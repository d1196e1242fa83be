"""The hub of a SenseLink server: what its terminals tell becomes events and states."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from enum import StrEnum
import logging
from typing import Any, NamedTuple, override

from yarl import URL

from homeassistant.components.image import DOMAIN as IMAGE_DOMAIN
from homeassistant.const import CONF_HOST, CONF_PORT
from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import ConfigEntryAuthFailed, ConfigEntryNotReady
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from homeassistant.util import dt as dt_util
from homeassistant.util.ssl import client_context, client_context_no_verify

from ...const import DOMAIN
from ...hub import CONNECTION, Device, GatehouseConfigEntry, Hub, Offers
from ...model import Access, Alert
from ...recent import Recent
from ...silence import Silence
from ...wire import Breather, InvalidAuth, Secret, WireError
from .alerts import ActiveAlerts
from .client import Credentials, PictureClient, SenseLinkClient
from .listener import Handlers, Listener
from .photos import LAST_PHOTO, Photos
from .protocol import (
    AlertKind,
    AlertRecord,
    Content,
    Event,
    Message,
    Record,
    Signal,
    Terminal,
)
from .words import Words

_LOGGER = logging.getLogger(__name__)

KEY = "senselink"

SERVER = "server"
TERMINAL = "terminal"
TERMINAL_WITH_PHOTOS = "terminal_with_photos"

CONF_APP_KEY = "app_key"
CONF_APP_SECRET = "app_secret"
CONF_DELIVERY = "delivery"
CONF_PHOTOS = "photos"
CONF_SECRET = "secret"
CONF_TLS = "tls"
CONF_VERIFY_TLS = "verify_tls"
CONF_WEB_URL = "web_url"

ACCESS = "access"
ALERT = "alert"
BODY_TEMPERATURE = "body_temperature"
LAST_PERSON = "last_person"
ONLINE = "online"

SILENT = "subscription_silent"
UNREACHABLE = "server_unreachable"

MANUFACTURER = "SenseTime"

# What the first letters of a terminal's id stand for, where the manual shows it.
_MODELS = {"SHL": "SenseHello", "SPS": "SensePass"}

MAX_TERMINALS = 500
"""They have a dozen entities each, and Home Assistant bears 10,000 an entry."""

MAX_CLOCK_LEAD = timedelta(minutes=10)
"""How far ahead of ours a terminal's clock may be before ours is believed instead."""

LOOK_INTERVAL = timedelta(minutes=1)
"""Between two looks at what ends, or begins, by nothing happening."""

SAVE_DELAY = 60.0
ALERT_SAVE_DELAY = 1.0

# Alerts that are also states, by their channel.
STATES: Mapping[str, AlertKind] = {
    "tamper": AlertKind.TAMPER,
    "door_forced": AlertKind.DOOR_FORCED,
    "door_held_open": AlertKind.DOOR_HELD_OPEN,
    "fire": AlertKind.FIRE,
    "camera_dirty": AlertKind.CAMERA_DIRTY,
    "thermal_camera_fault": AlertKind.THERMAL_CAMERA_FAULT,
}

_TRACKED = frozenset({*STATES.values(), AlertKind.DEVICE_OFFLINE})


class Delivery(StrEnum):
    """How records and alerts come."""

    WEBSOCKET = "websocket"
    SUBSCRIPTION = "subscription"


def make_client(hass: HomeAssistant, data: Mapping[str, Any]) -> SenseLinkClient:
    """Return the client of the server that an entry's data name."""
    credentials = _credentials(data)
    assert credentials is not None
    tls = None
    if data[CONF_TLS]:
        tls = client_context() if data[CONF_VERIFY_TLS] else client_context_no_verify()
    return SenseLinkClient(data[CONF_HOST], data[CONF_PORT], credentials, tls=tls)


def _credentials(data: Mapping[str, Any]) -> Credentials | None:
    """Return the key, which a subscription can do without."""
    if not data.get(CONF_APP_KEY) or not data.get(CONF_APP_SECRET):
        return None
    return Credentials(
        app_key=Secret(data[CONF_APP_KEY]), app_secret=Secret(data[CONF_APP_SECRET])
    )


def _web_url(data: Mapping[str, Any]) -> URL | None:
    """Return the base of the server's pictures: its web server, if none is named."""
    if url := data.get(CONF_WEB_URL):
        return URL(url)
    if host := data.get(CONF_HOST):
        return URL.build(scheme="https" if data[CONF_TLS] else "http", host=host)
    return None


@dataclass(slots=True)
class KnownTerminal:
    """What the hub knows of one terminal."""

    ldid: str
    device: Device
    name: str | None
    """What it is called on the server, which may be longer than its device's name."""
    zone: tzinfo | None = None
    """Where its clock is, as its last record says."""
    shown_at: datetime | None = None
    """When what is shown of people happened."""


class Told(NamedTuple):
    """What a record or an alert says."""

    terminal: KnownTerminal
    content: Content
    occurred_at: datetime
    channel: str
    word: Access | Alert


class SenseLinkHub(Hub):
    """One SenseLink server and the terminals that it looks after."""

    def __init__(
        self, hass: HomeAssistant, entry: GatehouseConfigEntry, offers: Offers
    ) -> None:
        """Prepare the hub of an entry."""
        super().__init__(hass, entry, offers)
        data = entry.data
        self._server_uid = f"{KEY}_{entry.entry_id}"
        self._listener: Listener | None = None
        if data[CONF_DELIVERY] == Delivery.WEBSOCKET:
            self._listener = Listener(
                hass,
                entry,
                make_client(hass, data),
                Handlers(
                    take=self._take_message,
                    lose=self._lose,
                    find=self._find,
                    refuse=self._refuse,
                ),
            )
        self._photos: Photos | None = None
        url = _web_url(data)
        if entry.options.get(CONF_PHOTOS, False) and url is not None:
            session = async_get_clientsession(hass, verify_ssl=data[CONF_VERIFY_TLS])
            pictures = PictureClient(session, url, _credentials(data))
            self._photos = Photos(hass, entry, pictures)
        self._terminals: dict[str, KnownTerminal] = {}
        self._full = False
        self._recent: Recent[str] = Recent()
        self._alerts = ActiveAlerts()
        self._silence = Silence(dt_util.utcnow())
        self._words = Words()
        self._messages = self.together(self._understand, self._say, self._show)
        self._started = False
        self._counts = dict.fromkeys(("records", "alerts", "repetitions"), 0)

    @override
    async def async_start(self) -> None:
        """Add the terminals that are known, and connect if we are to."""
        remembered = await self.store.async_load() or {}
        now = dt_util.utcnow()
        self._recent = Recent(remembered.get("recent", ()))
        self._alerts = ActiveAlerts(remembered.get("alerts", ()))
        self._silence = Silence(now, remembered.get("silence"))
        url = _web_url(self.entry.data)
        self._server = self.add_device(
            self._server_uid,
            SERVER,
            configuration_url=None if url is None else str(url),
            entry_type=dr.DeviceEntryType.SERVICE,
            manufacturer=MANUFACTURER,
            model="SenseLink",
            translation_key=SERVER,
        )
        shown = remembered.get("shown", {})
        breather = Breather()
        for ldid, name in self._remembered_terminals():
            await breather.breathe()
            terminal = self._add_terminal(Terminal(ldid, name, None))
            if ldid in shown:
                terminal.shown_at = datetime.fromisoformat(shown[ldid])
        self._started = True
        if self._listener is not None:
            await self._async_connect(self._listener)
            self._show_link(True)
            self.show_contact(self._server, dt_util.utcnow())
        elif self._silence.begun:
            self._server.publish(CONNECTION, True)
        self.repeat(self._look, LOOK_INTERVAL, "Look after")
        self._look(now)

    @override
    async def async_stop(self) -> None:
        """Let go of the websocket, and remember."""
        await super().async_stop()
        if self._listener is not None:
            await self._listener.async_stop()
        self.clear_issue(SILENT, self._server_uid)
        if self._started:
            await self.async_save()

    @override
    def to_remember(self) -> dict[str, Any]:
        """Return what must outlive the hub."""
        return {
            "alerts": self._alerts.as_list(),
            "recent": self._recent.as_list(),
            "shown": {
                terminal.ldid: terminal.shown_at.isoformat()
                for terminal in self._terminals.values()
                if terminal.shown_at is not None
            },
            "silence": self._silence.as_dict(dt_util.utcnow()),
        }

    @override
    def diagnostics(self) -> Mapping[str, Any]:
        """Return how the server is reached, and how much has come."""
        found: dict[str, Any] = {
            **self._counts,
            "terminals": len(self._terminals),
            "photos": self._photos is not None,
        }
        if (listener := self._listener) is not None:
            found["links"] = listener.links
            found["not_understood"] = listener.not_understood
            found["heartbeat_period"] = listener.heartbeat_period
            found["last_failure"] = listener.last_failure
        else:
            found["silence_borne"] = self._silence.patience.total_seconds()
        return found

    @override
    def can_remove(self, device: Device) -> bool:
        """Allow terminals to go; they come back with what they tell next."""
        return device.kind != SERVER

    @override
    def forget(self, device: Device) -> None:
        """Forget all about a terminal."""
        super().forget(device)
        ldid = device.uid.removeprefix(f"{self._server_uid}_")
        self._terminals.pop(ldid, None)
        self._alerts.forget(ldid)
        if self._photos is not None:
            self._photos.forget(device)
        self.save_soon(SAVE_DELAY)

    # --- The websocket

    async def _async_connect(self, listener: Listener) -> None:
        """Connect, or say why that is not possible now."""
        host = {"host": self.entry.data[CONF_HOST]}
        try:
            await listener.async_start()
        except InvalidAuth as err:
            raise ConfigEntryAuthFailed(
                translation_domain=DOMAIN,
                translation_key="app_key_refused",
                translation_placeholders=host,
            ) from err
        except WireError as err:
            raise ConfigEntryNotReady(
                translation_domain=DOMAIN,
                translation_key="server_unreachable",
                translation_placeholders=host,
            ) from err

    @callback
    def _take_message(self, message: Message) -> None:
        """Take a message of the websocket."""
        now = dt_util.utcnow()
        if isinstance(message, Signal):
            self.show_contact(self._server, now, news=False)
        else:
            self._messages.take((message, now))
            self.show_contact(self._server, now)

    @callback
    def _lose(self, err: WireError) -> None:
        """Show that nothing comes any more."""
        _LOGGER.warning(
            "The link to SenseLink at %s is lost: %s",
            self.entry.data[CONF_HOST],
            type(err).__name__,
        )
        self._messages.flush()
        self._alerts.doubt()
        self._show_link(False)
        for terminal in self._terminals.values():
            terminal.device.set_available(False)

    @callback
    def _find(self) -> None:
        """Show that there is a link again."""
        _LOGGER.info("There is a link to SenseLink at %s", self.entry.data[CONF_HOST])
        self._show_link(True)
        self.show_contact(self._server, dt_util.utcnow())
        for terminal in self._terminals.values():
            terminal.device.set_available(True)

    @callback
    def _show_link(self, linked: bool) -> None:
        """Show whether there is a link."""
        self.show_connection(
            self._server,
            linked,
            issue=UNREACHABLE,
            placeholders={"host": self.entry.data[CONF_HOST]},
        )

    @callback
    def _refuse(self) -> None:
        """Ask for another key."""
        self.entry.async_start_reauth(self.hass)

    # --- The subscription

    @callback
    def receive(self, event: Event) -> None:
        """Take what the subscription service has posted, unless it came before."""
        now = dt_util.utcnow()
        if event.id is None or self._recent.is_new(f"message {event.id}"):
            self._messages.take((event.content, now))
        else:
            self._counts["repetitions"] += 1
        self._silence.hear(now)
        self.clear_issue(SILENT, self._server_uid)
        self._server.publish(CONNECTION, True)
        self.show_contact(self._server, now)

    # --- What comes by either

    def _understand(self, taken: tuple[Content, datetime]) -> Told | None:
        """Return what a record or an alert says; None if it is no news."""
        content, now = taken
        terminal = self._terminal(content.terminal)
        if terminal is None:
            return None
        if isinstance(content, Record):
            return self._understand_record(terminal, content, now)
        return self._understand_alert(terminal, content, now)

    def _understand_record(
        self, terminal: KnownTerminal, record: Record, now: datetime
    ) -> Told | None:
        """Return who stood before a terminal."""
        terminal.zone = record.zone or terminal.zone
        if record.id is not None and not self._recent.is_new(
            f"record {record.id}", record.occurred_at
        ):
            self._counts["repetitions"] += 1
            return None
        self._counts["records"] += 1
        occurred_at = self._time(terminal, record.occurred_at, now)
        word = self._words.access(record, occurred_at)
        return Told(terminal, record, occurred_at, ACCESS, word)

    def _understand_alert(
        self, terminal: KnownTerminal, alert: AlertRecord, now: datetime
    ) -> Told | None:
        """Return that a terminal has raised the alarm, or taken it back."""
        if alert.key is not None and not self._recent.is_new(
            f"alert {terminal.ldid} {alert.key} {alert.state} {alert.occurred_at}"
        ):
            self._counts["repetitions"] += 1
            return None
        self._counts["alerts"] += 1
        occurred_at = self._time(terminal, alert.occurred_at, now)
        released_at = None
        if alert.released_at is not None:
            released_at = self._time(terminal, alert.released_at, now)
        word = self._words.alert(alert, occurred_at, released_at)
        return Told(terminal, alert, occurred_at, ALERT, word)

    def _say(self, told: Told) -> None:
        """Say what happened."""
        told.terminal.device.say(told.channel, told.word)

    def _show(self, told: Told) -> None:
        """Show what is otherwise now than before."""
        terminal, content, occurred_at, _, _ = told
        if isinstance(content, Record):
            self._show_record(terminal, content, occurred_at)
        else:
            self._show_alert(terminal, content, occurred_at)
        if content.picture is not None:
            self._want_photo(terminal, content.picture, occurred_at)

    def _show_record(
        self, terminal: KnownTerminal, record: Record, occurred_at: datetime
    ) -> None:
        """Show who stood before a terminal last."""
        # Records may come late. What is shown is the last, not what came last.
        if terminal.shown_at is None or occurred_at >= terminal.shown_at:
            terminal.shown_at = occurred_at
            terminal.device.publish(LAST_PERSON, record.person)
            terminal.device.publish(BODY_TEMPERATURE, record.temperature)
        self._note_presence(terminal, occurred_at)
        self.save_soon(SAVE_DELAY)

    def _show_alert(
        self, terminal: KnownTerminal, alert: AlertRecord, occurred_at: datetime
    ) -> None:
        """Show which alerts are under way."""
        if alert.kind in _TRACKED:
            self._alerts.take(
                terminal.ldid, alert.key, alert.kind, alert.state, occurred_at
            )
            self._show_alerts(terminal)
        if alert.kind != AlertKind.DEVICE_OFFLINE:
            self._note_presence(terminal, occurred_at)
        self.save_soon(ALERT_SAVE_DELAY)

    @callback
    def _note_presence(self, terminal: KnownTerminal, at: datetime) -> None:
        """Show a terminal as online again that tells something after it was lost."""
        lost_at = self._alerts.raised_at(terminal.ldid, AlertKind.DEVICE_OFFLINE)
        if lost_at is not None and at > lost_at:
            self._alerts.end(terminal.ldid, AlertKind.DEVICE_OFFLINE)
            self._show_alerts(terminal)

    @callback
    def _show_alerts(self, terminal: KnownTerminal) -> None:
        """Show which alerts are under way."""
        for channel, state in self._alert_states(terminal.ldid).items():
            terminal.device.publish(channel, state)

    def _alert_states(self, ldid: str) -> dict[str, bool]:
        """Return the states of a terminal that its alerts make, by channel."""
        states = {
            channel: self._alerts.raised_at(ldid, kind) is not None
            for channel, kind in STATES.items()
        }
        states[ONLINE] = self._alerts.raised_at(ldid, AlertKind.DEVICE_OFFLINE) is None
        return states

    def _time(
        self, terminal: KnownTerminal, moment: datetime | None, now: datetime
    ) -> datetime:
        """Return when something happened, as far as the source can be believed."""
        if moment is None:
            return now
        if moment.tzinfo is None:
            moment = moment.replace(
                tzinfo=terminal.zone or dt_util.get_default_time_zone()
            )
        moment = moment.astimezone(UTC)
        return now if moment > now + MAX_CLOCK_LEAD else moment

    @callback
    def _want_photo(
        self, terminal: KnownTerminal, picture: str, taken_at: datetime
    ) -> None:
        """Have a picture shown, if pictures are wanted."""
        if self._photos is not None:
            self._photos.want(terminal.device, picture, taken_at)

    # --- Terminals

    def _terminal(self, named: Terminal) -> KnownTerminal | None:
        """Return a terminal, which appears with what it first tells."""
        if (terminal := self._terminals.get(named.ldid)) is not None:
            if named.name is not None and named.name != terminal.name:
                terminal.name = named.name
                self.update_device(terminal.device, name=named.name)
            return terminal
        if len(self._terminals) < MAX_TERMINALS:
            return self._add_terminal(named)
        if not self._full:
            self._full = True
            _LOGGER.warning(
                "SenseLink has named more than %s terminals; further ones are ignored",
                MAX_TERMINALS,
            )
        return None

    def _add_terminal(self, named: Terminal) -> KnownTerminal:
        """Add the device of a terminal."""
        # Places it once; afterwards it is the user who moves it.
        place = {} if named.location is None else {"suggested_area": named.location}
        device = self.add_device(
            f"{self._server_uid}_{named.ldid}",
            TERMINAL if self._photos is None else TERMINAL_WITH_PHOTOS,
            via=self._server,
            manufacturer=MANUFACTURER,
            model=_MODELS.get(named.ldid.partition("-")[0]),
            name=named.name or named.ldid,
            serial_number=named.ldid,
            values=self._alert_states(named.ldid),
            **place,
        )
        if self._photos is None:
            self._remove_photo(device)
        terminal = KnownTerminal(named.ldid, device, named.name)
        self._terminals[named.ldid] = terminal
        return terminal

    def _remove_photo(self, device: Device) -> None:
        """Remove the entity that was there while photos were wanted."""
        entities = er.async_get(self.hass)
        if entity_id := entities.async_get_entity_id(
            IMAGE_DOMAIN, DOMAIN, f"{device.uid}_{LAST_PHOTO}"
        ):
            entities.async_remove(entity_id)

    def _remembered_terminals(self) -> list[tuple[str, str | None]]:
        """Return the ids and names of those that had a device before the start."""
        prefix = f"{self._server_uid}_"
        return [
            (uid.removeprefix(prefix), entry.name)
            for entry in dr.async_entries_for_config_entry(
                dr.async_get(self.hass), self.entry.entry_id
            )
            for domain, uid in entry.identifiers
            if domain == DOMAIN and uid.startswith(prefix)
        ]

    # --- What only time shows

    @callback
    def _look(self, _: datetime) -> None:
        """End what is never released, and notice a subscription that has stopped."""
        now = dt_util.utcnow()
        for ldid in self._alerts.expire(now):
            if (terminal := self._terminals.get(ldid)) is not None:
                self._show_alerts(terminal)
        if self._listener is None and self._silence.too_long(now):
            self._server.publish(CONNECTION, False)
            self.raise_issue(SILENT, self._server, placeholders={})
