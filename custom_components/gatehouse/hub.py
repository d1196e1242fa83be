"""A hub: one connection to a vendor, its devices, and who listens to them.

A vendor's hub turns messages into the words of `model.py` and hands them to the one
device and channel that they concern, so that the cost of a message does not depend on
how many devices there are.
"""

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
import logging
from typing import Any, NamedTuple

from homeassistant.config_entries import SOURCE_REAUTH, ConfigEntry
from homeassistant.const import Platform
from homeassistant.core import CALLBACK_TYPE, HassJob, HomeAssistant, callback
from homeassistant.helpers import (
    device_registry as dr,
    entity_registry as er,
    issue_registry as ir,
)
from homeassistant.helpers.device_registry import DeviceEntry
from homeassistant.helpers.entity import EntityDescription
from homeassistant.helpers.event import async_call_later, async_track_time_interval
from homeassistant.helpers.storage import Store
from homeassistant.util import slugify

from .const import DOMAIN
from .model import Word
from .people import CONF_PEOPLE, People
from .together import Together
from .wire import Breather

_LOGGER = logging.getLogger(__name__)

STORAGE_VERSION = 1

WAITING_WORDS = 1024
"""Words of a channel that wait for its entity, which is being added. Their messages have
been accepted, and many may come at once."""

MAX_SLUG = 192
"""Characters of what entity ids begin with. Home Assistant bears 255 in all, and makes
up to six of one Chinese character or kana."""

LASTING_LOSS = timedelta(minutes=15)
"""After which the user is asked to look what is wrong; a restart or an update of
whatever is lost takes less."""

CONNECTION = "connection"
LAST_CONTACT = "last_contact"

SHOWN_SPAN = timedelta(seconds=1)
"""What a moment stands for that is shown; within it, the state could not change."""

CONTACT_INTERVAL = timedelta(minutes=5)
"""How often signs of life alone move the last contact: the recorder and the logbook keep
each change, and it is the connection that says whether somebody is there."""

type GatehouseConfigEntry = ConfigEntry[Hub]
type Offers = Mapping[str, tuple[EntityDescription, ...]]
type Listener = Callable[[Any], None]

_NOTHING = object()
"""What a channel shows of which nothing has been said, not even None."""


class Echo(NamedTuple):
    """A word that is another device's."""

    word: Word


class Device:
    """One Home Assistant device of a hub, with the channels that lead to its entities."""

    def __init__(
        self,
        registry: dr.DeviceRegistry,
        *,
        uid: str,
        kind: str,
        entry: DeviceEntry,
        subentry_id: str | None,
        is_told: Callable[[Device, str], bool],
    ) -> None:
        """Describe the device.

        Args:
            registry: the device registry.
            uid: first part of the unique ids of its entities, unique in Gatehouse.
            kind: which of the vendor's entity descriptions it has.
            entry: its entry in the registry, which the user may change meanwhile.
            subentry_id: the sub-entry that it stands for, if any.
            is_told: says whether what is said on a channel is, or will be, told.

        """
        self._registry = registry
        self._is_told = is_told
        self.uid = uid
        self.kind = kind
        self.entry = entry
        self.subentry_id = subentry_id
        self.available = True
        self.values: dict[str, Any] = {}
        self._listeners: dict[str, tuple[Listener, ...]] = {}
        self._waiting: dict[str, deque[Word | Echo]] = {}
        self._on_availability: list[CALLBACK_TYPE] = []

    @property
    def name(self) -> str:
        """Return what the user calls it now."""
        entry = self._registry.async_get_device_by_identifier(
            (DOMAIN, self.uid), self.entry.config_entry_id
        )
        known = entry or self.entry
        return known.name_by_user or known.name or self.uid

    @callback
    def listen(self, channel: str, listener: Listener) -> CALLBACK_TYPE:
        """Call `listener` with everything said on a channel, until the return is called.

        Words that were said before anyone listened are handed over now, once.
        """
        self._listeners[channel] = (*self._listeners.get(channel, ()), listener)
        for word in self._waiting.pop(channel, ()):
            self._tell((listener,), word)

        @callback
        def leave() -> None:
            self._listeners[channel] = tuple(
                one for one in self._listeners[channel] if one != listener
            )

        return leave

    @callback
    def listen_availability(self, listener: CALLBACK_TYPE) -> CALLBACK_TYPE:
        """Call `listener` when the device comes within reach or leaves it."""
        self._on_availability.append(listener)
        return lambda: self._on_availability.remove(listener)

    @callback
    def publish(self, channel: str, value: Any) -> None:
        """Set what a channel shows; nothing happens if it shows that already."""
        if self.values.get(channel, _NOTHING) == value:
            return
        self.values[channel] = value
        self._tell(self._listeners.get(channel, ()), value)

    @callback
    def publish_together(self, values: Mapping[str, Any]) -> None:
        """Set what several channels show, of which one entity may show more than one."""
        changed = {
            channel: value
            for channel, value in values.items()
            if self.values.get(channel, _NOTHING) != value
        }
        self.values.update(changed)
        for channel, value in changed.items():
            self._tell(self._listeners.get(channel, ()), value)

    @callback
    def say(self, channel: str, word: Word | Echo) -> None:
        """Tell the listeners of a channel what happened."""
        if listeners := self._listeners.get(channel):
            self._tell(listeners, word)
        elif self._is_told(self, channel):
            self._waiting.setdefault(channel, deque(maxlen=WAITING_WORDS)).append(word)

    @callback
    def echo(self, channel: str, word: Word) -> None:
        """Tell the listeners what another device says, so that all is told here."""
        self.say(channel, Echo(word))

    def is_heard(self, channel: str) -> bool:
        """Tell whether anyone listens to a channel."""
        return bool(self._listeners.get(channel))

    @callback
    def set_available(self, available: bool) -> None:
        """Say whether the device can be reached."""
        if self.available is available:
            return
        self.available = available
        for listener in tuple(self._on_availability):
            listener()

    def _tell(self, listeners: tuple[Listener, ...], value: Any) -> None:
        """Call the listeners; the fault of one must keep nothing from the others."""
        for listener in listeners:
            try:
                listener(value)
            except Exception:
                _LOGGER.exception("A listener of %s failed", self.uid)


class Hub(ABC):
    """One config entry's connection, devices and health."""

    def __init__(
        self, hass: HomeAssistant, entry: GatehouseConfigEntry, offers: Offers
    ) -> None:
        """Prepare the hub of an entry; nothing is started.

        Args:
            hass: Home Assistant.
            entry: the entry that it is for.
            offers: what each kind of its devices offers.

        """
        self.hass = hass
        self.entry = entry
        self.offers = offers
        self.devices: dict[str, Device] = {}
        self.store = entry_store(hass, entry)
        self.people = People(entry.options.get(CONF_PEOPLE, ()))
        self.address: CALLBACK_TYPE | None = None
        self._configured = configuration(entry)
        self._on_device: list[Callable[[Device], None]] = []
        self._given = False
        self._losses: dict[str, tuple[str, CALLBACK_TYPE]] = {}
        """By device: the issue that its loss becomes, and what keeps it from that."""
        self._stopped_watching = False
        self._saving: float | None = None
        """After how many seconds the store is about to be written, None if it is not."""
        self._last_heard: dict[str, datetime] = {}
        self._together: list[Together[Any, Any]] = []

    @abstractmethod
    async def async_start(self) -> None:
        """Connect, add the devices that are known and begin to listen.

        Raises:
            ConfigEntryNotReady: the vendor cannot be reached now.
            ConfigEntryAuthFailed: the vendor refuses the credentials.

        """

    async def async_stop(self) -> None:
        """Let go of everything; called also after a start that failed."""
        self.leave_address()
        self._stopped_watching = True
        for uid in tuple(self._losses):
            self._end_loss(uid)

    async def async_save(self) -> None:
        """Save what must outlive the hub now; its end does not hang on the disk."""
        try:
            await self.store.async_save(self._take_to_remember())
        except OSError as err:
            _LOGGER.warning("%s cannot save: %s", self.entry.title, err.strerror)

    def to_remember(self) -> dict[str, Any]:
        """Return what must outlive the hub, in JSON's terms."""
        return {}

    @callback
    def save_soon(self, delay: float) -> None:
        """Save what must outlive the hub in so many seconds, however much goes on."""
        # Asked again and again, a store would wait for the last time.
        if self._saving is None or delay < self._saving:
            self._saving = delay
            self.store.async_delay_save(self._take_to_remember, delay)

    def _take_to_remember(self) -> dict[str, Any]:
        self._saving = None
        return self.to_remember()

    async def async_forget(self) -> None:
        """Let nothing outlive the hub of what it has saved."""
        await self.store.async_remove()
        self._saving = None

    @callback
    def repeat(
        self, action: Callable[[datetime], None], interval: timedelta, purpose: str
    ) -> None:
        """Call `action` again and again for as long as the entry is loaded."""
        self.entry.async_on_unload(
            async_track_time_interval(
                self.hass,
                action,
                interval,
                name=f"{purpose} {self.entry.title}",
                cancel_on_shutdown=True,
            )
        )

    @callback
    def together[ItemT, ToldT](
        self,
        understand: Callable[[ItemT], ToldT | None],
        *steps: Callable[[ToldT], None],
    ) -> Together[ItemT, ToldT]:
        """Return what handles together the messages that come at once."""
        made = Together(self.hass.loop, self.entry.title, understand, *steps)
        self._together.append(made)
        return made

    @callback
    def leave_address(self) -> None:
        """Take no more messages at the vendor's address, and tell those taken before."""
        if self.address is not None:
            self.address()
            self.address = None
        for taken in self._together:
            taken.flush()

    def diagnostics(self) -> Mapping[str, Any]:
        """Return what helps to find a fault and holds no secret."""
        return {}

    async def async_fix(self, key: str, data: Mapping[str, Any]) -> None:
        """Do what the user has agreed to in the repair issue of this key."""
        raise NotImplementedError

    def can_remove(self, device: Device) -> bool:
        """Tell whether a user may delete a device that is still here."""
        return False

    @callback
    def add_device(
        self,
        uid: str,
        kind: str,
        *,
        subentry_id: str | None = None,
        via: Device | None = None,
        values: Mapping[str, Any] | None = None,
        **properties: Any,
    ) -> Device:
        """Add a device to the registry, and its entities to every platform.

        Args:
            uid: first part of the unique ids of its entities, unique in Gatehouse.
            kind: which of the vendor's entity descriptions it has.
            subentry_id: the sub-entry that it stands for, if any.
            via: the device through which it is reached.
            values: what its channels show from the beginning.
            properties: what the device registry is to show, such as `name`.

        """
        if via is not None:
            properties["via_device_id"] = via.entry.id
        if "name" in properties:
            name = properties["name"] = _fitting(properties["name"])
            # Entity ids begin with the area, too. One that is so long is an address.
            area = properties.get("suggested_area")
            if area is not None and len(slugify(f"{area} {name}")) > MAX_SLUG:
                del properties["suggested_area"]
        identifier = (DOMAIN, uid)
        self._move_to_subentry(identifier, subentry_id)
        registry = dr.async_get(self.hass)
        device = Device(
            registry,
            uid=uid,
            kind=kind,
            subentry_id=subentry_id,
            is_told=self.tells,
            entry=registry.async_get_or_create(
                config_entry_id=self.entry.entry_id,
                config_subentry_id=subentry_id,
                identifiers={identifier},
                **properties,
            ),
        )
        device.values.update(values or {})
        self.devices[uid] = device
        if self._given:
            self._give(device)
        return device

    def _move_to_subentry(
        self, identifier: tuple[str, str], subentry_id: str | None
    ) -> None:
        """Give a device that was found by itself to the sub-entry that now names it.

        Its entities go first: they would be removed with all that the user has set on
        them when the device leaves them behind.
        """
        devices = dr.async_get(self.hass)
        device = devices.async_get_device_by_identifier(identifier, self.entry.entry_id)
        if device is None or device.config_subentry_id == subentry_id:
            return
        entities = er.async_get(self.hass)
        for entity in er.async_entries_for_device(
            entities, device.id, include_disabled_entities=True
        ):
            entities.async_update_entity(
                entity.entity_id, config_subentry_id=subentry_id
            )
        devices.async_update_device(device.id, new_config_subentry_id=subentry_id)

    async def async_remove_unknown_devices(self) -> None:
        """Remove from the registry what was there once and is a device no longer."""
        registry = dr.async_get(self.hass)
        breather = Breather()
        for entry in dr.async_entries_for_config_entry(registry, self.entry.entry_id):
            await breather.breathe()
            if self.device_of(entry) is None:
                registry.async_remove_device(entry.id)

    @callback
    def remove_device(self, device: Device) -> None:
        """Remove a device that is no longer, and its entities with it."""
        self.forget(device)
        dr.async_get(self.hass).async_remove_device(device.entry.id)

    @callback
    def update_device(self, device: Device, **changes: Any) -> None:
        """Change what the registry says of a device, such as `sw_version`."""
        if "name" in changes:
            changes["name"] = _fitting(changes["name"])
        if updated := dr.async_get(self.hass).async_update_device(
            device.entry.id, **changes
        ):
            device.entry = updated

    @callback
    def device_of(self, entry: DeviceEntry) -> Device | None:
        """Return the device that a registry entry stands for, if it is here."""
        return next(
            (
                self.devices[uid]
                for domain, uid in entry.identifiers
                if domain == DOMAIN and uid in self.devices
            ),
            None,
        )

    @callback
    def tells(self, device: Device, channel: str) -> bool:
        """Tell whether a device's event tells what is said on a channel.

        It does also while it is being added, but not where the user has disabled it.
        """
        if device.is_heard(channel):
            return True
        registry = er.async_get(self.hass)
        entity_id = registry.async_get_entity_id(
            Platform.EVENT, DOMAIN, f"{device.uid}_{channel}"
        )
        if entity_id is None:
            return not self.entry.pref_disable_new_entities
        entity = registry.async_get(entity_id)
        return entity is not None and not entity.disabled

    @callback
    def forget(self, device: Device) -> None:
        """Drop a device that has left the registry."""
        del self.devices[device.uid]

    @callback
    def on_device(self, add: Callable[[Device], None]) -> CALLBACK_TYPE:
        """Have `add` called with each device, until the return is called."""
        self._on_device.append(add)
        return lambda: self._on_device.remove(add)

    async def async_give_devices(self) -> None:
        """Give the platforms the devices that are here, and from now on each new one.

        There may be thousands of them: the event loop serves others in between.
        """
        self._given = True
        breather = Breather()
        for device in tuple(self.devices.values()):
            await breather.breathe()
            if self.devices.get(device.uid) is device:
                self._give(device)

    @callback
    def keep_devices(self) -> None:
        """Give the platforms no new devices any more; the next start finds them.

        Entities that a platform gets while it is unloaded would stay for ever, bound to
        this hub, and keep those of the next start out.
        """
        self._given = False

    @callback
    def _give(self, device: Device) -> None:
        """Give a device to every platform."""
        for add in self._on_device:
            add(device)

    @callback
    def raise_issue(
        self,
        key: str,
        device: Device,
        *,
        fixable: bool = False,
        severity: ir.IssueSeverity = ir.IssueSeverity.WARNING,
        placeholders: Mapping[str, str],
    ) -> None:
        """Ask for the user's help with a device.

        Args:
            key: of the issue's texts.
            device: what it is about.
            fixable: whether `async_fix` can mend it.
            severity: how bad it is.
            placeholders: what the texts name; `name`, the device's, is among them.

        """
        ir.async_create_issue(
            self.hass,
            DOMAIN,
            f"{key}_{device.uid}",
            data={"entry_id": self.entry.entry_id, "key": key, **placeholders},
            is_fixable=fixable,
            severity=severity,
            translation_key=key,
            translation_placeholders={"name": device.name, **placeholders},
        )

    @callback
    def clear_issue(self, key: str, uid: str) -> None:
        """Take back what the user was asked for about a device."""
        if not self.hass.is_stopping:
            # Otherwise it comes back after the start, ignored if it has been.
            ir.async_delete_issue(self.hass, DOMAIN, f"{key}_{uid}")

    @callback
    def show_connection(
        self,
        device: Device,
        connected: bool,
        *,
        issue: str,
        placeholders: Mapping[str, str],
    ) -> None:
        """Show whether a device is connected, and ask for help if it stays lost.

        Args:
            device: the one through which all others are reached.
            connected: whether it can be reached.
            issue: key of the texts for a loss that lasts.
            placeholders: what the texts name besides the device.

        """
        device.publish(CONNECTION, connected)
        if connected:
            self._end_loss(device.uid)
            return
        if (heard := self._last_heard.get(device.uid)) is not None:
            device.publish(LAST_CONTACT, heard)
        if device.uid in self._losses or self._stopped_watching:
            return

        @callback
        def ask_about_loss(_: datetime) -> None:
            # Who has been asked to log in again knows.
            if not any(self.entry.async_get_active_flows(self.hass, {SOURCE_REAUTH})):
                self.raise_issue(issue, device, placeholders=placeholders)

        self._losses[device.uid] = (
            issue,
            async_call_later(
                self.hass,
                LASTING_LOSS,
                HassJob(ask_about_loss, cancel_on_shutdown=True),
            ),
        )

    @callback
    def show_contact(self, device: Device, now: datetime, *, news: bool = True) -> None:
        """Show that a device has just been heard; `news` is more than a sign of life."""
        shown: datetime | None = device.values.get(LAST_CONTACT)
        if shown is not None and shown <= now < shown + SHOWN_SPAN:
            return
        now = now.replace(microsecond=0)
        self._last_heard[device.uid] = now
        if news or shown is None or abs(now - shown) >= CONTACT_INTERVAL:
            device.publish(LAST_CONTACT, now)

    @callback
    def _end_loss(self, uid: str) -> None:
        """Take back that a device is lost, or is to be looked for."""
        if (loss := self._losses.pop(uid, None)) is not None:
            issue, cancel = loss
            cancel()
            self.clear_issue(issue, uid)

    @property
    def connected(self) -> bool:
        """Tell whether the vendor's side is there; one that only calls us counts so."""
        told_of = {
            kind
            for kind, offered in self.offers.items()
            if any(description.key == CONNECTION for description in offered)
        }
        return all(
            device.values.get(CONNECTION) is True
            for device in self.devices.values()
            if device.kind in told_of
        )

    @property
    def outdated(self) -> bool:
        """Tell whether the entry has been configured otherwise since the start."""
        return self._configured != configuration(self.entry)


def configuration(entry: ConfigEntry) -> tuple[object, ...]:
    """Return what of an entry a hub is built from."""
    return (
        dict(entry.data),
        dict(entry.options),
        {
            subentry_id: (subentry.title, dict(subentry.data))
            for subentry_id, subentry in entry.subentries.items()
        },
    )


def entry_store(hass: HomeAssistant, entry: ConfigEntry) -> Store[dict[str, Any]]:
    """Return the file in which the hub of an entry remembers things."""
    return Store(
        hass,
        STORAGE_VERSION,
        f"{DOMAIN}.{entry.entry_id}",
        private=True,
        atomic_writes=True,
    )


def _fitting(name: str) -> str:
    """Return a name from which entity ids can be made that are not too long."""
    while (excess := len(slugify(name)) - MAX_SLUG) > 0:
        name = name[: -max(1, excess // 6)].rstrip()
    return name
