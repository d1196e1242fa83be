"""The hub of an innovaphone Devices service: its devices, and who has come and gone."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
import logging
from typing import Any, override

from yarl import URL

from homeassistant.const import CONF_DOMAIN, CONF_PASSWORD, CONF_URL
from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import (
    ConfigEntryAuthFailed,
    ConfigEntryNotReady,
    HomeAssistantError,
    ServiceValidationError,
)
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from homeassistant.util.ssl import get_default_context, get_default_no_verify_context

from ...const import DOMAIN
from ...hub import Device, GatehouseConfigEntry, Hub, Offers
from ...model import InventoryEvent
from ...people import Actor
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
from .codes import Codes
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
    ProvisioningCode,
    Refusal,
)
from .roster import MANUFACTURER, SERVICE, Roster

_LOGGER = logging.getLogger(__name__)

KEY = "innovaphone"

CONF_APP = "app"
CONF_TYPES = "types"
CONF_VERIFY_TLS = "verify_tls"

LASTING = 60.0
"""Seconds that a connection must last, or the next attempt waits longer than this one."""

MAX_DOMAINS = 1000
"""Domains of which the number is kept."""

MAX_HELD = 20_000
"""Things told while the list is fetched; of more the oldest is forgotten."""

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


class InnovaphoneHub(Hub):
    """One login to a Devices service, and the devices that it may see."""

    def __init__(
        self, hass: HomeAssistant, entry: GatehouseConfigEntry, offers: Offers
    ) -> None:
        """Prepare the hub of an entry."""
        super().__init__(hass, entry, offers)
        self.client = make_client(hass, entry.data)
        self._connection: Connection | None = None
        self._staying: asyncio.Task[None] | None = None
        self._domains: dict[int, None] = {}
        self._admin: bool | None = None
        self._codes = Codes()
        # While the list is fetched and worked through, what is told waits.
        self._held: deque[Indication] | None = None
        self._returns = 0

    @override
    async def async_start(self) -> None:
        """Log in, list the devices, and go on listening."""
        self._service = self.add_device(
            f"{KEY}_{self.entry.entry_id}",
            SERVICE,
            entry_type=dr.DeviceEntryType.SERVICE,
            manufacturer=MANUFACTURER,
            translation_key=SERVICE,
            translation_placeholders={"domain": self.entry.data[CONF_DOMAIN]},
        )
        self._roster = Roster(
            self,
            self._service,
            # Translations, and so options, know lower case only.
            (one.upper() for one in self.entry.options.get(CONF_TYPES, ())),
        )
        self.entry.async_on_unload(self._roster.stop)
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

    @override
    def diagnostics(self) -> Mapping[str, Any]:
        """Return what the service has told, in numbers."""
        return {
            "connected": self._connection is not None,
            "returns": self._returns,
            "admin": self._admin,
            "domains": len(self._domains),
            "devices": self._roster.by_type,
            "online": self._roster.online,
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
            await self._roster.async_show_reached(False)
            if self.hass.loop.time() - since >= LASTING:
                backoff.reset()
            if await self._async_come_back(backoff):
                _LOGGER.info("%s is connected again", self.entry.title)
                self._returns += 1
                await self._roster.async_show_reached(True)
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
        self._held = deque(maxlen=MAX_HELD)
        connection = await self.client.connect(self._hear)
        try:
            domains = await self._async_domains(connection)
            self._domains = dict.fromkeys(domain.id for domain in domains[:MAX_DOMAINS])
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
        """Return the domains, on which nothing depends."""
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
        missing = await self._roster.async_take_list(listed, announce=announce)
        for one in self._held:
            if isinstance(one, DeviceTold) and one.device.hw_id is not None:
                missing.pop(one.device.hw_id, None)
        await self._roster.async_drop(missing.values())
        breather = Breather()
        while self._held:
            self._follow(self._held.popleft())
            await breather.breathe()
        self._held = None
        self._roster.show_counts()

    @callback
    def _show_reached(self, reached: bool) -> None:
        """Show whether the service can be reached."""
        self.show_connection(
            self._service,
            reached,
            issue="service_unreachable",
            placeholders={"host": URL(self.entry.data[CONF_URL]).host or ""},
        )
        self._service.set_available(reached)

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
            case DeviceTold(device, added):
                self._roster.take_news(device, added=added)
            case DeviceRemoved(device):
                self._roster.take_leave(device)
            case DeviceProvisioned(device, code):
                self._provisioned(device, code)
            case DomainTold(domain):
                if len(self._domains) < MAX_DOMAINS:
                    self._domains[domain.id] = None
            case DomainDeleted(number):
                self._domains.pop(number, None)

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
        made = await self.async_ask(
            lambda connection: connection.provisioning_code(
                category,
                domain_id=domain_id,
                sip=sip,
                rollout=rollout,
                administrative=administrative,
            )
        )
        self._codes.wait_for(made, domain_id)
        return made

    async def async_provisioned_device(
        self, code: str, domain_id: int | None
    ) -> DeviceObject | None:
        """Return the device at which a code was typed."""
        news = await self.async_ask(
            lambda connection: connection.provisioned_device(code, domain_id=domain_id)
        )
        if news is not None and code in self._codes:
            self._provisioned(news, code)
        return self._roster.known_of(news)

    async def _async_ask_for_codes(self) -> None:
        """Ask for the codes that may have been used while nobody listened.

        The service then also tells this connection of those that are used later.
        """
        assert self._connection is not None
        connection = self._connection
        for code, domain_id in self._codes.valid():
            try:
                news = await connection.provisioned_device(code, domain_id=domain_id)
            except Refusal:
                self._codes.forget(code)
            except LostReply:
                # With the next connection all of them are asked for again.
                return
            except WireError as err:
                _LOGGER.debug("A code cannot be asked for: %s", type(err).__name__)
            else:
                if news is not None:
                    self._provisioned(news, code)

    @callback
    def _provisioned(self, news: DeviceNews | None, code: str | None) -> None:
        """Tell that a code was used, once."""
        if code is not None and not self._codes.spend(code):
            return
        if news is not None:
            # A device at which a code was typed is there, whatever was told before.
            self._roster.take_news(news, added=True)
        self._roster.say(InventoryEvent.PROVISIONED, self._roster.known_of(news), code)

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
        member = self._roster.member(device)
        if member.told.third_party:
            raise ServiceValidationError(
                translation_domain=DOMAIN,
                translation_key="third_party_device",
                translation_placeholders={"name": device.name},
            )
        if member.told.online is False:
            raise HomeAssistantError(
                translation_domain=DOMAIN,
                translation_key="device_offline",
                translation_placeholders={"name": device.name},
            )
        async with member.turn:
            try:
                return await self._async_ask(
                    lambda connection: connection.pass_through(
                        member.told.hw_id, method, path, body
                    ),
                    device.name,
                    _PASSTHROUGH_FAILURES,
                )
            except ValueError as err:
                raise ServiceValidationError(
                    translation_domain=DOMAIN, translation_key="invalid_path"
                ) from err

    async def async_restart(self, device: Device, actor: Actor) -> None:
        """Have a device restart as soon as nobody uses it."""
        reply = await self.async_pass_through(device, "GET", PASSTHROUGH_RESTART)
        if reply.body.strip() == UNKNOWN_COMMAND:
            raise HomeAssistantError(
                translation_domain=DOMAIN,
                translation_key="not_supported",
                translation_placeholders={"name": device.name},
            )
        if reply.status >= 300:
            raise HomeAssistantError(
                translation_domain=DOMAIN,
                translation_key="refused",
                translation_placeholders={
                    "name": device.name,
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
