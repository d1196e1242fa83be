"""Marked secrets are planted everywhere, everything is driven, and they are searched for."""

import json
import logging
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_capture_events,
)
from pytest_homeassistant_custom_component.typing import (
    ClientSessionGenerator,
    WebSocketGenerator,
)

from custom_components.gatehouse.const import DOMAIN
from custom_components.gatehouse.vendors.the_keys import account as account_module
from custom_components.gatehouse.wire import Secret
from homeassistant.config_entries import SOURCE_USER, ConfigSubentryData
from homeassistant.const import EVENT_STATE_CHANGED, MATCH_ALL
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import issue_registry as ir
from homeassistant.setup import async_setup_component
from simulators.ipac import Ipac
from simulators.tellicon import Tellicon, Unit
from simulators.the_keys import Fault, Gateway, Lock

from .conftest import Advance
from .diagnostics import entry_diagnostics

CODE = "MARKEDcode000001"
TOKEN = "MARKEDtoken-of-24-chars-"
PASSWORD = "MARKED password"
RELAY_CODE = "MARKED1"
NAMED_CODE = "MARKED2"
TYPED_CODE = "MARKED3"
ASM_SECRET = "MARKEDsecretOfThePath"
ASM_TOKEN = "MARKEDclient"
FRONT = 10000001

# These tell of paths at debug, among which the station's is a secret. It cannot be had
# otherwise: the station has no header to send one in.
TELL_PATHS = {"aiohttp.access", "homeassistant.helpers.http"}


@pytest.fixture
async def gateway(socket_enabled: None) -> Any:
    """Return a gateway that knows the marked code."""
    async with Gateway([Lock(FRONT, CODE)]) as gateway:
        yield gateway


@pytest.fixture
async def station(socket_enabled: None) -> Any:
    """Return a station that knows the marked login and codes."""
    async with Ipac(password=PASSWORD, codes={1: [RELAY_CODE, NAMED_CODE]}) as station:
        yield station


@pytest.mark.usefixtures("impatient")
async def test_secrets_appear_nowhere(
    hass: HomeAssistant,
    gateway: Gateway,
    station: Ipac,
    hass_client_no_auth: ClientSessionGenerator,
    advance: Advance,
    hass_client: ClientSessionGenerator,
    hass_ws_client: WebSocketGenerator,
    issue_registry: ir.IssueRegistry,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """No log, state, attribute, event, trace, diagnostics or error holds a secret."""
    caplog.set_level(logging.DEBUG)
    logging.getLogger("aiohttp").setLevel(logging.DEBUG)
    events = async_capture_events(hass, MATCH_ALL)
    texts: list[str] = []

    keys = MockConfigEntry(
        domain=DOMAIN,
        data={"vendor": "the_keys", "host": gateway.host},
        subentries_data=[
            ConfigSubentryData(
                data={"identifier": str(FRONT), "share_code": CODE},
                subentry_type="lock",
                title="Front door",
                unique_id=str(FRONT),
            )
        ],
    )
    tellicon = MockConfigEntry(
        domain=DOMAIN, data={"vendor": "tellicon", "token": TOKEN}
    )
    ipac = MockConfigEntry(
        domain=DOMAIN,
        title="IPAC",
        data={
            "vendor": "ipac",
            "host": station.host,
            "username": "admin",
            "password": PASSWORD,
            "auth": "digest",
            "tls": False,
            "verify_tls": False,
            "asm_secret": ASM_SECRET,
            "asm_token": ASM_TOKEN,
        },
        subentries_data=[
            ConfigSubentryData(
                data={"relay": "1", "code": RELAY_CODE, "open_time": 5},
                subentry_type="relay",
                title="Gate",
                unique_id="relay_1",
            ),
            ConfigSubentryData(
                data={"code": NAMED_CODE},
                subentry_type="keypad_code",
                title="Cleaner",
                unique_id=None,
            ),
        ],
    )
    for entry in (keys, tellicon, ipac):
        entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(keys.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)

    assert await async_setup_component(
        hass,
        "automation",
        {
            "automation": {
                "id": "traced",
                "triggers": {
                    "trigger": "state",
                    "entity_id": "event.tellicon_505_doorbell",
                },
                "actions": {
                    "action": "lock.unlock",
                    "target": {"entity_id": ["lock.front_door_door", "lock.gate_door"]},
                },
            }
        },
    )

    for component in ("diagnostics", "websocket_api"):
        assert await async_setup_component(hass, component, {})
    served_at = str((await hass_client_no_auth()).make_url("")).rstrip("/")

    # Orders that work, and orders that fail in every way.
    for fault in (
        None,
        *(Fault.code(code) for code in (32, 33, 34, 36, 37, 38, 400, 500, 77)),
        Fault.reset(acted=True),
        Fault.hang(acted=False),
        Fault.reply(f'{{"status": "{CODE}"}}'.encode()),
        Fault.reply(CODE.encode()),
    ):
        for path in ("/open", "/locker_status"):
            if fault is not None:
                gateway.inject(path, fault, times=9)
            try:
                await hass.services.async_call(
                    "lock", "unlock", {"entity_id": "lock.front_door_door"}, True
                )
            except HomeAssistantError as err:
                texts.append(f"{err!r} {err} {err.__cause__!r} {err.__context__!r}")
            await advance(60)
            gateway.clear_faults()

    # Calls with the token, and with others that look like it.
    for token in (TOKEN, TOKEN[:-1], ""):
        async with Tellicon(f"{served_at}/eventTellicon", token) as sender:
            texts.append(str((await sender.ring(Unit(505, 121, 1001))).body))
            texts.append(str((await sender.send_raw(TOKEN.encode())).body))
    await hass.async_block_till_done()
    async with Tellicon(f"{served_at}/eventTellicon", TOKEN) as sender:
        await sender.answer(Unit(505, 121, 1001))
    await advance(6)

    # A station's orders in every login, its reports, and whoever sends them wrongly.
    for auth in ("none", "basic", "digest"):
        station.auth = auth
        hass.config_entries.async_update_entry(ipac, data={**ipac.data, "auth": auth})
        await hass.async_block_till_done(wait_background_tasks=True)
        for ipac_fault in (
            None,
            *(Fault.code(status) for status in (400, 401, 403, 423, 480, 500)),
            Fault.reset(acted=True),
            Fault.reply(RELAY_CODE.encode(), status=403),
        ):
            station.relays[1].release()
            if ipac_fault is not None:
                station.inject("/api/remote/", ipac_fault)
            try:
                await hass.services.async_call(
                    "lock", "unlock", {"entity_id": "lock.gate_door"}, True
                )
            except HomeAssistantError as err:
                texts.append(f"{err!r} {err} {err.__cause__!r} {err.__context__!r}")
    for secret, token in (
        (ASM_SECRET, ASM_TOKEN),
        (ASM_SECRET, "wrong"),
        ("wrong", ASM_TOKEN),
    ):
        station.connect_asm(
            uri=served_at,
            path=f"/api/gatehouse/asm/{secret}/",
            token=token,
            notify_every=0,
        )
        await station.notify()
        for code in (RELAY_CODE, NAMED_CODE, TYPED_CODE):
            await station.type_code(code)
        await station.settings_changed()
        for body in (TYPED_CODE, f'{{"code": "CL", "value": ["{TYPED_CODE}"]}}'):
            await station.send_raw("event", body.encode())
        await station.send_raw(
            "event",
            f'{{"token": "{token}", "code": "ZZ", "value": "{TYPED_CODE}"}}'.encode(),
        )
        texts += [f"{sent.reply.body!r}" for sent in station.sent]
    station.password = "another"
    with pytest.raises(HomeAssistantError) as refused:
        await hass.services.async_call(
            "lock", "unlock", {"entity_id": "lock.gate_door"}, True
        )
    texts.append(f"{refused.value!r} {refused.value.__cause__!r}")

    # Forms that refuse, and an account that cannot be reached.
    monkeypatch.setattr(account_module, "ACCOUNT_URL", f"http://{gateway.host}")
    flow = await hass.config_entries.subentries.async_init(
        (keys.entry_id, "lock"), context={"source": SOURCE_USER}
    )
    flow = await hass.config_entries.subentries.async_configure(
        flow["flow_id"], {"next_step_id": "account"}
    )
    shown = await hass.config_entries.subentries.async_configure(
        flow["flow_id"], {"phone": "+33600000000", "password": PASSWORD}
    )
    assert shown["errors"]
    texts.append(str(shown["errors"]))

    texts += [
        json.dumps(await entry_diagnostics(hass, hass_client, entry))
        for entry in (keys, tellicon, ipac)
    ]
    client = await hass_ws_client(hass)
    await client.send_json_auto_id(
        {"type": "trace/list", "domain": "automation", "item_id": "traced"}
    )
    traces = (await client.receive_json())["result"]
    assert traces
    for trace in traces:
        # One answer at a time.
        await client.send_json_auto_id(
            {
                "type": "trace/get",
                "domain": "automation",
                "item_id": "traced",
                "run_id": trace["run_id"],
            }
        )
        texts.append(json.dumps(await client.receive_json()))
    texts += [f"{state.as_dict()}" for state in hass.states.async_all()]
    texts += [f"{event.as_dict()}" for event in events]
    texts += [f"{issue}" for issue in issue_registry.issues.values()]
    texts += [
        f"{record.getMessage()} {record.exc_text}"
        for record in caplog.records
        if record.name not in TELL_PATHS
    ]

    hashes = [
        request.form["hash"] for request in gateway.requests if "hash" in request.form
    ]
    assert len(hashes) > 10
    assert any(event.event_type == EVENT_STATE_CHANGED for event in events)
    for secret in (CODE, TOKEN, PASSWORD, "MARKED", *hashes):
        for text in texts:
            assert secret not in text


def test_secret_does_not_print() -> None:
    """Not even who tries gets to see it."""
    secret = Secret(CODE)
    for text in (str(secret), repr(secret), f"{secret}", str([secret])):
        assert text.strip("[]") == "Secret(…)"
    assert secret.reveal() == CODE
