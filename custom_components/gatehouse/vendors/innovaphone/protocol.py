"""innovaphone's service Devices: what is said over its AppWebsocket, both ways.

Sources: "the document" is the vendor's description of the service
`com.innovaphone.devices`, in its states of 13r1, 13r2 and 14r1, together with that of
the AppWebsocket; "public clients" are those that its vendor and others have published.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from enum import StrEnum
from hashlib import sha256
import json
import re
from typing import Any, NamedTuple
from urllib.parse import quote, unquote

from yarl import URL

from ...wire import Secret, printable

MAX_REQUEST = 65_535
"""Bytes of a message that an app service takes at most."""

DEFAULT_APP = "innovaphone-devices-api"

PASSTHROUGH_RESTART = "!ireset"
"""Restarts a device when it is idle: `ireset` of configuration scripts, as a command
over HTTP like the `!config` that public clients send."""

UNKNOWN_COMMAND = "?"
"""The answer of a device to what it does not know."""

_APPS = re.compile(r"innovaphone-devices(-api)?(\.html?)?")

_MAX_INTERFACES = 32
_MAX_OBJECTS = 4096

_MAX_ID = 2**64 - 1

_LATEST = 253_402_300_799
"""The last second that a `datetime` can be, of the year 9999."""

type Message = Mapping[str, Any]


class MalformedMessageError(ValueError):
    """Something that is no message of the service; the text says why, not what."""


class Refusal(Exception):
    """The service's own word that it will not. No list of reasons is published."""

    def __init__(self, reason: str) -> None:
        """Keep the reason, which is meant for people."""
        super().__init__(reason)
        self.reason = reason


class DeviceType(StrEnum):
    """The types of devices that are documented."""

    GATEWAY = "GW"
    VIRTUAL_APPLIANCE = "VA"
    PHONE = "PHONE"
    DECT = "DECT"
    APP_PLATFORM = "APP_PLATFORM"


# --- Addresses


def service_url(text: str) -> URL:
    """Return the address of the service, of which the App URL is one more component.

    The App URL of a PBX is `https://host/domain/instance/app`. Public clients use it
    with and without its last component, and the vendor's own tutorial has a slash at
    the end of the service's address; each with http or with ws.

    Raises:
        ValueError: it is none of these.

    """
    url = URL(text.strip())
    scheme = {"ws": "http", "wss": "https"}.get(url.scheme, url.scheme)
    if scheme not in ("http", "https") or not url.host or url.user or url.password:
        raise ValueError("no address of a web server")
    components = [component for component in url.path.split("/") if component]
    if components and (
        _APPS.fullmatch(components[-1])
        or (len(components) > 2 and not url.path.endswith("/"))
    ):
        components.pop()
    if len(components) < 2 or any(one in (".", "..") for one in components):
        raise ValueError("no domain and instance")
    return url.with_scheme(scheme).origin().with_path("/" + "/".join(components))


def path_component(text: str) -> str:
    """Return a text, quoted as one component of a path.

    Raises:
        ValueError: it would be a step in the path, quoted or not.

    """
    if text in (".", ".."):
        raise ValueError("leads elsewhere")
    return quote(text, safe="")


def passthrough_path(path: str) -> str:
    """Return the rest of a passthrough URL, quoted, that can lead nowhere else.

    Raises:
        ValueError: it has a scheme, a host, a fragment, a dot segment or a control
            character, also if they are quoted.

    """
    rest = path.removeprefix("/")
    if not rest or re.search(r"%(?![0-9A-Fa-f]{2})", rest):
        raise ValueError("empty or wrongly quoted")
    for form in _unquoted(rest):
        if (
            form.startswith(("/", "?"))
            or not form.isprintable()
            or "#" in form
            or "\\" in form
            or re.match(r"[A-Za-z][A-Za-z0-9+.-]*:", form)
            # Some servers take off what follows a semicolon.
            or any(
                one.partition(";")[0] in (".", "..") for one in re.split("[/?]", form)
            )
        ):
            raise ValueError("leads elsewhere")
    return quote(rest, safe="!$%&'()*+,-./:;=?@_~")


def _unquoted(text: str) -> Iterator[str]:
    """Yield a text, and what it becomes as long as unquoting changes it."""
    while True:
        yield text
        if (further := unquote(text)) == text:
            return
        text = further


# --- Login


def login_digest(
    fields: Mapping[str, str],
    challenge: str,
    password: str,
    info: Mapping[str, Any] | None = None,
) -> str:
    """Return what proves the password to the service that has sent the challenge.

    `info` counts only if the message has one, be it empty, and then exactly as sent.
    """
    parts = [fields.get(name, "") for name in ("app", "domain", "sip", "guid", "dn")]
    if info is not None:
        parts.append(json.dumps(info, separators=(",", ":"), ensure_ascii=False))
    return sha256(":".join((*parts, challenge, password)).encode()).hexdigest()


def app_login(
    app: str, domain: str, challenge: str, password: Secret
) -> dict[str, str]:
    """Return the message that logs in with a password.

    Fields that only say who asks are as in the vendor's own browser client.
    """
    fields = {"app": app, "domain": domain, "sip": app, "guid": "0" * 32, "dn": "Admin"}
    return {
        "mt": "AppLogin",
        **fields,
        "digest": login_digest(fields, challenge, password.reveal()),
        "pbxObj": app,
    }


def parse_challenge(message: Message) -> str:
    """Read the challenge; old builds have sent it as a number.

    Raises:
        MalformedMessageError: there is none.

    """
    match message.get("challenge"):
        case str(challenge):
            return challenge
        case int(challenge) if not isinstance(challenge, bool):
            return str(challenge)
    raise MalformedMessageError("no challenge")


# --- Messages


def message_type(message: Any) -> str:
    """Return the type of a message.

    Raises:
        MalformedMessageError: it is no message.

    """
    match message:
        case {"mt": str(mt)}:
            return mt
    raise MalformedMessageError("no type")


def refusal_of(message: Message) -> Refusal | None:
    """Return the refusal that a result is, if it is one."""
    error = message.get("error")
    if not error:
        return None
    return Refusal(_text(error) or "?")


class UserInfo(NamedTuple):
    """What a login is allowed, for as long as its websocket is open."""

    key: Secret
    """Part of the addresses under which devices' web servers are reached."""

    admin: bool | None = None
    """Whether it has access to all domains."""


def parse_user_info(message: Message) -> UserInfo:
    """Read GetUserInfoResult.

    Raises:
        MalformedMessageError: the key is missing.

    """
    if (key := _text(message.get("key"))) is None:
        raise MalformedMessageError("no key")
    return UserInfo(key=Secret(key), admin=_flag(message.get("admin")))


class Interface(NamedTuple):
    """An Ethernet interface of a device."""

    name: str | None = None
    ipv4: str | None = None
    ipv6: str | None = None


class DeviceObject(NamedTuple):
    """A device as the service knows it. What it has not told is None."""

    hw_id: str
    """The MAC address in hexadecimal digits, or any other name."""
    id: int = 0
    """Unassigned devices share the 0."""
    name: str | None = None
    domain_id: int | None = None
    product: str | None = None
    version: str | None = None
    type: str | None = None
    pbx_active: bool | None = None
    online: bool | None = None
    rental_licenses: bool | None = None
    third_party: bool | None = None
    interfaces: tuple[Interface, ...] = ()

    @property
    def mac(self) -> str | None:
        """Return the MAC address, if the hardware id is one."""
        return self.hw_id if re.fullmatch(r"[0-9A-Fa-f]{12}", self.hw_id) else None

    @property
    def address(self) -> str | None:
        """Return an IP address, version 4 if there is one."""
        for version in ("ipv4", "ipv6"):
            for interface in self.interfaces:
                address: str | None = getattr(interface, version)
                if address is not None:
                    return address
        return None


class DeviceNews(NamedTuple):
    """What one message says of a device, which may be all or only what has changed."""

    hw_id: str | None
    id: int
    members: Mapping[str, Any]
    """By their names in `DeviceObject`."""

    def alone(self) -> DeviceObject:
        """Return the device of which nothing else is known.

        Raises:
            MalformedMessageError: not even its hardware id is.

        """
        if self.hw_id is None:
            raise MalformedMessageError("a device without hardware id")
        return DeviceObject(hw_id=self.hw_id, id=self.id, **self.members)

    def onto(self, known: DeviceObject) -> DeviceObject:
        """Return a known device with the news."""
        return known._replace(id=self.id or known.id, **self.members)


def parse_device(value: Any) -> DeviceNews:
    """Read a device object.

    Raises:
        MalformedMessageError: it is none.

    """
    if not isinstance(value, dict):
        raise MalformedMessageError("a device is no object")
    return DeviceNews(
        hw_id=_text(value.get("hwId")),
        id=_number(value.get("id")) or 0,
        members={
            name: read(value[key])
            for key, (name, read) in _DEVICE_MEMBERS.items()
            if key in value
        },
    )


def parse_devices(message: Message) -> list[DeviceObject]:
    """Read the devices of a result; one that is none does not spoil the others."""
    return _objects(message.get("devices"), lambda value: parse_device(value).alone())


def _interfaces(value: Any) -> tuple[Interface, ...]:
    if not isinstance(value, list):
        return ()
    return tuple(
        Interface(*(_text(one.get(key)) for key in ("if", "ipv4", "ipv6")))
        for one in value[:_MAX_INTERFACES]
        if isinstance(one, dict)
    )


class Category(NamedTuple):
    """A category that devices of a domain can have."""

    id: int
    domain_id: int | None = None
    name: str | None = None
    config: bool | None = None
    """Whether it is used for provisioning and configurations."""


def _category(value: Any) -> Category:
    return Category(
        id=_id(value, "category"),
        domain_id=_number(value.get("domainId")),
        name=_text(value.get("name")),
        config=_flag(value.get("config")),
    )


def parse_categories(message: Message) -> list[Category]:
    """Read the categories of a result."""
    return _objects(message.get("categories"), _category)


class Domain(NamedTuple):
    """A domain whose devices the service knows."""

    id: int
    name: str | None = None
    rental_products: bool | None = None
    deploys_passwords: bool | None = None
    instance_domain: bool | None = None
    """Whether it is the domain of the service itself."""
    categories: tuple[Category, ...] = ()


def parse_domain(value: Any) -> Domain:
    """Read a domain object.

    Raises:
        MalformedMessageError: it is none.

    """
    number = _id(value, "domain")
    return Domain(
        id=number,
        name=_text(value.get("name")),
        rental_products=_flag(value.get("hasRentalProducts")),
        deploys_passwords=_flag(value.get("deployAdminPasswords")),
        instance_domain=_flag(value.get("isInstanceDomain")),
        categories=tuple(_objects(value.get("categories"), _category)),
    )


def parse_domains(message: Message) -> list[Domain]:
    """Read the domains of a result."""
    return _objects(message.get("domains"), parse_domain)


class ProvisioningCode(NamedTuple):
    """A code that brings a device into a domain when it is typed there."""

    code: str
    valid_until: datetime | None


def parse_provisioning_code(message: Message) -> ProvisioningCode:
    """Read GetProvisioningCodeResult.

    Raises:
        MalformedMessageError: the code is missing.

    """
    if (code := _text(message.get("code"))) is None:
        raise MalformedMessageError("no code")
    until = _number(message.get("validUntil"))
    return ProvisioningCode(
        code=code,
        valid_until=(
            None
            if until is None or until > _LATEST
            else datetime.fromtimestamp(until, UTC)
        ),
    )


def parse_provisioned(message: Message) -> DeviceNews | None:
    """Read the device of GetProvisionedDeviceResult or DeviceProvisioned, if there is one.

    The document's table has an object, its example an array around it.
    """
    device = message.get("device")
    if isinstance(device, list):
        device = device[0] if device else None
    return None if device is None else parse_device(device)


class DeviceConfig(NamedTuple):
    """A configuration of devices, without its passwords."""

    id: int
    domain_id: int | None
    description: str | None
    type: str | None
    categories: tuple[Category, ...]
    """Whose devices it is for; all, if there are none."""
    settings: Mapping[str, Any]
    """What only this type has, by the names in the document."""


def parse_config(value: Any, values: Mapping[str, str] | None = None) -> DeviceConfig:
    """Read a configuration object, and the values that came apart from it.

    Passwords in it are encrypted with the session's key; they are left out, not
    decrypted.

    Raises:
        MalformedMessageError: it is none.

    """
    number = _id(value, "configuration")
    return DeviceConfig(
        id=number,
        domain_id=_number(value.get("domainId")),
        description=_text(value.get("desc")),
        type=_text(value.get("type")),
        categories=tuple(_objects(value.get("categories"), _category)),
        settings=_without_passwords(
            {
                key: one
                for key, one in {**value, **(values or {})}.items()
                if key not in ("id", "domainId", "desc", "type", "categories")
            }
        ),
    )


def parse_configs(message: Message) -> list[DeviceConfig]:
    """Read the configurations of a result, which are without their values."""
    return _objects(message.get("configs"), parse_config)


def parse_config_value(message: Message) -> tuple[str, str]:
    """Read name and value, or a piece of it, of GetDeviceConfigValueResult.

    Raises:
        MalformedMessageError: they are missing.

    """
    match message:
        case {"name": str(name), "value": str(value)}:
            return name, value
    raise MalformedMessageError("a value without name or text")


_MAX_SETTING = 256 * 1024
"""Characters of a text in a configuration; to look for passwords in a longer one would
hold up Home Assistant even from a thread."""

_PASSWORD = re.compile(r"passw|pwd|secret|seed$", re.IGNORECASE)

# In scripts and addresses; what is kept stands in the first group. Each takes a time
# that grows only as the text does.
_PASSWORDS_IN_TEXT = (
    re.compile(r"(://)[^/@\s]+@"),
    re.compile(r"(/user[ \t]+[^\s,]+,)\S+", re.IGNORECASE),
    re.compile(
        r"(/(?=[\w-]*(?:passw(?:or)?d|pwd?|secret))[\w-]++[ \t]++)\S+", re.IGNORECASE
    ),
    re.compile(
        r"((?<!\w)(?=\w*(?:passw(?:or)?d|pwd?|secret))\w++\s*+[=:]\s*+)"
        r"(?:\"[^\"]*\"|\S+)",
        re.IGNORECASE,
    ),
)


def _without_passwords(value: Any) -> Any:
    """Return a configuration's value without what looks like a password.

    A text that is too long to look through is None.
    """
    if isinstance(value, dict):
        return {
            key: _without_passwords(one)
            for key, one in value.items()
            if not _PASSWORD.search(key)
        }
    if isinstance(value, list):
        return [_without_passwords(one) for one in value]
    if isinstance(value, str):
        if len(value) > _MAX_SETTING:
            return None
        for pattern in _PASSWORDS_IN_TEXT:
            value = pattern.sub(r"\1", value)
    return value


# --- What the service says unasked


class DeviceTold(NamedTuple):
    """A device was added or has changed. The document has "a device object" for both."""

    device: DeviceNews
    added: bool
    """Whether it was added. Its object does not tell: public clients take that of a
    change for whole, too."""


class DeviceRemoved(NamedTuple):
    """A device has left the service, the domain or the filter."""

    device: DeviceNews


class DeviceProvisioned(NamedTuple):
    """A code was typed at a device."""

    device: DeviceNews | None
    code: str | None


class DomainTold(NamedTuple):
    """A domain was added or has changed."""

    domain: Domain


class DomainDeleted(NamedTuple):
    """A domain is no longer."""

    id: int


class ConfigTold:
    """Something about configurations; no document says more than the name."""


type Indication = (
    DeviceTold
    | DeviceRemoved
    | DeviceProvisioned
    | DomainTold
    | DomainDeleted
    | ConfigTold
)

_INDICATIONS: dict[str, Callable[[Message], Indication]] = {
    "DeviceAdded": lambda message: DeviceTold(
        parse_device(message.get("device")), added=True
    ),
    "DeviceUpdate": lambda message: DeviceTold(
        parse_device(message.get("device")), added=False
    ),
    "DeviceRemoved": lambda message: DeviceRemoved(parse_device(message.get("device"))),
    "DeviceProvisioned": lambda message: DeviceProvisioned(
        parse_provisioned(message), _text(message.get("code"))
    ),
    "DomainAdded": lambda message: DomainTold(parse_domain(message.get("domain"))),
    "DomainEdited": lambda message: DomainTold(parse_domain(message.get("domain"))),
    "DomainDeleted": lambda message: DomainDeleted(_id(message, "domain")),
    "DeviceConfigAdded": lambda _: ConfigTold(),
    "DeviceConfigEdited": lambda _: ConfigTold(),
    "DeviceConfigDeleted": lambda _: ConfigTold(),
}


def parse_indication(message: Message) -> Indication | None:
    """Read what was said unasked; None if the message is something else.

    Raises:
        MalformedMessageError: it is an indication without what belongs to it.

    """
    parse = _INDICATIONS.get(message_type(message))
    return None if parse is None else parse(message)


# --- Values


def _objects[ObjectT](value: Any, parse: Callable[[Any], ObjectT]) -> list[ObjectT]:
    """Read a list, of which only that counts which can be understood."""
    objects: list[ObjectT] = []
    if not isinstance(value, list):
        return objects
    for one in value[:_MAX_OBJECTS]:
        try:
            objects.append(parse(one))
        except MalformedMessageError:
            continue
    return objects


def _id(value: Any, what: str) -> int:
    """Return the number of an object."""
    number = _number(value.get("id")) if isinstance(value, dict) else None
    if number is None:
        raise MalformedMessageError(f"a {what} without number")
    return number


def _number(value: Any) -> int | None:
    """Return an unsigned number of 64 bits, which may be written as text."""
    if isinstance(value, str) and value.isascii() and value.isdecimal():
        value = int(value) if len(value) <= 20 else None
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if 0 <= value <= _MAX_ID else None


def _flag(value: Any) -> bool | None:
    return value if isinstance(value, bool) else None


def _text(value: Any) -> str | None:
    """Return a text that can be shown; a number counts as one."""
    if not isinstance(value, str) and (value := _number(value)) is None:
        return None
    return printable(str(value))


_DEVICE_MEMBERS: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "name": ("name", _text),
    "domainId": ("domain_id", _number),
    "product": ("product", _text),
    "version": ("version", _text),
    "type": ("type", _text),
    "pbxActive": ("pbx_active", _flag),
    "online": ("online", _flag),
    "hasLeaseLicenses": ("rental_licenses", _flag),
    "other": ("third_party", _flag),
    "ethIfs": ("interfaces", _interfaces),
}
