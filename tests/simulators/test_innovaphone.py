"""The stand-in of innovaphone's Devices."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from hashlib import sha256
import json
import re
import ssl
import time
from typing import Any

import aiohttp
from freezegun.api import FrozenDateTimeFactory
import pytest

from simulators.certificate import make_certificate
from simulators.faults import Fault
from simulators.innovaphone import Innovaphone, wall_clock
from simulators.innovaphone_devices import (
    CategoryRecord,
    ConfigRecord,
    DeviceRecord,
    DomainRecord,
    EthernetInterface,
    invented_devices,
)
from simulators.innovaphone_login import (
    encrypt,
    login_digest,
    random_digits,
    random_hex,
    random_number,
    rc4,
    session_key,
)
from simulators.innovaphone_passthrough import PassthroughRequest

APP = "innovaphone-devices-api"
NOW = 1800000000
CHALLENGE = "0123456789abcdef"

# The logins with which the vendor's page about AppWebsocket shows its digest.
DOCUMENTED_LOGINS: list[dict[str, Any]] = [
    {
        "app": "pbxadminapi",
        "digest": "a205299ed2ef2786c311e0be1b14db343f2cadd906a6ae7b564eee34bda5e9a1",
        "dn": "",
        "domain": "",
        "guid": "",
        "mt": "AppLogin",
        "sip": "",
    },
    {
        "app": "pbxadminapi",
        "digest": "57b23fe824b9222a7ac879597cb509bcdc865a1bfeb057d9d12118cef0c3ba34",
        "dn": "",
        "domain": "",
        "guid": "",
        "info": {},
        "mt": "AppLogin",
        "sip": "",
    },
    {
        "app": "pbxadminapi",
        "digest": "96db3c3f657230c2b68194becc6d2a77f05de9f79f01fc81e9ca0fb196b10d9d",
        "dn": "",
        "domain": "",
        "guid": "",
        "info": {"cn": "Test User"},
        "mt": "AppLogin",
        "sip": "",
    },
    {
        "app": "innovaphone-users",
        "digest": "ef1b811ffaa8f9255c39c653d8fb26b4687b2d8c4d9ac91b4821bff6bae3ff44",
        "dn": "Administrator User",
        "domain": "example.com",
        "guid": "0123456789abcdef0123456789abcdef",
        "info": {
            "appobj": "users",
            "apps": [{"name": "users"}, {"name": "profile"}],
            "appurl": "https://1.2.3.4/example.com/usersapp/innovaphone-users",
            "unlicensed": True,
        },
        "mt": "AppLogin",
        "pbxObj": "users",
        "sip": "administrator",
    },
]


class Client:
    """A client of the service.

    Attributes:
        socket: Its websocket.
        challenge: What it was asked with.
    """

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket
        self.challenge: str = ""

    async def send(self, mt: str, **fields: object) -> None:
        """Send a message."""
        await self.socket.send_json({"mt": mt, **fields})

    async def receive(self) -> Any:
        """Return the next message."""
        return await self.socket.receive_json(timeout=5)

    async def ask(self, mt: str, **fields: object) -> Any:
        """Send a request and return the next message."""
        await self.send(mt, **fields)
        return await self.receive()

    async def list_all(self, mt: str, **fields: object) -> list[Any]:
        """Return all elements of a list."""
        await self.send(mt, **fields)
        elements: list[Any] = []
        while True:
            page = await self.receive()
            assert "error" not in page
            [name] = page.keys() - {"mt", "src", "last"}
            elements += page[name]
            if page.get("last"):
                return elements

    async def log_in(
        self,
        password: str = "demoInstance01",
        domain: str = "example.com",
        app: str = APP,
        **fields: object,
    ) -> Any:
        """Log in and return the result."""
        result = await self.ask("AppChallenge")
        assert result["mt"] == "AppChallengeResult"
        self.challenge = str(result["challenge"])
        login = {"app": app, "domain": domain, **fields}
        login["digest"] = login_digest(login, self.challenge, password)
        return await self.ask("AppLogin", **login)

    async def end(self) -> int | None:
        """Return the code with which the connection ended."""
        message = await self.socket.receive(timeout=5)
        assert message.type in {
            aiohttp.WSMsgType.CLOSE,
            aiohttp.WSMsgType.CLOSED,
            aiohttp.WSMsgType.CLOSING,
        }
        return self.socket.close_code


type Connect = Callable[..., Any]
type Ask = Callable[..., Any]


@pytest.fixture
async def service() -> AsyncIterator[Innovaphone]:
    """Return the service, with two domains."""
    async with Innovaphone(
        domain_passwords={"branch.example.com": "demoBranch01"}, clock=lambda: NOW
    ) as service:
        yield service


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    """Return what makes connections."""
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
async def connect(
    service: Innovaphone, session: aiohttp.ClientSession
) -> AsyncIterator[Connect]:
    """Return what opens a websocket that is not logged in."""
    async with AsyncExitStack() as stack:

        async def connect(path: str | None = None) -> Client:
            url = f"{service.url}{service.base if path is None else path}"
            return Client(await stack.enter_async_context(session.ws_connect(url)))

        yield connect


@pytest.fixture
async def client(connect: Connect) -> Client:
    """Return a client that is logged in as administrator."""
    client: Client = await connect()
    assert (await client.log_in())["ok"] is True
    return client


@pytest.mark.parametrize("login", DOCUMENTED_LOGINS)
async def test_documented_logins(
    service: Innovaphone, connect: Connect, login: dict[str, Any]
) -> None:
    """The logins of the vendor's page are accepted."""
    service.password = "pwd"
    service.apps = None
    service.challenge = lambda: CHALLENGE
    client = await connect()
    assert await client.ask("AppChallenge") == {
        "mt": "AppChallengeResult",
        "challenge": CHALLENGE,
    }
    assert await client.ask(**login) == {
        "mt": "AppLoginResult",
        "ok": True,
        "domain": "example.com",
    }
    assert service.logins == service.attempts == [login]
    assert service.requests == [{"mt": "AppChallenge"}, login]
    # The last one is of the instance's domain.
    told = await client.ask("GetUserInfo")
    assert told["admin"] is (login["domain"] == "example.com")


async def test_digest_without_info(service: Innovaphone, connect: Connect) -> None:
    """A service may leave `info` out of the digest, and so refuses these logins."""
    service.password = "pwd"
    service.apps = None
    service.info = False
    service.challenge = lambda: CHALLENGE
    client = await connect()
    for login in DOCUMENTED_LOGINS:
        await client.ask("AppChallenge")
        result = await client.ask(**login)
        assert result.get("ok") is (None if "info" in login else True)


def test_digest() -> None:
    """The example of the vendor's tutorial holds too, and `info` is hashed as sent."""
    login: dict[str, Any] = {"app": "test", "domain": "test.com"}
    assert login_digest(login, "0", "secret").startswith("66ee3f52256a")
    assert login_digest({**login, "dn": None}, "0", "secret") == login_digest(
        login, "0", "secret"
    )
    info = {"z": "Grüße", "a": [1, True, "/"]}
    text = 'test:test.com::::{"z":"Grüße","a":[1,true,"/"]}:0:secret'
    assert (
        login_digest({**login, "info": info}, "0", "secret")
        == sha256(text.encode()).hexdigest()
    )


@pytest.mark.parametrize(
    ("challenge", "seed", "text", "digits"),
    [
        # What the vendor's browser client makes of it.
        ("6829425428677597", "turn.example.com", "secretü", "46663c658d1c2178"),
        (CHALLENGE, "turn.example.com", "secret", "12ccb2f024e3"),
    ],
)
def test_encryption(challenge: str, seed: str, text: str, digits: str) -> None:
    """Known texts are encrypted as they should be."""
    assert encrypt(session_key(challenge, "pwd"), seed, text) == digits


@pytest.mark.parametrize(
    ("key", "text", "digits"),
    [
        (b"Key", b"Plaintext", "bbf316e8d940af0ad3"),
        (b"Wiki", b"pedia", "1021bf0420"),
        (b"Secret", b"Attack at dawn", "45a01f645fc35b383552544b9bf5"),
    ],
)
def test_rc4(key: bytes, text: bytes, digits: str) -> None:
    """The vectors that everybody knows hold."""
    assert rc4(key, text).hex() == digits


@pytest.mark.parametrize(
    ("make", "pattern"),
    [
        (random_digits, r"\d{16}"),
        (random_hex, r"[0-9a-f]{16}"),
        (random_number, r"\d+"),
    ],
)
async def test_challenges(
    service: Innovaphone, connect: Connect, make: Callable[[], str | int], pattern: str
) -> None:
    """Challenges are digits, or as captures show them; each is another one."""
    service.challenge = make
    client = await connect()
    first, second = [await client.ask("AppChallenge") for _ in range(2)]
    assert re.fullmatch(pattern, str(first["challenge"]))
    assert isinstance(first["challenge"], type(make()))
    assert first != second
    assert (await client.log_in())["ok"] is True


@pytest.mark.parametrize(
    "path",
    [
        "/example.com/devices",
        "/example.com/devices/",
        "/example.com/devices/innovaphone-devices",
        "/example.com/devices/innovaphone-devices-api",
        "/example.com/devices/innovaphone-devices-api/",
    ],
)
async def test_addresses(connect: Connect, path: str) -> None:
    """All spellings of the address that are in use lead to it."""
    client = await connect(path)
    assert (await client.log_in())["ok"] is True
    assert client.socket.protocol is None
    assert client.socket.compress == 0


async def test_elsewhere(
    service: Innovaphone, connect: Connect, session: aiohttp.ClientSession
) -> None:
    """Anything else is not there, nor is the service if it is down."""
    with pytest.raises(aiohttp.WSServerHandshakeError, match="404"):
        await connect("/example.com/users")
    service.upgrade_status = 502
    with pytest.raises(aiohttp.WSServerHandshakeError, match="502"):
        await connect()
    service.upgrade_status = None
    async with session.get(service.app_url) as response:
        assert response.status == 400


@pytest.mark.parametrize(
    ("login", "admin", "domains"),
    [
        # The instance's password opens everything, along with its domain.
        (
            ("demoInstance01", "example.com"),
            True,
            ["example.com", "branch.example.com"],
        ),
        (("demoInstance01", "branch.example.com"), False, ["branch.example.com"]),
        (("demoInstance01", ""), False, []),
        (("demoBranch01", "branch.example.com"), False, ["branch.example.com"]),
    ],
)
async def test_access(
    service: Innovaphone,
    connect: Connect,
    login: tuple[str, str],
    admin: bool,
    domains: list[str],
) -> None:
    """A password opens its domain, or all of them."""
    await service.add(DeviceRecord("02903300aaaa", domain_id=2))
    client = await connect()
    assert (await client.log_in(*login))["ok"] is True
    told = await client.ask("GetUserInfo", src="u")
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", told.pop("key"))
    assert told == {"mt": "GetUserInfoResult", "admin": admin, "src": "u"}
    assert [domain["name"] for domain in await client.list_all("GetDomains")] == domains
    devices = await client.list_all("GetDevices", domainIds="1,2", unassigned=True)
    expected = {1: 8, 0: 1, 2: 1} if admin else {2: 1} if domains else {}
    found = [device["domainId"] for device in devices]
    assert {number: found.count(number) for number in found} == expected
    if not domains:
        assert (await client.ask("GetFilteredDevices"))["error"] == "unknown domain"
    if not admin:
        assert (await client.ask("GetDeviceConfigs", domainId=1))["error"]


async def test_granted_domain(service: Innovaphone, connect: Connect) -> None:
    """A domain may have access to others."""
    service.domains[2].granted = (1,)
    client = await connect()
    await client.log_in("demoBranch01", "branch.example.com")
    assert len(await client.list_all("GetDomains")) == 2
    assert (await client.list_all("GetFilteredDevices")) == []
    assert len(await client.list_all("GetFilteredDevices", domainId=1)) == 8


@pytest.mark.parametrize(
    "login",
    [
        {"password": "wrong"},
        {"password": "demoBranch01"},
        {"domain": "nowhere.example.com", "password": "demoBranch01"},
        {"app": "innovaphone-users"},
    ],
)
async def test_refused(
    service: Innovaphone, connect: Connect, login: dict[str, str]
) -> None:
    """A wrong login is refused without a reason, and the next one may be right."""
    client = await connect()
    assert await client.log_in(**login) == {"mt": "AppLoginResult"}
    assert (len(service.attempts), service.logins) == (1, [])
    assert (await client.log_in())["ok"] is True


async def test_refusals(service: Innovaphone, connect: Connect) -> None:
    """How a login is refused can be chosen."""
    client = await connect()
    service.refuse_login = True
    assert "ok" not in await client.log_in()
    service.refusal = "false"
    assert (await client.log_in())["ok"] is False
    service.refusal = "error"
    service.closes_after_refusal = True
    assert (await client.log_in())["error"] == "login failed"
    assert await client.end() == aiohttp.WSCloseCode.GOING_AWAY
    service.refuse_login = service.tells_domain = False
    assert await (await connect()).log_in() == {"mt": "AppLoginResult", "ok": True}


async def test_replay(service: Innovaphone, connect: Connect) -> None:
    """A challenge is good for one login, on one connection."""
    service.challenge = lambda: CHALLENGE
    client = await connect()
    await client.log_in()
    assert "ok" not in await client.ask(**service.logins[0])
    other = await connect()
    assert "ok" not in await other.ask(**service.logins[0])


async def test_before_login(service: Innovaphone, connect: Connect) -> None:
    """Before the login, nothing else is answered."""
    client = await connect()
    await client.send("GetUserInfo")
    await client.send("GetDevices", recvUpdates=True)
    assert (await client.ask("AppChallenge"))["mt"] == "AppChallengeResult"
    await service.update("docker0", online=False)
    await service.indicate({"mt": "PbxInfo"})
    assert (await client.log_in())["ok"] is True
    assert [request["mt"] for request in service.requests] == [
        "GetUserInfo",
        "GetDevices",
        "AppChallenge",
        "AppChallenge",
        "AppLogin",
    ]


async def test_documented_devices(service: Innovaphone, client: Client) -> None:
    """Devices are those of the document's examples."""
    service.devices.clear()
    await service.add(
        DeviceRecord(
            "009033280177",
            domain_id=0,
            product="IP111",
            version="13r2 sr2 [13.6146/136146/400]",
            eth_ifs=(
                EthernetInterface(
                    "ETH0", "172.16.136.105", "2002:91fd:9d07:136:290:33ff:fe28:177"
                ),
            ),
        )
    )
    assert await client.ask(
        "GetDevices",
        recvUpdates=True,
        domainIds="1",
        categories="",
        subcategories="",
        unassigned=True,
    ) == {
        "mt": "GetDevicesResult",
        "devices": [
            {
                "id": 0,
                "hwId": "009033280177",
                "domainId": 0,
                "product": "IP111",
                "version": "13r2 sr2 [13.6146/136146/400]",
                "type": "PHONE",
                "pbxActive": False,
                "online": True,
                "ethIfs": [
                    {
                        "if": "ETH0",
                        "ipv4": "172.16.136.105",
                        "ipv6": "2002:91fd:9d07:136:290:33ff:fe28:177",
                    }
                ],
            }
        ],
        "last": True,
    }


async def test_documented_domains(service: Innovaphone, client: Client) -> None:
    """Domains are those of the document's example."""
    await service.delete_domain(2)
    await service.edit_domain(
        1, name="domain.com", has_rental_products=True, deploy_admin_passwords=True
    )
    service.domain = "domain.com"
    service.categories[:] = [
        CategoryRecord(1, 1, "Test", config=False),
        CategoryRecord(2, 1, "Test2", config=False),
    ]
    assert await client.ask("GetDomains") == {
        "mt": "GetDomainsResult",
        "last": True,
        "domains": [
            {
                "id": 1,
                "name": "domain.com",
                "hasRentalProducts": True,
                "deployAdminPasswords": True,
                "isInstanceDomain": True,
                "categories": [
                    {"id": 1, "name": "Test", "config": False},
                    {"id": 2, "name": "Test2", "config": False},
                ],
            }
        ],
    }


async def test_documented_categories(service: Innovaphone, client: Client) -> None:
    """Categories are those of the document's example, with its slip if so wished."""
    service.categories[:] = [CategoryRecord(1, 2, "Cat1")]
    told = {
        "last": True,
        "categories": [{"id": 1, "name": "Cat1", "domainId": 2, "config": True}],
    }
    for slip, mt in (
        (False, "GetProvisioningCategoriesResult"),
        (True, "GetProvisioningCategories"),
    ):
        service.mislabelled_categories = slip
        assert await client.ask("GetProvisioningCategories", domainId=2, src="a") == {
            "mt": mt,
            "src": "a",
            **told,
        }


async def test_phone_categories(service: Innovaphone, client: Client) -> None:
    """Categories of phones are those that have configurations for phones."""

    async def names(**fields: object) -> list[str]:
        categories = await client.list_all("GetProvisioningCategories", **fields)
        return [category["name"] for category in categories]

    assert await names() == ["Offices", "Doors"]
    assert await names(type="GW") == ["Offices", "Doors"]
    del service.configs[3]
    assert await names(type="PHONE") == ["Offices"]
    # A configuration without categories is for all devices.
    service.configs[6].categories = ()
    assert await names(type="PHONE") == ["Offices", "Doors"]


async def test_documented_provisioning(service: Innovaphone, client: Client) -> None:
    """A provisioned device is that of the document's example, in either form."""
    service.device_uris = False
    code = (await client.ask("GetProvisioningCode", category="Offices", domainId=1))[
        "code"
    ]
    await service.provision(
        code,
        DeviceRecord(
            "0090334100be",
            "Kari2",
            id=1001,
            product="IP811",
            version="13r1 dvl [13.A110/13A146/200]",
            type="GW",
            pbx_active=True,
        ),
    )
    device = {
        "id": 1001,
        "hwId": "0090334100be",
        "name": "Kari2",
        "domainId": 1,
        "product": "IP811",
        "version": "13r1 dvl [13.A110/13A146/200]",
        "type": "GW",
        "pbxActive": True,
        "online": True,
    }
    assert await client.receive() == {
        "mt": "DeviceProvisioned",
        "device": device,
        "code": code,
    }
    assert await client.ask("GetProvisionedDevice", code=code) == {
        "mt": "GetProvisionedDeviceResult",
        "code": code,
        "device": [device],
    }
    service.provisioned_device_as_array = False
    assert (await client.ask("GetProvisionedDevice", code=code))["device"] == device
    await service.remove("0090334100be")
    assert "device" not in await client.ask("GetProvisionedDevice", code=code)


async def test_provisioning(
    service: Innovaphone, client: Client, connect: Connect
) -> None:
    """Who asked for a code is told of its device, also after a new connection."""
    told = await client.ask(
        "GetProvisioningCode",
        category="Doors",
        sip="porter",
        rollout=True,
        administrative=True,
        src="p",
    )
    code = told["code"]
    assert re.fullmatch(r"\d{12}", code)
    assert told == {
        "mt": "GetProvisioningCodeResult",
        "code": code,
        "validUntil": NOW + 7 * 86400,
        "src": "p",
    }
    provisioning = service.provisionings[code]
    assert (provisioning.sip, provisioning.administrative) == ("porter", True)
    other = await connect()
    await other.log_in()
    key = (await other.ask("GetUserInfo"))["key"]
    assert await other.ask("GetProvisionedDevice", code=code, src="o") == {
        "mt": "GetProvisionedDeviceResult",
        "code": code,
        "src": "o",
    }
    gone = await connect()
    await gone.log_in()
    await gone.ask("GetProvisionedDevice", code=code)
    await gone.socket.close()
    await other.list_all("GetDevices", recvUpdates=True)
    while len(service.connections) > 2:
        await asyncio.sleep(0)
    # Before, it had no domain, and so no number.
    assert service.devices["029033000009"].id == 0
    await service.provision(code, DeviceRecord("029033000009"))
    provisioned = await client.receive()
    assert (provisioned["src"], provisioned["code"]) == ("p", code)
    assert "uri" not in provisioned["device"]
    update = await other.receive()
    assert update["mt"] == "DeviceUpdate"
    assert update["device"]["domainId"] == 1
    assert update["device"]["id"] > 0
    provisioned = await other.receive()
    assert provisioned["src"] == "o"
    assert provisioned["device"] == {
        **update["device"],
        "uri": f"{service.url}/example.com/devices/passthrough/029033000009/{key}/",
    }
    assert service.devices["029033000009"].categories == ("Doors",)
    with pytest.raises(ValueError, match="waits for a device"):
        await service.provision(code, DeviceRecord("0290330000ff"))


async def test_provisioning_errors(client: Client) -> None:
    """Categories and codes must be known, and codes not too old."""
    for fields in (
        {"category": "Archive"},
        {"category": "Nowhere"},
        {"category": "Offices", "domainId": 2},
        {"category": "Offices", "domainId": 9},
        {"category": "Offices", "domainId": "1"},
    ):
        assert (await client.ask("GetProvisioningCode", src="p", **fields)).keys() == {
            "mt",
            "error",
            "src",
        }
    assert (await client.ask("GetProvisionedDevice", code="1"))["error"]


async def test_code_too_old(session: aiohttp.ClientSession) -> None:
    """A code is good for a quarter of an hour."""
    now = NOW
    async with (
        Innovaphone(clock=lambda: now) as service,
        session.ws_connect(service.app_url) as socket,
    ):
        client = Client(socket)
        await client.log_in()
        told = await client.ask("GetProvisioningCode", category="Offices")
        assert told["validUntil"] == NOW + 900
        now = NOW + 901
        with pytest.raises(ValueError, match="too old"):
            await service.provision(told["code"], DeviceRecord("0290330000ff"))


def test_clock(freezer: FrozenDateTimeFactory) -> None:
    """Frozen time is the service's time too."""
    freezer.move_to("2027-01-15T08:00:00+00:00")
    assert wall_clock() == time.time() == NOW


@pytest.mark.parametrize(
    ("count", "page_size", "pages"),
    [
        (0, 100, 1),
        (1, 1, 1),
        (3, 1, 3),
        (100, 100, 1),
        (101, 100, 2),
        # More than 64 KiB do not go into a message.
        (1000, 1000, 4),
    ],
)
async def test_pages(
    session: aiohttp.ClientSession, count: int, page_size: int, pages: int
) -> None:
    """A list comes in as many messages as it takes, and the last one says so."""
    async with (
        Innovaphone(devices=count, page_size=page_size) as service,
        session.ws_connect(service.app_url) as socket,
    ):
        client = Client(socket)
        await client.log_in()
        await client.send("GetDevices", src="7")
        found: list[str] = []
        for number in range(1, pages + 1):
            text = await socket.receive_str(timeout=5)
            assert len(text.encode()) <= 65_535
            page = json.loads(text)
            assert page["mt"] == "GetDevicesResult"
            assert page["src"] == "7"
            assert page.get("last") is (True if number == pages else None)
            found += [device["hwId"] for device in page["devices"]]
        assert found == list(service.devices)
        assert len(set(found)) == count


async def test_not_last(service: Innovaphone, client: Client) -> None:
    """All messages but the last may say that they are not the last."""
    service.page_size = 5
    service.says_not_last = True
    assert (await client.ask("GetDevices"))["last"] is False
    assert (await client.receive())["last"] is True


async def test_between_pages(service: Innovaphone, client: Client) -> None:
    """Devices may come, change and go while they are listed."""
    service.page_size = 3

    async def change() -> None:
        await service.remove("029033000004")
        await service.update("029033000005", name="Moved")
        await service.add(DeviceRecord("0290330000aa"))

    service.between_pages(change)
    await client.send("GetDevices", recvUpdates=True)
    messages = [await client.receive() for _ in range(6)]
    assert [message["mt"] for message in messages] == [
        "GetDevicesResult",
        "DeviceRemoved",
        "DeviceUpdate",
        "DeviceAdded",
        "GetDevicesResult",
        "GetDevicesResult",
    ]
    assert [
        device.get("name") for message in messages[4:] for device in message["devices"]
    ] == ["Moved", None, "App Platform", "Meeting room", None]
    assert messages[5]["last"] is True


async def test_two_requests(service: Innovaphone, client: Client) -> None:
    """The answers to two requests may be mixed; `src` tells them apart."""
    service.page_size = 1
    await client.send("GetDevices", src="d")
    await client.send("GetDomains", src="o")
    sources = [(await client.receive())["src"] for _ in range(11)]
    assert sorted(sources) == ["d"] * 9 + ["o"] * 2
    assert sources[-2:] == ["d", "d"]


async def test_indications(service: Innovaphone, client: Client) -> None:
    """Who subscribed is told of devices, as they are."""
    await service.update("docker0", online=False)
    await client.list_all("GetDevices")
    await service.update("docker0", online=True)
    await client.list_all("GetDevices", recvUpdates=True, src="s")
    await service.update("docker0", name="Host", further={"rented": True})
    device = {
        "id": 6,
        "hwId": "docker0",
        "name": "Host",
        "domainId": 1,
        "product": "Docker Host",
        "version": "14r1 sr1 [14.0520/140520/300]",
        "type": "VA",
        "pbxActive": False,
        "online": True,
        "rented": True,
    }
    assert await client.receive() == {"mt": "DeviceUpdate", "device": device}
    service.indication_src = True
    await service.remove("docker0")
    assert await client.receive() == {
        "mt": "DeviceRemoved",
        "device": device,
        "src": "s",
    }
    await service.add(DeviceRecord("docker0", eth_ifs=(EthernetInterface("ETH0"),)))
    added = await client.receive()
    assert added["mt"] == "DeviceAdded"
    # Numbers are not used again.
    assert added["device"]["id"] == 9
    assert added["device"]["ethIfs"] == [{"if": "ETH0"}]
    with pytest.raises(ValueError, match="there already"):
        await service.add(DeviceRecord("docker0"))
    with pytest.raises(TypeError, match="no attribute colour"):
        await service.update("docker0", colour="red")
    for change in (service.update, service.remove):
        with pytest.raises(KeyError):
            await change("nowhere")


async def test_partial_updates(service: Innovaphone, client: Client) -> None:
    """An update may have nothing but what has changed."""
    service.full_updates = False
    await client.list_all("GetDevices", recvUpdates=True)
    await service.update("029033000001", online=False, name=None, fxs=True)
    assert await client.receive() == {
        "mt": "DeviceUpdate",
        "device": {"id": 1, "hwId": "029033000001", "online": False, "name": ""},
    }
    await service.update("029033000001", further={"rented": True})
    assert (await client.receive())["device"] == {
        "id": 1,
        "hwId": "029033000001",
        "rented": True,
    }
    await service.update(
        "029033000001", eth_ifs=(EthernetInterface("ETH0", "192.0.2.99"),)
    )
    assert (await client.receive())["device"]["ethIfs"] == [
        {"if": "ETH0", "ipv4": "192.0.2.99"}
    ]


async def test_filtered_indications(
    service: Innovaphone, client: Client, connect: Connect
) -> None:
    """Who listens to one domain is told who comes into it and who leaves it."""
    other = await connect()
    await other.log_in("demoBranch01", "branch.example.com")
    for listener, fields in (
        (client, {"domainIds": "1"}),
        (other, {"unassigned": False, "domainIds": ""}),
    ):
        await listener.list_all("GetDevices", recvUpdates=True, **fields)
    await service.update("029033000001", domain_id=2)
    assert (await client.receive())["mt"] == "DeviceRemoved"
    added = await other.receive()
    assert added["mt"] == "DeviceAdded"
    assert added["device"]["domainId"] == 2
    await service.update("029033000001", online=False)
    assert (await other.receive())["mt"] == "DeviceUpdate"
    await service.update("029033000009", online=False)
    await service.update("029033000002", online=False)
    assert (await client.receive())["device"]["hwId"] == "029033000002"


async def test_second_subscription(service: Innovaphone, client: Client) -> None:
    """A second subscription replaces the first, or adds to it."""
    service.indication_src = True
    for add_up, expected in ((False, ["2"]), (True, ["1", "2"])):
        service.subscriptions_add_up = add_up
        await client.list_all("GetDevices", recvUpdates=True, domainIds="1", src="1")
        await client.list_all("GetDevices", recvUpdates=True, unassigned=True, src="2")
        # Without the flag, nothing changes.
        await client.list_all("GetDevices", recvUpdates=False, src="3")
        await service.update("029033000001", online=False)
        await service.update("029033000009", online=False)
        assert [(await client.receive())["src"] for _ in expected] == expected


async def test_domain_indications(
    service: Innovaphone, client: Client, connect: Connect
) -> None:
    """Who subscribed is told of the domains that it has access to."""
    other = await connect()
    await other.log_in("demoBranch01", "branch.example.com")
    for listener in (client, other):
        await listener.list_all("GetDomains", recvUpdates=True, src="s")
    service.indication_src = True
    await service.add_domain(DomainRecord(3, "third.example.com", "demoThird01"))
    assert await client.receive() == {
        "mt": "DomainAdded",
        "domain": {
            "id": 3,
            "name": "third.example.com",
            "hasRentalProducts": False,
            "deployAdminPasswords": False,
            "isInstanceDomain": False,
            "categories": [],
        },
        "src": "s",
    }
    await service.edit_domain(2, name="office.example.com")
    edited = await client.receive()
    assert edited["mt"] == "DomainEdited"
    assert edited["domain"]["name"] == "office.example.com"
    assert await other.receive() == edited
    await service.delete_domain(3)
    assert await client.receive() == {"mt": "DomainDeleted", "id": 3, "src": "s"}
    with pytest.raises(ValueError, match="there already"):
        await service.add_domain(DomainRecord(2, "again.example.com"))
    with pytest.raises(TypeError, match="no attribute colour"):
        await service.edit_domain(2, colour="red")
    # The new name is that of the next login.
    assert (await other.log_in("demoBranch01", "office.example.com"))["ok"] is True


async def test_any_indication(
    service: Innovaphone, client: Client, connect: Connect
) -> None:
    """Indications that nobody has documented can be sent too."""
    other = await connect()
    await other.log_in()
    await client.list_all("GetDeviceConfigs", recvUpdates=True, src="c")
    service.indication_src = True
    await service.indicate({"mt": "DeviceConfigAdded", "config": {"id": 8}})
    await service.indicate({"mt": "DeviceUpdate", "device": {"hwId": "docker0"}})
    await service.indicate({"mt": "Surprise"})
    assert await client.receive() == {
        "mt": "DeviceConfigAdded",
        "config": {"id": 8},
        "src": "c",
    }
    assert await client.receive() == await other.receive() == {"mt": "Surprise"}
    await service.push_raw("{")
    assert await other.socket.receive_str(timeout=5) == "{"


async def test_burst(session: aiohttp.ClientSession) -> None:
    """All devices go off line and come back, one indication each, in order."""
    async with (
        Innovaphone(devices=1000) as service,
        session.ws_connect(service.app_url) as first,
        session.ws_connect(service.app_url) as second,
    ):
        clients = (Client(first), Client(second))
        for client in clients:
            await client.log_in()
            await client.list_all("GetDevices", recvUpdates=True)
        await service.all_offline()
        await service.all_online()
        for client in clients:
            # One is off line from the start.
            messages = [await client.receive() for _ in range(1999)]
            assert {message["mt"] for message in messages} == {"DeviceUpdate"}
            told = [message["device"] for message in messages]
            assert [device["online"] for device in told] == [False] * 999 + [
                True
            ] * 1000
            assert [device["hwId"] for device in told[999:]] == list(service.devices)


async def test_device_gone_in_a_burst(service: Innovaphone, client: Client) -> None:
    """A device may be removed while all of them go off line."""
    service.devices = {device.hw_id: device for device in invented_devices(150)}
    burst = asyncio.create_task(service.all_offline())
    await asyncio.sleep(0)
    await service.remove(list(service.devices)[-1])
    await burst
    assert not any(device.online for device in service.devices.values())


@pytest.mark.parametrize(
    ("fields", "found"),
    [
        ({}, "123450789b"),
        ({"domainIds": "", "categories": "", "unassigned": False}, "123450789b"),
        ({"unassigned": True}, "9"),
        ({"domainIds": "2"}, "b"),
        ({"domainIds": "2, 7", "unassigned": True}, "9b"),
        ({"domainIds": "1,2"}, "12345078b"),
        ({"categories": "Offices"}, "1"),
        ({"categories": "Offices,Doors"}, "12"),
        ({"categories": "Doors", "unassigned": True}, "29"),
        ({"categories": "Doors", "domainIds": "2"}, ""),
        ({"categories": "Doors", "subcategories": "Gate"}, "2"),
        ({"categories": "Doors", "subcategories": "Hall"}, ""),
    ],
)
async def test_filters(
    service: Innovaphone, client: Client, fields: dict[str, object], found: str
) -> None:
    """Devices are listed by domain and category; empty texts filter nothing."""
    service.devices["029033000002"].subcategories = ("Gate",)
    await service.add(DeviceRecord("02903300000b", domain_id=2))
    devices = await client.list_all("GetDevices", **fields)
    assert "".join(device["hwId"][-1] for device in devices) == found


@pytest.mark.parametrize(
    ("fields", "found"),
    [
        ({}, "12345078"),
        ({"justFxs": True}, "23"),
        ({"types": ["GW", "DECT"]}, "234"),
        ({"types": [], "hwIds": ""}, "12345078"),
        ({"hwIds": "029033000001,029033000007,029033000009"}, "17"),
        ({"hwIds": "029033000001", "types": ["GW"]}, ""),
        ({"domainId": 2}, ""),
    ],
)
async def test_filtered_devices(
    client: Client, fields: dict[str, object], found: str
) -> None:
    """Devices of a domain are listed by type, interface and hardware id."""
    devices = await client.list_all("GetFilteredDevices", **fields)
    assert "".join(device["hwId"][-1] for device in devices) == found


async def test_bad_filter(client: Client) -> None:
    """A filter that is none is an error."""
    assert await client.ask("GetDevices", domainIds="1,x", src="a") == {
        "mt": "GetDevicesResult",
        "error": "bad domainIds",
        "src": "a",
    }


async def test_configs(service: Innovaphone, client: Client) -> None:
    """Configurations are listed without their values."""
    configs = await client.list_all("GetDeviceConfigs")
    assert [config["type"] for config in configs] == [
        "ALARM_SERVER",
        "EXPERT",
        "FXS_PHONE",
        "MEDIA",
        "NTP",
        "PHONE",
        "TLS_PROFILE",
    ]
    assert configs[4] == {
        "id": 5,
        "domainId": 1,
        "desc": "Time",
        "type": "NTP",
        "categories": [],
    }
    assert configs[2] == {
        "id": 3,
        "domainId": 1,
        "type": "FXS_PHONE",
        "categories": [{"id": 2, "name": "Doors", "config": True}],
    }
    assert await client.ask("GetDeviceConfig", id=5, src="c") == {
        "mt": "GetDeviceConfigResult",
        "config": {
            **configs[4],
            "ntp1": "192.0.2.3",
            "ntp2": "192.0.2.4",
            "tz": "CET-1CEST-2,M3.5.0/2,M10.5.0/3",
        },
        "src": "c",
    }
    assert await client.list_all("GetDeviceConfigs", domainId=2) == []
    for fields in ({}, {"id": 9}, {"id": 5, "domainId": 2}):
        assert (await client.ask("GetDeviceConfig", **fields))["error"]


async def test_long_values(service: Innovaphone, client: Client) -> None:
    """What is too long for a message comes in pieces before the configuration."""
    service.configs[8] = ConfigRecord(
        8,
        1,
        "LATER",
        long_values={"first": "ü" * 25_000, "second": "", "third": "x" * 9},
    )
    for number in (2, 8):
        await client.send("GetDeviceConfig", id=number, src="c")
        values: dict[str, str] = {}
        while True:
            text = await client.socket.receive_str(timeout=5)
            assert len(text.encode()) <= 65_535
            message = json.loads(text)
            assert message["src"] == "c"
            if message["mt"] == "GetDeviceConfigResult":
                break
            assert message["mt"] == "GetDeviceConfigValueResult"
            values[message["name"]] = values.get(message["name"], "") + message["value"]
        assert not values.keys() & message["config"].keys()
        assert values == {
            name: value
            for name, value in service.configs[number].long_values.items()
            if value
        }
    assert len(service.configs[2].long_values["script"].encode()) > 65_535


@pytest.mark.parametrize("release", ["13r2", "13r3", "14r1"])
async def test_encrypted_values(
    service: Innovaphone, client: Client, release: Any
) -> None:
    """Passwords are encrypted for the session; the seed depends on the release."""
    service.release = release
    key = session_key(client.challenge, "demoInstance01")
    for number, name, password, seed in (
        (4, "turnPassword", "inventedTurnPassword", "turn.example.com"),
        (1, "logPassword", "inventedLogPassword", "http://192.0.2.9/alarms"),
    ):
        config = (await client.ask("GetDeviceConfig", id=number))["config"]
        assert ("seed" in config) is (release != "13r2")
        seed = config.get("seed", seed)
        text = rc4(f"{seed}:{key}".encode(), bytes.fromhex(config[name]))
        assert text.decode() == password
    service.log_seed = "logUrl"
    config = (await client.ask("GetDeviceConfig", id=1))["config"]
    seed = config.get("seed", "http://192.0.2.9/log")
    assert config["logPassword"] == encrypt(key, seed, "inventedLogPassword")
    # A seed that is not there is an empty one.
    del service.configs[4].values["turnServer"]
    config = (await client.ask("GetDeviceConfig", id=4))["config"]
    assert config["turnPassword"] == encrypt(
        key, config.get("seed", ""), "inventedTurnPassword"
    )


async def test_oldest_release(service: Innovaphone, client: Client) -> None:
    """In 13r1, GetUserInfo has another name, and devices have less to tell."""
    service.release = "13r1"
    await client.send("GetUserInfo")
    told = await client.ask("GetLoginInfo", src="l")
    assert (told["mt"], told["admin"], told["src"]) == (
        "GetLoginInfoResult",
        True,
        "l",
    )
    devices = await client.list_all("GetDevices")
    assert not any({"other", "ethIfs"} & device.keys() for device in devices)


async def test_unknown_messages(service: Innovaphone, client: Client) -> None:
    """Messages of an unknown type get no answer, or an error."""
    # The document's list of contents has this name, but nothing else has.
    await client.send("GetDevicesConfigs")
    assert (await client.ask("GetUserInfo"))["mt"] == "GetUserInfoResult"
    service.answers_unknown = True
    assert await client.ask("GetDevicesConfig", src="x") == {
        "mt": "Error",
        "error": "GetDevicesConfig is not known",
        "src": "x",
    }


@pytest.mark.parametrize(
    ("habit", "answer"),
    [
        ("echo", {"mt": "KeepAlive"}),
        ("error", {"mt": "Error", "error": "KeepAlive is not known"}),
        ("silent", None),
    ],
)
async def test_keepalive(
    service: Innovaphone, client: Client, habit: Any, answer: object
) -> None:
    """A KeepAlive is answered, or it is not."""
    service.keepalive = habit
    await client.send("KeepAlive")
    if answer is not None:
        assert await client.receive() == answer
    assert (await client.ask("GetUserInfo"))["admin"] is True
    assert service.requests[-2] == {"mt": "KeepAlive"}


async def test_new_keys(service: Innovaphone, client: Client) -> None:
    """The key stays the same, or is new each time."""
    first = (await client.ask("GetUserInfo"))["key"]
    assert (await client.ask("GetUserInfo"))["key"] == first
    service.new_keys = True
    second = (await client.ask("GetUserInfo"))["key"]
    assert service.connections[0].keys == [first, second]


async def test_failures(service: Innovaphone, client: Client, connect: Connect) -> None:
    """Requests can be let fail, or go unanswered."""
    service.fail("GetDevices", "out of order", times=2)
    service.ignore("GetUserInfo")
    for _ in range(2):
        assert await client.ask("GetDevices", src="d") == {
            "mt": "GetDevicesResult",
            "error": "out of order",
            "src": "d",
        }
    await client.send("GetUserInfo")
    assert len(await client.list_all("GetDevices")) == 9
    assert "key" in await client.ask("GetUserInfo")
    service.ignore("AppChallenge")
    await client.send("AppChallenge")
    assert "challenge" in await client.ask("AppChallenge")


async def test_too_large(service: Innovaphone, client: Client) -> None:
    """A request has 65535 bytes at most; a larger one ends the connection."""
    text = json.dumps({"mt": "GetUserInfo"})
    await client.socket.send_str(text.ljust(65_535))
    assert (await client.receive())["mt"] == "GetUserInfoResult"
    await client.socket.send_str(text.ljust(65_536))
    assert await client.end() == aiohttp.WSCloseCode.MESSAGE_TOO_BIG
    while service.connections:
        await asyncio.sleep(0)


async def test_not_understood(service: Innovaphone, client: Client) -> None:
    """What is no message is kept, and not answered."""
    rubbish = ["{", "[" * 60_000, "[]", '{"src":"a"}', '{"mt":1}']
    for text in rubbish:
        await client.socket.send_str(text)
    await client.socket.send_bytes(b"{}")
    assert (await client.ask("GetUserInfo"))["admin"] is True
    assert service.not_understood == [*rubbish, b"{}"]
    await client.socket.ping()
    assert (await client.ask("GetUserInfo"))["admin"] is True


async def test_drop(service: Innovaphone, client: Client, connect: Connect) -> None:
    """Connections can be broken, or closed once everything is sent."""
    assert len(service.connections) == 1
    await service.drop()
    assert service.connections == []
    assert await client.end() == aiohttp.WSCloseCode.ABNORMAL_CLOSURE
    client = await connect()
    await client.log_in()
    await client.send("GetDevices")
    while service.requests[-1]["mt"] != "GetDevices":
        await asyncio.sleep(0)
    closing = asyncio.create_task(service.drop(abort=False))
    assert (await client.receive())["last"] is True
    assert await client.end() == aiohttp.WSCloseCode.GOING_AWAY
    await closing
    assert service.connections == []


async def test_drop_between_pages(
    service: Innovaphone, client: Client, connect: Connect
) -> None:
    """A connection may break in the middle of a list."""
    service.page_size = 5
    service.between_pages(service.drop)
    await client.ask("GetDevices")
    assert await client.end() == aiohttp.WSCloseCode.ABNORMAL_CLOSURE
    client = await connect()
    assert (await client.log_in())["ok"] is True


async def test_end_between_pages(service: Innovaphone, client: Client) -> None:
    """A client may leave in the middle of a list."""
    service.page_size = 5
    service.between_pages(asyncio.Event().wait)
    await client.ask("GetDevices")
    [connection] = service.connections
    await client.socket.close()
    await connection.ended.wait()
    assert service.connections == []


async def test_freeze(service: Innovaphone, client: Client, connect: Connect) -> None:
    """A frozen connection is open, but nobody is there."""
    await service.freeze()
    await client.send("GetUserInfo")
    other = await connect()
    assert (await other.log_in())["ok"] is True
    assert len(service.connections) == 2
    assert service.requests[-1]["mt"] == "AppLogin"
    await service.drop()
    assert await client.end() == aiohttp.WSCloseCode.ABNORMAL_CLOSURE


async def test_stop(service: Innovaphone, client: Client, connect: Connect) -> None:
    """A service that leaves the network breaks its connections, and comes back."""
    url = service.app_url
    await service.stop()
    await service.stop()
    assert await client.end() == aiohttp.WSCloseCode.ABNORMAL_CLOSURE
    with pytest.raises(aiohttp.ClientConnectorError):
        await connect()
    await service.start()
    await service.start()
    assert service.app_url == url
    client = await connect()
    assert (await client.log_in())["ok"] is True
    # Subscriptions end with their connection.
    await service.update("docker0", online=False)
    assert (await client.ask("GetUserInfo"))["mt"] == "GetUserInfoResult"


async def test_tls(session: aiohttp.ClientSession) -> None:
    """With TLS, the certificate is nobody's but its own."""
    context = ssl.create_default_context(cadata=make_certificate()[0])
    async with Innovaphone(tls=True) as service:
        await service.start()
        url = service.app_url
        assert url.startswith("https://127.0.0.1:")
        with pytest.raises(aiohttp.ClientConnectorCertificateError):
            await session.ws_connect(url)
        async with session.ws_connect(url, ssl=context) as socket:
            assert (await Client(socket).log_in())["ok"] is True
            await service.drop()
            assert await Client(socket).end() == aiohttp.WSCloseCode.ABNORMAL_CLOSURE
        await service.stop()
        await service.start()
        assert service.app_url == url
        async with session.ws_connect(url, ssl=context) as socket:
            assert (await Client(socket).log_in())["ok"] is True


async def test_other_path(session: aiohttp.ClientSession) -> None:
    """Domain, instance and app are the administrator's choice."""
    async with (
        Innovaphone(
            path="/home.example.com/geräte/app",
            domain="home.example.com",
            password="pw",
            devices=[DeviceRecord("a", id=1), DeviceRecord("b")],
        ) as service,
        session.ws_connect(f"{service.url}/home.example.com/geräte") as socket,
    ):
        client = Client(socket)
        told = await client.log_in("pw", "home.example.com")
        assert told["domain"] == "home.example.com"
        assert [device["id"] for device in await client.list_all("GetDevices")] == [
            1,
            2,
        ]


@pytest.fixture
async def ask(
    service: Innovaphone, client: Client, session: aiohttp.ClientSession
) -> Ask:
    """Return what sends a device a request: status and body."""
    key = (await client.ask("GetUserInfo"))["key"]

    async def ask(
        path: str,
        hw_id: str = "029033000003",
        method: str = "GET",
        key: str = key,
        **options: Any,
    ) -> tuple[int, str]:
        url = f"{service.url}{service.base}/passthrough/{hw_id}/{key}/{path}"
        async with session.request(method, url, **options) as response:
            return response.status, await response.text()

    return ask


async def test_passthrough(service: Innovaphone, client: Client, ask: Ask) -> None:
    """A device's own web server is reached with the session's key."""
    status, config = await ask("cfg.txt")
    assert status == 200
    assert "/name Gateway\r\n" in config
    assert "inventedAdminSecret" in config
    _, standard = await ask("cfg-standard.txt")
    assert "invented" not in standard
    assert len(standard.splitlines()) == len(config.splitlines())
    assert "IP0 link up" in (await ask("log.txt"))[1]
    assert 'reset-required="false"' in (await ask("CMD0/box_info.xml"))[1]
    assert await ask("NONE0/mod_cmd.xml?cmd=show") == (200, "?\r\n")
    assert await ask("!mod cmd NONE0 show") == (200, "?\r\n")
    assert (await ask("nowhere.txt"))[0] == 404
    assert (await ask("", method="POST", data=b"x=1"))[0] == 404
    hw_id = "029033000003"
    assert service.passthrough.requests[-4:] == [
        PassthroughRequest(hw_id, "GET", "NONE0/mod_cmd.xml?cmd=show"),
        PassthroughRequest(hw_id, "GET", "!mod cmd NONE0 show"),
        PassthroughRequest(hw_id, "GET", "nowhere.txt"),
        PassthroughRequest(hw_id, "POST", "", b"x=1"),
    ]
    service.passthrough.pages["nowhere.txt"] = b"here"
    assert await ask("nowhere.txt") == (200, "here")


async def test_change_config(ask: Ask) -> None:
    """A line of the configuration can be written anew, and is read back."""
    for line in ("config change CMD0 /name Gate", "config change NEW /a 1"):
        assert await ask(f"!{line}") == (200, "")
        assert await ask("!config write") == (200, "")
        assert await ask("!config activate") == (200, "")
        _, config = await ask("cfg.txt")
        assert config.splitlines().count(line) == 1
    assert "/name Gateway" not in (await ask("cfg.txt"))[1]
    assert "/name Reception" in (await ask("cfg.txt", "029033000001"))[1]


async def test_restart(service: Innovaphone, client: Client, ask: Ask) -> None:
    """A restart takes a device off line for a while."""
    await client.list_all("GetDevices", recvUpdates=True)
    assert await ask("!ireset") == (200, "")
    for online in (False, True):
        update = await client.receive()
        assert update["device"]["online"] is online
    # These do so only if a reset is needed.
    assert await ask("!resetn") == (200, "")
    assert service.passthrough.restarts == ["029033000003"]
    service.passthrough.reset_required.add("029033000003")
    assert 'reset-required="true"' in (await ask("CMD0/box_info.xml"))[1]
    service.restart_time = 3600
    assert await ask("!iresetn") == (200, "")
    assert service.passthrough.restarts == ["029033000003"] * 2
    assert service.passthrough.reset_required == set()
    assert not service.devices["029033000003"].online
    assert (await ask("log.txt"))[0] == 503
    await ask("!reset", "029033000001")
    await service.remove("029033000001")
    await service.stop()
    assert service.devices["029033000003"].online


async def test_dead_key(service: Innovaphone, client: Client, ask: Ask) -> None:
    """A key is good while its connection is open."""
    assert (await ask("log.txt"))[0] == 200
    assert (await ask("log.txt", key="0e6ff4c7-7a88-40c4-98eb-8c91903933e6"))[0] == 403
    await service.drop()
    assert (await ask("log.txt"))[0] == 403
    service.passthrough.bad_key = Fault.reset(acted=False)
    with pytest.raises(aiohttp.ClientError):
        await ask("log.txt")
    assert [request.hw_id for request in service.passthrough.requests][-4:] == [
        "029033000003"
    ] * 4


async def test_unreachable_devices(
    service: Innovaphone, client: Client, connect: Connect, ask: Ask
) -> None:
    """Not every device can be reached; what is said then can be set."""
    assert (await ask("log.txt", "029033000004"))[0] == 503
    assert (await ask("log.txt", "029033000008"))[0] == 502
    assert (await ask("log.txt", "0290330000ff"))[0] == 404
    assert (await ask("log.txt", "029033000009"))[0] == 200
    service.passthrough.offline = Fault.hang(acted=False)
    with pytest.raises(TimeoutError):
        await ask("log.txt", "029033000004", timeout=aiohttp.ClientTimeout(0.01))
    other = await connect()
    await other.log_in("demoBranch01", "branch.example.com")
    key = (await other.ask("GetUserInfo"))["key"]
    assert (await ask("log.txt", key=key))[0] == 404


async def test_passthrough_faults(
    service: Innovaphone, client: Client, ask: Ask
) -> None:
    """Answers can be slow, large, of unknown length, or wrong."""
    passthrough = service.passthrough
    passthrough.inject(
        "log.txt", Fault.reply(b"no", status=500, content_type="text/plain")
    )
    assert await ask("log.txt") == (500, "no")
    assert (await ask("log.txt"))[0] == 200
    passthrough.pages["large"] = b"x" * 1_000_000
    assert len((await ask("large"))[1]) == 1_000_000
    passthrough.chunked = True
    assert len((await ask("large"))[1]) == 1_000_000
    passthrough.delay = 3600
    with pytest.raises(TimeoutError):
        await ask("log.txt", timeout=aiohttp.ClientTimeout(0.01))


def test_invented_devices() -> None:
    """So many devices are invented, all of them different."""
    for count in (0, 1, 5000):
        devices = invented_devices(count)
        assert len({device.hw_id for device in devices}) == count
