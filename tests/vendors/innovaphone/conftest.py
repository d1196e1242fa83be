"""A Devices service with a device of every kind, and an entry for it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_capture_events,
)

from custom_components.gatehouse.const import DOMAIN
from custom_components.gatehouse.vendors.innovaphone import client
from homeassistant.const import EVENT_STATE_CHANGED
from homeassistant.core import Event, HomeAssistant
from homeassistant.helpers import device_registry as dr
from simulators.innovaphone import Innovaphone

from ...conftest import until
from ..conftest import shown
from ..websocket import advance, steady

__all__ = ["advance", "steady"]


PASSWORD = "invented-instance"
DOMAIN_PASSWORD = "invented-domain"

RECEPTION = "029033000001"
ADAPTER = "029033000002"
HALL = "029033000004"
DOCKER = "docker0"
THIRD_PARTY = "029033000008"
UNASSIGNED = "029033000009"

CONNECTION = "binary_sensor.innovaphone_example_com_connection"
ONLINE = "sensor.innovaphone_example_com_devices_online"
TOTAL = "sensor.innovaphone_example_com_devices"
INVENTORY = "event.innovaphone_example_com_inventory"
RECEPTION_ONLINE = "binary_sensor.reception_online"

type Told = Callable[[], list[dict[str, Any]]]
type DeviceOf = Callable[[str], dr.DeviceEntry | None]
type SetUp = Callable[[], Awaitable[None]]


def asked(service: Innovaphone, mt: str) -> list[dict[str, Any]]:
    """Return the messages of a type that the service has received."""
    return [request for request in service.requests if request["mt"] == mt]


async def all_followed(hass: HomeAssistant, service: Innovaphone) -> None:
    """Wait until all that the service has said is done, by one thing more that shows."""
    await service.update(HALL, online=True)
    await until(lambda: shown(hass, "binary_sensor.hall_online") == "on")


@pytest.fixture
async def service(socket_enabled: None) -> AsyncIterator[Innovaphone]:
    """Return a service with two domains and nine devices."""
    async with Innovaphone(
        password=PASSWORD, domain_passwords={"branch.example.com": DOMAIN_PASSWORD}
    ) as service:
        yield service


def make_entry(service: Innovaphone, **changes: Any) -> MockConfigEntry:
    """Return an entry for a service, not set up yet."""
    return MockConfigEntry(
        domain=DOMAIN,
        title="innovaphone example.com",
        # Part of the unique ids.
        entry_id="entry",
        data={
            "vendor": "innovaphone",
            "url": f"{service.url}{service.base}",
            "app": "innovaphone-devices-api",
            "domain": "example.com",
            "password": PASSWORD,
            "verify_tls": True,
        }
        | changes,
        unique_id=f"innovaphone:{service.host}{service.base}:example.com",
    )


async def call(hass: HomeAssistant, action: str, **fields: Any) -> Any:
    """Ask something, of the service or of the device of a hardware id."""
    if (hw_id := fields.pop("hw_id", None)) is None:
        fields["config_entry_id"] = "entry"
    else:
        device = dr.async_get(hass).async_get_device_by_identifier(
            (DOMAIN, f"innovaphone_entry_{hw_id}"), "entry"
        )
        assert device is not None
        fields["device_id"] = device.id
    return await hass.services.async_call(
        DOMAIN, action, fields, blocking=True, return_response=True
    )


@pytest.fixture
def entry(service: Innovaphone) -> MockConfigEntry:
    """Return an entry, not set up yet."""
    return make_entry(service)


@pytest.fixture
def set_up(hass: HomeAssistant, entry: MockConfigEntry) -> SetUp:
    """Return what sets the entry up."""

    async def set_up() -> None:
        if hass.config_entries.async_get_entry(entry.entry_id) is None:
            entry.add_to_hass(hass)
        await hass.config_entries.async_setup(entry.entry_id)
        await hass.async_block_till_done()

    return set_up


@pytest.fixture
async def home(entry: MockConfigEntry, set_up: SetUp) -> MockConfigEntry:
    """Return the entry, set up."""
    await set_up()
    return entry


@pytest.fixture
def told(hass: HomeAssistant) -> Told:
    """Return what lists what has been told of the inventory since the start."""
    changes: list[Event] = async_capture_events(hass, EVENT_STATE_CHANGED)

    def told() -> list[dict[str, Any]]:
        return [
            {
                key: value
                for key, value in state.attributes.items()
                if key
                in (
                    "event_type",
                    "hardware_id",
                    "name",
                    "product",
                    "device_type",
                    "code_used",
                )
            }
            for change in changes
            if change.data["entity_id"] == INVENTORY
            and (state := change.data["new_state"]) is not None
            and state.state not in ("unknown", "unavailable")
            and (
                change.data["old_state"] is None
                or change.data["old_state"].state not in (state.state, "unavailable")
            )
        ]

    return told


@pytest.fixture
def device_of(device_registry: dr.DeviceRegistry, entry: MockConfigEntry) -> DeviceOf:
    """Return what finds a device in the registry by its hardware id."""
    return lambda hw_id: device_registry.async_get_device_by_identifier(
        ("gatehouse", f"innovaphone_{entry.entry_id}_{hw_id}"), entry.entry_id
    )


def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give up soon on a service that does not answer."""
    monkeypatch.setattr(
        client,
        "PACE",
        client.PACE._replace(
            connect=2,
            login=2,
            reply=2,
            user_info=2,
            passthrough_connect=2,
            passthrough=2,
        ),
    )


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give up soon on a service that does not answer; for tests in which it does not."""
    hurry(monkeypatch)
