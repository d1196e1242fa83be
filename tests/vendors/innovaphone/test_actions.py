"""What the service and its devices can be asked, as automations ask it."""

import asyncio
from pathlib import Path
import re
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    MockUser,
    async_mock_service,
)
import voluptuous as vol
import yaml

from custom_components.gatehouse.const import DOMAIN
from custom_components.gatehouse.vendors.innovaphone import actions
from custom_components.gatehouse.vendors.innovaphone.client import MAX_PASSTHROUGH_REPLY
from custom_components.gatehouse.wire import Breather
from homeassistant.auth.const import GROUP_ID_READ_ONLY, GROUP_ID_USER
from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import (
    HomeAssistantError,
    ServiceValidationError,
    Unauthorized,
    UnknownUser,
)
from homeassistant.setup import async_setup_component
from simulators.faults import Fault
from simulators.innovaphone import Innovaphone
from simulators.innovaphone_devices import CategoryRecord, DeviceRecord

from ...conftest import Advance, until
from ...users import make_user
from ..conftest import shown
from .conftest import (
    ADAPTER,
    CONNECTION,
    DOCKER,
    HALL,
    RECEPTION,
    RECEPTION_ONLINE,
    THIRD_PARTY,
    UNASSIGNED,
    DeviceOf,
    Told,
    all_followed,
    asked,
    call,
)

ROOT = Path(__file__).parents[3]

NEW = "029033abcdef"
GATEWAY = "029033000003"


async def ids(hass: HomeAssistant, **filters: Any) -> list[str]:
    """Return the hardware ids of the devices that a filter lets through."""
    reply = await call(hass, "get_devices", **filters)
    return [device["hardware_id"] for device in reply["devices"]]


# --- Lists


async def test_get_devices(
    hass: HomeAssistant, service: Innovaphone, home: MockConfigEntry
) -> None:
    """Without a filter, all that is known of all devices."""
    reply = await call(hass, "get_devices")
    assert len(reply["devices"]) == 9
    assert reply["devices"][2] == {
        "hardware_id": GATEWAY,
        "id": service.devices[GATEWAY].id,
        "name": "Gateway",
        "domain_id": 1,
        "product": "IP811",
        "version": "14r1 sr1 [14.0520/140520/300]",
        "device_type": "GW",
        "online": True,
        "pbx_active": True,
        "rental_licenses": True,
        "third_party": None,
        "interfaces": [
            {"name": "ETH0", "ipv4": "192.0.2.13", "ipv6": "2001:db8::3"},
            {"name": "ETH1", "ipv4": None, "ipv6": None},
        ],
    }


async def test_others_have_their_turn(
    hass: HomeAssistant,
    service: Innovaphone,
    home: MockConfigEntry,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """However long an answer is, others wait for one part of it at most."""
    breathed: list[Breather] = []

    class Counted(Breather):
        async def breathe(self) -> None:
            breathed.append(self)

    monkeypatch.setattr(actions, "Breather", Counted)
    reply = await call(hass, "get_devices")
    assert len(breathed) == len(reply["devices"]) == len(service.devices)


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"types": ["gw"]}, [ADAPTER, GATEWAY]),
        ({"types": "DECT"}, [HALL]),
        ({"hardware_ids": [HALL, "nobody"]}, [HALL]),
        ({"categories": ["Doors", "Offices"]}, [RECEPTION, ADAPTER]),
        ({"categories": "Doors", "types": ["phone"]}, []),
        ({"unassigned": True}, [UNASSIGNED]),
        ({"domain_ids": [2]}, []),
        ({"domain_ids": ["1"], "types": ["dect"]}, [HALL]),
        ({"domain_ids": 2, "unassigned": True}, [UNASSIGNED]),
        ({"only_fxs": True}, [ADAPTER, GATEWAY]),
        ({"only_fxs": True, "hardware_ids": [GATEWAY, HALL]}, [GATEWAY]),
        ({"only_fxs": True, "categories": ["Doors"]}, [ADAPTER]),
        ({"only_fxs": True, "domain_ids": [2]}, []),
    ],
)
async def test_filters(
    hass: HomeAssistant,
    home: MockConfigEntry,
    filters: dict[str, Any],
    expected: list[str],
) -> None:
    """Each filter that is given must let a device through."""
    assert await ids(hass, **filters) == expected


async def test_filter_does_not_disturb(
    hass: HomeAssistant, service: Innovaphone, home: MockConfigEntry
) -> None:
    """What is asked in between keeps no change from being heard."""
    assert not service.subscriptions_add_up
    assert await ids(hass, categories=["Doors"]) == [ADAPTER]
    await service.update(RECEPTION, online=False)
    await until(lambda: shown(hass, RECEPTION_ONLINE) == "off")
    await until(lambda: len(service.connections) == 1)


async def test_only_fxs_where_domains_are_not_told(
    hass: HomeAssistant, service: Innovaphone, entry: MockConfigEntry
) -> None:
    """Then it is the login's domain that is searched."""
    service.fail("GetDomains", "Not allowed")
    entry.add_to_hass(hass)
    await hass.config_entries.async_setup(entry.entry_id)
    assert await ids(hass, only_fxs=True) == [ADAPTER, GATEWAY]
    assert "domainId" not in asked(service, "GetFilteredDevices")[0]


async def test_get_domains(hass: HomeAssistant, home: MockConfigEntry) -> None:
    """The domains with their categories."""
    reply = await call(hass, "get_domains")
    assert reply["domains"][0] == {
        "id": 1,
        "name": "example.com",
        "rental_products": False,
        "deploys_passwords": False,
        "instance_domain": True,
        "categories": [
            {"id": 1, "domain_id": None, "name": "Offices", "config": True},
            {"id": 2, "domain_id": None, "name": "Doors", "config": True},
            {"id": 3, "domain_id": None, "name": "Archive", "config": False},
        ],
    }
    assert len(reply["domains"]) == 2


async def test_get_provisioning_categories(
    hass: HomeAssistant, service: Innovaphone, home: MockConfigEntry
) -> None:
    """All, or those that fit a type of devices."""
    reply = await call(hass, "get_provisioning_categories")
    assert [one["name"] for one in reply["categories"]] == ["Offices", "Doors"]
    for device_type in ("phone", "PHONE"):
        await call(hass, "get_provisioning_categories", type=device_type, domain_id=1)
        request = asked(service, "GetProvisioningCategories")[-1]
        assert (request["type"], request["domainId"]) == ("PHONE", 1)


# --- Provisioning


async def test_provisioning(
    hass: HomeAssistant,
    service: Innovaphone,
    home: MockConfigEntry,
    device_of: DeviceOf,
    told: Told,
) -> None:
    """A code is made, typed at a device, and what becomes of it is told, once."""
    reply = await call(
        hass,
        "get_provisioning_code",
        category="Offices",
        sip="ana",
        rollout=True,
        administrative=True,
        domain_id=1,
    )
    code = reply["code"]
    assert reply["valid_until"].endswith("+00:00")
    assert asked(service, "GetProvisioningCode")[0]["rollout"] is True
    unused = await call(hass, "get_provisioned_device", code=code)
    assert unused == {"provisioned": False, "device": None}
    await service.provision(code, DeviceRecord(NEW, "Gate"))
    await until(lambda: len(told()) == 2)
    assert [(one["event_type"], one["code_used"]) for one in told()] == [
        ("device_added", None),
        ("device_provisioned", code),
    ]
    assert told()[1]["hardware_id"] == NEW
    assert told()[1]["device_type"] == "PHONE"
    assert device_of(NEW) is not None
    used = await call(hass, "get_provisioned_device", code=code, domain_id=1)
    assert used["provisioned"] is True
    assert used["device"]["hardware_id"] == NEW
    await service.push_raw(f'{{"mt":"DeviceProvisioned","code":"{code}"}}')
    await all_followed(hass, service)
    assert len(told()) == 2


async def test_documented_script(
    hass: HomeAssistant, service: Innovaphone, home: MockConfigEntry
) -> None:
    """The page's script waits for its own code, not for what else comes and goes."""
    service.categories.append(CategoryRecord(4, 1, "Reception"))
    messages = async_mock_service(hass, "notify", "mobile_app_my_phone")
    page = (ROOT / "docs" / "innovaphone.md").read_text()
    (script,) = re.findall(
        r"```yaml\n(alias: Provisioning code .*?)```", page, re.DOTALL
    )
    assert await async_setup_component(
        hass, "script", {"script": {"code": yaml.safe_load(script)}}
    )
    await hass.services.async_call("script", "code")
    await until(lambda: len(messages) == 1)
    (code,) = service.provisionings
    assert code in messages[0].data["message"]
    await service.add(DeviceRecord("029033abcde0", "Other", product="IP222"))
    await until(lambda: hass.states.get("binary_sensor.other_online") is not None)
    await service.provision(code, DeviceRecord(NEW, "Gate"))
    await until(lambda: len(messages) == 2)
    assert messages[1].data["message"] == "IP112 is ready."


@pytest.mark.parametrize("as_array", [True, False])
async def test_provisioned_while_away(
    hass: HomeAssistant,
    service: Innovaphone,
    home: MockConfigEntry,
    advance: Advance,
    told: Told,
    as_array: bool,
) -> None:
    """A code that is used while the connection is lost is learnt of afterwards."""
    service.provisioned_device_as_array = as_array
    codes = [
        (await call(hass, "get_provisioning_code", category="Doors"))["code"]
        for _ in range(3)
    ]
    await service.drop()
    await until(lambda: shown(hass, CONNECTION) == "off")
    await service.provision(codes[0], DeviceRecord(NEW, "Gate"))
    del service.provisionings[codes[1]]
    await advance(1)
    await until(lambda: len(told()) == 2)
    assert {(one["event_type"], one["code_used"]) for one in told()} == {
        ("device_added", None),
        ("device_provisioned", codes[0]),
    }
    # The last one is waited for again.
    await until(lambda: len(asked(service, "GetProvisionedDevice")) == 3)
    await service.provision(codes[2], DeviceRecord(HALL, "Hall"))
    await until(lambda: len(told()) == 3)
    assert told()[2]["code_used"] == codes[2]
    assert hass.states.get(CONNECTION).state == "on"
    assert home.runtime_data.diagnostics()["codes"] == 0


async def test_use_that_is_learnt_by_asking(
    hass: HomeAssistant, service: Innovaphone, home: MockConfigEntry, told: Told
) -> None:
    """Where the service does not say it by itself, the answer tells, once."""
    code = (await call(hass, "get_provisioning_code", category="Doors"))["code"]
    service.provisionings[code].waiting.clear()
    await service.provision(code, DeviceRecord(NEW, "Gate"))
    await until(told)
    for _ in range(2):
        reply = await call(hass, "get_provisioned_device", code=code)
        assert reply["device"]["name"] == "Gate"
    assert [(one["event_type"], one["code_used"]) for one in told()] == [
        ("device_added", None),
        ("device_provisioned", code),
    ]


async def test_codes_that_are_too_old(
    hass: HomeAssistant,
    service: Innovaphone,
    home: MockConfigEntry,
    advance: Advance,
) -> None:
    """Nobody asks for a code that nobody can use any more."""
    await call(hass, "get_provisioning_code", category="Doors")
    await advance(901)
    await service.drop()
    await until(lambda: shown(hass, CONNECTION) == "off")
    await advance(1)
    await until(lambda: home.runtime_data.diagnostics()["codes"] == 0)
    assert not asked(service, "GetProvisionedDevice")


async def test_silence_about_codes(
    hass: HomeAssistant,
    service: Innovaphone,
    home: MockConfigEntry,
    advance: Advance,
    told: Told,
) -> None:
    """A question about a code that is not answered keeps no other from being asked."""
    silent, used, lost = [
        (await call(hass, "get_provisioning_code", category="Doors"))["code"]
        for _ in range(3)
    ]
    service.ignore("GetProvisionedDevice")
    await service.drop()
    await until(lambda: shown(hass, CONNECTION) == "off")
    await service.provision(used, DeviceRecord(NEW, "Gate"))
    await advance(1)
    await until(lambda: asked(service, "GetProvisionedDevice"))
    await advance(30)
    await until(lambda: len(asked(service, "GetProvisionedDevice")) == 3)
    await until(lambda: len(told()) == 2)
    assert told()[1]["code_used"] == used
    assert shown(hass, CONNECTION) == "on"
    assert home.runtime_data.diagnostics()["codes"] == 2
    # Where the connection is lost meanwhile, the next one asks for what is left.
    service.ignore("GetProvisionedDevice")
    await service.drop()
    await until(lambda: shown(hass, CONNECTION) == "off")
    await service.provision(silent, DeviceRecord(HALL, "Hall"))
    await advance(2)
    await until(lambda: len(asked(service, "GetProvisionedDevice")) == 4)
    await service.drop()
    await until(lambda: shown(hass, CONNECTION) == "off")
    await advance(4)
    await until(lambda: len(told()) == 3)
    assert told()[2]["code_used"] == silent
    await until(lambda: len(asked(service, "GetProvisionedDevice")) == 6)
    await service.provision(lost, DeviceRecord(RECEPTION, "Reception"))
    await until(lambda: len(told()) == 4)


async def test_provisioned_device_that_is_not_shown(
    hass: HomeAssistant, service: Innovaphone, home: MockConfigEntry, told: Told
) -> None:
    """What the types leave out is told of all the same."""
    hass.config_entries.async_update_entry(home, options={"types": ["gw"]})
    await hass.async_block_till_done()
    code = (await call(hass, "get_provisioning_code", category="Doors"))["code"]
    await service.provision(code, DeviceRecord(NEW, "Gate"))
    await until(told)
    assert [(one["event_type"], one["name"]) for one in told()] == [
        ("device_provisioned", "Gate")
    ]
    used = await call(hass, "get_provisioned_device", code=code)
    assert used["device"]["name"] == "Gate"


async def test_provisioned_without_device(
    hass: HomeAssistant, service: Innovaphone, home: MockConfigEntry, told: Told
) -> None:
    """An indication may lack the device, or what it is."""
    await service.push_raw('{"mt":"DeviceProvisioned","code":"1"}')
    await service.push_raw('{"mt":"DeviceProvisioned","device":{"id":4711}}')
    await until(lambda: len(told()) == 2)
    assert [(one["hardware_id"], one["code_used"]) for one in told()] == [
        (None, "1"),
        (None, None),
    ]


async def test_device_without_hardware_id(
    hass: HomeAssistant, service: Innovaphone, home: MockConfigEntry
) -> None:
    """A device that cannot be told from others counts as none."""
    code = (await call(hass, "get_provisioning_code", category="Doors"))["code"]
    await service.provision(code, DeviceRecord(NEW, "Gate"))
    service.devices[NEW].further = {"hwId": None, "id": 4711}
    reply = await call(hass, "get_provisioned_device", code=code)
    assert reply == {"provisioned": False, "device": None}


async def test_many_codes(
    hass: HomeAssistant,
    home: MockConfigEntry,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Only so many codes are waited for."""
    monkeypatch.setattr(
        "custom_components.gatehouse.vendors.innovaphone.codes.REMEMBERED_CODES", 2
    )
    for _ in range(4):
        await call(hass, "get_provisioning_code", category="Doors")
    assert home.runtime_data.diagnostics()["codes"] == 2


# --- Configurations


async def test_get_device_configs(
    hass: HomeAssistant, service: Innovaphone, home: MockConfigEntry
) -> None:
    """The list has no values; one of them has all, and no password."""
    reply = await call(hass, "get_device_configs", domain_id=1)
    assert [one["type"] for one in reply["configs"]] == [
        "ALARM_SERVER",
        "EXPERT",
        "FXS_PHONE",
        "MEDIA",
        "NTP",
        "PHONE",
        "TLS_PROFILE",
    ]
    assert reply["configs"][5]["categories"][0]["name"] == "Offices"
    (media,) = (await call(hass, "get_device_configs", config_id=4))["configs"]
    assert media["settings"]["turnUser"] == "turn"
    assert not [key for key in media["settings"] if "assword" in key]
    (script,) = (await call(hass, "get_device_configs", domain_id=1, config_id=2))[
        "configs"
    ]
    assert script["settings"] == service.configs[2].long_values


# --- Requests to devices


async def test_device_request(
    hass: HomeAssistant, service: Innovaphone, home: MockConfigEntry
) -> None:
    """A device's web server answers, through the App Platform."""
    reply = await call(
        hass, "device_request", hw_id=RECEPTION, path="/CMD0/box_info.xml"
    )
    assert reply["status"] == 200
    assert reply["content_type"] == "text/xml"
    assert 'temp="41"' in reply["body"]
    reply = await call(
        hass,
        "device_request",
        hw_id=DOCKER,
        method="post",
        path="form?a=b",
        body="c=d",
    )
    assert reply["status"] == 404
    request = service.passthrough.requests[-1]
    assert (request.method, request.path, request.body) == ("POST", "form?a=b", b"c=d")


@pytest.mark.parametrize(
    "path",
    [
        "../log.txt",
        "//example.com/",
        "http://example.com/",
        "%2e%2e/log.txt",
        "a\nb",
        "a\\..\\b",
    ],
)
async def test_device_request_that_leads_elsewhere(
    hass: HomeAssistant, service: Innovaphone, home: MockConfigEntry, path: str
) -> None:
    """Nothing but the device's own web server can be asked."""
    with pytest.raises(ServiceValidationError) as error:
        await call(hass, "device_request", hw_id=RECEPTION, path=path)
    assert error.value.translation_key == "invalid_path"
    assert not service.passthrough.requests


@pytest.mark.parametrize(
    "fields",
    [
        {"path": ""},
        {"path": "a" * 5000},
        {"path": "a", "method": "DELETE"},
        {"path": "a", "method": "POST", "body": "a" * 70_000},
        {},
    ],
)
async def test_device_request_fields(
    hass: HomeAssistant, home: MockConfigEntry, fields: dict[str, Any]
) -> None:
    """What cannot be meant is refused."""
    with pytest.raises(vol.Invalid):
        await call(hass, "device_request", hw_id=RECEPTION, **fields)


async def test_body_with_get(hass: HomeAssistant, home: MockConfigEntry) -> None:
    """Only POST has a body."""
    with pytest.raises(ServiceValidationError) as error:
        await call(hass, "device_request", hw_id=RECEPTION, path="a", body="b")
    assert error.value.translation_key == "body_without_post"


async def test_device_request_is_for_administrators(
    hass: HomeAssistant,
    service: Innovaphone,
    home: MockConfigEntry,
    device_of: DeviceOf,
    hass_read_only_user: MockUser,
    hass_admin_user: MockUser,
) -> None:
    """Whoever asks has an administrator's rights on the device, so must be one."""
    fields = {"device_id": device_of(RECEPTION).id, "path": "log.txt"}
    # He may control all there is.
    resident = await hass.auth.async_create_user("Resident", group_ids=[GROUP_ID_USER])
    for user in (hass_read_only_user, resident):
        with pytest.raises(Unauthorized):
            await hass.services.async_call(
                DOMAIN,
                "device_request",
                fields,
                blocking=True,
                return_response=True,
                context=Context(user_id=user.id),
            )
    assert not service.passthrough.requests
    await hass.services.async_call(
        DOMAIN,
        "device_request",
        fields,
        blocking=True,
        return_response=True,
        context=Context(user_id=hass_admin_user.id),
    )
    assert len(service.passthrough.requests) == 1


@pytest.mark.parametrize(
    ("action", "fields", "read_only"),
    [
        ("get_devices", {}, True),
        ("get_domains", {}, True),
        ("get_provisioning_categories", {}, True),
        ("get_provisioned_device", {}, True),
        ("get_device_configs", {}, True),
        ("get_provisioning_code", {"category": "Doors"}, False),
    ],
)
async def test_permissions(
    hass: HomeAssistant,
    service: Innovaphone,
    home: MockConfigEntry,
    hass_admin_user: MockUser,
    action: str,
    fields: dict[str, Any],
    read_only: bool,
) -> None:
    """What is told of a service is for those who may see all its entities.

    To have a code made they must be allowed to control them.
    """

    async def ask(user_id: str | None) -> None:
        await hass.services.async_call(
            DOMAIN,
            action,
            {"config_entry_id": home.entry_id, **fields},
            blocking=True,
            return_response=True,
            context=Context(user_id=user_id),
        )

    if action == "get_provisioned_device":
        made = await call(hass, "get_provisioning_code", category="Doors")
        fields = {"code": made["code"]}
    guest = await hass.auth.async_create_user("Guest", group_ids=[GROUP_ID_READ_ONLY])
    resident = await hass.auth.async_create_user("Resident", group_ids=[GROUP_ID_USER])
    asked = len(service.requests)
    for policy in (None, {"entity_ids": {RECEPTION_ONLINE: True}}):
        with pytest.raises(Unauthorized):
            await ask(make_user(hass, policy).id)
    with pytest.raises(UnknownUser):
        await ask("nobody")
    if not read_only:
        with pytest.raises(Unauthorized):
            await ask(guest.id)
    assert len(service.requests) == asked
    for user_id in (guest.id, resident.id, None) if read_only else (resident.id, None):
        await ask(user_id)


async def test_device_request_one_at_a_time(
    hass: HomeAssistant, service: Innovaphone, home: MockConfigEntry
) -> None:
    """One device is asked one thing at a time, two devices are asked at once."""
    under_way: dict[str, int] = {RECEPTION: 0, ADAPTER: 0}
    most: dict[str, int] = dict(under_way)
    together: list[int] = []
    serve = service.passthrough._serve

    async def slowly(device: DeviceRecord, received: Any) -> Any:
        under_way[device.hw_id] += 1
        most[device.hw_id] = max(most[device.hw_id], under_way[device.hw_id])
        together.append(sum(under_way.values()))
        await asyncio.sleep(0.02)
        under_way[device.hw_id] -= 1
        return await serve(device, received)

    service.passthrough._serve = slowly
    await asyncio.gather(
        *(
            call(hass, "device_request", hw_id=hw_id, path="log.txt")
            for hw_id in (RECEPTION, ADAPTER) * 3
        )
    )
    assert most == {RECEPTION: 1, ADAPTER: 1}
    assert max(together) == 2


async def test_large_replies(
    hass: HomeAssistant, service: Innovaphone, home: MockConfigEntry
) -> None:
    """Up to 256 KiB are handed on."""
    service.passthrough.pages["big"] = b"x" * MAX_PASSTHROUGH_REPLY
    reply = await call(hass, "device_request", hw_id=RECEPTION, path="big")
    assert len(reply["body"]) == MAX_PASSTHROUGH_REPLY
    service.passthrough.pages["big"] += b"x"
    with pytest.raises(HomeAssistantError) as error:
        await call(hass, "device_request", hw_id=RECEPTION, path="big")
    assert error.value.translation_key == "reply_too_large"


async def test_redirect(
    hass: HomeAssistant, service: Innovaphone, home: MockConfigEntry
) -> None:
    """It is handed on, not followed."""
    service.passthrough.inject(
        "a", Fault.reply(b"", status=301, content_type="text/plain")
    )
    reply = await call(hass, "device_request", hw_id=RECEPTION, path="a")
    assert reply == {"status": 301, "content_type": "text/plain", "body": ""}


# --- Refusals


@pytest.mark.parametrize(
    ("action", "mt", "fields"),
    [
        ("get_devices", "GetDevices", {}),
        ("get_devices", "GetFilteredDevices", {"only_fxs": True}),
        ("get_domains", "GetDomains", {}),
        ("get_provisioning_categories", "GetProvisioningCategories", {}),
        ("get_provisioning_code", "GetProvisioningCode", {"category": "Doors"}),
        ("get_provisioned_device", "GetProvisionedDevice", {"code": "1"}),
        ("get_device_configs", "GetDeviceConfigs", {}),
        ("get_device_configs", "GetDeviceConfig", {"config_id": 1}),
    ],
)
@pytest.mark.usefixtures("impatient")
async def test_refusals(
    hass: HomeAssistant,
    service: Innovaphone,
    home: MockConfigEntry,
    action: str,
    mt: str,
    fields: dict[str, Any],
) -> None:
    """The service's own reason reaches the caller, and so does its silence."""
    service.fail(mt, "Not allowed")
    with pytest.raises(HomeAssistantError) as error:
        await call(hass, action, **fields)
    assert error.value.translation_key == "refused_because"
    assert error.value.translation_placeholders == {
        "name": "innovaphone example.com",
        "reason": "Not allowed",
    }
    service.ignore(mt)
    with pytest.raises(HomeAssistantError) as error:
        await call(hass, action, **fields)
    assert error.value.translation_key == "no_answer"


async def test_too_long(hass: HomeAssistant, home: MockConfigEntry) -> None:
    """What the service would not take is not sent."""
    with pytest.raises(HomeAssistantError) as error:
        await call(hass, "get_devices", domain_ids=list(range(10_000, 22_000)))
    assert error.value.translation_key == "request_too_large"


async def test_not_connected(
    hass: HomeAssistant,
    service: Innovaphone,
    home: MockConfigEntry,
) -> None:
    """Nothing can be asked while the service cannot be reached."""
    await service.drop()
    await until(lambda: shown(hass, CONNECTION) == "off")
    for action in ("get_devices", "get_domains"):
        with pytest.raises(HomeAssistantError) as error:
            await call(hass, action)
        assert error.value.translation_key == "service_unreachable"


async def test_login_refused_to_a_second_connection(
    hass: HomeAssistant, service: Innovaphone, home: MockConfigEntry
) -> None:
    """A list that needs a login of its own fails with it; the first one stands."""
    service.refuse_login = True
    with pytest.raises(HomeAssistantError) as error:
        await call(hass, "get_devices")
    assert error.value.translation_key == "service_unreachable"
    assert not hass.config_entries.flow.async_progress()


async def test_third_party(
    hass: HomeAssistant, service: Innovaphone, home: MockConfigEntry
) -> None:
    """Devices of other makes have no web server that could be reached."""
    with pytest.raises(ServiceValidationError) as error:
        await call(hass, "device_request", hw_id=THIRD_PARTY, path="a")
    assert error.value.translation_key == "third_party_device"


@pytest.mark.parametrize(
    ("action", "fields"),
    [
        ("get_devices", {"types": ["toaster"]}),
        ("get_devices", {"hardware_ids": ["a,b"]}),
        ("get_devices", {"categories": [""]}),
        ("get_devices", {"domain_ids": [-1]}),
        ("get_devices", {"domain_ids": [2**64]}),
        ("get_devices", {"unassigned": "perhaps"}),
        ("get_devices", {"further": 1}),
        ("get_provisioning_code", {}),
        ("get_provisioning_code", {"category": ""}),
        ("get_provisioning_code", {"category": "a", "domain_id": "b"}),
        ("get_provisioned_device", {}),
        ("get_device_configs", {"config_id": "a"}),
    ],
)
async def test_fields(
    hass: HomeAssistant, home: MockConfigEntry, action: str, fields: dict[str, Any]
) -> None:
    """What cannot be meant is refused."""
    with pytest.raises(vol.Invalid):
        await call(hass, action, **fields)


async def test_other_targets(
    hass: HomeAssistant, home: MockConfigEntry, socket_enabled: None
) -> None:
    """An entry of another vendor, or the service itself, cannot be meant."""
    tellicon = MockConfigEntry(
        domain=DOMAIN, data={"vendor": "tellicon", "token": "t" * 24}
    )
    tellicon.add_to_hass(hass)
    assert await hass.config_entries.async_setup(tellicon.entry_id)
    with pytest.raises(ServiceValidationError) as error:
        await hass.services.async_call(
            DOMAIN,
            "get_domains",
            {"config_entry_id": tellicon.entry_id},
            blocking=True,
            return_response=True,
        )
    assert error.value.translation_key == "wrong_target"
    with pytest.raises(ServiceValidationError) as error:
        await hass.services.async_call(
            DOMAIN,
            "device_request",
            {
                "device_id": home.runtime_data.devices["innovaphone_entry"].entry.id,
                "path": "a",
            },
            blocking=True,
            return_response=True,
        )
    assert error.value.translation_key == "wrong_target"
