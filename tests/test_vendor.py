"""A sixth vendor: one folder, one line in the registry, and its strings."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, override

import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    start_reauth_flow,
)
from pytest_homeassistant_custom_component.typing import WebSocketGenerator
import voluptuous as vol

from custom_components.gatehouse import wire
from custom_components.gatehouse.const import DOMAIN
from custom_components.gatehouse.entity import EventDescription, SensorDescription
from custom_components.gatehouse.flow import Proven, VendorFlow
from custom_components.gatehouse.hub import Hub
from custom_components.gatehouse.vendor import Vendor
from custom_components.gatehouse.vendors import VENDORS
from homeassistant.config_entries import SOURCE_USER, ConfigEntry, ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.setup import async_setup_component

from .conftest import Devices


@dataclass(frozen=True)
class Knock:
    """The only thing that the toy can tell."""

    event_type: str = "knock"

    @property
    def attributes(self) -> dict[str, Any]:
        """Return how hard."""
        return {"force": 3}


class ToyHub(Hub):
    """A door that can be knocked at."""

    @override
    async def async_start(self) -> None:
        self.door = self.add_device("toy_door", "door", name="Toy door")

    def knock(self) -> None:
        """Knock."""
        self.door.say("knocking", Knock())
        self.door.publish("knocks", (self.door.values.get("knocks") or 0) + 1)


class ToyFlow(VendorFlow):
    """Asks for a word; the toy refuses "wrong"."""

    @override
    def schema(self, entry: ConfigEntry | None) -> vol.Schema:
        return vol.Schema({vol.Required("word"): str})

    @override
    async def prove(
        self, hass: HomeAssistant, answers: Mapping[str, Any], entry: ConfigEntry | None
    ) -> Proven:
        if answers["word"] == "wrong":
            raise wire.InvalidAuth
        return Proven(title="Toy", data=answers, unique_id=f"toy:{answers['word']}")

    @override
    def reauth_schema(self) -> vol.Schema:
        return self.schema(None)

    @override
    async def reauth(
        self,
        hass: HomeAssistant,
        entry: ConfigEntry,
        about: Mapping[str, Any],
        answers: Mapping[str, Any],
    ) -> None:
        await self.prove(hass, answers, entry)


@pytest.fixture(autouse=True)
def toy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Add the line to the registry."""
    monkeypatch.setitem(
        VENDORS,
        "toy",
        Vendor(
            key="toy",
            hub=ToyHub,
            flow=ToyFlow(),
            entities={
                "door": (
                    EventDescription(
                        key="knocking", name="Knocking", event_types=["knock"]
                    ),
                    SensorDescription(key="knocks", name="Knocks"),
                )
            },
        ),
    )


async def set_up(hass: HomeAssistant, word: str = "open") -> MockConfigEntry:
    """Set the toy up through the menu."""
    menu = await hass.config_entries.flow.async_init(
        DOMAIN, context={"source": SOURCE_USER}
    )
    assert "toy" in menu["menu_options"]
    form = await hass.config_entries.flow.async_configure(
        menu["flow_id"], {"next_step_id": "toy"}
    )
    assert form["step_id"] == "toy"
    again = await hass.config_entries.flow.async_configure(
        form["flow_id"], {"word": "wrong"}
    )
    assert again["errors"] == {"base": "invalid_auth"}
    done = await hass.config_entries.flow.async_configure(
        form["flow_id"], {"word": word}
    )
    await hass.async_block_till_done()
    return done


async def test_toy_vendor(hass: HomeAssistant) -> None:
    """The toy is set up, has its device and entities, and tells what happens."""
    entry = (await set_up(hass))["result"]
    entry.runtime_data.knock()
    await hass.async_block_till_done()
    state = hass.states.get("event.toy_door_knocking")
    assert state.attributes["event_type"] == "knock"
    assert state.attributes["force"] == 3
    assert hass.states.get("sensor.toy_door_knocks").state == "1"


async def test_duplicate_and_other_devices(hass: HomeAssistant) -> None:
    """What has the same unique id is set up once."""
    await set_up(hass)
    aborted = await set_up(hass)
    assert aborted["type"] is FlowResultType.ABORT
    assert aborted["reason"] == "already_configured"


async def test_reconfigure_and_reauth(hass: HomeAssistant) -> None:
    """Both come with the flow."""
    entry = (await set_up(hass))["result"]
    form = await MockConfigEntry.start_reconfigure_flow(entry, hass)
    assert form["step_id"] == "toy_reconfigure"
    done = await hass.config_entries.flow.async_configure(
        form["flow_id"], {"word": "other"}
    )
    assert done["reason"] == "reconfigure_successful"
    await hass.async_block_till_done()
    assert entry.unique_id == "toy:other"
    assert entry.state is ConfigEntryState.LOADED

    form = await start_reauth_flow(hass, entry)
    assert form["step_id"] == "toy_reauth"
    done = await hass.config_entries.flow.async_configure(
        form["flow_id"], {"word": "other"}
    )
    assert done["reason"] == "reauth_successful"


async def test_listener_fault(
    hass: HomeAssistant, caplog: pytest.LogCaptureFixture
) -> None:
    """The fault of one listener keeps nothing from the others."""
    entry = (await set_up(hass))["result"]

    def fail(_: Any) -> None:
        raise ZeroDivisionError

    stop = entry.runtime_data.door.listen("knocks", fail)
    entry.runtime_data.knock()
    await hass.async_block_till_done()
    assert hass.states.get("sensor.toy_door_knocks").state == "1"
    assert "A listener of toy_door failed" in caplog.text
    stop()


async def test_device_cannot_be_deleted(
    hass: HomeAssistant,
    devices: Devices,
    hass_ws_client: WebSocketGenerator,
) -> None:
    """A device that is there stays, unless its vendor says otherwise."""
    await set_up(hass)
    assert await async_setup_component(hass, "config", {})
    (device,) = devices()
    client = await hass_ws_client(hass)
    await client.send_json_auto_id(
        {
            "type": "config/device_registry/remove_config_entry",
            "config_entry_id": device.config_entry_id,
            "device_id": device.id,
        }
    )
    assert not (await client.receive_json())["success"]
