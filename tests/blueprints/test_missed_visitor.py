"""Somebody rings, and nobody answers."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import async_mock_service

from homeassistant.core import HomeAssistant, ServiceCall
from homeassistant.exceptions import HomeAssistantError
from homeassistant.util import dt as dt_util
from simulators.ipac import Ipac
from simulators.tellicon import Tellicon, push_call
from simulators.the_keys import Gateway

from ..conftest import Advance, until
from ..vendors.ipac.conftest import CLEANER
from ..vendors.the_keys.conftest import FRONT
from .conftest import UNIT, Automate, Phone, settled

DOORBELL = "event.unit_505_121_1001_doorbell"
ENTRANCE = "event.entrance_doorbell"
FRONT_DOOR = "lock.front_door_door"
UNLOCKED = 50

type Watch = Callable[..., Awaitable[None]]


@pytest.fixture
def watch(phones: list[Phone], automate: Automate) -> Watch:
    """Return what makes the automation."""

    async def watch(**inputs: Any) -> None:
        await automate(
            {
                "missed_visitor": {
                    "doorbell": DOORBELL,
                    "phones": [phones[0].device_id],
                    **inputs,
                }
            }
        )

    return watch


async def test_missed(
    hass: HomeAssistant,
    tellicon: Tellicon,
    phones: list[Phone],
    watch: Watch,
    advance: Advance,
) -> None:
    """It is told with its picture, written down, and said at the door."""
    written = async_mock_service(hass, "todo", "add_item")
    said = async_mock_service(hass, "tts", "speak")
    await watch(
        picture="image.hall",
        list="todo.visitors",
        voice="tts.voice",
        speaker="media_player.entrance_speaker",
    )
    await tellicon.ring(UNIT)
    await advance(30)
    assert not phones[0].received
    await advance(20)
    await until(lambda: said)
    (shown,) = phones[0].shown
    assert shown["title"] == "Missed visitor"
    assert shown["message"].startswith("Unit 505/121/1001 at ")
    assert shown["data"]["image"] == "/api/image_proxy/image.hall"
    assert written[0].data == {
        "entity_id": ["todo.visitors"],
        "item": shown["message"],
    }
    assert said[0].data["entity_id"] == ["tts.voice"]
    assert said[0].data["media_player_entity_id"] == "media_player.entrance_speaker"


async def test_answered(
    tellicon: Tellicon, phones: list[Phone], watch: Watch, advance: Advance
) -> None:
    """A visitor who is answered is not missed."""
    await watch()
    await tellicon.ring(UNIT)
    await advance(20)
    await tellicon.answer(UNIT)
    await advance(60)
    assert not phones[0].received


async def test_long_talk(
    tellicon: Tellicon, phones: list[Phone], watch: Watch, advance: Advance
) -> None:
    """If an answer is told of after a long talk, the notification is withdrawn."""
    await watch()
    await tellicon.ring(UNIT)
    await advance(46)
    await until(lambda: phones[0].shown)
    await advance(60)
    await tellicon.answer(UNIT, duration=90)
    await until(lambda: not phones[0].shown)


async def test_rings_again(
    tellicon: Tellicon, phones: list[Phone], watch: Watch, advance: Advance
) -> None:
    """The time counts from the last ring, and it is one visit."""
    await watch()
    for _ in range(3):
        await tellicon.ring(UNIT)
        await advance(30)
    assert not phones[0].received
    await advance(20)
    await until(lambda: phones[0].received)
    assert len(phones[0].received) == 1


async def test_let_in(
    gateway: Gateway,
    hass: HomeAssistant,
    entrance: Ipac,
    phones: list[Phone],
    watch: Watch,
    advance: Advance,
) -> None:
    """Whoever is let in is not missed, by whichever way."""
    ways = ["event.front_gate_access", FRONT_DOOR]
    await watch(doorbell=ENTRANCE, ways=ways)
    await entrance.press_button()
    await entrance.hang_up()
    await advance(10)
    await entrance.type_code(CLEANER)
    await advance(60)
    assert not phones[0].received
    await entrance.press_button()
    await entrance.hang_up()
    gateway.turn_by_hand(FRONT, UNLOCKED)
    await advance(10)
    await until(lambda: hass.states.get(FRONT_DOOR).state == "unlocked")
    await advance(60)
    assert not phones[0].received
    # That it is still unlocked lets nobody in by itself.
    await entrance.press_button()
    await entrance.hang_up()
    await advance(46)
    await until(lambda: phones[0].received)


async def test_picture_is_kept(
    hass: HomeAssistant,
    tellicon: Tellicon,
    phones: list[Phone],
    watch: Watch,
    advance: Advance,
) -> None:
    """The picture is taken when it rings; that it fails does no harm."""
    taken: list[ServiceCall] = async_mock_service(
        hass, "camera", "snapshot", raise_exception=HomeAssistantError
    )
    await watch(picture="camera.hall", folder="/media/doors")
    await tellicon.ring(UNIT)
    await settled()
    assert taken[0].data["entity_id"] == ["camera.hall"]
    path = Path(taken[0].data["filename"])
    assert path.parent == Path("/media/doors")
    assert path.name.endswith("-visitor.jpg")
    await advance(46)
    await until(lambda: phones[0].received)


async def test_late_ring(
    hass: HomeAssistant,
    tellicon: Tellicon,
    phones: list[Phone],
    watch: Watch,
    advance: Advance,
) -> None:
    """A ring of long ago that is reported now is no visit."""
    await watch()
    at = int(dt_util.utcnow().timestamp()) - 300
    await tellicon.send(push_call(UNIT, dialect="B", src="9001", at=at))
    await until(lambda: hass.states.get(DOORBELL).attributes["event_type"] == "ring")
    await advance(46)
    assert not phones[0].received
