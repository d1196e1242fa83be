"""The hub of an innovaphone Devices service: its devices, and who has come and gone."""

import asyncio
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from datetime import datetime
import logging
from typing import Any, override

from yarl import URL

from homeassistant.const import CONF_DOMAIN, CONF_PASSWORD, CONF_URL
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.exceptions import (
    ConfigEntryAuthFailed,
    ConfigEntryNotReady,
    HomeAssistantError,
    ServiceValidationError,
)
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from homeassistant.helpers.event import async_call_later
from homeassistant.util import dt as dt_util
from homeassistant.util.ssl import get_default_context, get_default_no_verify_context

from ...const import DOMAIN
from ...hub import Device, GatehouseConfigEntry, Hub, Offers
from ...model import Inventory, InventoryEvent
from ...wire import (
    Backoff,
    Breather,
    InvalidAuth,
    LostReply,
    Secret,
    TimedOut,
    TooLarge,
    UnexpectedReply,
    WireError,
)
from .client import Connection, DevicesClient, Login, PassthroughReply
from .protocol import (
    PASSTHROUGH_RESTART,
    UNKNOWN_COMMAND,
    DeviceNews,
    DeviceObject,
    DeviceProvisioned,
    DeviceRemoved,
    DeviceTold,
    Domain,
    DomainDeleted,
    DomainTold,
    Indication,
    MalformedMessageError,
    ProvisioningCode,
    Refusal,
)

_LOGGER = logging.getLogger(__name__)

KEY = "innovaphone"

SERVICE = "innovaphone_service"
DEVICE = "innovaphone_device"

CONF_APP = "app"
CONF_TYPES = "types"
CONF_VERIFY_TLS = "verify_tls"

MANUFACTURER = "innovaphone"

MAX_DEVICES = 9_900
"""Devices that are shown. Each has one entity that is enabled from the beginning, and
Home Assistant bears 10,000 of them an entry."""

LASTING = 60.0
"""Seconds that a connection must last, or the next attempt waits longer than this one."""

COUNT_INTERVAL = 1.0
"""Seconds between two counts that are shown, so that a burst does not show them all."""

REMEMBERED_CODES = 256
"""Provisioning codes that are waited for, or known to have been used."""

# What the user reads when there is no answer, or none that can be understood.
_FAILURES: dict[type[WireError], str] = {
    LostReply: "no_answer",
    TimedOut: "no_answer",
    TooLarge: "request_too_large",
    UnexpectedReply: "unexpected_reply",
}

_PASSTHROUGH_FAILURES: dict[type[WireError], str] = _FAILURES | {
    TooLarge: "reply_too_large"
}


def make_client(hass: HomeAssistant, data: Mapping[str, Any]) -> DevicesClient:
    """Return a client for the data of an entry."""
    verify = data[CONF_VERIFY_TLS]
    return DevicesClient(
        URL(data[CONF_URL]),
        Login(
            app=data[CONF_APP],
            domain=data[CONF_DOMAIN],
            password=Secret(data[CONF_PASSWORD]),
        ),
        session=async_get_clientsession(hass, verify),
        tls=get_default_context() if verify else get_default_no_verify_context(),
    )


class _Member:
    """A device of the service that is shown."""

    def __init__(self, device: Device, told: DeviceObject) -> None:
        """Bind Home Assistant's device to what the service tells of it."""
        self.device = device
        self.told = told
        self.turn = asyncio.Lock()
        """Its web server is asked one thing at a time."""


class InnovaphoneHub(Hub):
    """One login to a Devices service, and the devices that it may see."""

    def __init__(
        self, hass: HomeAssistant, entry: GatehouseConfigEntry, offers: Offers
    ) -> None:
        """Prepare the hub of an entry."""
        super().__init__(hass, entry, offers)
        self.client = make_client(hass, entry.data)
        self._types = frozenset(
            one.upper() for one in entry.options.get(CONF_TYPES, ())
        )
        self._prefix = f"{KEY}_{entry.entry_id}"
        self._connection: Connection | None = None
        self._staying: asyncio.Task[None] | None = None
        self._members: dict[str, _Member] = {}
        self._hw_ids: dict[int, str] = {}
        """By the service's own numbers, for messages that have no hardware id."""
        self._domains: dict[int, Domain] = {}
        self._admin: bool | None = None
        self._online = 0
        self._full = False
        # While the list is fetched and worked through, what is told waits.
        self._held: deque[Indication] | None = None
        self._counting: CALLBACK_TYPE | None = None
        self._count_again = False
        self._codes: dict[str, tuple[int | None, datetime | None]] = {}
        self._spent: deque[str] = deque(maxlen=REMEMBERED_CODES)
        self._returns = 0

    @override
    async def async_start(self) -> None:
        """Log in, list the devices, and go on listening."""
        self._service = self.add_device(
            self._prefix,
            SERVICE,
            entry_type=dr.DeviceEntryType.SERVICE,
            manufacturer=MANUFACTURER,
            translation_key=SERVICE,
            translation_placeholders={"domain": self.entry.data[CONF_DOMAIN]},
        )
        try:
            await self._async_connect(announce=False)
        except InvalidAuth as err:
            raise ConfigEntryAuthFailed(
                translation_domain=DOMAIN,
                translation_key="login_refused",
                translation_placeholders={"name": self.entry.title},
            ) from err
        except (Refusal, WireError) as err:
            raise ConfigEntryNotReady(
                translation_domain=DOMAIN,
                translation_key="service_unreachable",
                translation_placeholders={"name": self.entry.title},
            ) from err
        self._staying = self.entry.async_create_background_task(
            self.hass, self._async_stay(), f"Stay connected to {self.entry.title}"
        )

    @override
    async def async_stop(self) -> None:
        """End the connection."""
        await super().async_stop()
        if self._staying is not None:
            self._staying.cancel()
            await asyncio.gather(self._staying, return_exceptions=True)
        if self._connection is not None:
            await self._connection.close()
        if self._counting is not None:
            self._counting()

    @override
    def diagnostics(self) -> Mapping[str, Any]:
        """Return what the service has told, in numbers."""
        return {
            "connected": self._connection is not None,
            "returns": self._returns,
            "admin": self._admin,
            "domains": len(self._domains),
            "devices": dict(
                Counter(str(member.told.type) for member in self._members.values())
            ),
            "online": self._online,
            "codes": len(self._codes),
        }

    # --- The connection

    async def _async_stay(self) -> None:
        """Come back whenever the connection is lost, until a login is refused."""
        backoff = Backoff()
        while self._connection is not None:
            since = self.hass.loop.time()
            await self._connection.wait_closed()
            await self._connection.close()
            self._connection = None
            _LOGGER.warning("The connection to %s is lost", self.entry.title)
            self._show_reached(False)
            await self._async_show_devices_reached(False)
            if self.hass.loop.time() - since >= LASTING:
                backoff.reset()
            if await self._async_come_back(backoff):
                _LOGGER.info("%s is connected again", self.entry.title)
                self._returns += 1
                await self._async_show_devices_reached(True)
                await self._async_ask_for_codes()

    async def _async_come_back(self, backoff: Backoff) -> bool:
        """Try until it succeeds, or until it must not be tried again; return which."""
        while True:
            await asyncio.sleep(backoff.next())
            try:
                await self._async_connect(announce=True)
            except InvalidAuth:
                # To try again could look like an attack.
                self.entry.async_start_reauth(self.hass)
                return False
            except (Refusal, WireError) as err:
                _LOGGER.debug(
                    "%s cannot be reached: %s", self.entry.title, type(err).__name__
                )
            else:
                return True

    async def _async_connect(self, *, announce: bool) -> None:
        """Log in and bring the devices up to date.

        Everything is new with a connection: key, subscriptions, and perhaps the list.
        """
        self._held = deque()
        connection = await self.client.connect(self._hear)
        try:
            domains = await self._async_domains(connection)
            self._domains = {domain.id: domain for domain in domains}
            self._admin = (await connection.user_info()).admin
            listed = await connection.devices(recv_updates=True)
        except BaseException:
            await connection.close()
            raise
        self._connection = connection
        # Before the devices, or nobody would hear what has become of them.
        self._show_reached(True)
        await self._async_reconcile(listed, announce=announce)

    async def _async_domains(self, connection: Connection) -> list[Domain]:
        """Return the domains, of which nothing depends."""
        try:
            return await connection.domains(recv_updates=True)
        except Refusal as err:
            _LOGGER.debug("The domains are refused: %s", err)
            return []

    async def _async_reconcile(
        self, listed: list[DeviceObject], *, announce: bool
    ) -> None:
        """Make the devices those of a list, and then catch up with what was told since.

        The list may be older than what was told while it came: indications win.
        """
        assert self._held is not None
        breather = Breather()
        gone = dict(self._members)
        for told in listed:
            await breather.breathe()
            gone.pop(told.hw_id, None)
            self._take(told, announce=announce)
        told_of = {
            one.device.hw_id for one in self._held if isinstance(one, DeviceTold)
        }
        for hw_id, member in gone.items():
            await breather.breathe()
            if hw_id not in told_of and self._members.get(hw_id) is member:
                self._remove(member)
        while self._held:
            self._follow(self._held.popleft())
            await breather.breathe()
        self._held = None
        self._show_counts()

    @callback
    def _show_reached(self, reached: bool) -> None:
        """Show whether the service can be reached."""
        self._service.publish("connection", reached)
        self._service.set_available(reached)

    async def _async_show_devices_reached(self, reached: bool) -> None:
        """Show whether the devices of the service can be known."""
        breather = Breather()
        for member in tuple(self._members.values()):
            await breather.breathe()
            member.device.set_available(reached)

    # --- What the service tells

    @callback
    def _hear(self, indication: Indication) -> None:
        """Follow what is told, or keep it until the list has been worked through."""
        if self._held is None:
            self._follow(indication)
        else:
            self._held.append(indication)

    @callback
    def _follow(self, indication: Indication) -> None:
        """Do what an indication is about."""
        match indication:
            case DeviceTold(device):
                self._take_news(device)
            case DeviceRemoved(device):
                if (member := self._member_of(device)) is not None:
                    self._remove(member)
            case DeviceProvisioned(device, code):
                self._provisioned(device, code)
            case DomainTold(domain):
                self._domains[domain.id] = domain
            case DomainDeleted(number):
                self._domains.pop(number, None)

    @callback
    def _take_news(self, news: DeviceNews) -> None:
        """Add a device, or bring it up to date; no document says which parts are sent."""
        if (member := self._member_of(news)) is not None:
            self._update(member, news.onto(member.told))
            return
        with suppress(MalformedMessageError):
            self._take(news.alone(), announce=True)

    @callback
    def _take(self, told: DeviceObject, *, announce: bool) -> None:
        """Take over all that is known of a device."""
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
                    self.entry.title,
                    MAX_DEVICES,
                )
            return
        device = self.add_device(
            f"{self._prefix}_{told.hw_id}",
            DEVICE,
            via=self._service,
            values=_values(told),
            connections=(
                {(dr.CONNECTION_NETWORK_MAC, told.mac)} if told.mac else set()
            ),
            serial_number=told.hw_id,
            **_properties(told),
        )
        device.set_available(self._service.available)
        self._members[told.hw_id] = _Member(device, told)
        self._hw_ids[told.id] = told.hw_id
        self._online += told.online is True
        self._count_soon()
        if announce:
            self._say(InventoryEvent.ADDED, told)

    @callback
    def _update(self, member: _Member, told: DeviceObject) -> None:
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
            self.update_device(member.device, **changes)
        self._online += (told.online is True) - (before.online is True)
        self._count_soon()

    @callback
    def _remove(self, member: _Member) -> None:
        """Show a device no longer."""
        told = member.told
        del self._members[told.hw_id]
        self._forget_number(told)
        self._online -= told.online is True
        self.remove_device(member.device)
        self._count_soon()
        self._say(InventoryEvent.REMOVED, told)

    @callback
    def _member_of(self, news: DeviceNews) -> _Member | None:
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
        if self._held is not None:
            return
        if self._counting is not None:
            self._count_again = True
            return
        self._show_counts()
        self._counting = async_call_later(self.hass, COUNT_INTERVAL, self._count)

    @callback
    def _count(self, _: datetime) -> None:
        self._counting = None
        if self._count_again:
            self._count_again = False
            self._count_soon()

    @callback
    def _show_counts(self) -> None:
        self._service.publish("devices_online", self._online)
        self._service.publish("devices_total", len(self._members))

    @callback
    def _say(
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

    # --- Provisioning

    async def async_provisioning_code(
        self,
        category: str,
        *,
        domain_id: int | None,
        sip: str | None,
        rollout: bool,
        administrative: bool,
    ) -> ProvisioningCode:
        """Have a code made, and wait for its use."""
        code = await self.async_ask(
            lambda connection: connection.provisioning_code(
                category,
                domain_id=domain_id,
                sip=sip,
                rollout=rollout,
                administrative=administrative,
            )
        )
        self._codes[code.code] = (domain_id, code.valid_until)
        if len(self._codes) > REMEMBERED_CODES:
            del self._codes[next(iter(self._codes))]
        return code

    async def async_provisioned_device(
        self, code: str, domain_id: int | None
    ) -> DeviceObject | None:
        """Return the device at which a code was typed."""
        news = await self.async_ask(
            lambda connection: connection.provisioned_device(code, domain_id=domain_id)
        )
        return None if news is None else self._learn_use(code, news)

    async def _async_ask_for_codes(self) -> None:
        """Ask for the codes that may have been used while nobody listened.

        The service then also tells this connection of those that are used later.
        """
        assert self._connection is not None
        connection = self._connection
        for code, (domain_id, valid_until) in tuple(self._codes.items()):
            if valid_until is not None and valid_until < dt_util.utcnow():
                self._codes.pop(code, None)
                continue
            try:
                news = await connection.provisioned_device(code, domain_id=domain_id)
            except Refusal:
                self._codes.pop(code, None)
            except WireError as err:
                _LOGGER.debug("A code cannot be asked for: %s", type(err).__name__)
                return
            else:
                if news is not None:
                    self._learn_use(code, news)

    @callback
    def _learn_use(self, code: str, news: DeviceNews) -> DeviceObject | None:
        """Tell of a code's use if it was waited for; return the device."""
        if code in self._codes:
            self._provisioned(news, code)
        if (member := self._member_of(news)) is not None:
            return member.told
        try:
            return news.alone()
        except MalformedMessageError:
            return None

    @callback
    def _provisioned(self, news: DeviceNews | None, code: str | None) -> None:
        """Tell that a code was used, once."""
        if code is not None:
            if code in self._spent:
                return
            self._spent.append(code)
            self._codes.pop(code, None)
        told: DeviceObject | None = None
        if news is not None:
            self._take_news(news)
            if (member := self._member_of(news)) is not None:
                told = member.told
            else:
                with suppress(MalformedMessageError):
                    told = news.alone()
        self._say(InventoryEvent.PROVISIONED, told, code)

    # --- What the service and its devices are asked

    async def async_ask[ReplyT](
        self, ask: Callable[[Connection], Awaitable[ReplyT]]
    ) -> ReplyT:
        """Ask the service something.

        Raises:
            HomeAssistantError: it refuses, does not answer, or cannot be reached.

        """
        return await self._async_ask(ask, self.entry.title, _FAILURES)

    async def async_devices(
        self,
        domain_ids: tuple[int, ...],
        categories: tuple[str, ...],
        unassigned: bool,
    ) -> list[DeviceObject]:
        """List the devices that a filter lets through; without a filter, all.

        Over a connection of its own: no document says whether a second list replaces
        the filter of the first, whose changes we want to hear of.
        """

        async def ask(_: Connection) -> list[DeviceObject]:
            async with self.client.connected() as connection:
                return await connection.devices(
                    domain_ids=domain_ids,
                    categories=categories,
                    unassigned=unassigned or None,
                )

        return await self.async_ask(ask)

    async def async_fxs_devices(
        self,
        domain_ids: tuple[int, ...],
        types: tuple[str, ...],
        hw_ids: tuple[str, ...],
    ) -> list[DeviceObject]:
        """List the devices with interfaces for analogue telephones.

        The service searches one domain at a time; without any, that of the login.
        """

        async def ask(connection: Connection) -> list[DeviceObject]:
            return [
                device
                for domain_id in domain_ids or tuple(self._domains) or (None,)
                for device in await connection.filtered_devices(
                    domain_id=domain_id, only_fxs=True, types=types, hw_ids=hw_ids
                )
            ]

        return await self.async_ask(ask)

    async def async_pass_through(
        self, device: Device, method: str, path: str, body: str | None = None
    ) -> PassthroughReply:
        """Have a device's own web server answer a request, one at a time.

        Raises:
            HomeAssistantError: it does not answer, or cannot be reached.
            ServiceValidationError: the path leads elsewhere.

        """
        member = self._members[device.uid.removeprefix(f"{self._prefix}_")]
        name = _name_of(device)
        if member.told.third_party:
            raise ServiceValidationError(
                translation_domain=DOMAIN,
                translation_key="third_party_device",
                translation_placeholders={"name": name},
            )
        if member.told.online is False:
            raise HomeAssistantError(
                translation_domain=DOMAIN,
                translation_key="device_offline",
                translation_placeholders={"name": name},
            )
        async with member.turn:
            try:
                return await self._async_ask(
                    lambda connection: connection.pass_through(
                        member.told.hw_id, method, path, body
                    ),
                    name,
                    _PASSTHROUGH_FAILURES,
                )
            except ValueError as err:
                raise ServiceValidationError(
                    translation_domain=DOMAIN, translation_key="invalid_path"
                ) from err

    async def async_restart(self, device: Device) -> None:
        """Have a device restart as soon as nobody uses it."""
        reply = await self.async_pass_through(device, "GET", PASSTHROUGH_RESTART)
        if reply.body.strip() == UNKNOWN_COMMAND:
            raise HomeAssistantError(
                translation_domain=DOMAIN,
                translation_key="not_supported",
                translation_placeholders={"name": _name_of(device)},
            )
        if reply.status >= 300:
            raise HomeAssistantError(
                translation_domain=DOMAIN,
                translation_key="refused",
                translation_placeholders={
                    "name": _name_of(device),
                    "code": str(reply.status),
                },
            )

    async def _async_ask[ReplyT](
        self,
        ask: Callable[[Connection], Awaitable[ReplyT]],
        name: str,
        failures: Mapping[type[WireError], str],
    ) -> ReplyT:
        """Ask, and tell the user what went wrong in their own language."""
        if self._connection is None:
            raise self._unreachable()
        try:
            return await ask(self._connection)
        except Refusal as err:
            raise HomeAssistantError(
                translation_domain=DOMAIN,
                translation_key="refused_because",
                translation_placeholders={"name": name, "reason": err.reason},
            ) from err
        except WireError as err:
            key = failures.get(type(err), "service_unreachable")
            raise HomeAssistantError(
                translation_domain=DOMAIN,
                translation_key=key,
                translation_placeholders={"name": name},
            ) from err

    def _unreachable(self) -> HomeAssistantError:
        return HomeAssistantError(
            translation_domain=DOMAIN,
            translation_key="service_unreachable",
            translation_placeholders={"name": self.entry.title},
        )


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


def _name_of(device: Device) -> str:
    """Return what the user calls a device."""
    return device.entry.name_by_user or device.entry.name or device.uid
