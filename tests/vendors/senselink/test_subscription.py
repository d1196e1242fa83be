"""The address that SenseLink's subscription service posts to, and its silence."""

import asyncio
from datetime import timedelta
import json
import logging
from typing import Any

import aiohttp
from freezegun.api import TickingDateTimeFactory
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from yarl import URL

from custom_components.gatehouse import inbound
from custom_components.gatehouse.const import DOMAIN
from custom_components.gatehouse.vendors.senselink.hub import SenseLinkHub
from homeassistant.components.http import ban
from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import EVENT_HOMEASSISTANT_STOP, STATE_UNKNOWN
from homeassistant.core import CoreState, HomeAssistant
from homeassistant.helpers import device_registry as dr, issue_registry as ir
from homeassistant.setup import async_setup_component
from simulators.senselink import SenseLink
from simulators.senselink_frames import BRUNO

from ...conftest import Advance, Devices, until
from ..conftest import shown
from .conftest import (
    ACCESS,
    CONNECTION,
    CONTACT,
    ENTRANCE,
    FORCED,
    PERSON,
    SECRET,
    SetUp,
    Told,
    make_entry,
)

OK = (200, b'{"code":200,"message":"OK"}')
ISSUE = "subscription_silent_senselink_entry"


async def post(address: str, body: bytes, **headers: str) -> tuple[int, bytes]:
    """Post something; return status and body of the answer."""
    async with (
        aiohttp.ClientSession() as session,
        session.post(address, data=body, headers=headers) as reply,
    ):
        return reply.status, await reply.read()


def event(**changes: Any) -> bytes:
    """Return an event as the subscription service posts it."""
    return json.dumps(
        {
            "eventType": 30000,
            "messageId": "8c2e5e5c-0000-4000-8000-000000000000",
            "sendTime": 1700000001000,
            "data": {
                "id": 1,
                "sn": ENTRANCE,
                "deviceName": "Main entrance",
                "location": "Ground floor",
                "userId": 1,
                "name": "Aiko Aoyama",
                "signTime": 1700000000,
            },
        }
        | changes
    ).encode()


async def test_nothing_is_called(
    hass: HomeAssistant, server: SenseLink, subscription: MockConfigEntry
) -> None:
    """An entry that waits for events needs no server, and knows nothing of it yet."""
    assert not server.attempts
    assert shown(hass, CONNECTION) == STATE_UNKNOWN
    assert shown(hass, CONTACT) == STATE_UNKNOWN


@pytest.mark.parametrize("envelope", ["field", "documented"])
@pytest.mark.parametrize("layout", ["2.3", "2.2"])
async def test_events(
    hass: HomeAssistant,
    server: SenseLink,
    subscribed: MockConfigEntry,
    told: Told,
    envelope: str,
    layout: str,
) -> None:
    """The same words come out as of the websocket."""
    server.envelope = envelope
    server.layout = layout
    await server.recognise()
    await until(lambda: told(ACCESS))
    ((event_type, attributes),) = told(ACCESS)
    assert event_type == "access_granted"
    assert attributes["person"] == shown(hass, PERSON) == "Aiko Aoyama"
    frame = await server.alert(10002)
    await until(lambda: shown(hass, FORCED) == "on")
    await server.release(frame["data"]["traceId"])
    await until(lambda: shown(hass, FORCED) == "off")
    assert shown(hass, CONNECTION) == "on"
    assert shown(hass, CONTACT) != STATE_UNKNOWN
    assert server.subscription.status == "normal"
    assert [
        (delivery.status, delivery.body) for delivery in server.subscription.deliveries
    ] == [OK] * 3


async def test_repetition(
    server: SenseLink, subscribed: MockConfigEntry, told: Told
) -> None:
    """An event that comes again is acknowledged again, and told once."""
    await server.recognise()
    await server.resend()
    await server.recognise(person=BRUNO)
    await until(lambda: len(told(ACCESS)) == 2)
    assert len(server.subscription.deliveries) == 3
    assert [attributes["person"] for _, attributes in told(ACCESS)] == [
        "Aiko Aoyama",
        "Bruno Brück",
    ]


async def test_same_message_other_content(
    hass: HomeAssistant, address: str, told: Told
) -> None:
    """The event's own id decides; where it has none, the record's."""
    await post(address, event())
    await post(address, event(data={"sn": ENTRANCE, "id": 2}))
    await post(address, event(messageId=None))
    await post(address, event(messageId="other"))
    await post(
        address,
        event(
            messageId="other again", eventType="30000", data={"sn": ENTRANCE, "id": 3}
        ),
    )
    await until(lambda: len(told(ACCESS)) == 2)
    assert [attributes["record_id"] for _, attributes in told(ACCESS)] == ["1", "3"]


async def test_repetition_after_restart(
    hass: HomeAssistant, subscription: MockConfigEntry, address: str, told: Told
) -> None:
    """An event whose answer got lost with the restart is not told again."""
    await post(address, event())
    await until(lambda: told(ACCESS))
    assert await hass.config_entries.async_reload(subscription.entry_id)
    await hass.async_block_till_done()
    await post(address, event())
    await post(address, event(messageId="other"))
    await post(address, event(messageId="new", data={"sn": ENTRANCE, "id": 2}))
    await until(lambda: len(told(ACCESS)) == 2)
    assert told(ACCESS)[1][1]["record_id"] == "2"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"null",
        b"[]",
        b"{}",
        b"[" * 3000 + b"]" * 3000,
        b'{"eventType": 12345}',
        b'{"eventType": 30000}',
        b'{"eventType": 30100, "data": {"id": NaN}}',
        b'{"eventType": 30100, "data": {"deviceSn": ""}}',
        b" " * (inbound.MAX_BODY + 1),
    ],
)
async def test_any_body(address: str, devices: Devices, body: bytes) -> None:
    """Whatever comes to the right address is acknowledged."""
    assert await post(address, body) == OK
    assert len(devices()) == 1


async def test_final_slash(address: str, told: Told) -> None:
    """The address may have been entered with a slash at its end."""
    assert await post(f"{address}/", event()) == OK
    await until(lambda: told(ACCESS))


@pytest.mark.parametrize(
    "rest",
    [
        b"Content-Length: 1000\r\n\r\n",
        b"Content-Encoding: gzip\r\nContent-Length: 4\r\n\r\nnope",
    ],
)
async def test_broken_transfer(
    address: str, rest: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So is what comes too slowly, or not whole."""
    monkeypatch.setattr(inbound, "BODY_TIMEOUT", 0.01)
    url = URL(address)
    reader, writer = await asyncio.open_connection(url.host, url.port)
    writer.write(f"POST {url.path} HTTP/1.1\r\nHost: x\r\n".encode() + rest)
    assert (await reader.readline()).split()[1] == b"200"
    writer.close()
    await writer.wait_closed()


async def test_answer_comes_first(
    server: SenseLink,
    subscribed: MockConfigEntry,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """SenseLink has its answer before anything is done with the event."""
    order: list[str] = []

    def receive(hub: SenseLinkHub, event: object) -> None:
        order.append("work")

    monkeypatch.setattr(SenseLinkHub, "receive", receive)
    write = aiohttp.web.Response.write_eof

    async def write_eof(reply: aiohttp.web.Response, data: bytes = b"") -> None:
        await write(reply, data)
        order.append("answer")

    monkeypatch.setattr(aiohttp.web.Response, "write_eof", write_eof)
    await server.recognise()
    await until(lambda: "work" in order)
    assert order[:2] == ["answer", "work"]


async def test_fault_of_ours(
    server: SenseLink,
    subscribed: MockConfigEntry,
    told: Told,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Not even a fault of ours gets SenseLink another answer."""
    with monkeypatch.context() as patch:
        patch.setattr(SenseLinkHub, "_understand_record", None)
        await server.recognise()
        await until(lambda: "A message of SenseLink was lost" in caplog.text)
    assert server.subscription.status == "normal"
    await server.recognise()
    await until(lambda: told(ACCESS))


@pytest.mark.parametrize(
    "secret", [SECRET[:-1], SECRET.upper(), "0" * 32, "%F0%9F%94%91", "x" * 5000]
)
async def test_wrong_secret(
    hass: HomeAssistant,
    address: str,
    secret: str,
    caplog: pytest.LogCaptureFixture,
    devices: Devices,
) -> None:
    """A wrong address does not exist; that is logged once, and nobody is banned."""
    for _ in range(3):
        status, body = await post(address.replace(SECRET, secret), event())
        assert status == 404
        assert SECRET.encode() not in body
    assert caplog.text.count("was refused") == 1
    assert secret not in "".join(
        record.getMessage()
        for record in caplog.records
        if record.name.startswith("custom_components")
    )
    assert not hass.http.app.get(ban.KEY_FAILED_LOGIN_ATTEMPTS)
    assert len(devices()) == 1


@pytest.fixture
async def counting(hass: HomeAssistant) -> None:
    """Have Home Assistant count failed logins."""
    assert await async_setup_component(
        hass, "http", {"http": {"login_attempts_threshold": 100}}
    )


async def test_no_failed_login(
    hass: HomeAssistant, counting: None, address: str
) -> None:
    """A server that is set up wrongly does not get itself banned."""
    status, _ = await post(address.replace(SECRET, "0" * 32), event())
    assert status == 404
    assert not sum(hass.http.app[ban.KEY_FAILED_LOGIN_ATTEMPTS].values())


async def test_websocket_has_no_address(
    hass: HomeAssistant, subscription: MockConfigEntry, address: str, set_up: SetUp
) -> None:
    """An entry that listens at the websocket takes no events."""
    hass.config_entries.async_update_entry(
        subscription, data={**subscription.data, "delivery": "websocket"}
    )
    await hass.async_block_till_done()
    status, _ = await post(address, event())
    assert status == 404


async def test_event_during_reload(
    hass: HomeAssistant,
    subscription: MockConfigEntry,
    address: str,
    told: Told,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An event during a reload is acknowledged at once, and told afterwards."""
    reached, go_on = asyncio.Event(), asyncio.Event()
    start = SenseLinkHub.async_start

    async def start_slowly(hub: SenseLinkHub) -> None:
        reached.set()
        await go_on.wait()
        await start(hub)

    monkeypatch.setattr(SenseLinkHub, "async_start", start_slowly)
    reloading = hass.async_create_task(
        hass.config_entries.async_reload(subscription.entry_id)
    )
    await reached.wait()
    assert await post(address, event()) == OK
    assert not told(ACCESS)
    go_on.set()
    await reloading
    await until(lambda: told(ACCESS))


async def test_not_running(
    hass: HomeAssistant,
    subscription: MockConfigEntry,
    address: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Who has the address of an entry that is not running is not made to give up."""
    caplog.set_level(logging.DEBUG)
    await hass.config_entries.async_unload(subscription.entry_id)
    assert await post(address, event()) == OK
    await until(lambda: "of no use: not running" in caplog.text)


async def test_stop(
    hass: HomeAssistant,
    subscription: MockConfigEntry,
    address: str,
    told: Told,
) -> None:
    """After its end an entry takes nothing more."""
    hass.bus.async_fire(EVENT_HOMEASSISTANT_STOP)
    await hass.async_block_till_done()
    assert await post(address, event()) == OK
    await hass.async_block_till_done(wait_background_tasks=True)
    assert not told(ACCESS)


async def test_two_subscriptions(
    hass: HomeAssistant,
    server: SenseLink,
    subscription: MockConfigEntry,
    address: str,
    devices: Devices,
) -> None:
    """Each has its own address."""
    other = make_entry(
        server, entry_id="other", delivery="subscription", secret="1" * 32
    )
    other.add_to_hass(hass)
    assert await hass.config_entries.async_setup(other.entry_id)
    assert await post(address.replace(SECRET, "1" * 32), event()) == OK
    await until(lambda: len(devices()) == 3)
    assert any(device.config_entry_id == "other" for device in devices()[-1:])
    assert other.state is ConfigEntryState.LOADED


# --- Silence


def issue(issue_registry: ir.IssueRegistry) -> ir.IssueEntry | None:
    """Return the repair issue, if there is one."""
    return issue_registry.async_get_issue(DOMAIN, ISSUE)


async def let_come(
    server: SenseLink, hass: HomeAssistant, advance: Advance, hours: float, times: int
) -> None:
    """Let events come with so many hours in between."""
    for _ in range(times):
        await advance(hours * 3600)
        await server.recognise()
    await hass.async_block_till_done(wait_background_tasks=True)


async def test_silence(
    hass: HomeAssistant,
    server: SenseLink,
    subscribed: MockConfigEntry,
    advance: Advance,
    issue_registry: ir.IssueRegistry,
) -> None:
    """A subscription that used to deliver and does no more is the user's affair."""
    await let_come(server, hass, advance, 10, 20)
    await advance(23 * 3600)
    assert issue(issue_registry) is None
    assert shown(hass, CONNECTION) == "on"
    await advance(2 * 3600)
    found = issue(issue_registry)
    assert found.translation_key == "subscription_silent"
    assert found.translation_placeholders == {"name": "SenseLink server"}
    assert SECRET not in str(found)
    assert shown(hass, CONNECTION) == "off"
    # It goes away by itself.
    await server.recognise()
    await until(lambda: issue(issue_registry) is None)
    assert shown(hass, CONNECTION) == "on"


async def test_never_delivered(
    hass: HomeAssistant,
    subscription: MockConfigEntry,
    advance: Advance,
    issue_registry: ir.IssueRegistry,
) -> None:
    """What never came cannot have stopped."""
    await advance(90 * 86400)
    assert issue(issue_registry) is None


async def test_silence_across_a_restart(
    hass: HomeAssistant,
    server: SenseLink,
    subscribed: MockConfigEntry,
    advance: Advance,
    clock: TickingDateTimeFactory,
    issue_registry: ir.IssueRegistry,
) -> None:
    """What was learnt outlives a restart; the time in between counts for nothing."""
    await let_come(server, hass, advance, 10, 20)
    await advance(20 * 3600)
    assert await hass.config_entries.async_unload(subscribed.entry_id)
    clock.move_to(clock() + timedelta(days=30))
    assert await hass.config_entries.async_setup(subscribed.entry_id)
    await hass.async_block_till_done()
    assert shown(hass, CONNECTION) == "on"
    assert issue(issue_registry) is None
    await advance(5 * 3600)
    assert issue(issue_registry) is not None
    # The issue goes with its entry, and comes back with it.
    await hass.config_entries.async_unload(subscribed.entry_id)
    assert issue(issue_registry) is None
    await hass.config_entries.async_setup(subscribed.entry_id)
    await hass.async_block_till_done()
    assert issue(issue_registry) is not None


async def test_silence_of_a_renamed_server(
    hass: HomeAssistant,
    server: SenseLink,
    subscribed: MockConfigEntry,
    advance: Advance,
    devices: Devices,
    device_registry: dr.DeviceRegistry,
    issue_registry: ir.IssueRegistry,
) -> None:
    """The user reads the name that the user has given."""
    (device,) = devices()
    device_registry.async_update_device(device.id, name_by_user="Faces")
    await let_come(server, hass, advance, 10, 20)
    await advance(25 * 3600)
    assert issue(issue_registry).translation_placeholders == {"name": "Faces"}


async def test_ignored_silence(
    hass: HomeAssistant,
    server: SenseLink,
    subscribed: MockConfigEntry,
    advance: Advance,
    issue_registry: ir.IssueRegistry,
) -> None:
    """Who does not want to hear of it is not told again after a restart."""
    await let_come(server, hass, advance, 10, 20)
    await advance(25 * 3600)
    (ignored,) = issue_registry.issues
    ir.async_ignore_issue(hass, *ignored, True)
    hass.set_state(CoreState.stopping)
    hass.bus.async_fire(EVENT_HOMEASSISTANT_STOP)
    await hass.async_block_till_done()
    assert issue_registry.issues[ignored].dismissed_version is not None


async def test_removed(
    hass: HomeAssistant, subscription: MockConfigEntry, address: str
) -> None:
    """An entry that is removed takes its address with it."""
    await hass.config_entries.async_remove(subscription.entry_id)
    status, _ = await post(address, event())
    assert status == 404
