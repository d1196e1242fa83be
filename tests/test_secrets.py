"""Marked secrets are planted at every vendor, everything is driven, and they are sought.

A vendor is one function: it plants, sets up, drives, and yields while all still runs.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
import json
import logging
from typing import Any

from freezegun.api import TickingDateTimeFactory
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_capture_events,
    async_fire_time_changed,
)
from pytest_homeassistant_custom_component.typing import (
    ClientSessionGenerator,
    WebSocketGenerator,
)

from custom_components.gatehouse.const import DOMAIN
from custom_components.gatehouse.hub import Hub
from custom_components.gatehouse.vendors.the_keys import account as account_module
from custom_components.gatehouse.wire import Secret
from homeassistant.config_entries import SOURCE_USER, ConfigSubentryData
from homeassistant.const import EVENT_STATE_CHANGED, MATCH_ALL
from homeassistant.core import HomeAssistant, SupportsResponse
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import device_registry as dr, issue_registry as ir
from homeassistant.setup import async_setup_component
from simulators.innovaphone import Innovaphone
from simulators.ipac import Ipac
from simulators.senselink import SenseLink
from simulators.senselink_frames import AIKO, VERA
from simulators.tellicon import Tellicon, Unit
from simulators.the_keys import Fault, Gateway, Lock

from .conftest import until
from .diagnostics import entry_diagnostics
from .vendors.innovaphone import conftest as innovaphone_house
from .vendors.senselink import conftest as senselink_house

FRONT = 10000001
TRACED = "traced"

# At debug these tell of paths, in which the sender's secret stands where it has no header
# to send it in, and of the simulators' own side.
TELL_PATHS = {"aiohttp.access", "homeassistant.helpers.http"}


@dataclass
class Stage:
    """What a vendor is driven with, and what has been seen meanwhile."""

    hass: HomeAssistant
    clock: TickingDateTimeFactory
    monkeypatch: pytest.MonkeyPatch
    served_at: str
    texts: list[str] = field(default_factory=list)
    entries: list[MockConfigEntry] = field(default_factory=list)

    async def set_up(self, *entries: MockConfigEntry) -> None:
        """Add entries and set them up."""
        for entry in entries:
            entry.add_to_hass(self.hass)
        for entry in entries:
            if self.hass.config_entries.async_get_entry(
                entry.entry_id
            ).state.recoverable:
                await self.hass.config_entries.async_setup(entry.entry_id)
        await self.hass.async_block_till_done()
        self.entries += entries

    async def advance(self, seconds: float) -> None:
        """Let seconds pass, and all happen that happens then."""
        self.clock.move_to(self.clock() + timedelta(seconds=seconds))
        async_fire_time_changed(self.hass)
        await self.hass.async_block_till_done()

    async def attempt(self, action: str, **fields: Any) -> None:
        """Carry out an action, and keep its answer or what the user is told."""
        domain, name = action.split(".")
        answers = self.hass.services.supports_response(domain, name)
        try:
            answer = await self.hass.services.async_call(
                domain,
                name,
                fields,
                blocking=True,
                return_response=answers is not SupportsResponse.NONE,
            )
        except HomeAssistantError as err:
            self.note(err)
        else:
            self.texts.append(json.dumps(answer))

    def note(self, err: BaseException) -> None:
        """Keep an error, and all that hangs on to it."""
        seen: BaseException | None = err
        for _ in range(5):
            if seen is not None:
                self.texts.append(f"{seen!r} {seen} {seen.__context__!r}")
                seen = seen.__cause__ or seen.__context__

    async def trace(self, trigger: Any, *actions: Any) -> None:
        """Have an automation run that is traced."""
        assert await async_setup_component(
            self.hass,
            "automation",
            {
                "automation": {
                    "id": TRACED,
                    "mode": "parallel",
                    "triggers": trigger,
                    "actions": [{**one, "continue_on_error": True} for one in actions],
                }
            },
        )


type Drive = Callable[[Stage], AbstractAsyncContextManager[set[str]]]


@asynccontextmanager
async def the_keys(stage: Stage) -> AsyncIterator[set[str]]:
    """A lock's share code, the signatures made with it, and the account's password."""
    hass, code, password = stage.hass, "MARKEDcode000001", "MARKED password"
    async with Gateway([Lock(FRONT, code)]) as gateway:
        entry = MockConfigEntry(
            domain=DOMAIN,
            data={"vendor": "the_keys", "host": gateway.host},
            subentries_data=[
                ConfigSubentryData(
                    data={"identifier": str(FRONT), "share_code": code},
                    subentry_type="lock",
                    title="Front door",
                    unique_id=str(FRONT),
                )
            ],
        )
        await stage.set_up(entry)
        await hass.async_block_till_done(wait_background_tasks=True)
        await stage.trace(
            {"trigger": "state", "entity_id": "lock.front_door_door"},
            {"action": "lock.lock", "target": {"entity_id": "lock.front_door_door"}},
        )
        for fault in (
            None,
            *(Fault.code(code) for code in (32, 33, 34, 36, 37, 38, 400, 500, 77)),
            Fault.reset(acted=True),
            Fault.hang(acted=False),
            Fault.reply(f'{{"status": "{code}"}}'.encode()),
            Fault.reply(code.encode()),
        ):
            for path in ("/open", "/locker_status"):
                if fault is not None:
                    gateway.inject(path, fault, times=9)
                await stage.attempt("lock.unlock", entity_id="lock.front_door_door")
                await stage.advance(60)
                await hass.async_block_till_done(wait_background_tasks=True)
                gateway.clear_faults()

        # Forms that refuse, and an account that cannot be reached.
        stage.monkeypatch.setattr(
            account_module, "ACCOUNT_URL", f"http://{gateway.host}"
        )
        flow = await hass.config_entries.subentries.async_init(
            (entry.entry_id, "lock"), context={"source": SOURCE_USER}
        )
        flow = await hass.config_entries.subentries.async_configure(
            flow["flow_id"], {"next_step_id": "account"}
        )
        shown = await hass.config_entries.subentries.async_configure(
            flow["flow_id"], {"phone": "+33600000000", "password": password}
        )
        assert shown["errors"]
        stage.texts.append(str(shown["errors"]))
        hashes = {
            request.form["hash"]
            for request in gateway.requests
            if "hash" in request.form
        }
        assert len(hashes) > 10
        yield {code, password, *hashes}


@asynccontextmanager
async def tellicon(stage: Stage) -> AsyncIterator[set[str]]:
    """The token, right and nearly right."""
    token, unit = "MARKEDtoken-of-24-chars-", Unit(505, 121, 1001)
    await stage.set_up(
        MockConfigEntry(domain=DOMAIN, data={"vendor": "tellicon", "token": token})
    )
    await stage.trace(
        {"trigger": "state", "entity_id": "event.tellicon_505_doorbell"},
        {"action": "persistent_notification.create", "data": {"message": "x"}},
    )
    for shown in (token, token[:-1], "", token):
        async with Tellicon(f"{stage.served_at}/eventTellicon", shown) as sender:
            stage.texts.append(str((await sender.ring(unit)).body))
            stage.texts.append(str((await sender.send_raw(token.encode())).body))
            stage.texts.append(str((await sender.answer(unit)).body))
        await stage.hass.async_block_till_done()
    yield {token}


@asynccontextmanager
async def ipac(stage: Stage) -> AsyncIterator[set[str]]:
    """The password, codes of doors and people, and what the station sends to prove itself."""
    password, secret, token = "MARKED password", "MARKEDsecretOfThePath", "MARKEDclient"
    relay_code, named_code, typed_code = "MARKED1", "MARKED2", "MARKED3"
    hass = stage.hass
    async with Ipac(password=password, codes={1: [relay_code, named_code]}) as station:
        entry = MockConfigEntry(
            domain=DOMAIN,
            title="IPAC",
            data={
                "vendor": "ipac",
                "host": station.host,
                "username": "admin",
                "password": password,
                "auth": "digest",
                "tls": False,
                "verify_tls": False,
                "asm_secret": secret,
                "asm_token": token,
            },
            subentries_data=[
                ConfigSubentryData(
                    data={"relay": "1", "code": relay_code, "open_time": 5},
                    subentry_type="relay",
                    title="Gate",
                    unique_id="relay_1",
                ),
                ConfigSubentryData(
                    data={"code": named_code},
                    subentry_type="keypad_code",
                    title="Cleaner",
                    unique_id=None,
                ),
            ],
        )
        await stage.set_up(entry)
        await stage.trace(
            {"trigger": "state", "entity_id": "event.ipac_keypad"},
            {"action": "lock.unlock", "target": {"entity_id": "lock.gate_door"}},
        )
        # A station's orders in every login, its reports, and whoever sends them wrongly.
        for auth in ("none", "basic", "digest"):
            station.auth = auth
            hass.config_entries.async_update_entry(
                entry, data={**entry.data, "auth": auth}
            )
            await hass.async_block_till_done(wait_background_tasks=True)
            for fault in (
                None,
                *(Fault.code(status) for status in (400, 401, 403, 423, 480, 500)),
                Fault.reset(acted=True),
                Fault.reply(relay_code.encode(), status=403),
            ):
                station.relays[1].release()
                if fault is not None:
                    station.inject("/api/remote/", fault)
                await stage.attempt("lock.unlock", entity_id="lock.gate_door")
        for shown_secret, shown_token in (
            (secret, token),
            (secret, "wrong"),
            ("wrong", token),
        ):
            station.connect_asm(
                uri=stage.served_at,
                path=f"/api/gatehouse/asm/{shown_secret}/",
                token=shown_token,
                notify_every=0,
            )
            await station.notify()
            for code in (relay_code, named_code, typed_code):
                await station.type_code(code)
            await station.settings_changed()
            for body in (typed_code, f'{{"code": "CL", "value": ["{typed_code}"]}}'):
                await station.send_raw("event", body.encode())
            await station.send_raw(
                "event",
                f'{{"token": "{shown_token}", "code": "ZZ",'
                f' "value": "{typed_code}"}}'.encode(),
            )
            stage.texts += [f"{sent.reply.body!r}" for sent in station.sent]
        await hass.async_block_till_done(wait_background_tasks=True)
        station.password = "another"
        await stage.attempt("lock.unlock", entity_id="lock.gate_door")
        yield {"MARKED"}


@asynccontextmanager
async def senselink(stage: Stage) -> AsyncIterator[set[str]]:
    """The key and its signatures, the address, and what is not read of people."""
    address = "MARKEDsecretOfTheAddress"
    house, hass = senselink_house, stage.hass
    async with SenseLink(
        app_key=house.APP_KEY, app_secret=house.APP_SECRET, heartbeat=None
    ) as server:
        entry = house.make_entry(server, photos=True)
        await stage.set_up(
            entry,
            house.make_entry(
                server, entry_id="waiting", delivery="subscription", secret=address
            ),
        )
        await stage.trace(
            {"trigger": "state", "entity_id": house.ACCESS},
            {"action": "persistent_notification.create", "data": {"message": "x"}},
        )
        for person in (AIKO, VERA, None):
            before = hass.states.get(house.ACCESS)
            await server.recognise(person=person, photo=True)
            await until(
                lambda before=before: (
                    hass.states.get(house.ACCESS) is not before
                    and hass.states.get(house.ACCESS).state
                    not in ("unknown", "unavailable")
                )
            )
        await server.alert(10002, photo=True)
        for text in (house.APP_SECRET, f'{{"code": "{house.APP_KEY}"}}', "{"):
            await server.push_raw(text)
        for shown in (address, f"{address}x", ""):
            server.subscribe(
                f"{stage.served_at}/api/gatehouse/senselink/{shown}", attempts=1
            )
            for body in (b"{", address.encode(), f'{{"data": "{address}"}}'.encode()):
                await server.post_raw(body)
            await server.recognise(person=AIKO)
        server.unsubscribe()
        await server.drop()
        await until(lambda: hass.states.is_state(house.CONNECTION, "off"))
        server.refuse = "sign"
        await stage.advance(5)
        server.refuse = None
        signatures = {attempt.path.rpartition("/")[2] for attempt in server.attempts}
        personal = {
            value
            for person in (AIKO, VERA)
            for value in (person.mobile, person.ic_number, person.id_number)
            if value
        }
        assert signatures
        assert personal
        yield {house.APP_KEY, house.APP_SECRET, address, *signatures, *personal}


@asynccontextmanager
async def innovaphone(stage: Stage) -> AsyncIterator[set[str]]:
    """The password, what was proven with it, the session's key, and devices' passwords."""
    house, hass, marked = innovaphone_house, stage.hass, "MARKEDpassword"
    house.hurry(stage.monkeypatch)
    async with Innovaphone(password=marked) as service:
        service.configs[1].values["logPassword"] = marked
        service.configs[4].values["turnPassword"] = marked
        service.configs[2].long_values = {
            "script": f"config change CMD0 USER /user admin,{marked}"
        }
        entry = house.make_entry(service, password=marked)
        await stage.set_up(entry)
        device = dr.async_get(hass).async_get_device_by_identifier(
            (DOMAIN, f"innovaphone_entry_{house.RECEPTION}"), "entry"
        )
        assert device is not None
        request = {"device_id": device.id, "path": "log.txt"}
        await stage.trace(
            {"trigger": "state", "entity_id": house.RECEPTION_ONLINE},
            {
                "action": "gatehouse.device_request",
                "data": request,
                "response_variable": "said",
            },
            {
                "action": "gatehouse.get_device_configs",
                "data": {"config_entry_id": "entry", "config_id": 1},
                "response_variable": "configured",
            },
        )
        await hass.services.async_call(
            "automation", "trigger", {"entity_id": "automation.automation_0"}, True
        )
        keys = {key for one in service.connections for key in one.keys}
        assert len(keys) == 1
        (key,) = keys
        for fault in (
            None,
            Fault.reset(acted=False),
            Fault.hang(acted=False),
            Fault.reply(b"<html>", status=500),
            Fault.reply(f"/passthrough/{key}/x".encode()),
            Fault.reply(b"x" * 300_000),
        ):
            for path in ("log.txt", "!ireset"):
                if fault is not None:
                    service.passthrough.inject(path, fault)
            await stage.attempt("gatehouse.device_request", **request)
            await stage.attempt(
                "button.press", entity_id="button.reception_restart_when_idle"
            )
        for config_id in service.configs:
            await stage.attempt(
                "gatehouse.get_device_configs",
                config_entry_id="entry",
                config_id=config_id,
            )
        await service.push_raw(f'{{"mt":"AppLoginResult","key":"{key}"')
        await service.drop()
        await until(lambda: hass.states.is_state(house.CONNECTION, "off"))
        service.refuse_login = True
        # The first wait is of a second at most.
        await stage.advance(2)
        await until(lambda: len(service.attempts) == 2)
        await until(hass.config_entries.flow.async_progress)
        yield {marked, key, *(login["digest"] for login in service.attempts)}


VENDORS: dict[str, Drive] = {
    "innovaphone": innovaphone,
    "ipac": ipac,
    "senselink": senselink,
    "tellicon": tellicon,
    "the_keys": the_keys,
}


@pytest.mark.parametrize("drive", VENDORS.values(), ids=VENDORS)
@pytest.mark.usefixtures(
    "entity_registry_enabled_by_default", "impatient", "socket_enabled"
)
async def test_secrets_appear_nowhere(
    hass: HomeAssistant,
    clock: TickingDateTimeFactory,
    drive: Drive,
    hass_client_no_auth: ClientSessionGenerator,
    hass_client: ClientSessionGenerator,
    hass_ws_client: WebSocketGenerator,
    issue_registry: ir.IssueRegistry,
    device_registry: dr.DeviceRegistry,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """No log, state, event, trace, flow, issue, diagnostics or error holds a secret."""
    caplog.set_level(logging.DEBUG)
    for name in ("aiohttp", "websockets", "websockets.client"):
        logging.getLogger(name).setLevel(logging.DEBUG)
    events = async_capture_events(hass, MATCH_ALL)
    for component in ("config", "diagnostics", "websocket_api", DOMAIN):
        assert await async_setup_component(hass, component, {})
    # As when Home Assistant itself starts the server: addresses come while it runs.
    hass.http.app._router.freeze = lambda: None
    client = await hass_client_no_auth()
    served_at = str(client.make_url("")).rstrip("/")
    stage = Stage(hass, clock, monkeypatch, served_at)
    async with drive(stage) as secrets:
        for entry in stage.entries:
            stage.texts.append(
                json.dumps(await entry_diagnostics(hass, hass_client, entry))
            )
        traces = await traces_of(hass, hass_ws_client)
        assert traces
        stage.texts += traces
        stage.texts.append(str(hass.config_entries.flow.async_progress()))
        stage.texts += [f"{state.as_dict()}" for state in hass.states.async_all()]
        stage.texts += [f"{issue}" for issue in issue_registry.issues.values()]
        for entry in stage.entries:
            stage.texts += [
                f"{device.dict_repr}"
                for device in dr.async_entries_for_config_entry(
                    device_registry, entry.entry_id
                )
            ]
            stage.texts += [repr(value) for value in vars_of(entry.runtime_data)]
            await hass.config_entries.async_unload(entry.entry_id)
        await hass.async_block_till_done()
    stage.texts += [f"{event.as_dict()}" for event in events]
    stage.texts += [
        f"{record.getMessage()} {record.exc_text}"
        for record in caplog.records
        if record.name not in TELL_PATHS
    ]
    assert any(event.event_type == EVENT_STATE_CHANGED for event in events)
    assert len(stage.texts) > 30
    for secret in secrets:
        for text in stage.texts:
            assert secret not in text


def vars_of(hub: Hub) -> list[Any]:
    """Return what a hub works with, as a debugger or a careless log line shows it."""
    # Its copy of the entry's data is what Home Assistant keeps itself.
    return [value for name, value in vars(hub).items() if name != "_configured"]


async def traces_of(
    hass: HomeAssistant, hass_ws_client: WebSocketGenerator
) -> list[str]:
    """Return the traces of the automation."""
    client = await hass_ws_client(hass)
    about = {"domain": "automation", "item_id": TRACED}
    await client.send_json_auto_id({"type": "trace/list", **about})
    texts = []
    for trace in (await client.receive_json())["result"]:
        # One answer at a time.
        await client.send_json_auto_id(
            {"type": "trace/get", "run_id": trace["run_id"], **about}
        )
        texts.append(json.dumps(await client.receive_json()))
    return texts


def test_secret_does_not_print() -> None:
    """Not even who tries gets to see it."""
    secret = Secret("MARKED")
    for text in (str(secret), repr(secret), f"{secret}", str([secret])):
        assert text.strip("[]") == "Secret(…)"
    assert secret.reveal() == "MARKED"


def test_secret_is_compared() -> None:
    """Whatever is presented is compared, also what is no text at all."""
    secret = Secret("MARKED")
    assert secret.matches("MARKED")
    for other in ("", "x", "MARKEDx", "MARKÉD", "\udcff", "\ud800"):
        assert not secret.matches(other)
        assert Secret(other).matches(other)
