"""What innovaphone's Devices knows: devices, domains, categories and configurations.

Names and shapes are those of the vendor's document of the service. All devices are
invented: their hardware ids are such as no manufacturer gives to a device.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

# `domainId` of a device that belongs to no domain.
UNASSIGNED = 0

TYPES = ("GW", "VA", "PHONE", "DECT", "APP_PLATFORM")

VERSION = "14r1 sr1 [14.0520/140520/300]"
OLDER_VERSION = "13r2 sr2 [13.6146/136146/400]"


@dataclass(frozen=True)
class EthernetInterface:
    """An ethernet object: an interface's name and addresses, which it may lack."""

    name: str
    ipv4: str | None = None
    ipv6: str | None = None


@dataclass
class DeviceRecord:
    """A device that is, or has been, connected to Devices.

    What is None is not sent.

    Attributes:
        hw_id: Its hardware id: mostly a MAC address without colons, but any text.
        name: As configured.
        domain_id: Its domain, or 0 for none.
        product: Such as IP811.
        version: Of software and hardware.
        type: GW, VA, PHONE, DECT, APP_PLATFORM, or whatever a later release has.
        pbx_active: Whether the PBX is enabled on it.
        online: Whether its own link to Devices is up.
        has_lease_licenses: Whether it has rental licences.
        other: Whether it is another manufacturer's.
        eth_ifs: Its interfaces.
        id: Its number, or None to be given one. Those without a domain have 0, as in
            the document's example.
        categories: Names of its categories, by which requests filter.
        subcategories: Names of its subcategories.
        fxs: Whether it has FXS interfaces, by which requests filter.
        further: Members of its JSON object that the document does not have.
    """

    hw_id: str
    name: str | None = None
    domain_id: int = 1
    product: str = "IP112"
    version: str = VERSION
    type: str = "PHONE"
    pbx_active: bool = False
    online: bool = True
    has_lease_licenses: bool | None = None
    other: bool | None = None
    eth_ifs: tuple[EthernetInterface, ...] | None = None
    id: int | None = None
    categories: tuple[str, ...] = ()
    subcategories: tuple[str, ...] = ()
    fxs: bool = False
    further: dict[str, Any] = field(default_factory=dict)


# The members of a device object, by the attributes that they show.
DEVICE_MEMBERS = {
    "id": "id",
    "hw_id": "hwId",
    "name": "name",
    "domain_id": "domainId",
    "product": "product",
    "version": "version",
    "type": "type",
    "pbx_active": "pbxActive",
    "online": "online",
    "has_lease_licenses": "hasLeaseLicenses",
    "other": "other",
    "eth_ifs": "ethIfs",
}


@dataclass
class DomainRecord:
    """A domain.

    Attributes:
        id: Its number.
        name: Its name, with which clients log in.
        password: With which they do, or None if they cannot.
        granted: Further domains that such a login has access to.
        has_rental_products: Whether rented software or hardware is used within it.
        deploy_admin_passwords: Whether its password is deployed to its devices.
    """

    id: int
    name: str
    password: str | None = None
    granted: tuple[int, ...] = ()
    has_rental_products: bool = False
    deploy_admin_passwords: bool = False


@dataclass
class CategoryRecord:
    """A category.

    Attributes:
        id: Its number.
        domain_id: Its domain.
        name: Its name.
        config: Whether it is used for provisioning and device configurations.
    """

    id: int
    domain_id: int
    name: str
    config: bool = True


@dataclass
class ConfigRecord:
    """A device configuration.

    Attributes:
        id: Its number.
        domain_id: Its domain.
        type: Such as NTP.
        desc: Its description.
        categories: Numbers of the categories that it is for; none means all devices.
        values: The members that its type has; passwords in clear.
        long_values: Those that may be too long for one message.
    """

    id: int
    domain_id: int
    type: str
    desc: str | None = None
    categories: tuple[int, ...] = ()
    values: dict[str, Any] = field(default_factory=dict)
    long_values: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class DeviceFilter:
    """What a `GetDevices` asks for.

    Attributes:
        visible: The domains that the login has access to, or None for everything.
        domain_ids: Only these domains; none means all.
        categories: Only devices of one of these; none means all.
        subcategories: Only devices of one of these too.
        unassigned: Whether those without a domain are wanted.
    """

    visible: frozenset[int] | None = None
    domain_ids: frozenset[int] = frozenset()
    categories: frozenset[str] = frozenset()
    subcategories: frozenset[str] = frozenset()
    unassigned: bool = False

    def matches(self, device: DeviceRecord) -> bool:
        """Return whether a device is asked for."""
        if self.visible is not None and device.domain_id not in self.visible:
            return False
        some = bool(self.domain_ids or self.categories or self.subcategories)
        if device.domain_id == UNASSIGNED:
            return self.unassigned or not some
        if self.unassigned and not some:
            return False
        return (
            (not self.domain_ids or device.domain_id in self.domain_ids)
            and _meets(self.categories, device.categories)
            and _meets(self.subcategories, device.subcategories)
        )


def device_members(device: DeviceRecord) -> dict[str, Any]:
    """Return the device object of a device."""
    return {
        member: _value(getattr(device, name))
        for name, member in DEVICE_MEMBERS.items()
        if getattr(device, name) is not None
    } | device.further


def changed_members(device: DeviceRecord, names: Iterable[str]) -> dict[str, Any]:
    """Return a device object with nothing but what has changed, and whose it is.

    A text that is gone is sent as an empty one, as its absence would say nothing.
    """
    members: dict[str, Any] = {"id": device.id, "hwId": device.hw_id}
    for name in names:
        if name == "further":
            members |= device.further
        elif name in DEVICE_MEMBERS:
            value = getattr(device, name)
            members[DEVICE_MEMBERS[name]] = "" if value is None else _value(value)
    return members


def invented_devices(count: int, domain_id: int = 1) -> list[DeviceRecord]:
    """Return so many devices: first all kinds that there are, and then phones."""
    handful = _handful(domain_id)
    phones = [
        DeviceRecord(
            f"02903301{number:04x}",
            f"Phone {number}",
            domain_id,
            product=("IP112", "IP222", "IP111")[number % 3],
            eth_ifs=_addresses(number),
            categories=("Offices",),
        )
        for number in range(len(handful) + 1, count + 1)
    ]
    return (handful + phones)[:count]


def invented_categories(domain_id: int = 1) -> list[CategoryRecord]:
    """Return a domain's categories."""
    return [
        CategoryRecord(1, domain_id, "Offices"),
        CategoryRecord(2, domain_id, "Doors"),
        CategoryRecord(3, domain_id, "Archive", config=False),
    ]


def invented_configs(domain_id: int = 1) -> list[ConfigRecord]:
    """Return a device configuration of each type."""
    telephony = {
        "gk1": "192.0.2.2",
        "gkId": "example.com",
        "coder": "OPUS-WB",
        "frameSize": 20,
        "exclusive": False,
        "srtpKey": "0",
        "srtpCipher": "0",
        "dialTone": 15,
    }
    script = "".join(
        f"mod cmd UP0 /step {number} /note Grüße\r\n" for number in range(2000)
    )
    return [
        ConfigRecord(
            1,
            domain_id,
            "ALARM_SERVER",
            "Alarms",
            values={
                "url": "http://192.0.2.9/alarms",
                "logUrl": "http://192.0.2.9/log",
                "logUser": "log",
                "logPassword": "inventedLogPassword",
                "setLogUrl": True,
            },
        ),
        ConfigRecord(2, domain_id, "EXPERT", "Script", long_values={"script": script}),
        ConfigRecord(
            3,
            domain_id,
            "FXS_PHONE",
            categories=(2,),
            values={**telephony, "fax": True},
        ),
        ConfigRecord(
            4,
            domain_id,
            "MEDIA",
            values={
                "stunServer": "stun.example.com",
                "turnServer": "turn.example.com",
                "turnUser": "turn",
                "turnPassword": "inventedTurnPassword",
                "tosRtp": "0xb8",
                "setRtpPorts": True,
                "rtpFirst": 16384,
                "rtpNum": 128,
            },
        ),
        ConfigRecord(
            5,
            domain_id,
            "NTP",
            "Time",
            values={
                "ntp1": "192.0.2.3",
                "ntp2": "192.0.2.4",
                "tz": "CET-1CEST-2,M3.5.0/2,M10.5.0/3",
            },
        ),
        ConfigRecord(
            6,
            domain_id,
            "PHONE",
            "Office phones",
            categories=(1,),
            values={**telephony, "audioOnly": False, "protectCfg": True},
        ),
        ConfigRecord(7, domain_id, "TLS_PROFILE", values={"profile": "secure"}),
    ]


def _handful(domain_id: int) -> list[DeviceRecord]:
    """Return a device of every kind."""
    return [
        DeviceRecord(
            "029033000001",
            "Reception",
            domain_id,
            eth_ifs=_addresses(1),
            categories=("Offices",),
        ),
        DeviceRecord(
            "029033000002",
            "Door adapter",
            domain_id,
            product="IP29-2",
            type="GW",
            eth_ifs=_addresses(2),
            categories=("Doors",),
            fxs=True,
        ),
        DeviceRecord(
            "029033000003",
            "Gateway",
            domain_id,
            product="IP811",
            type="GW",
            pbx_active=True,
            has_lease_licenses=True,
            eth_ifs=(*_addresses(3), EthernetInterface("ETH1")),
            fxs=True,
        ),
        DeviceRecord(
            "029033000004",
            "Hall",
            domain_id,
            product="IP1203",
            version=OLDER_VERSION,
            type="DECT",
            online=False,
        ),
        DeviceRecord(
            "029033000005",
            "Branch office",
            domain_id,
            product="IPVA",
            type="VA",
            pbx_active=True,
            has_lease_licenses=False,
            eth_ifs=_addresses(5),
        ),
        # A hardware id need not be a MAC address.
        DeviceRecord("docker0", None, domain_id, product="Docker Host", type="VA"),
        DeviceRecord(
            "029033000007",
            "App Platform",
            domain_id,
            product="App Platform",
            type="APP_PLATFORM",
            eth_ifs=_addresses(7),
        ),
        DeviceRecord(
            "029033000008",
            "Meeting room",
            domain_id,
            product="SIP phone",
            version="1.2.3",
            other=True,
            eth_ifs=_addresses(8),
        ),
        DeviceRecord(
            "029033000009",
            None,
            UNASSIGNED,
            product="IP111",
            version=OLDER_VERSION,
            eth_ifs=_addresses(9),
        ),
    ]


def _addresses(number: int) -> tuple[EthernetInterface, ...]:
    """Return an interface with addresses that are nobody's."""
    return (
        EthernetInterface(
            "ETH0", f"192.0.2.{10 + number % 240}", f"2001:db8::{number:x}"
        ),
    )


def _value(value: Any) -> Any:
    """Return an attribute's value as JSON has it."""
    if not isinstance(value, tuple):
        return value
    return [
        {"if": interface.name}
        | ({"ipv4": interface.ipv4} if interface.ipv4 is not None else {})
        | ({"ipv6": interface.ipv6} if interface.ipv6 is not None else {})
        for interface in value
    ]


def _meets(wanted: frozenset[str], names: tuple[str, ...]) -> bool:
    return not wanted or not wanted.isdisjoint(names)
