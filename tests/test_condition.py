"""The condition: whether somebody is talking at a door."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import replace
from pathlib import Path
import re
import sys
from typing import Any, override

import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_mock_service,
)
from pytest_homeassistant_custom_component.typing import WebSocketGenerator
import voluptuous as vol
import yaml

from custom_components.gatehouse.const import DOMAIN
from custom_components.gatehouse.entity import BinarySensorDescription
from custom_components.gatehouse.hub import Hub
from custom_components.gatehouse.vendors import VENDORS
from homeassistant.components.binary_sensor import BinarySensorDeviceClass
from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import STATE_ON
from homeassistant.core import HomeAssistant
from homeassistant.helpers import (
    area_registry as ar,
    condition as condition_helpers,
    device_registry as dr,
    entity_registry as er,
    floor_registry as fr,
    label_registry as lr,
)
from homeassistant.helpers.translation import async_get_translations
from homeassistant.setup import async_setup_component
from scripts.check_integration import LANGUAGES
from simulators.ipac import Ipac

from .conftest import Advance

FRONT = "binary_sensor.front_call"
BACK = "binary_sensor.back_call"

type Passes = Callable[[], Awaitable[bool]]
type Automate = Callable[..., Awaitable[Passes]]


class ToyHub(Hub):
    """Two stations that can be in a call, and out of reach."""

    @override
    async def async_start(self) -> None:
        for name in ("Front", "Back"):
            station = self.add_device(name.lower(), "station", name=name)
            station.publish("call", False)
            station.publish("connection", True)

    async def call(self, station: str, running: bool | None) -> None:
        """Begin or end a call; None is one of which nothing is known."""
        self.devices[station].publish("call", running)
        await self.hass.async_block_till_done()


@pytest.fixture
def toy(monkeypatch: pytest.MonkeyPatch) -> MockConfigEntry:
    """Return an entry of two stations, not set up yet."""
    offered = (
        BinarySensorDescription(
            key="call", device_class=BinarySensorDeviceClass.RUNNING
        ),
        BinarySensorDescription(
            key="connection", device_class=BinarySensorDeviceClass.CONNECTIVITY
        ),
    )
    toy = replace(
        VENDORS["tellicon"],
        key="toy",
        hub=ToyHub,
        entities={"station": offered},
        view=None,
    )
    monkeypatch.setitem(VENDORS, "toy", toy)
    return MockConfigEntry(domain=DOMAIN, data={"vendor": "toy"}, title="Toy")


@pytest.fixture
async def hub(hass: HomeAssistant, toy: MockConfigEntry) -> ToyHub:
    """Return the hub of the two stations, set up."""
    await set_up(hass, toy)
    hub: ToyHub = toy.runtime_data
    return hub


async def set_up(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Set an entry up."""
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)


@pytest.fixture
def automate(hass: HomeAssistant) -> Automate:
    """Return what makes an automation, and returns what tells if it runs now."""

    async def automate(target: Mapping[str, Any], **options: Any) -> Passes:
        runs = async_mock_service(hass, "test", "run")
        condition = {
            "condition": "gatehouse.call_in_progress",
            "target": target,
            "options": options,
        }
        automation = {
            "triggers": {"trigger": "event", "event_type": "test"},
            "conditions": condition,
            "actions": {"action": "test.run"},
        }
        assert await async_setup_component(
            hass, "automation", {"automation": automation}
        )
        await hass.async_block_till_done()

        async def passes() -> bool:
            before = len(runs)
            hass.bus.async_fire("test")
            await hass.async_block_till_done()
            return len(runs) > before

        return passes

    return automate


@pytest.fixture
async def station(hass: HomeAssistant, socket_enabled: None) -> AsyncIterator[Ipac]:
    """Return a station whose entry is set up."""
    async with Ipac(password="invented") as station:
        entry = MockConfigEntry(
            domain=DOMAIN,
            title="IPAC",
            data={
                "vendor": "ipac",
                "host": station.host,
                "username": "admin",
                "password": "invented",
                "auth": "digest",
                "tls": False,
                "verify_tls": False,
                "asm_secret": "0123456789abcdef0123456789abcdef",
                "asm_token": "invented-client",
            },
        )
        await set_up(hass, entry)
        yield station


async def test_station(
    hass: HomeAssistant, station: Ipac, served_at: str, automate: Automate
) -> None:
    """A station is in a call from ringing to the end, whoever has called whom."""
    station.connect_asm(
        uri=served_at,
        path="/api/gatehouse/asm/0123456789abcdef0123456789abcdef/",
        token="invented-client",
        notify_every=0,
    )
    passes = await automate({"entity_id": "binary_sensor.ipac_call"})
    assert not await passes()
    for begin in (station.press_button, station.receive_call):
        await begin()
        assert await passes()
        await station.hang_up()
        assert not await passes()


@pytest.mark.parametrize(
    ("behavior", "running", "expected"),
    [
        ({}, (False, False), False),
        ({}, (True, False), True),
        ({"behavior": "any"}, (False, True), True),
        ({"behavior": "all"}, (True, False), False),
        ({"behavior": "all"}, (True, True), True),
        # As with Home Assistant's own, what is not known does not count.
        ({"behavior": "any"}, (None, False), False),
        ({"behavior": "all"}, (None, True), True),
    ],
)
async def test_behavior(
    hub: ToyHub,
    automate: Automate,
    behavior: dict[str, str],
    running: tuple[bool | None, bool | None],
    expected: bool,
) -> None:
    """One of several stations is enough, unless all are asked for."""
    passes = await automate({"entity_id": [FRONT, BACK]}, **behavior)
    for station, value in zip(("front", "back"), running, strict=True):
        await hub.call(station, value)
    assert await passes() is expected


async def test_duration(hub: ToyHub, automate: Automate, advance: Advance) -> None:
    """A call can be asked to have lasted for some time."""
    passes = await automate({"entity_id": FRONT}, **{"for": {"seconds": 30}})
    await hub.call("front", True)
    await advance(20)
    assert not await passes()
    await advance(20)
    assert await passes()


@pytest.mark.parametrize("kind", ["entity", "device", "area", "floor", "label"])
async def test_targets(
    hub: ToyHub,
    automate: Automate,
    area_registry: ar.AreaRegistry,
    device_registry: dr.DeviceRegistry,
    floor_registry: fr.FloorRegistry,
    label_registry: lr.LabelRegistry,
    kind: str,
) -> None:
    """Only the station that is targeted counts, whatever it is targeted by.

    That its other sensors are on makes no call.
    """
    floor = floor_registry.async_create("Ground floor")
    area = area_registry.async_create("Hall", floor_id=floor.floor_id)
    label = label_registry.async_create("Public")
    device = device_registry.async_update_device(
        hub.devices["front"].entry.id, area_id=area.id, labels={label.label_id}
    )
    target = {
        "entity": FRONT,
        "device": device.id,
        "area": area.id,
        "floor": floor.floor_id,
        "label": label.label_id,
    }[kind]
    passes = await automate({f"{kind}_id": target})
    await hub.call("back", True)
    assert not await passes()
    await hub.call("front", True)
    assert await passes()


async def test_unavailable(hub: ToyHub, automate: Automate) -> None:
    """A station out of reach is in no call that anybody knows of."""
    passes = await automate({"entity_id": FRONT})
    await hub.call("front", True)
    hub.devices["front"].set_available(False)
    assert not await passes()


async def test_other_integrations(
    hass: HomeAssistant,
    hub: ToyHub,
    automate: Automate,
    entity_registry: er.EntityRegistry,
) -> None:
    """What is not Gatehouse's tells of no call at a door."""
    other = entity_registry.async_get_or_create(
        "binary_sensor", "other", "call", translation_key="call"
    ).entity_id
    ids = [FRONT, "binary_sensor.front_connection", other, "binary_sensor.template"]
    for entity_id in ids[2:]:
        hass.states.async_set(entity_id, STATE_ON)
    assert all(hass.states.is_state(entity_id, STATE_ON) for entity_id in ids[1:])
    passes = await automate({"entity_id": ids})
    assert not await passes()


async def test_bad_behavior(hass: HomeAssistant, hub: ToyHub) -> None:
    """Nothing but one or all is accepted."""
    with pytest.raises(vol.Invalid):
        await condition_helpers.async_validate_condition_config(
            hass,
            {
                "condition": "gatehouse.call_in_progress",
                "target": {"entity_id": FRONT},
                "options": {"behavior": "some"},
            },
        )


async def test_description(
    hass: HomeAssistant, hub: ToyHub, hass_ws_client: WebSocketGenerator
) -> None:
    """The editor learns of the condition, and offers it for a station's calls."""
    client = await hass_ws_client(hass)
    await client.send_json_auto_id({"type": "condition_platforms/subscribe"})
    assert (await client.receive_json())["success"]
    described = {
        key: set(description["fields"])
        for key, description in (await client.receive_json())["event"].items()
        if key.startswith("gatehouse.")
    }
    assert described == {"gatehouse.call_in_progress": {"behavior", "for"}}
    for entity_id, offered in (
        (FRONT, True),
        ("binary_sensor.front_connection", False),
    ):
        await client.send_json_auto_id(
            {
                "type": "get_conditions_for_target",
                "target": {"entity_id": [entity_id]},
            }
        )
        conditions = (await client.receive_json())["result"]
        assert ("gatehouse.call_in_progress" in conditions) is offered


async def test_example(hass: HomeAssistant, hub: ToyHub) -> None:
    """README shows the condition, in a form that Home Assistant accepts."""
    readme = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
    (shown,) = (
        condition
        for block in re.findall(
            r"^```yaml\n(.*?)^```", readme, re.DOTALL | re.MULTILINE
        )
        if isinstance(example := yaml.safe_load(block), dict)
        for condition in example.get("conditions", ())
        if condition["condition"].startswith("gatehouse.")
    )
    assert await condition_helpers.async_validate_condition_config(hass, shown)


@pytest.mark.parametrize("language", LANGUAGES)
async def test_texts(hass: HomeAssistant, hub: ToyHub, language: str) -> None:
    """The condition and its fields have texts."""
    texts = await async_get_translations(hass, language, "conditions", {DOMAIN})
    path = "component.gatehouse.conditions.call_in_progress"
    for part in (path, f"{path}.fields.behavior", f"{path}.fields.for"):
        assert texts[f"{part}.name"]
        assert texts[f"{part}.description"]


async def test_without_support(
    hass: HomeAssistant, toy: MockConfigEntry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A Home Assistant whose conditions are made otherwise has the rest of Gatehouse."""
    monkeypatch.delattr(condition_helpers, "EntityStateConditionBase")
    monkeypatch.delitem(sys.modules, "custom_components.gatehouse.condition", False)
    await set_up(hass, toy)
    assert toy.state is ConfigEntryState.LOADED
    assert hass.states.get(FRONT) is not None
    assert "custom_components.gatehouse.condition" not in sys.modules
