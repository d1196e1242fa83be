"""A voice at the door when nobody comes to it."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from homeassistant.core import HomeAssistant
from homeassistant.core_config import async_process_ha_core_config
from homeassistant.helpers.entity_component import DATA_INSTANCES
from homeassistant.setup import async_setup_component
from simulators.ipac import Ipac

from ..conftest import Advance, until
from ..vendors.ipac.test_speaker import Voice, tone
from .conftest import Automate, settled

DOORBELL = "event.entrance_doorbell"
SPEAKER = "media_player.entrance_speaker"
HANG_UP = "button.entrance_hang_up"

type Watch = Callable[..., Awaitable[None]]


@pytest.fixture
async def voice(hass: HomeAssistant, tmp_path: Path) -> Voice:
    """Return a voice that hums for two seconds."""
    hass.config.media_dirs = {"local": str(tmp_path)}
    assert await async_setup_component(hass, "tts", {})
    voice = Voice(tone(tmp_path / "hum.wav", 2).read_bytes())
    await hass.data[DATA_INSTANCES]["tts"].async_add_entities([voice])
    return voice


@pytest.fixture
def entrance(voice: Voice, entrance: Ipac) -> Ipac:
    """Return the station; the voice has to be there before the server starts."""
    return entrance


@pytest.fixture
async def watch(
    hass: HomeAssistant,
    entrance: Ipac,
    served_at: str,
    automate: Automate,
) -> Watch:
    """Return what makes the automation; nobody is home."""
    await async_process_ha_core_config(hass, {"internal_url": served_at})
    hass.states.async_set("zone.home", "0")

    async def watch(**inputs: Any) -> None:
        await automate(
            {
                "speak_to_visitor": {
                    "doorbell": DOORBELL,
                    "voice": "tts.voice",
                    "speaker": SPEAKER,
                    "pause": 0,
                    **inputs,
                }
            }
        )

    return watch


async def test_speak(
    hass: HomeAssistant,
    entrance: Ipac,
    voice: Voice,
    watch: Watch,
    advance: Advance,
) -> None:
    """It says its sentence as often as chosen, and hangs up then."""
    await watch(speech="Please come back later.", times=2, hang_up=HANG_UP)
    await entrance.press_button()
    await until(lambda: hass.states.get(SPEAKER).state == "playing")
    assert voice.said == [("en", "Please come back later.")]
    assert len(entrance.sounds) == 1
    assert entrance.sounds[0].seconds == pytest.approx(2, abs=0.1)
    assert entrance.call is not None
    await advance(3)
    await until(lambda: len(entrance.sounds) == 2)
    await until(lambda: hass.states.get(SPEAKER).state == "playing")
    await settled()
    assert entrance.call is not None
    await advance(3)
    await until(lambda: entrance.call is None)


async def test_pause(
    entrance: Ipac, voice: Voice, watch: Watch, advance: Advance
) -> None:
    """Somebody may come first; and nobody hangs up unless that is chosen."""
    await watch(pause=60)
    await entrance.press_button()
    await advance(40)
    assert not voice.said
    await advance(30)
    await until(lambda: entrance.sounds)
    await advance(3)
    await settled()
    assert entrance.call is not None


@pytest.mark.parametrize(
    ("inputs", "states", "speaks"),
    [
        ({}, {}, True),
        ({}, {"zone.home": "1"}, False),
        ({}, {"zone.home": "unknown"}, False),
        ({"quiet": "schedule.siesta"}, {"zone.home": "1"}, False),
        (
            {"quiet": "schedule.siesta"},
            {"zone.home": "1", "schedule.siesta": "on"},
            True,
        ),
        (
            {"people": ["person.ana", "person.ben"]},
            {"person.ana": "not_home", "person.ben": "Office", "zone.home": "1"},
            True,
        ),
        (
            {"people": ["person.ana", "person.ben"]},
            {"person.ana": "not_home", "person.ben": "home"},
            False,
        ),
        (
            {"people": ["person.ana", "person.ben"]},
            {"person.ana": "not_home", "person.ben": "unknown"},
            False,
        ),
        ({"people": ["person.gone"]}, {}, False),
    ],
)
async def test_when(
    hass: HomeAssistant,
    entrance: Ipac,
    voice: Voice,
    watch: Watch,
    advance: Advance,
    inputs: dict[str, Any],
    states: dict[str, str],
    speaks: bool,
) -> None:
    """It speaks while everybody is known to be away, and in quiet hours."""
    for entity_id, state in states.items():
        hass.states.async_set(entity_id, state)
    await watch(**inputs)
    await entrance.press_button()
    await advance(1)
    if speaks:
        await until(lambda: entrance.sounds)
    assert bool(voice.said) is speaks


async def test_late_ring(
    hass: HomeAssistant, entrance: Ipac, voice: Voice, watch: Watch, advance: Advance
) -> None:
    """Nobody stands there any more when a ring is reported late."""
    await entrance.notify()
    await watch()
    assert await hass.config_entries.async_unload("entrance")
    await entrance.press_button()
    await advance(60)
    assert await hass.config_entries.async_setup("entrance")
    await entrance.notify()
    await until(lambda: hass.states.get(DOORBELL).attributes["event_type"] == "ring")
    await advance(1)
    assert not voice.said
