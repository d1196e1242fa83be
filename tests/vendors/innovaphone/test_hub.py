"""A service and its devices, from the wire to the state machine and the registry."""

import asyncio
from collections.abc import Callable
import logging
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_capture_events,
)

from custom_components.gatehouse.hub import Device
from custom_components.gatehouse.people import NOBODY
from custom_components.gatehouse.vendors.innovaphone import hub, roster
from custom_components.gatehouse.vendors.innovaphone.hub import InnovaphoneHub
from homeassistant.config_entries import SOURCE_REAUTH, ConfigEntryState
from homeassistant.const import EVENT_STATE_CHANGED, STATE_UNAVAILABLE
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import device_registry as dr, entity_registry as er
from simulators.faults import Fault
from simulators.innovaphone import Innovaphone
from simulators.innovaphone_devices import DeviceRecord, DomainRecord, device_members

from ...conftest import Advance, Devices, until
from ...faults.simulated_time import SimulatedTime
from ..conftest import shown
from .conftest import (
    ADAPTER,
    CONNECTION,
    DOCKER,
    HALL,
    INVENTORY,
    ONLINE,
    PASSWORD,
    RECEPTION,
    RECEPTION_ONLINE,
    THIRD_PARTY,
    TOTAL,
    UNASSIGNED,
    DeviceOf,
    SetUp,
    Told,
    all_followed,
    asked,
    call,
    make_entry,
)

NEW = "029033abcdef"


def hub_of(entry: MockConfigEntry) -> InnovaphoneHub:
    """Return the entry's hub."""
    hub: InnovaphoneHub = entry.runtime_data
    return hub


def of_hub(entry: MockConfigEntry, hw_id: str) -> Device:
    """Return the hub's device of a hardware id."""
    return hub_of(entry).devices[f"innovaphone_{entry.entry_id}_{hw_id}"]


async def restart(hass: HomeAssistant, name: str = "reception") -> None:
    """Press a device's button."""
    await hass.services.async_call(
        "button",
        "press",
        {"entity_id": f"button.{name}_restart_when_idle"},
        blocking=True,
    )


async def come_back(hass: HomeAssistant, advance: Advance, step: float = 2) -> None:
    """Let time pass until the service is connected again."""
    for _ in range(100):
        if shown(hass, CONNECTION) == "on":
            break
        await advance(step)
        await asyncio.sleep(0.02)
    # The devices follow.
    await until(lambda: shown(hass, RECEPTION_ONLINE) != STATE_UNAVAILABLE)


@pytest.fixture
def lost(hass: HomeAssistant) -> Callable[[], bool]:
    """Return what tells whether the loss of the connection is shown."""
    return lambda: shown(hass, CONNECTION) == "off"


# --- Devices


async def test_devices(
    hass: HomeAssistant,
    service: Innovaphone,
    home: MockConfigEntry,
    devices: Devices,
    device_of: DeviceOf,
) -> None:
    """Every device of the service is there, linked to it, with what is known of it."""
    assert len(devices()) == 10
    reception = device_of(RECEPTION)
    assert (reception.name, reception.model) == ("Reception", "IP112")
    assert reception.manufacturer == "innovaphone"
    assert reception.sw_version == "14r1 sr1 [14.0520/140520/300]"
    assert reception.serial_number == RECEPTION
    assert reception.connections == {("mac", "02:90:33:00:00:01")}
    (itself,) = [
        device
        for device in devices()
        if device.entry_type is dr.DeviceEntryType.SERVICE
    ]
    assert itself.name == "innovaphone example.com"
    assert {device.via_device_id for device in devices() if device.id != itself.id} == {
        itself.id
    }
    assert device_of(DOCKER).connections == set()
    assert device_of(DOCKER).name == "Docker Host docker0"
    assert device_of(UNASSIGNED).name == f"IP111 {UNASSIGNED}"
    assert device_of(THIRD_PARTY).manufacturer is None
    assert shown(hass, RECEPTION_ONLINE) == "on"
    assert shown(hass, "binary_sensor.hall_online") == "off"
    assert (shown(hass, ONLINE), shown(hass, TOTAL)) == ("8", "9")
    assert shown(hass, CONNECTION) == "on"
    assert shown(hass, INVENTORY) == "unknown"
    # Once, with what is needed to hear of changes.
    (request,) = asked(service, "GetDevices")
    assert request["recvUpdates"] is True


async def test_disabled_by_default(
    hass: HomeAssistant, home: MockConfigEntry, entity_registry: er.EntityRegistry
) -> None:
    """Of a device's three entities, one is enabled: Home Assistant bears 10,000."""
    entities = er.async_entries_for_config_entry(entity_registry, home.entry_id)
    assert len(entities) == 4 + 3 * 9
    assert sum(entity.disabled_by is None for entity in entities) == 4 + 9


async def test_no_devices(socket_enabled: None, hass: HomeAssistant) -> None:
    """A service without devices has none."""
    async with Innovaphone(devices=0, password=PASSWORD) as service:
        entry = make_entry(service)
        entry.add_to_hass(hass)
        assert await hass.config_entries.async_setup(entry.entry_id)
        await hass.async_block_till_done()
        assert (shown(hass, ONLINE), shown(hass, TOTAL)) == ("0", "0")
        await hass.config_entries.async_unload(entry.entry_id)


@pytest.mark.parametrize("full_updates", [True, False])
@pytest.mark.parametrize("with_src", [True, False])
async def test_online(
    hass: HomeAssistant,
    service: Innovaphone,
    home: MockConfigEntry,
    device_of: DeviceOf,
    full_updates: bool,
    with_src: bool,
) -> None:
    """A device goes and comes by update, whatever an update looks like."""
    service.full_updates, service.indication_src = full_updates, with_src
    await service.update(RECEPTION, online=False)
    await until(lambda: shown(hass, RECEPTION_ONLINE) == "off")
    await service.update(RECEPTION, online=True)
    await until(lambda: shown(hass, RECEPTION_ONLINE) == "on")
    assert device_of(RECEPTION).name == "Reception"


@pytest.mark.parametrize("full_updates", [True, False])
async def test_changes(
    hass: HomeAssistant,
    service: Innovaphone,
    home: MockConfigEntry,
    device_of: DeviceOf,
    full_updates: bool,
) -> None:
    """Name, version and product follow the service, the user's own name stays."""
    service.full_updates = full_updates
    before = device_of(RECEPTION)
    await service.update(RECEPTION, name="Desk", version="14r2", product="IP222")
    await until(lambda: device_of(RECEPTION).name == "Desk")
    after = device_of(RECEPTION)
    assert (after.id, after.sw_version, after.model) == (before.id, "14r2", "IP222")
    assert hass.states.get(RECEPTION_ONLINE).attributes["friendly_name"] == (
        "Desk Online"
    )
    dr.async_get(hass).async_update_device(after.id, name_by_user="Mine")
    await service.update(RECEPTION, name="Again")
    await until(lambda: device_of(RECEPTION).name == "Again")
    assert device_of(RECEPTION).name_by_user == "Mine"


async def test_ip_address(
    hass: HomeAssistant,
    service: Innovaphone,
    entry: MockConfigEntry,
    set_up: SetUp,
    entity_registry_enabled_by_default: None,
) -> None:
    """The address is shown to who enables it."""
    await set_up()
    assert shown(hass, "sensor.reception_ip_address") == "192.0.2.11"
    await service.update(RECEPTION, eth_ifs=())
    await until(lambda: shown(hass, "sensor.reception_ip_address") == "unknown")


async def test_update_without_hardware_id(
    hass: HomeAssistant, service: Innovaphone, home: MockConfigEntry, devices: Devices
) -> None:
    """A device is found by the service's number, if it has one of its own."""
    number = service.devices[RECEPTION].id
    for device in (
        {"id": number, "online": False},
        {"id": 0, "online": True},
        {"id": 4711, "online": True},
    ):
        await service.indicate({"mt": "DeviceUpdate", "device": device})
    await until(lambda: shown(hass, RECEPTION_ONLINE) == "off")
    await service.indicate({"mt": "DeviceUpdate", "device": {"hwId": NEW, "id": 99}})
    await until(lambda: len(devices()) == 11)
    await service.indicate({"mt": "DeviceUpdate", "device": {"hwId": NEW, "id": 98}})
    await service.indicate({"mt": "DeviceRemoved", "device": {"id": 98}})
    await until(lambda: len(devices()) == 10)
    await service.indicate({"mt": "DeviceRemoved", "device": {"hwId": "nobody"}})


async def test_number_that_another_has_by_now(
    hass: HomeAssistant, service: Innovaphone, home: MockConfigEntry, devices: Devices
) -> None:
    """A number belongs to who had it last."""
    number = service.devices[RECEPTION].id
    for message in (
        {"mt": "DeviceAdded", "device": {"hwId": NEW, "id": 99}},
        {"mt": "DeviceUpdate", "device": {"hwId": NEW, "id": number}},
        {"mt": "DeviceRemoved", "device": {"hwId": RECEPTION, "id": number}},
        {"mt": "DeviceRemoved", "device": {"id": number}},
    ):
        await service.indicate(message)
    await until(lambda: len(devices()) == 9)
    await all_followed(hass, service)
    assert len(devices()) == 9


async def test_added(
    hass: HomeAssistant,
    service: Innovaphone,
    home: MockConfigEntry,
    devices: Devices,
    told: Told,
) -> None:
    """A device that appears is there at once, and told of."""
    changes = async_capture_events(hass, EVENT_STATE_CHANGED)
    await service.add(DeviceRecord(NEW, "Gate", product="IP112", domain_id=1))
    await until(lambda: shown(hass, "binary_sensor.gate_online") == "on")
    assert len(devices()) == 11
    assert told() == [
        {
            "event_type": "device_added",
            "hardware_id": NEW,
            "name": "Gate",
            "product": "IP112",
            "device_type": "PHONE",
            "code_used": None,
        }
    ]
    # From the beginning it shows what is known.
    assert [
        change.data["new_state"].state
        for change in changes
        if change.data["entity_id"] == "binary_sensor.gate_online"
    ] == ["on"]
    await service.update(NEW, name="Front gate")
    await service.indicate({"mt": "DeviceAdded", "device": {"hwId": NEW}})
    await all_followed(hass, service)
    assert len(told()) == 1


async def test_added_or_removed_while_the_platforms_are_given_devices(
    hass: HomeAssistant,
    service: Innovaphone,
    entry: MockConfigEntry,
    set_up: SetUp,
    entity_registry: er.EntityRegistry,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It gets its entities once, or none, as if it had come or gone later."""
    give = InnovaphoneHub._give
    given: list[str] = []

    def come_and_go(hub: InnovaphoneHub, device: Device) -> None:
        give(hub, device)
        given.append(device.uid)
        if len(given) == 1:
            hub.add_device(f"innovaphone_{entry.entry_id}_{NEW}", "innovaphone_device")
            hub.remove_device(of_hub(entry, HALL))

    monkeypatch.setattr(InnovaphoneHub, "_give", come_and_go)
    await set_up()

    assert len(given) == len(set(given)) == 10
    entities = er.async_entries_for_config_entry(entity_registry, entry.entry_id)
    assert sum(NEW in entity.unique_id for entity in entities) == 3
    assert not any(HALL in entity.unique_id for entity in entities)
    assert "does not generate unique IDs" not in caplog.text


async def test_removed(
    hass: HomeAssistant,
    service: Innovaphone,
    home: MockConfigEntry,
    device_of: DeviceOf,
    entity_registry: er.EntityRegistry,
    told: Told,
) -> None:
    """A device that leaves the service leaves the registry, with its entities."""
    await service.remove(RECEPTION)
    await until(lambda: device_of(RECEPTION) is None)
    await hass.async_block_till_done()
    assert shown(hass, RECEPTION_ONLINE) is None
    assert entity_registry.async_get(RECEPTION_ONLINE) is None
    assert [(one["event_type"], one["name"]) for one in told()] == [
        ("device_removed", "Reception")
    ]


@pytest.mark.parametrize("whole", [True, False])
async def test_late_update_of_a_removed_device(
    hass: HomeAssistant,
    service: Innovaphone,
    home: MockConfigEntry,
    devices: Devices,
    device_of: DeviceOf,
    told: Told,
    whole: bool,
) -> None:
    """It brings nothing back, whole or in part; that the device is added does."""
    record = service.devices[RECEPTION]
    late = device_members(record) if whole else {"id": record.id, "hwId": RECEPTION}
    await service.remove(RECEPTION)
    for device in (late | {"online": False}, {"id": record.id, "online": True}):
        await service.indicate({"mt": "DeviceUpdate", "device": device})
    await all_followed(hass, service)
    await hass.async_block_till_done()
    assert device_of(RECEPTION) is None
    assert shown(hass, RECEPTION_ONLINE) is None
    assert len(devices()) == 9
    assert [one["event_type"] for one in told()] == ["device_removed"]

    await service.add(record)
    await until(lambda: shown(hass, RECEPTION_ONLINE) == "on")
    await service.indicate({"mt": "DeviceUpdate", "device": late | {"online": False}})
    await until(lambda: shown(hass, RECEPTION_ONLINE) == "off")
    assert [(one["event_type"], one["name"]) for one in told()] == [
        ("device_removed", "Reception"),
        ("device_added", "Reception"),
    ]


async def test_late_update_of_a_device_that_was_not_shown(
    hass: HomeAssistant, service: Innovaphone, home: MockConfigEntry, devices: Devices
) -> None:
    """Nor does it bring what was removed without having been there."""
    for mt in ("DeviceRemoved", "DeviceUpdate"):
        await service.indicate({"mt": mt, "device": {"hwId": NEW, "id": 99}})
    await all_followed(hass, service)
    assert len(devices()) == 10


async def test_removed_device_that_is_in_the_next_list(
    hass: HomeAssistant,
    service: Innovaphone,
    home: MockConfigEntry,
    advance: Advance,
    lost: Callable[[], bool],
    device_of: DeviceOf,
    told: Told,
) -> None:
    """It is there again, though nobody has heard that it was added."""
    record = service.devices[ADAPTER]
    await service.remove(ADAPTER)
    await until(lambda: device_of(ADAPTER) is None)
    await service.drop()
    await until(lost)
    await service.add(record)
    await come_back(hass, advance)
    await service.update(ADAPTER, online=False)
    await until(lambda: shown(hass, "binary_sensor.door_adapter_online") == "off")
    assert [(one["event_type"], one["name"]) for one in told()] == [
        ("device_removed", "Door adapter"),
        ("device_added", "Door adapter"),
    ]


async def test_removed_device_that_is_provisioned(
    hass: HomeAssistant,
    service: Innovaphone,
    home: MockConfigEntry,
    device_of: DeviceOf,
    told: Told,
) -> None:
    """It is there again, for a code was typed at it."""
    members = device_members(service.devices[RECEPTION])
    await service.remove(RECEPTION)
    await until(lambda: device_of(RECEPTION) is None)
    await service.indicate(
        {"mt": "DeviceProvisioned", "device": members, "code": "123123123123"}
    )
    await until(lambda: shown(hass, RECEPTION_ONLINE) == "on")
    assert [one["event_type"] for one in told()] == [
        "device_removed",
        "device_added",
        "device_provisioned",
    ]


async def test_many_removed(
    hass: HomeAssistant,
    service: Innovaphone,
    home: MockConfigEntry,
    device_of: DeviceOf,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Of many that were removed, the last are known as such."""
    monkeypatch.setattr(roster, "MAX_LEFT", 2)
    gone = (RECEPTION, ADAPTER, THIRD_PARTY)
    for hw_id in gone:
        await service.remove(hw_id)
    # Said again, it is the last.
    for mt, hw_id in (
        ("DeviceRemoved", ADAPTER),
        ("DeviceRemoved", NEW),
        *(("DeviceUpdate", hw_id) for hw_id in gone),
    ):
        await service.indicate({"mt": mt, "device": {"hwId": hw_id}})
    await all_followed(hass, service)
    assert [device_of(hw_id) is None for hw_id in gone] == [False, True, False]


async def test_counts(
    hass: HomeAssistant,
    service: Innovaphone,
    home: MockConfigEntry,
    advance: Advance,
) -> None:
    """Counts follow at once, but in a burst once a second."""
    await advance(1)
    changes = async_capture_events(hass, EVENT_STATE_CHANGED)
    await service.all_offline()
    await until(lambda: hub_of(home).diagnostics()["online"] == 0)
    assert shown(hass, ONLINE) == "7"
    await service.remove(HALL)
    await until(lambda: hub_of(home).diagnostics()["devices"].get("DECT") is None)
    await advance(1)
    assert (shown(hass, ONLINE), shown(hass, TOTAL)) == ("0", "8")
    assert [
        change.data["new_state"].state
        for change in changes
        if change.data["entity_id"] == ONLINE
    ] == ["7", "0"]
    await advance(1)
    await service.update(RECEPTION, online=True)
    await until(lambda: shown(hass, ONLINE) == "1")


async def test_types(
    hass: HomeAssistant,
    service: Innovaphone,
    home: MockConfigEntry,
    devices: Devices,
    told: Told,
) -> None:
    """Only the chosen types are shown; the others leave, and come back when chosen."""
    hass.config_entries.async_update_entry(home, options={"types": ["gw", "dect"]})
    await hass.async_block_till_done()
    assert sorted(device.model for device in devices() if device.model) == [
        "IP1203",
        "IP29-2",
        "IP811",
    ]
    assert (shown(hass, ONLINE), shown(hass, TOTAL)) == ("2", "3")
    await service.add(DeviceRecord(NEW, "Desk"))
    await service.update(RECEPTION, online=False)
    await service.indicate(
        {"mt": "DeviceUpdate", "device": {"hwId": RECEPTION, "online": True}}
    )
    await service.add(DeviceRecord("029033abcde0", "Trunk", type="GW"))
    await until(lambda: shown(hass, "binary_sensor.trunk_online") == "on")
    assert len(devices()) == 5
    assert [one["name"] for one in told()] == ["Trunk"]
    hass.config_entries.async_update_entry(home, options={"types": []})
    await hass.async_block_till_done()
    assert len(devices()) == 12


async def test_too_many(
    hass: HomeAssistant,
    service: Innovaphone,
    set_up: SetUp,
    devices: Devices,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """More devices than Home Assistant bears are not shown, which is said once."""
    monkeypatch.setattr(roster, "MAX_DEVICES", 5)
    await set_up()
    assert len(devices()) == 6
    assert caplog.text.count("choose types of devices") == 1


async def test_domains(
    hass: HomeAssistant, service: Innovaphone, home: MockConfigEntry
) -> None:
    """What is told of domains is followed."""
    domains = lambda: hub_of(home).diagnostics()["domains"]  # noqa: E731
    assert domains() == 2
    await service.add_domain(DomainRecord(7, "third.example.com"))
    await until(lambda: domains() == 3)
    await service.edit_domain(7, name="fourth.example.com")
    await service.delete_domain(7)
    await until(lambda: domains() == 2)


async def test_too_many_domains(
    hass: HomeAssistant,
    service: Innovaphone,
    set_up: SetUp,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Domains beyond a bound are not searched."""
    monkeypatch.setattr(hub, "MAX_DOMAINS", 1)
    await set_up()
    await service.add_domain(DomainRecord(7, "third.example.com"))
    await service.update(RECEPTION, online=False)
    await until(lambda: shown(hass, RECEPTION_ONLINE) == "off")
    await call(hass, "get_devices", only_fxs=True)
    assert [
        request["domainId"] for request in asked(service, "GetFilteredDevices")
    ] == [1]


async def test_same_address_twice(
    hass: HomeAssistant,
    service: Innovaphone,
    home: MockConfigEntry,
    device_of: DeviceOf,
) -> None:
    """Hardware ids that differ in case are two devices, though of one MAC address."""
    await service.add(DeviceRecord("0090334100be", "Lower"))
    await service.add(DeviceRecord("0090334100BE", "Upper"))
    await until(lambda: shown(hass, "binary_sensor.upper_online") == "on")
    lower, upper = device_of("0090334100be"), device_of("0090334100BE")
    assert lower.id != upper.id
    assert (lower.name, upper.name) == ("Lower", "Upper")
    # The other way round, too: the registry remembers whose address it is.
    service.devices = dict(reversed(service.devices.items()))
    assert await hass.config_entries.async_reload("entry")
    await hass.async_block_till_done()
    assert device_of("0090334100be").id == lower.id
    assert device_of("0090334100BE").id == upper.id
    await service.remove("0090334100BE")
    await until(lambda: device_of("0090334100BE") is None)
    assert shown(hass, "binary_sensor.lower_online") == "on"


async def test_unknown_indications(
    hass: HomeAssistant, service: Innovaphone, home: MockConfigEntry
) -> None:
    """Indications about configurations, and new ones, are passed over."""
    for name in ("DeviceConfigAdded", "DeviceConfigDeleted", "DeviceConfigEdited"):
        await service.push_raw(f'{{"mt":"{name}","id":1}}')
    await service.push_raw('{"mt":"SomethingNew"}')
    await service.push_raw('{"mt":"DomainDeleted","id":4711}')
    await all_followed(hass, service)


# --- Lists


@pytest.mark.parametrize("page_size", [2, 4])
async def test_what_comes_between_pages(
    hass: HomeAssistant,
    service: Innovaphone,
    set_up: SetUp,
    device_of: DeviceOf,
    page_size: int,
    told: Told,
) -> None:
    """Indications between pages are followed after the list, which may be older."""
    service.page_size = page_size

    async def much() -> None:
        await service.update(RECEPTION, online=False)
        await service.update(UNASSIGNED, name="Cellar")
        await service.add(DeviceRecord(NEW, "Gate"))
        await service.remove(ADAPTER)

    service.between_pages(much)
    service.between_pages(
        lambda: service.indicate(
            {"mt": "DeviceUpdate", "device": {"hwId": ADAPTER, "online": False}}
        )
    )
    await set_up()
    assert shown(hass, RECEPTION_ONLINE) == "off"
    assert device_of(UNASSIGNED).name == "Cellar"
    assert shown(hass, "binary_sensor.gate_online") == "on"
    assert device_of(ADAPTER) is None
    assert (shown(hass, ONLINE), shown(hass, TOTAL)) == ("7", "9")


async def test_after_a_restart(
    hass: HomeAssistant,
    service: Innovaphone,
    home: MockConfigEntry,
    device_of: DeviceOf,
    told: Told,
) -> None:
    """What has gone while Home Assistant was not there leaves; nothing is told of it."""
    await hass.config_entries.async_unload(home.entry_id)
    assert not service.connections
    await service.remove(ADAPTER)
    await service.add(DeviceRecord(NEW, "Gate"))
    await hass.config_entries.async_setup(home.entry_id)
    await hass.async_block_till_done()
    assert device_of(ADAPTER) is None
    assert device_of(NEW) is not None
    assert told() == []


# --- The connection


@pytest.mark.parametrize("abort", [True, False])
async def test_lost_and_back(
    hass: HomeAssistant,
    service: Innovaphone,
    home: MockConfigEntry,
    advance: Advance,
    lost: Callable[[], bool],
    device_of: DeviceOf,
    told: Told,
    caplog: pytest.LogCaptureFixture,
    abort: bool,
) -> None:
    """The loss is shown, and the return brings everything up to date, once."""
    caplog.set_level(logging.INFO)
    await service.drop(abort)
    await until(lost)
    await until(lambda: shown(hass, RECEPTION_ONLINE) == STATE_UNAVAILABLE)
    assert shown(hass, ONLINE) == STATE_UNAVAILABLE
    await service.update(HALL, online=True)
    await service.update(RECEPTION, name="Desk")
    await service.remove(ADAPTER)
    await service.add(DeviceRecord(NEW, "Gate"))
    await come_back(hass, advance)
    assert shown(hass, RECEPTION_ONLINE) == "on"
    assert shown(hass, "binary_sensor.hall_online") == "on"
    assert shown(hass, "binary_sensor.gate_online") == "on"
    assert device_of(RECEPTION).name == "Desk"
    assert device_of(ADAPTER) is None
    assert (shown(hass, ONLINE), shown(hass, TOTAL)) == ("9", "9")
    assert sorted((one["event_type"], one["name"]) for one in told()) == [
        ("device_added", "Gate"),
        ("device_removed", "Door adapter"),
    ]
    assert len(asked(service, "GetDevices")) == 2
    assert caplog.text.count("is lost") == 1
    assert caplog.text.count("is connected again") == 1
    # Changes are heard again.
    await service.update(HALL, online=False)
    await until(lambda: shown(hass, "binary_sensor.hall_online") == "off")


async def test_device_that_comes_while_the_list_does(
    hass: HomeAssistant,
    service: Innovaphone,
    home: MockConfigEntry,
    advance: Advance,
    lost: Callable[[], bool],
    device_of: DeviceOf,
    told: Told,
) -> None:
    """A device that the list does not have, but an indication does, stays."""
    await service.drop()
    await until(lost)
    record = service.devices.pop(ADAPTER)
    service.page_size = 4
    service.between_pages(lambda: service.add(record))
    before = device_of(ADAPTER).id
    await come_back(hass, advance)
    assert device_of(ADAPTER).id == before
    assert told() == []


async def test_much_that_comes_while_the_list_does(
    hass: HomeAssistant,
    service: Innovaphone,
    home: MockConfigEntry,
    advance: Advance,
    lost: Callable[[], bool],
    devices: Devices,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Of more changes than are held the first are left out."""
    monkeypatch.setattr(hub, "MAX_HELD", 2)
    await service.drop()
    await until(lost)

    async def add() -> None:
        for number in range(5):
            await service.add(DeviceRecord(f"{number:012}", f"New {number}"))

    service.page_size = 4
    service.between_pages(add)
    await come_back(hass, advance)
    new = {device.name for device in devices() if str(device.name).startswith("New")}
    assert {"New 3", "New 4"} <= new
    assert "New 0" not in new


@pytest.mark.standing_clock
async def test_long_absence(
    hass: HomeAssistant,
    service: Innovaphone,
    home: MockConfigEntry,
    passing: SimulatedTime,
    lost: Callable[[], bool],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Attempts become rarer, and whatever goes wrong meanwhile is not told."""
    await service.stop()
    await passing.until(lost, 1)
    await passing.pass_(720, step=60)
    assert shown(hass, CONNECTION) == "off"
    await service.start()
    service.ignore("AppChallenge")
    service.fail("GetDevices", "Not yet")
    await passing.until(lambda: len(asked(service, "AppChallenge")) > 1, 90)
    await passing.until(lambda: not lost(), 300)
    assert len(service.logins) > 1
    assert caplog.text.count("is lost") == 1


@pytest.mark.standing_clock
async def test_attempts(
    service: Innovaphone,
    home: MockConfigEntry,
    passing: SimulatedTime,
    lost: Callable[[], bool],
) -> None:
    """Each attempt waits twice as long for its turn as the one before."""
    service.fail("GetDevices", "Not yet", times=3)
    await service.drop()
    await passing.until(lost, 1)
    for expected in (1, 2, 4, 8):
        before = len(service.logins)
        wait = await passing.pass_(
            20, until=lambda before=before: len(service.logins) > before, step=0.25
        )
        # Time is let go by in steps, and timers fire up to a second early.
        assert expected * 0.8 - 1 <= wait <= expected + 1


@pytest.mark.standing_clock
async def test_connections_that_do_not_last(
    service: Innovaphone,
    home: MockConfigEntry,
    passing: SimulatedTime,
    lost: Callable[[], bool],
) -> None:
    """A service that drops everyone at once is not besieged; one that lasts is forgiven."""

    async def absence() -> float:
        await service.drop()
        await passing.until(lost, 1)
        return await passing.pass_(60, until=lambda: not lost(), step=0.25)

    waits = [await absence() for _ in range(4)]
    assert waits[3] > 5
    await passing.pass_(60)
    assert await absence() < 2


@pytest.mark.parametrize("refusal", ["absent", "false", "error"])
async def test_login_refused_later(
    hass: HomeAssistant,
    service: Innovaphone,
    home: MockConfigEntry,
    advance: Advance,
    lost: Callable[[], bool],
    refusal: Any,
) -> None:
    """A refused login asks the user, and is not repeated."""
    service.refuse_login, service.refusal = True, refusal
    await service.drop()
    await until(lost)
    await advance(1)
    await until(hass.config_entries.flow.async_progress)
    (flow,) = hass.config_entries.flow.async_progress()
    assert flow["context"]["source"] == SOURCE_REAUTH
    for _ in range(5):
        await advance(60)
        await asyncio.sleep(0.01)
    assert len(service.attempts) == 2
    assert shown(hass, RECEPTION_ONLINE) == STATE_UNAVAILABLE


async def test_login_refused(
    hass: HomeAssistant, service: Innovaphone, entry: MockConfigEntry, set_up: SetUp
) -> None:
    """The same at the start."""
    service.refuse_login = True
    await set_up()
    assert entry.state is ConfigEntryState.SETUP_ERROR
    (flow,) = hass.config_entries.flow.async_progress()
    assert flow["context"]["source"] == SOURCE_REAUTH


async def test_not_there_at_the_start(
    hass: HomeAssistant,
    service: Innovaphone,
    entry: MockConfigEntry,
    set_up: SetUp,
    advance: Advance,
) -> None:
    """Home Assistant tries again."""
    await service.stop()
    await set_up()
    assert entry.state is ConfigEntryState.SETUP_RETRY
    assert entry.error_reason_translation_key == "service_unreachable"
    await service.start()
    await advance(60)
    await until(lambda: entry.state is ConfigEntryState.LOADED)


async def test_list_refused_at_the_start(
    hass: HomeAssistant, service: Innovaphone, entry: MockConfigEntry, set_up: SetUp
) -> None:
    """Without its devices, a service is of no use."""
    service.fail("GetDevices", "Not allowed")
    await set_up()
    assert entry.state is ConfigEntryState.SETUP_RETRY
    await until(lambda: not service.connections)


async def test_domains_refused(
    hass: HomeAssistant, service: Innovaphone, entry: MockConfigEntry, set_up: SetUp
) -> None:
    """Without its domains it still is."""
    service.fail("GetDomains", "Not allowed")
    await set_up()
    assert shown(hass, TOTAL) == "9"


async def test_keep_alive(
    hass: HomeAssistant, service: Innovaphone, home: MockConfigEntry, advance: Advance
) -> None:
    """A sign of life is given after 45 quiet seconds; traffic is one."""
    await advance(40)
    await all_followed(hass, service)
    await advance(40)
    await asyncio.sleep(0.01)
    assert not asked(service, "KeepAlive")
    await advance(10)
    await until(lambda: asked(service, "KeepAlive"))
    assert shown(hass, CONNECTION) == "on"


async def test_unload(
    hass: HomeAssistant, service: Innovaphone, home: MockConfigEntry
) -> None:
    """Unloading ends the connection at once, also one over which nothing comes."""
    await service.freeze()
    # Unless told otherwise, the library waits ten seconds.
    async with asyncio.timeout(8):
        assert await hass.config_entries.async_unload(home.entry_id)
    await service.drop()
    assert not service.connections


async def test_unload_while_coming_back(
    hass: HomeAssistant,
    service: Innovaphone,
    home: MockConfigEntry,
    advance: Advance,
    lost: Callable[[], bool],
) -> None:
    """Nothing is left of an attempt that is under way."""
    service.ignore("GetDevices")
    await service.drop()
    await until(lost)
    await advance(1)
    await until(lambda: len(asked(service, "GetDevices")) == 2)
    assert await hass.config_entries.async_unload(home.entry_id)
    await until(lambda: not service.connections)


async def test_stop(
    hass: HomeAssistant, service: Innovaphone, home: MockConfigEntry
) -> None:
    """Home Assistant's end ends the connection."""
    await hass.async_stop(force=True)
    await until(lambda: not service.connections)


# --- Restart


@pytest.fixture
async def buttons(
    entity_registry_enabled_by_default: None, home: MockConfigEntry
) -> MockConfigEntry:
    """Return the entry with all its entities."""
    return home


async def test_restart(
    hass: HomeAssistant, service: Innovaphone, buttons: MockConfigEntry
) -> None:
    """The idle reset is sent through the App Platform, once."""
    service.restart_time = 60
    await restart(hass)
    assert service.passthrough.restarts == [RECEPTION]
    (request,) = service.passthrough.requests
    assert (request.method, request.path) == ("GET", "!ireset")
    # It says good-bye.
    await until(lambda: shown(hass, RECEPTION_ONLINE) == "off")


@pytest.mark.parametrize(
    ("fault", "key"),
    [
        (Fault.reply(b"?\r\n", content_type="text/plain"), "not_supported"),
        (Fault.reply(b"", status=403, content_type="text/plain"), "refused"),
        (Fault.reset(acted=False), "no_answer"),
        (Fault.reply(b"x" * 300_000), "reply_too_large"),
    ],
)
async def test_restart_fails(
    hass: HomeAssistant,
    service: Innovaphone,
    buttons: MockConfigEntry,
    fault: Fault,
    key: str,
) -> None:
    """Whoever presses is told, and the order is not repeated."""
    service.passthrough.inject("!ireset", fault)
    with pytest.raises(HomeAssistantError) as error:
        await restart(hass)
    assert error.value.translation_key == key
    assert len(service.passthrough.requests) == 1


async def test_restart_of_what_cannot(
    hass: HomeAssistant,
    service: Innovaphone,
    buttons: MockConfigEntry,
    lost: Callable[[], bool],
) -> None:
    """What is off line, of another make, or out of reach is not asked."""
    with pytest.raises(HomeAssistantError) as error:
        await restart(hass, "hall")
    assert error.value.translation_key == "device_offline"
    with pytest.raises(ServiceValidationError) as error:
        await restart(hass, "meeting_room")
    assert error.value.translation_key == "third_party_device"
    device = of_hub(buttons, RECEPTION)
    await service.drop()
    await until(lost)
    with pytest.raises(HomeAssistantError) as error:
        await hub_of(buttons).async_restart(device, NOBODY)
    assert error.value.translation_key == "service_unreachable"
    assert not service.passthrough.requests
