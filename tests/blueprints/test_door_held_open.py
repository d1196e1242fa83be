"""A door that is held open."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import async_mock_service

from homeassistant.core import HomeAssistant, ServiceCall
from simulators.senselink import SenseLink

from ..conftest import Advance, until
from ..vendors.senselink.conftest import HELD_OPEN
from .conftest import Automate, Phone, settled

SENSOR_TIMEOUT = 10003
CONTACT = "binary_sensor.hall"

type Watch = Callable[..., Awaitable[None]]


@pytest.fixture
def said(hass: HomeAssistant) -> list[ServiceCall]:
    """Return what the voice is asked for."""
    return async_mock_service(hass, "tts", "speak")


@pytest.fixture
def watch(
    hass: HomeAssistant,
    phones: list[Phone],
    said: list[ServiceCall],
    automate: Automate,
) -> Watch:
    """Return what makes the automation."""
    hass.states.async_set(CONTACT, "off")

    async def watch(**inputs: Any) -> None:
        await automate(
            {
                "door_held_open": {
                    "phones": [phones[0].device_id],
                    "voice": "tts.voice",
                    "speakers": ["media_player.entrance_speaker"],
                    **inputs,
                }
            }
        )

    return watch


async def test_alert(
    hass: HomeAssistant,
    terminals: SenseLink,
    phones: list[Phone],
    said: list[ServiceCall],
    watch: Watch,
    advance: Advance,
) -> None:
    """The door is asked to be closed at once; telephones are told if it is not."""
    more = async_mock_service(hass, "test", "more")
    await watch(sensors=[HELD_OPEN], more=[{"action": "test.more"}])
    frame = await terminals.alert(SENSOR_TIMEOUT)
    await until(lambda: said)
    assert said[0].data["message"] == "Please close the door."
    await advance(150)
    assert not phones[0].received
    await advance(40)
    await until(lambda: phones[0].shown)
    assert phones[0].messages == ["The door is being held open."]
    assert len(more) == 1
    await terminals.release(frame["data"]["traceId"])
    await until(lambda: not phones[0].shown)


async def test_closed_in_time(
    hass: HomeAssistant,
    terminals: SenseLink,
    phones: list[Phone],
    said: list[ServiceCall],
    watch: Watch,
    advance: Advance,
) -> None:
    """A door that is closed when asked for is not told of."""
    await watch(sensors=[HELD_OPEN])
    frame = await terminals.alert(SENSOR_TIMEOUT)
    await until(lambda: said)
    await terminals.release(frame["data"]["traceId"])
    await until(lambda: hass.states.get(HELD_OPEN).state == "off")
    await advance(200)
    assert not phones[0].received


async def test_alert_that_is_still_there(
    hass: HomeAssistant, terminals: SenseLink, said: list[ServiceCall], watch: Watch
) -> None:
    """An alert that is found again, as after a reload, is nothing new."""
    await terminals.alert(SENSOR_TIMEOUT)
    await until(lambda: hass.states.get(HELD_OPEN).state == "on")
    await watch(sensors=[HELD_OPEN])
    assert await hass.config_entries.async_reload("senselink")
    await until(lambda: hass.states.get(HELD_OPEN).state == "on")
    await settled()
    assert not said


async def test_contact(
    hass: HomeAssistant, said: list[ServiceCall], watch: Watch, advance: Advance
) -> None:
    """A door with a contact may be open for a while."""
    await watch(contacts=[CONTACT], patience=120)
    hass.states.async_set(CONTACT, "on")
    await advance(90)
    assert not said
    await advance(40)
    await until(lambda: len(said) == 1)
    hass.states.async_set(CONTACT, "off")
    await settled()
    hass.states.async_set(CONTACT, "on")
    await advance(60)
    hass.states.async_set(CONTACT, "off")
    await advance(100)
    assert len(said) == 1


@pytest.mark.parametrize("voice", [True, False])
async def test_exception(
    hass: HomeAssistant,
    phones: list[Phone],
    said: list[ServiceCall],
    watch: Watch,
    advance: Advance,
    voice: bool,
) -> None:
    """On the day of a move doors are open; without a voice nothing is said."""
    hass.states.async_set("input_boolean.moving", "on")
    await watch(
        contacts=[CONTACT],
        blocked_by=["input_boolean.moving"],
        escalation=0,
        **({} if voice else {"voice": ""}),
    )
    hass.states.async_set(CONTACT, "on")
    await advance(121)
    assert not said
    assert not phones[0].received
    hass.states.async_set("input_boolean.moving", "off")
    hass.states.async_set(CONTACT, "off")
    await settled()
    hass.states.async_set(CONTACT, "on")
    await advance(121)
    await until(lambda: phones[0].received)
    assert bool(said) is voice
