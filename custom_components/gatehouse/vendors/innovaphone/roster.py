"""The devices of a service that are shown, and how many there are."""

import asyncio
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime
import logging
from typing import Any

from homeassistant.core import CALLBACK_TYPE, HassJob, callback
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.event import async_call_later

from ...const import DOMAIN
from ...hub import Device, Hub
from ...model import Inventory, InventoryEvent
from ...wire import Breather
from .protocol import DeviceNews, DeviceObject, MalformedMessageError

_LOGGER = logging.getLogger(__name__)

SERVICE = "innovaphone_service"
DEVICE = "innovaphone_device"

MANUFACTURER = "innovaphone"

MAX_DEVICES = 9_900
"""Devices that are shown. Each has one entity that is enabled from the beginning, and
Home Assistant bears 10,000 of them an entry."""

MAX_LEFT = 10_000
"""Devices that are known to have left; all that are shown may leave at once."""

COUNT_INTERVAL = 1.0
"""Seconds between two counts that are shown, so that a burst does not show them all."""


class Member:
    """A device of the service that is shown."""

    def __init__(self, device: Device, told: DeviceObject) -> None:
        """Bind Home Assistant's device to what the service tells of it."""
        self.device = device
        self.told = told
        self.turn = asyncio.Lock()
        """Its web server is asked one thing at a time."""


class Roster:
    """All devices of a service that are shown.

    What one message costs does not depend on how many there are.
    """

    def __init__(self, hub: Hub, service: Device, types: Iterable[str]) -> None:
        """Begin with none.

        Args:
            hub: adds and removes devices.
            service: the device of the service itself, which tells of the others.
            types: the types that are shown; all, if there are none.

        """
        self._hub = hub
        self._service = service
        self._types = frozenset(types)
        self._members: dict[str, Member] = {}
        self._hw_ids: dict[int, str] = {}
        """By the service's own numbers, for messages that have no hardware id."""
        self._left: dict[str, None] = {}
        """Hardware ids of devices of which the service has said that they are removed."""
        self._full = False
        self.online = 0
        self._counting: CALLBACK_TYPE | None = None
        self._count_again = False

    @property
    def by_type(self) -> dict[str, int]:
        """Return how many devices there are of each type."""
        return dict(Counter(str(member.told.type) for member in self._members.values()))

    @callback
    def stop(self) -> None:
        """Show no more counts."""
        if self._counting is not None:
            self._counting()

    def member(self, device: Device) -> Member:
        """Return what is known of a device."""
        return self._members[device.uid.removeprefix(f"{self._service.uid}_")]

    async def async_take_list(
        self, listed: Iterable[DeviceObject], *, announce: bool
    ) -> dict[str, Member]:
        """Take over all devices of a list; return those that are not in it."""
        breather = Breather()
        missing = dict(self._members)
        for told in listed:
            await breather.breathe()
            missing.pop(told.hw_id, None)
            self._take(told, announce=announce)
        return missing

    async def async_drop(self, members: Iterable[Member]) -> None:
        """Remove devices that the service has no longer."""
        breather = Breather()
        for member in members:
            await breather.breathe()
            self._remove(member)

    async def async_show_reached(self, reached: bool) -> None:
        """Show whether the devices can be known."""
        breather = Breather()
        for member in tuple(self._members.values()):
            await breather.breathe()
            member.device.set_available(reached)

    @callback
    def take_news(self, news: DeviceNews, *, added: bool) -> None:
        """Add a device, or bring it up to date; no document says which parts are sent.

        Args:
            news: what is told of it.
            added: whether the device is told to be new. One that was removed comes
                back so, or with the next list. A change of it is late, such as that it
                is off line since, however much the news tell.

        """
        if (member := self._member_of(news)) is not None:
            self._update(member, news.onto(member.told))
            return
        if not added and news.hw_id in self._left:
            return
        with suppress(MalformedMessageError):
            self._take(news.alone(), announce=True)

    @callback
    def take_leave(self, news: DeviceNews) -> None:
        """Remove a device that has left the service."""
        member = self._member_of(news)
        hw_id = news.hw_id if member is None else member.told.hw_id
        if hw_id is not None:
            # Also if it is not shown: the list may have been without it already.
            self._left.pop(hw_id, None)
            self._left[hw_id] = None
            if len(self._left) > MAX_LEFT:
                del self._left[next(iter(self._left))]
        if member is not None:
            self._remove(member)

    @callback
    def known_of(self, news: DeviceNews | None) -> DeviceObject | None:
        """Return all that is known of a device that news are about."""
        if news is None:
            return None
        if (member := self._member_of(news)) is not None:
            return member.told
        try:
            return news.alone()
        except MalformedMessageError:
            return None

    @callback
    def say(
        self,
        event_type: InventoryEvent,
        told: DeviceObject | None,
        code: str | None = None,
    ) -> None:
        """Tell of a device that has come or gone."""
        self._service.say(
            "inventory",
            Inventory(
                event_type=event_type,
                hardware_id=None if told is None else told.hw_id,
                name=None if told is None else told.name,
                product=None if told is None else told.product,
                device_type=None if told is None else told.type,
                code_used=code,
            ),
        )

    @callback
    def show_counts(self) -> None:
        """Show how many devices there are."""
        self._count_again = False
        self._service.publish("devices_online", self.online)
        self._service.publish("devices_total", len(self._members))

    @callback
    def _take(self, told: DeviceObject, *, announce: bool) -> None:
        """Take over all that is known of a device."""
        self._left.pop(told.hw_id, None)
        if (member := self._members.get(told.hw_id)) is not None:
            self._update(member, told)
        elif not self._types or told.type in self._types:
            self._add(told, announce=announce)

    @callback
    def _add(self, told: DeviceObject, *, announce: bool) -> None:
        """Show a device that was not there."""
        if len(self._members) >= MAX_DEVICES:
            if not self._full:
                self._full = True
                _LOGGER.warning(
                    "%s has more than %s devices; choose types of devices in its"
                    " options, or further ones are not shown",
                    self._hub.entry.title,
                    MAX_DEVICES,
                )
            return
        uid = f"{self._service.uid}_{told.hw_id}"
        device = self._hub.add_device(
            uid,
            DEVICE,
            via=self._service,
            values=_values(told),
            connections=self._connections(uid, told),
            serial_number=told.hw_id,
            **_properties(told),
        )
        device.set_available(self._service.available)
        self._members[told.hw_id] = Member(device, told)
        self._hw_ids[told.id] = told.hw_id
        self.online += told.online is True
        self._count_soon()
        if announce:
            self.say(InventoryEvent.ADDED, told)

    @callback
    def _connections(self, uid: str, told: DeviceObject) -> set[tuple[str, str]]:
        """Return what the registry may know a device by, beside its id.

        Of hardware ids that differ only in case the first has the MAC address; the
        registry would take both for one device.
        """
        if told.mac is None:
            return set()
        connection = (dr.CONNECTION_NETWORK_MAC, dr.format_mac(told.mac))
        owner = dr.async_get(self._hub.hass).async_get_device_by_connection(
            connection, self._hub.entry.entry_id
        )
        if owner is None or (DOMAIN, uid) in owner.identifiers:
            return {connection}
        return set()

    @callback
    def _update(self, member: Member, told: DeviceObject) -> None:
        """Show what has changed about a device."""
        before, member.told = member.told, told
        if before == told:
            return
        if told.id != before.id:
            self._forget_number(before)
            self._hw_ids[told.id] = told.hw_id
        for channel, value in _values(told).items():
            member.device.publish(channel, value)
        old, new = _properties(before), _properties(told)
        if changes := {key: new[key] for key in new if new[key] != old[key]}:
            self._hub.update_device(member.device, **changes)
        self.online += (told.online is True) - (before.online is True)
        self._count_soon()

    @callback
    def _remove(self, member: Member) -> None:
        """Show a device no longer."""
        told = member.told
        del self._members[told.hw_id]
        self._forget_number(told)
        self.online -= told.online is True
        self._hub.remove_device(member.device)
        self._count_soon()
        self.say(InventoryEvent.REMOVED, told)

    @callback
    def _member_of(self, news: DeviceNews) -> Member | None:
        """Return the device that news are about."""
        # Unassigned devices share the number 0.
        hw_id = news.hw_id or (self._hw_ids.get(news.id) if news.id else None)
        return None if hw_id is None else self._members.get(hw_id)

    @callback
    def _forget_number(self, told: DeviceObject) -> None:
        """Forget the number of a device, unless another has it by now."""
        if self._hw_ids.get(told.id) == told.hw_id:
            del self._hw_ids[told.id]

    @callback
    def _count_soon(self) -> None:
        """Show how many devices there are: now, or a second after the last time."""
        if self._counting is not None:
            self._count_again = True
            return
        self.show_counts()
        self._counting = async_call_later(
            self._hub.hass,
            COUNT_INTERVAL,
            HassJob(self._count, cancel_on_shutdown=True),
        )

    @callback
    def _count(self, _: datetime) -> None:
        self._counting = None
        if self._count_again:
            self._count_soon()


def _values(told: DeviceObject) -> dict[str, Any]:
    """Return what the channels of a device show."""
    return {"online": told.online, "ip_address": told.address}


def _properties(told: DeviceObject) -> dict[str, Any]:
    """Return what the device registry says of a device."""
    return {
        "manufacturer": None if told.third_party else MANUFACTURER,
        "model": told.product,
        "name": told.name or " ".join(filter(None, (told.product, told.hw_id))),
        "sw_version": told.version,
    }
