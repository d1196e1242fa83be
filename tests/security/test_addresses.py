"""What Home Assistant answers at the addresses that vendors call."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator
from yarl import URL

from custom_components.gatehouse import inbound, wire
from custom_components.gatehouse.const import DOMAIN
from homeassistant.components.http import ban
from homeassistant.config_entries import ConfigEntryDisabler
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
from simulators.ipac import Ipac

SECRETS = ["0" * 32, "1" * 32, "2" * 32, "3" * 32]
TOKENS = [secret[:24] for secret in SECRETS]
RUNNING, OTHER, UNLOADED, DISABLED = range(4)

HEADER = "authTokenTellicon"


@dataclass(frozen=True)
class Asked:
    """A request."""

    path: str
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b"{}"
    method: str = "POST"


@dataclass(frozen=True)
class Answered:
    """An answer, without what changes by itself."""

    status: int
    reason: str
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class Address:
    """An address, with whom it knows and how it refuses everybody else."""

    entries: list[dict[str, Any]]
    right: Asked
    """Of the entry that is running."""
    accepted: int
    wrong: list[Asked]
    status: int
    body: bytes
    counted: bool = False
    """Whether a refusal counts as a failed login."""


type SetUp = Callable[[Address], Awaitable[list[MockConfigEntry]]]


def tellicon(token: str) -> Asked:
    """Return a request of Tellicon."""
    return Asked("/eventTellicon", {HEADER: token})


def ipac(secret: str, token: str, endpoint: str = "notify") -> Asked:
    """Return a request of a station."""
    return Asked(
        f"/api/gatehouse/asm/{secret}/{endpoint}",
        body=f'{{"token": "{token}", "objectid": "1"}}'.encode(),
    )


def senselink(secret: str) -> Asked:
    """Return a request of SenseLink's subscription service."""
    return Asked(f"/api/gatehouse/senselink/{secret}")


# Nobody's, though near somebody's, or of the wrong alphabet or length.
STRANGE = ["x", "0" * 23, "0" * 31, "0" * 33, "não-é-nada", "%ED%A0%80", "%FF", "%00"]

ADDRESSES = {
    "tellicon": Address(
        entries=[{"vendor": "tellicon", "token": token} for token in TOKENS],
        right=tellicon(TOKENS[RUNNING]),
        # It lacks a type.
        accepted=400,
        wrong=[Asked("/eventTellicon"), tellicon("")]
        + [tellicon(token) for token in (*STRANGE, SECRETS[RUNNING])]
        + [Asked("/eventTellicon", {HEADER.upper(): "x"}, body=b"nonsense")],
        status=401,
        body=b'{"message":"wrong or no token"}',
        counted=True,
    ),
    "ipac": Address(
        entries=[
            {
                "vendor": "ipac",
                "username": "admin",
                "password": "invented",
                "auth": "digest",
                "tls": False,
                "verify_tls": False,
                "asm_secret": secret,
                "asm_token": token,
            }
            for secret, token in zip(SECRETS, TOKENS, strict=True)
        ],
        right=ipac(SECRETS[RUNNING], TOKENS[RUNNING], "settings"),
        accepted=200,
        wrong=[ipac(secret, TOKENS[RUNNING]) for secret in (*STRANGE, TOKENS[RUNNING])]
        + [
            ipac(secret, token, endpoint)
            for secret in (SECRETS[RUNNING], SECRETS[UNLOADED], SECRETS[DISABLED])
            for endpoint in ("notify", "settings", "event", "event/")
            for token in ("", "x", "não-é-nada", TOKENS[OTHER])
        ]
        + [
            ipac(SECRETS[RUNNING], TOKENS[RUNNING], endpoint)
            for endpoint in ("x", "notifyx", "NOTIFY")
        ]
        + [
            Asked(f"/api/gatehouse/asm/{SECRETS[RUNNING]}/event", body=body)
            for body in (b"{}", b'{"token": null}', b'{"token": ["x"]}')
        ],
        status=404,
        body=b'{"message":"invalid_token"}',
    ),
    "senselink": Address(
        entries=[
            {
                "vendor": "senselink",
                "delivery": "subscription",
                "port": 9000,
                "secret": secret,
                "tls": False,
                "verify_tls": True,
            }
            for secret in SECRETS
        ],
        right=senselink(SECRETS[RUNNING]),
        accepted=200,
        wrong=[senselink(secret) for secret in (*STRANGE, TOKENS[RUNNING])],
        status=404,
        body=b"404: Not Found",
    ),
}

every_address = pytest.mark.parametrize("address", ADDRESSES.values(), ids=ADDRESSES)


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    """Return a session that sends bytes that are no UTF-8 as they are."""
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
async def base(
    hass: HomeAssistant, hass_client_no_auth: ClientSessionGenerator, tmp_path: Path
) -> str:
    """Return where Home Assistant is reached, behind a proxy that it trusts."""
    assert await async_setup_component(
        hass,
        "http",
        {
            "http": {
                "ip_ban_enabled": True,
                "login_attempts_threshold": 3,
                "use_x_forwarded_for": True,
                "trusted_proxies": ["127.0.0.1"],
            }
        },
    )
    assert await async_setup_component(hass, DOMAIN, {})
    # As when Home Assistant itself starts the server: addresses come while it runs.
    hass.http.app._router.freeze = lambda: None
    client = await hass_client_no_auth()
    hass.http.app[ban.KEY_BAN_MANAGER].path = str(tmp_path / "ip_bans.yaml")
    return str(client.make_url("")).rstrip("/")


@pytest.fixture(autouse=True)
async def station(socket_enabled: None) -> AsyncIterator[Ipac]:
    """Return a station, which its entries find."""
    async with Ipac(password="invented") as station:
        yield station


@pytest.fixture
async def set_up(hass: HomeAssistant, station: Ipac) -> SetUp:
    """Return what sets up entries of which two run, one does not, and one is disabled."""
    return partial(_set_up, hass, station)


async def _set_up(
    hass: HomeAssistant, station: Ipac, address: Address
) -> list[MockConfigEntry]:
    entries = [
        MockConfigEntry(
            domain=DOMAIN,
            title=f"entry {number}",
            data=data | ({"host": station.host} if data["vendor"] == "ipac" else {}),
            disabled_by=ConfigEntryDisabler.USER if number == DISABLED else None,
        )
        for number, data in enumerate(address.entries)
    ]
    for entry in entries:
        entry.add_to_hass(hass)
    for number in (RUNNING, OTHER, UNLOADED):
        await hass.config_entries.async_setup(entries[number].entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    await hass.config_entries.async_unload(entries[UNLOADED].entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    return entries


async def ask(
    session: aiohttp.ClientSession, base: str, asked: Asked, source: str = "192.0.2.1"
) -> Answered:
    """Send a request, as the proxy hands it on; return the answer."""
    async with session.request(
        asked.method,
        URL(base + asked.path, encoded="%" in asked.path),
        data=asked.body,
        headers={**asked.headers, "X-Forwarded-For": source},
        allow_redirects=False,
    ) as reply:
        return Answered(
            reply.status,
            reply.reason or "",
            {key: value for key, value in reply.headers.items() if key != "Date"},
            await reply.read(),
        )


@every_address
async def test_before_any_entry(
    hass: HomeAssistant, base: str, session: aiohttp.ClientSession, address: Address
) -> None:
    """As long as nobody is set up, the address is one that is not served."""
    for method in ("GET", "HEAD", "OPTIONS", "POST", "PUT"):
        nowhere = await ask(
            session, base, Asked("/api/gatehouse/nowhere", method=method)
        )
        asked = Asked(address.right.path, address.right.headers, method=method)
        assert await ask(session, base, asked) == nowhere
        assert nowhere.status == 404


@every_address
async def test_refusals_are_alike(
    hass: HomeAssistant,
    base: str,
    set_up: SetUp,
    session: aiohttp.ClientSession,
    address: Address,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Whatever is wrong, and whoever's it nearly is, the answer is the same."""
    entries = await set_up(address)
    answers = [
        # Each from another source, so that none is banned.
        await ask(session, base, asked, f"192.0.2.{number}")
        for number, asked in enumerate(address.wrong)
    ]
    assert (answers[0].status, answers[0].body) == (address.status, address.body)
    for answer in answers:
        assert answer == answers[0]
    failed = sum(hass.http.app[ban.KEY_FAILED_LOGIN_ATTEMPTS].values())
    assert failed == (len(answers) if address.counted else 0)
    assert "Traceback" not in caplog.text
    for secret in (*SECRETS, *TOKENS):
        assert secret not in "".join(
            record.getMessage()
            for record in caplog.records
            if record.name.startswith("custom_components")
        )
    assert (await ask(session, base, address.right)).status == address.accepted
    # Once its last entry has gone, nobody's secret is right any more.
    for entry in entries:
        await hass.config_entries.async_remove(entry.entry_id)
    assert await ask(session, base, address.right) == answers[0]


@pytest.mark.parametrize(
    ("vendor", "of"),
    [
        ("tellicon", [tellicon(token) for token in TOKENS[:2]]),
        (
            "ipac",
            [
                ipac(secret, token, "settings")
                for secret, token in zip(SECRETS[:2], TOKENS[:2], strict=True)
            ],
        ),
        ("senselink", [senselink(secret) for secret in SECRETS[:2]]),
    ],
)
async def test_all_are_compared(
    base: str,
    set_up: SetUp,
    session: aiohttp.ClientSession,
    monkeypatch: pytest.MonkeyPatch,
    vendor: str,
    of: list[Asked],
) -> None:
    """Whose secret it is cannot be told from how many were looked at."""
    await set_up(ADDRESSES[vendor])
    compared: list[bytes] = []
    compare = wire.compare_digest

    def count(one: bytes, other: bytes) -> bool:
        compared.append(one)
        return compare(one, other)

    monkeypatch.setattr(wire, "compare_digest", count)
    counts = set()
    for asked in of:
        compared.clear()
        assert (await ask(session, base, asked)).status in (200, 400)
        assert len(compared) >= 2
        counts.add(len(compared))
    assert len(counts) == 1


async def test_wrong_address_of_senselink(
    hass: HomeAssistant, base: str, set_up: SetUp, session: aiohttp.ClientSession
) -> None:
    """A wrong address cannot be told from one that Home Assistant does not have."""
    address = ADDRESSES["senselink"]
    await set_up(address)
    nowhere = await ask(session, base, Asked("/api/gatehouse/nowhere/x"))
    assert await ask(session, base, address.wrong[0]) == nowhere


@every_address
async def test_other_methods(
    hass: HomeAssistant,
    base: str,
    set_up: SetUp,
    session: aiohttp.ClientSession,
    address: Address,
) -> None:
    """Only a message that is posted has its secret looked at."""
    await set_up(address)
    for method in ("GET", "HEAD", "OPTIONS", "PUT", "PATCH", "DELETE"):
        answers = [
            await ask(
                session, base, Asked(asked.path, asked.headers, asked.body, method)
            )
            for asked in (address.right, address.wrong[0], address.wrong[2])
        ]
        assert answers[0].status in (403, 405)
        assert answers[1:] == [answers[0]] * 2
    assert not sum(hass.http.app[ban.KEY_FAILED_LOGIN_ATTEMPTS].values())


@every_address
async def test_refused_before_the_body(
    hass: HomeAssistant, base: str, set_up: SetUp, address: Address
) -> None:
    """Who does not know the secret is refused without a look at what is sent."""
    await set_up(address)
    url = URL(base)
    wrong = address.wrong[0]
    reader, writer = await asyncio.open_connection(url.host, url.port)
    writer.write(
        f"POST {wrong.path} HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n".encode()
    )
    assert int((await reader.readline()).split()[1]) == address.status
    writer.close()
    await writer.wait_closed()


async def test_banned(
    hass: HomeAssistant, base: str, set_up: SetUp, session: aiohttp.ClientSession
) -> None:
    """Who tries tokens is banned by Home Assistant: he, and not the proxy before him."""
    address = ADDRESSES["tellicon"]
    await set_up(address)
    for _ in range(3):
        assert (await ask(session, base, address.wrong[1], "192.0.2.7")).status == 401
    for asked in (address.wrong[1], address.right):
        assert (await ask(session, base, asked, "192.0.2.7")).status == 403
    assert (await ask(session, base, address.wrong[1], "192.0.2.8")).status == 401
    assert (await ask(session, base, address.right, "192.0.2.8")).status == 400
    banned = hass.http.app[ban.KEY_BAN_MANAGER].ip_bans_lookup
    assert [str(source) for source in banned] == ["192.0.2.7"]


@pytest.mark.parametrize("vendor", ["ipac", "senselink"])
async def test_logged_once(
    hass: HomeAssistant,
    base: str,
    set_up: SetUp,
    session: aiohttp.ClientSession,
    vendor: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Each source is logged once and not banned, and there is an end to it."""
    address = ADDRESSES[vendor]
    await set_up(address)
    caplog.clear()
    sources = [f"192.0.2.{number}" for number in range(1, inbound.MAX_REFUSED + 10)]
    for source in sources:
        for asked in address.wrong[:3]:
            answer = await ask(session, base, asked, source)
            assert answer.status == 404
    ours = [
        record.getMessage()
        for record in caplog.records
        if record.name == inbound.__name__
    ]
    assert len(ours) == inbound.MAX_REFUSED + 1
    for source, line in zip(sources, ours[:-1], strict=False):
        assert f"from {source} to " in line
    assert ours[-1].startswith("Further senders")
    assert (await ask(session, base, address.right, sources[0])).status == 200
