"""innovaphone's Devices: an app service on an App Platform, spoken to over a websocket.

Written from the vendor's document of the service `com.innovaphone.devices` and from
what public clients tell of the rest. Where these leave room, the choice is an attribute
of `Innovaphone`.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
import itertools
import secrets
import time
from typing import Any, Literal, override
import uuid

from aiohttp import web

from .innovaphone_app_service import (
    MESSAGE_LIMIT,
    Answer,
    AppService,
    Connection,
    KeepAlive,
    Message,
    Refusal,
    Subscription,
)
from .innovaphone_devices import (
    UNASSIGNED,
    CategoryRecord,
    ConfigRecord,
    DeviceFilter,
    DeviceRecord,
    DomainRecord,
    changed_members,
    device_members,
    invented_categories,
    invented_configs,
    invented_devices,
)
from .innovaphone_login import compact, encrypt
from .innovaphone_passthrough import Passthrough, PassthroughRequest

# Both apps of the service; the second has no user interface.
APPS = ("innovaphone-devices", "innovaphone-devices-api")

# How long a provisioning code is valid, in seconds; the second for a rollout.
CODE_LIFETIME = 15 * 60
ROLLOUT_LIFETIME = 7 * 24 * 3600

# Encrypted members of configurations, and where older releases take the seed from.
SEEDS = {"turnPassword": "turnServer", "logPassword": "url"}

# In these, an encrypted member has the value of another one as its seed.
BEFORE_SEEDS = ("13r1", "13r2")

type Release = Literal["13r1", "13r2", "13r3", "14r1"]
type Kind = Literal["devices", "domains", "configs"]

# Whose subscribers are told; all clients are told of anything else.
INDICATIONS: dict[str, Kind] = {
    "DeviceAdded": "devices",
    "DeviceUpdate": "devices",
    "DeviceRemoved": "devices",
    "DomainAdded": "domains",
    "DomainEdited": "domains",
    "DomainDeleted": "domains",
    "DeviceConfigAdded": "configs",
    "DeviceConfigEdited": "configs",
    "DeviceConfigDeleted": "configs",
}


def wall_clock() -> float:
    """Return the seconds since 1970, also when a test has frozen them."""
    return time.time()


@dataclass
class Provisioning:
    """A provisioning code.

    Attributes:
        code: What is typed at the device.
        domain_id: The domain that the device gets into.
        category: The name of the category that it gets.
        sip: Whose device it will be, if that was told.
        administrative: Whether it gets the domain's password.
        valid_until: In seconds since 1970.
        hw_id: The device that used the code.
        waiting: Who is told when one does, with the `src` to tell it with.
    """

    code: str
    domain_id: int
    category: str
    sip: str | None
    administrative: bool
    valid_until: int
    hw_id: str | None = None
    waiting: dict[Connection, str | None] = field(default_factory=dict, repr=False)


class Innovaphone(AppService):
    """Devices, on a loopback port, with the devices of all domains.

    Attributes:
        release: What it is; 13r1 has `GetLoginInfo`, and seeds come with 13r3.
        page_size: Most elements in one message of a list.
        says_not_last: Whether `last` is false in all but the last of these, not absent.
        chunk_size: Most characters of a configuration's value in one message.
        indication_src: Whether indications repeat the `src` of their subscription.
            That of DeviceProvisioned is documented, and comes in any case.
        full_updates: Whether DeviceUpdate has the whole device, or what changed.
        subscriptions_add_up: Whether a second subscription leaves the first in place.
        provisioned_device_as_array: Whether GetProvisionedDeviceResult has the device
            as in the document's example, or as in its table.
        device_uris: Whether provisioned devices have a `uri`.
        mislabelled_categories: Whether GetProvisioningCategoriesResult has the type of
            the document's example.
        log_seed: Before 13r3, what the password of an ALARM_SERVER has as its seed;
            the document's "url" may be either.
        new_keys: Whether each GetUserInfo gets a new key; the older ones stay valid.
        restart_time: How long devices take to restart, in seconds.
        devices: By their hardware ids.
        categories: Of all domains.
        configs: By their numbers.
        provisionings: By their codes.
        passthrough: The devices' own web servers.
    """

    def __init__(
        self,
        *,
        port: int = 0,
        path: str = "/example.com/devices/innovaphone-devices-api",
        domain: str = "example.com",
        password: str = "demoInstance01",
        domain_passwords: Mapping[str, str] | None = None,
        release: Release = "14r1",
        tls: bool = False,
        page_size: int = 100,
        indication_src: bool = False,
        full_updates: bool = True,
        keepalive: KeepAlive = "silent",
        provisioned_device_as_array: bool = True,
        mislabelled_categories: bool = False,
        info: bool = True,
        devices: Iterable[DeviceRecord] | int = 9,
        clock: Callable[[], float] = wall_clock,
    ) -> None:
        """Take its domains, devices and habits; it serves once started.

        Args:
            port: Where; 0 is any free one.
            path: Of the app object's URL.
            domain: Name of the instance's domain, which gets number 1.
            password: Of the instance.
            domain_passwords: By the names of domains, which get the next numbers.
            release: As the attribute.
            tls: Whether it is spoken to with TLS.
            page_size: As the attribute.
            indication_src: As the attribute.
            full_updates: As the attribute.
            keepalive: As the attribute.
            provisioned_device_as_array: As the attribute.
            mislabelled_categories: As the attribute.
            info: As the attribute.
            devices: Its devices, or how many are to be invented.
            clock: Returns the seconds since 1970.
        """
        passwords = dict(domain_passwords or {})
        super().__init__(
            port,
            path=path,
            domain=domain,
            password=password,
            domains=[
                DomainRecord(number, name, passwords.get(name))
                for number, name in enumerate(dict.fromkeys([domain, *passwords]), 1)
            ],
            apps=APPS,
            tls=tls,
        )
        self.info = info
        self.keepalive = keepalive
        self.release: Release = release
        self.page_size = page_size
        self.says_not_last = False
        self.chunk_size = 10_000
        self.indication_src = indication_src
        self.full_updates = full_updates
        self.subscriptions_add_up = False
        self.provisioned_device_as_array = provisioned_device_as_array
        self.device_uris = True
        self.mislabelled_categories = mislabelled_categories
        self.log_seed: Literal["url", "logUrl"] = "url"
        self.new_keys = False
        self.restart_time: float = 0
        self.devices: dict[str, DeviceRecord] = {}
        self.categories = invented_categories()
        self.configs = {config.id: config for config in invented_configs()}
        self.provisionings: dict[str, Provisioning] = {}
        self.passthrough = Passthrough(self._restart)
        self._clock = clock
        self._numbers = itertools.count(1)
        self._ids: set[int] = set()
        self._between: deque[Callable[[], Awaitable[object]]] = deque()
        self._restarting: dict[str, asyncio.TimerHandle] = {}
        for device in (
            invented_devices(devices) if isinstance(devices, int) else devices
        ):
            self._take_in(device)

    @override
    async def stop(self) -> None:
        """Leave the network: connections break, and new ones are refused."""
        await super().stop()
        # A device starts although the service stops.
        for hw_id in list(self._restarting):
            self._come_back(hw_id)

    @override
    def _add_routes(self, router: web.UrlDispatcher) -> None:
        router.add_route(
            "*",
            f"{self.base}/passthrough/{{hw_id}}/{{key}}/{{path:.*}}",
            self._pass_through,
        )

    async def update(self, hw_id: str, **changes: Any) -> None:
        """Change attributes of a device and tell of it.

        Who filters for such devices as it was, but not as it is, is told that it was
        removed; who does so the other way around, that it was added.

        Raises:
            KeyError: There is no such device.
            TypeError: A device has no such attribute.
        """
        self._change(hw_id, changes)

    async def add(self, device: DeviceRecord) -> None:
        """Add a device and tell of it.

        Raises:
            ValueError: There is one with its hardware id.
        """
        if device.hw_id in self.devices:
            raise ValueError(f"{device.hw_id} is there already")
        self._take_in(device)
        self._tell("DeviceAdded", device, self._listeners("devices", device))

    async def remove(self, hw_id: str) -> None:
        """Remove a device and tell of it.

        Raises:
            KeyError: There is no such device.
        """
        device = self.devices.pop(hw_id)
        self._tell("DeviceRemoved", device, self._listeners("devices", device))

    async def provision(self, code: str, device: DeviceRecord) -> None:
        """Let a device be provisioned with a code, and tell who waits for it.

        A device that is known already gets into the code's domain; it is told of as
        by `update`, and a new one as by `add`.

        Raises:
            ValueError: There is no such code, or it is too old or used.
        """
        provisioning = self.provisionings.get(code)
        if provisioning is None or provisioning.hw_id is not None:
            raise ValueError(f"{code} is no code that waits for a device")
        if self._clock() > provisioning.valid_until:
            raise ValueError(f"{code} is too old")
        provisioning.hw_id = device.hw_id
        place = {
            "domain_id": provisioning.domain_id,
            "categories": (provisioning.category,),
        }
        if device.hw_id in self.devices:
            self._change(device.hw_id, place)
        else:
            for name, value in place.items():
                setattr(device, name, value)
            await self.add(device)
        device = self.devices[device.hw_id]
        waiting, provisioning.waiting = provisioning.waiting, {}
        for connection, src in waiting.items():
            if connection in self.connections:
                message = {
                    "mt": "DeviceProvisioned",
                    "device": self._members_for(connection, device),
                    "code": code,
                }
                connection.send(compact(message), src)

    async def all_offline(self) -> None:
        """Take all devices off line, with an indication for each."""
        await self._set_online(online=False)

    async def all_online(self) -> None:
        """Bring all devices back on line, with an indication for each."""
        await self._set_online(online=True)

    async def add_domain(self, domain: DomainRecord) -> None:
        """Add a domain and tell of it.

        Raises:
            ValueError: There is one with its number.
        """
        if domain.id in self.domains:
            raise ValueError(f"domain {domain.id} is there already")
        self.domains[domain.id] = domain
        self._tell_of_domain("DomainAdded", domain)

    async def edit_domain(self, domain_id: int, **changes: Any) -> None:
        """Change attributes of a domain and tell of it.

        Raises:
            KeyError: There is no such domain.
            TypeError: A domain has no such attribute.
        """
        domain = self.domains[domain_id]
        for name, value in changes.items():
            _set(domain, name, value)
        self._tell_of_domain("DomainEdited", domain)

    async def delete_domain(self, domain_id: int) -> None:
        """Delete a domain and tell of it; its devices are left as they are.

        Raises:
            KeyError: There is no such domain.
        """
        del self.domains[domain_id]
        text = compact({"mt": "DomainDeleted", "id": domain_id})
        self._send_to(self._listeners("domains", domain_id), text)

    async def indicate(self, message: Message) -> None:
        """Send any indication to those who subscribed to its kind, or else to all."""
        kind = INDICATIONS.get(str(message.get("mt")))
        listeners: dict[Connection, str | None] = {}
        for connection in self.connections:
            if kind is None and connection.login is not None:
                listeners[connection] = None
            elif kind is not None and connection.subscriptions[kind]:
                listeners[connection] = connection.subscriptions[kind][-1].src
        self._send_to(listeners, compact(message))

    def between_pages(
        self, callback: Callable[[], Awaitable[object]], times: int = 1
    ) -> None:
        """Let something happen between the next two messages of a list."""
        self._between.extend([callback] * times)

    @property
    @override
    def _answers(self) -> Mapping[str, Answer]:
        user_info = "GetLoginInfo" if self.release == "13r1" else "GetUserInfo"
        return {
            user_info: self._tell_user,
            "GetProvisioningCategories": self._list_categories,
            "GetProvisioningCode": self._make_code,
            "GetProvisionedDevice": self._tell_provisioned,
            "GetDomains": self._list_domains,
            "GetDevices": self._list_devices,
            "GetFilteredDevices": self._list_filtered_devices,
            "GetDeviceConfigs": self._list_configs,
            "GetDeviceConfig": self._tell_config,
        }

    async def _tell_user(self, connection: Connection, request: Message) -> None:
        """Tell who is logged in, and the key for passthrough."""
        if self.new_keys or not connection.keys:
            connection.keys.append(str(uuid.uuid4()))
        self._reply(
            connection,
            request,
            {"key": connection.keys[-1], "admin": connection.admin},
        )

    async def _list_categories(self, connection: Connection, request: Message) -> None:
        """List a domain's provisioning categories."""
        domain_id = self._domain_of(connection, request)
        suitable: set[int] | None = None
        if request.get("type") == "PHONE":
            suitable = self._phone_categories(domain_id)
        await self._send_list(
            connection,
            request,
            "categories",
            [
                category
                for category in self.categories
                if category.domain_id == domain_id
                and category.config
                and (suitable is None or category.id in suitable)
            ],
            lambda category: compact(
                {
                    "id": category.id,
                    "name": category.name,
                    "domainId": category.domain_id,
                    "config": category.config,
                }
            ),
            mt=request["mt"] if self.mislabelled_categories else None,
        )

    def _phone_categories(self, domain_id: int) -> set[int]:
        """Return the categories for which there are configurations of phones."""
        categories: set[int] = set()
        for config in self.configs.values():
            if config.domain_id == domain_id and config.type in {"PHONE", "FXS_PHONE"}:
                # One without categories is for all of them.
                categories |= set(config.categories) or {
                    category.id for category in self.categories
                }
        return categories

    async def _make_code(self, connection: Connection, request: Message) -> None:
        """Make a provisioning code, and remember who waits for its device."""
        domain_id = self._domain_of(connection, request)
        name = request.get("category")
        if not any(
            category.name == name
            and category.domain_id == domain_id
            and category.config
            for category in self.categories
        ):
            raise Refusal("unknown category")
        code = "".join(secrets.choice("0123456789") for _ in range(12))
        lifetime = ROLLOUT_LIFETIME if request.get("rollout") else CODE_LIFETIME
        provisioning = self.provisionings[code] = Provisioning(
            code,
            domain_id,
            str(name),
            request.get("sip"),
            bool(request.get("administrative")),
            int(self._clock()) + lifetime,
        )
        provisioning.waiting[connection] = request.get("src")
        self._reply(
            connection,
            request,
            {"code": code, "validUntil": provisioning.valid_until},
        )

    async def _tell_provisioned(self, connection: Connection, request: Message) -> None:
        """Tell of the device that used a code, or remember who waits for it."""
        domain_id = self._domain_of(connection, request)
        provisioning = self.provisionings.get(str(request.get("code")))
        if provisioning is None or provisioning.domain_id != domain_id:
            raise Refusal("unknown code")
        result: Message = {"code": provisioning.code}
        if provisioning.hw_id is None:
            provisioning.waiting[connection] = request.get("src")
        elif provisioning.hw_id in self.devices:
            device = self.devices[provisioning.hw_id]
            members = self._members_for(connection, device)
            result["device"] = (
                [members] if self.provisioned_device_as_array else members
            )
        self._reply(connection, request, result)

    async def _list_domains(self, connection: Connection, request: Message) -> None:
        """List the domains that the login has access to."""
        self._subscribe(connection, request, "domains", connection.may_see)
        await self._send_list(
            connection,
            request,
            "domains",
            [
                domain
                for domain in self.domains.values()
                if connection.may_see(domain.id)
            ],
            lambda domain: compact(self._domain_members(domain)),
        )

    async def _list_devices(self, connection: Connection, request: Message) -> None:
        """List devices, and tell of their changes from now on."""
        wanted = DeviceFilter(
            visible=None if connection.admin else connection.domain_ids,
            domain_ids=frozenset(_numbers(request, "domainIds")),
            categories=frozenset(_names(request, "categories")),
            subcategories=frozenset(_names(request, "subcategories")),
            unassigned=request.get("unassigned") is True,
        )
        self._subscribe(connection, request, "devices", wanted.matches)
        await self._send_devices(connection, request, wanted.matches)

    async def _list_filtered_devices(
        self, connection: Connection, request: Message
    ) -> None:
        """List devices of one domain."""
        domain_id = self._domain_of(connection, request)
        types = request.get("types") or ()
        hw_ids = _names(request, "hwIds")
        await self._send_devices(
            connection,
            request,
            lambda device: (
                device.domain_id == domain_id
                and (device.fxs or request.get("justFxs") is not True)
                and (not types or device.type in types)
                and (not hw_ids or device.hw_id in hw_ids)
            ),
        )

    async def _send_devices(
        self,
        connection: Connection,
        request: Message,
        wanted: Callable[[DeviceRecord], bool],
    ) -> None:
        """Send devices as they are when their message is sent."""

        def write(device: DeviceRecord) -> str | None:
            if device.hw_id not in self.devices:
                return None
            return compact(self._members(device))

        devices = [device for device in self.devices.values() if wanted(device)]
        await self._send_list(connection, request, "devices", devices, write)

    async def _list_configs(self, connection: Connection, request: Message) -> None:
        """List a domain's device configurations, without their values."""
        domain_id = self._domain_of(connection, request)
        self._subscribe(
            connection, request, "configs", lambda number: number == domain_id
        )
        await self._send_list(
            connection,
            request,
            "configs",
            [
                config
                for config in self.configs.values()
                if config.domain_id == domain_id
            ],
            lambda config: compact(self._config_members(config)),
        )

    async def _tell_config(self, connection: Connection, request: Message) -> None:
        """Send a device configuration, and what is too long for it before it."""
        domain_id = self._domain_of(connection, request)
        config = self.configs.get(_number(request, "id"))
        if config is None or config.domain_id != domain_id:
            raise Refusal("unknown configuration")
        # The chunks of several values take turns: only their names tell them apart.
        longest = max(map(len, config.long_values.values()), default=0)
        for start in range(0, longest, self.chunk_size):
            for name, text in config.long_values.items():
                if value := text[start : start + self.chunk_size]:
                    self._reply(
                        connection,
                        request,
                        {"name": name, "value": value},
                        mt="GetDeviceConfigValueResult",
                    )
        members = self._config_members(config) | config.values
        for name, seed_name in SEEDS.items():
            if name in config.values:
                if name == "logPassword":
                    seed_name = self.log_seed
                seed = str(config.values.get(seed_name, ""))
                if self.release not in BEFORE_SEEDS:
                    seed = members["seed"] = secrets.token_hex(8)
                members[name] = encrypt(
                    connection.session_key, seed, config.values[name]
                )
        self._reply(connection, request, {"config": members})

    async def _send_list(
        self,
        connection: Connection,
        request: Message,
        name: str,
        elements: Sequence[Any],
        write: Callable[[Any], str | None],
        *,
        mt: str | None = None,
    ) -> None:
        """Send a list in as many messages as it takes.

        Args:
            connection: To whom.
            request: What asked for it.
            name: Of the list in the messages.
            elements: Of the list.
            write: Returns an element's JSON, or None if it is gone meanwhile.
            mt: Type of the messages, if it is not that of the request's result.
        """
        mt = compact(mt or f"{request['mt']}Result")
        src = request.get("src")
        # What is around the list.
        room = MESSAGE_LIMIT - len(compact(src).encode()) - 100
        position = 0
        while True:
            page: list[str] = []
            size = 0
            while position < len(elements) and len(page) < self.page_size:
                text = write(elements[position])
                if text is not None:
                    size += len(text.encode()) + 1
                    if page and size > room:
                        break
                    page.append(text)
                position += 1
            is_last = position == len(elements)
            last = ""
            if is_last or self.says_not_last:
                last = f',"last":{compact(is_last)}'
            connection.send(f'{{"mt":{mt},"{name}":[{",".join(page)}]{last}}}', src)
            if is_last:
                return
            await asyncio.sleep(0)
            if self._between:
                await self._between.popleft()()

    def _subscribe(
        self,
        connection: Connection,
        request: Message,
        kind: Kind,
        wants: Callable[[Any], bool],
    ) -> None:
        """Note who wants to be told of changes. Nothing is known to end that."""
        if request.get("recvUpdates") is not True:
            return
        if not self.subscriptions_add_up:
            connection.subscriptions[kind].clear()
        connection.subscriptions[kind].append(Subscription(wants, request.get("src")))

    def _listeners(self, kind: Kind, subject: Any) -> dict[Connection, str | None]:
        """Return who wants to be told of something, with the `src` to tell it with."""
        return {
            connection: subscription.src
            for connection in self.connections
            for subscription in connection.subscriptions[kind]
            if subscription.wants(subject)
        }

    def _tell(
        self, mt: str, device: DeviceRecord, listeners: Mapping[Connection, str | None]
    ) -> None:
        """Send an indication with a whole device, if anybody wants it."""
        if listeners:
            message = {"mt": mt, "device": self._members(device)}
            self._send_to(listeners, compact(message))

    def _tell_of_domain(self, mt: str, domain: DomainRecord) -> None:
        self._send_to(
            self._listeners("domains", domain.id),
            compact({"mt": mt, "domain": self._domain_members(domain)}),
        )

    def _send_to(self, listeners: Mapping[Connection, str | None], text: str) -> None:
        """Send an indication's text to many."""
        for connection, src in listeners.items():
            connection.send(text, src if self.indication_src else None)

    def _change(self, hw_id: str, changes: Mapping[str, Any]) -> None:
        """Change attributes of a device and tell of it."""
        device = self.devices[hw_id]
        before = self._listeners("devices", device)
        for name, value in changes.items():
            _set(device, name, value)
        self._number(device)
        after = self._listeners("devices", device)
        both = {who: src for who, src in after.items() if who in before}
        if both and not self.full_updates:
            members = changed_members(device, changes)
            self._send_to(both, compact({"mt": "DeviceUpdate", "device": members}))
        else:
            self._tell("DeviceUpdate", device, both)
        self._tell(
            "DeviceAdded",
            device,
            {who: src for who, src in after.items() if who not in before},
        )
        self._tell(
            "DeviceRemoved",
            device,
            {who: src for who, src in before.items() if who not in after},
        )

    async def _set_online(self, *, online: bool) -> None:
        changed = [
            hw_id for hw_id, device in self.devices.items() if device.online != online
        ]
        for count, hw_id in enumerate(changed, 1):
            if hw_id in self.devices:
                self._change(hw_id, {"online": online})
            if count % 100 == 0:
                # Lets the clients read meanwhile.
                await asyncio.sleep(0)

    def _restart(self, device: DeviceRecord) -> None:
        """Take a device off line, and back on line when it has started."""
        self._change(device.hw_id, {"online": False})
        self._restarting[device.hw_id] = asyncio.get_running_loop().call_later(
            self.restart_time, self._come_back, device.hw_id
        )

    def _come_back(self, hw_id: str) -> None:
        self._restarting.pop(hw_id).cancel()
        if hw_id in self.devices:
            self._change(hw_id, {"online": True})

    def _take_in(self, device: DeviceRecord) -> None:
        self.devices[device.hw_id] = device
        self._number(device)

    def _number(self, device: DeviceRecord) -> None:
        """Give a device a number, if it lacks one that it should have."""
        if device.domain_id == UNASSIGNED:
            device.id = device.id or 0
        elif not device.id:
            device.id = next(n for n in self._numbers if n not in self._ids)
        self._ids.add(device.id)

    def _members(self, device: DeviceRecord) -> Message:
        """Return the device object of a device."""
        members = device_members(device)
        if self.release == "13r1":
            # They are not in the document of that release.
            members.pop("other", None)
            members.pop("ethIfs", None)
        return members

    def _members_for(self, connection: Connection, device: DeviceRecord) -> Message:
        """Return the device object with where the device is for one client."""
        members = self._members(device)
        if self.device_uris and connection.keys:
            members["uri"] = (
                f"{self.url}{self.base}/passthrough/{device.hw_id}/{connection.keys[-1]}/"
            )
        return members

    def _domain_members(self, domain: DomainRecord) -> Message:
        """Return the domain object of a domain."""
        return {
            "id": domain.id,
            "name": domain.name,
            "hasRentalProducts": domain.has_rental_products,
            "deployAdminPasswords": domain.deploy_admin_passwords,
            "isInstanceDomain": domain.name == self.domain,
            "categories": [
                _category_members(category)
                for category in self.categories
                if category.domain_id == domain.id
            ],
        }

    def _config_members(self, config: ConfigRecord) -> Message:
        """Return the device configuration object without its values."""
        members: Message = {"id": config.id, "domainId": config.domain_id}
        if config.desc is not None:
            members["desc"] = config.desc
        return members | {
            "type": config.type,
            "categories": [
                _category_members(category)
                for category in self.categories
                if category.id in config.categories
            ],
        }

    def _domain_of(self, connection: Connection, request: Message) -> int:
        """Return the domain that a request is about, which may be the login's.

        Raises:
            Refusal: There is none, or the login has no access to it.
        """
        domain_id = connection.domain_id
        if request.get("domainId") is not None:
            domain_id = _number(request, "domainId")
        if domain_id not in self.domains or not connection.may_see(domain_id):
            raise Refusal("unknown domain")
        return domain_id

    async def _pass_through(self, request: web.Request) -> web.StreamResponse:
        """Hand a request on to a device."""
        hw_id, key, path = (request.match_info[n] for n in ("hw_id", "key", "path"))
        if request.query_string:
            path = f"{path}?{request.query_string}"
        connection = next((c for c in self.connections if key in c.keys), None)
        device = self.devices.get(hw_id)
        if device and not (connection and connection.may_see(device.domain_id)):
            device = None
        return await self.passthrough.answer(
            request,
            PassthroughRequest(hw_id, request.method, path, await request.read()),
            key_valid=connection is not None,
            device=device,
        )


def _category_members(category: CategoryRecord) -> Message:
    """Return the category object that domains and configurations have."""
    return {"id": category.id, "name": category.name, "config": category.config}


def _set(record: DeviceRecord | DomainRecord, name: str, value: Any) -> None:
    """Set an attribute of a record.

    Raises:
        TypeError: It has no such attribute.
    """
    if not hasattr(record, name):
        raise TypeError(f"{type(record).__name__} has no attribute {name}")
    setattr(record, name, value)


def _names(request: Message, name: str) -> list[str]:
    """Return the parts of a text that commas separate; an empty text has none."""
    return [part.strip() for part in str(request.get(name) or "").split(",") if part]


def _numbers(request: Message, name: str) -> list[int]:
    """Return the numbers of such a text.

    Raises:
        Refusal: One is none.
    """
    try:
        return [int(part) for part in _names(request, name)]
    except ValueError:
        raise Refusal(f"bad {name}") from None


def _number(request: Message, name: str) -> int:
    """Return a number.

    Raises:
        Refusal: It is none.
    """
    value = request.get(name)
    if not isinstance(value, int) or isinstance(value, bool):
        raise Refusal(f"bad {name}")
    return value
