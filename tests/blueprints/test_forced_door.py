"""A door that was forced open, or that opens although nobody was let in."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import async_mock_service

from homeassistant.components.persistent_notification import (
    DOMAIN as PERSISTENT_NOTIFICATION,
)
from homeassistant.core import HomeAssistant, ServiceCall
from simulators.ipac import Ipac
from simulators.senselink import SenseLink
from simulators.the_keys import Gateway

from ..conftest import Advance, until
from ..vendors.ipac.conftest import CLEANER, order
from ..vendors.senselink.conftest import FORCED
from ..vendors.the_keys.conftest import FRONT
from .conftest import Automate, Phone, settled

FORCED_OPEN = 10002
CONTACT = "binary_sensor.hall"
GATE = "event.front_gate_access"
FRONT_GATE = "lock.front_gate_door"
FRONT_DOOR = "lock.front_door_door"
UNLOCKED = 50

type Watch = Callable[..., Awaitable[None]]


@pytest.fixture
def done(hass: HomeAssistant) -> dict[str, list[ServiceCall]]:
    """Return what the alarm panel and the voice are asked for, and what else is done."""
    return {
        "alarm": async_mock_service(hass, "alarm_control_panel", "alarm_trigger"),
        "voice": async_mock_service(hass, "tts", "speak"),
        "more": async_mock_service(hass, "test", "more"),
    }


@pytest.fixture
def watch(
    hass: HomeAssistant,
    phones: list[Phone],
    done: dict[str, list[ServiceCall]],
    automate: Automate,
) -> Watch:
    """Return what makes the automation."""
    hass.states.async_set(CONTACT, "off", {"friendly_name": "Hall"})

    async def watch(**inputs: Any) -> None:
        await automate(
            {
                "forced_door": {
                    "phones": [phones[0].device_id],
                    "alarm": "alarm_control_panel.house",
                    **inputs,
                }
            }
        )

    return watch


async def open_door(hass: HomeAssistant, advance: Advance) -> None:
    """Open the door, and wait as long as somebody's access may be reported."""
    hass.states.async_set(CONTACT, "on", {"friendly_name": "Hall"})
    await advance(4)


async def test_alert(
    hass: HomeAssistant,
    terminals: SenseLink,
    phones: list[Phone],
    watch: Watch,
    done: dict[str, list[ServiceCall]],
) -> None:
    """A terminal's alert triggers the alarm and is told until it is released."""
    await watch(
        sensors=[FORCED],
        voice="tts.voice",
        speakers=["media_player.kitchen"],
        more=[{"action": "test.more"}],
    )
    frame = await terminals.alert(FORCED_OPEN)
    await until(lambda: phones[0].shown)
    (shown,) = phones[0].shown
    assert shown["title"] == "Main entrance"
    assert shown["message"] == "The door has been forced open."
    assert shown["data"]["push"]["interruption-level"] == "critical"
    assert done["alarm"][0].data == {"entity_id": ["alarm_control_panel.house"]}
    assert done["voice"][0].data == {
        "entity_id": ["tts.voice"],
        "media_player_entity_id": ["media_player.kitchen"],
        "message": "Main entrance has been forced open.",
    }
    assert len(done["more"]) == 1
    assert len(hass.data[PERSISTENT_NOTIFICATION]) == 1
    await terminals.release(frame["data"]["traceId"])
    await until(lambda: len(phones[0].received) == 2)
    assert phones[0].messages == ["The door is closed again."]
    assert not hass.data[PERSISTENT_NOTIFICATION]


async def test_name_is_only_a_name(
    hass: HomeAssistant, watch: Watch, phones: list[Phone], advance: Advance
) -> None:
    """A name is shown as it is, and not read as Markdown."""
    await watch(contacts=[CONTACT], message="{{ place }} is open")
    name = "[Hall](https://elsewhere.example) {{ 1 }}"
    hass.states.async_set(CONTACT, "on", {"friendly_name": name})
    await advance(4)
    await until(lambda: phones[0].shown)
    assert phones[0].shown[0]["title"] == name
    assert phones[0].shown[0]["message"] == f"{name} is open"
    (note,) = hass.data[PERSISTENT_NOTIFICATION].values()
    assert note["title"] == name
    assert note["message"] == (r"\[Hall\](https:\/\/elsewhere.example) {{ 1 }} is open")


async def test_alert_that_is_still_there(
    hass: HomeAssistant, terminals: SenseLink, phones: list[Phone], watch: Watch
) -> None:
    """An alert that is found again, as after a reload, triggers nothing."""
    await terminals.alert(FORCED_OPEN)
    await until(lambda: hass.states.get(FORCED).state == "on")
    await watch(sensors=[FORCED])
    assert await hass.config_entries.async_reload("senselink")
    await until(lambda: hass.states.get(FORCED).state == "on")
    await settled()
    assert not phones[0].received


async def test_nobody_let_in(
    hass: HomeAssistant,
    entrance: Ipac,
    phones: list[Phone],
    watch: Watch,
    advance: Advance,
    done: dict[str, list[ServiceCall]],
) -> None:
    """A door that opens although nobody was let in has been forced."""
    await watch(contacts=[CONTACT], ways=[GATE])
    await open_door(hass, advance)
    await until(lambda: phones[0].shown)
    assert phones[0].shown[0]["title"] == "Hall"
    assert len(done["alarm"]) == 1
    assert not done["voice"]
    hass.states.async_set(CONTACT, "off")
    await until(lambda: phones[0].messages == ["The door is closed again."])


@pytest.mark.parametrize(("seconds", "forced"), [(0, False), (40, False), (80, True)])
async def test_let_in(
    hass: HomeAssistant,
    entrance: Ipac,
    phones: list[Phone],
    watch: Watch,
    advance: Advance,
    seconds: int,
    forced: bool,
) -> None:
    """Whoever was let in may open the door for some seconds."""
    await watch(contacts=[CONTACT], ways=[GATE], grace=60)
    await order(hass, "unlock", FRONT_GATE)
    await advance(seconds)
    await open_door(hass, advance)
    assert bool(phones[0].received) is forced


@pytest.mark.parametrize(("seconds", "forced"), [(40, False), (80, True)])
async def test_locked_again(
    hass: HomeAssistant,
    entrance: Ipac,
    phones: list[Phone],
    watch: Watch,
    advance: Advance,
    seconds: int,
    forced: bool,
) -> None:
    """So may whoever finds the door unlocked, for some seconds after it is locked."""
    await watch(contacts=[CONTACT], ways=[FRONT_GATE], grace=60)
    await order(hass, "unlock", FRONT_GATE)
    await advance(6)
    assert hass.states.get(FRONT_GATE).state == "locked"
    await advance(seconds)
    await open_door(hass, advance)
    assert bool(phones[0].received) is forced


async def test_reported_after_the_door(
    hass: HomeAssistant,
    entrance: Ipac,
    phones: list[Phone],
    watch: Watch,
    advance: Advance,
) -> None:
    """An access that is reported a moment after the door has opened counts."""
    await watch(contacts=[CONTACT], ways=[GATE])
    hass.states.async_set(CONTACT, "on")
    await settled()
    await entrance.type_code(CLEANER)
    await advance(4)
    assert not phones[0].received


@pytest.mark.parametrize("unlocked", [True, False])
async def test_lock(
    hass: HomeAssistant,
    gateway: Gateway,
    phones: list[Phone],
    watch: Watch,
    advance: Advance,
    unlocked: bool,
) -> None:
    """A door that is not locked may be opened at any time."""
    await watch(contacts=[CONTACT], ways=[FRONT_DOOR])
    if unlocked:
        gateway.turn_by_hand(FRONT, UNLOCKED)
    await advance(15)
    await until(
        lambda: (
            hass.states.get(FRONT_DOOR).state == ("unlocked" if unlocked else "locked")
        )
    )
    await advance(60)
    await open_door(hass, advance)
    assert bool(phones[0].received) is not unlocked


@pytest.mark.parametrize("before", ["unavailable", "unknown"])
async def test_contact_that_comes_back(
    hass: HomeAssistant,
    phones: list[Phone],
    watch: Watch,
    advance: Advance,
    before: str,
) -> None:
    """A contact that is found open was not seen to be opened."""
    await watch(contacts=[CONTACT])
    hass.states.async_set(CONTACT, before)
    await open_door(hass, advance)
    assert not phones[0].received
    hass.states.async_set(CONTACT, "off")
    await open_door(hass, advance)
    await until(lambda: phones[0].received)
