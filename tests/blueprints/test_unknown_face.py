"""Somebody whom a terminal does not know, at night."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import async_mock_service

from homeassistant.core import HomeAssistant, ServiceCall
from homeassistant.util import dt as dt_util
from simulators.senselink import SenseLink
from simulators.senselink_frames import VERA

from ..conftest import Advance, until
from ..vendors.senselink.conftest import ACCESS, PHOTO
from .conftest import Automate, Phone, settled

OUTSIDE_HOURS = 20002

type Watch = Callable[..., Awaitable[None]]


@pytest.fixture
def done(hass: HomeAssistant) -> dict[str, list[ServiceCall]]:
    """Return what sirens and lights are asked for, and what else is done."""
    return {
        "siren on": async_mock_service(hass, "siren", "turn_on"),
        "siren off": async_mock_service(hass, "siren", "turn_off"),
        "light": async_mock_service(hass, "light", "turn_on"),
        "more": async_mock_service(hass, "test", "more"),
    }


@pytest.fixture
def watch(
    hass: HomeAssistant, terminals: SenseLink, phones: list[Phone], automate: Automate
) -> Watch:
    """Return what makes the automation, in the night."""
    hass.states.async_set("sun.sun", "below_horizon")

    async def watch(**inputs: Any) -> None:
        await automate(
            {
                "unknown_face": {
                    "terminals": [ACCESS],
                    "phones": [phones[0].device_id],
                    **inputs,
                }
            }
        )

    return watch


async def test_alarm(
    hass: HomeAssistant,
    terminals: SenseLink,
    phones: list[Phone],
    watch: Watch,
    advance: Advance,
    done: dict[str, list[ServiceCall]],
) -> None:
    """The second attempt within a minute raises the alarm, with the photo."""
    await watch(
        sirens=["siren.garden"], lights=["light.porch"], more=[{"action": "test.more"}]
    )
    await terminals.recognise(person=None, photo=True)
    await settled()
    assert not phones[0].received
    await advance(30)
    before = hass.states.get(PHOTO).state
    await terminals.recognise(person=None, photo=True)
    await until(lambda: phones[0].shown)
    assert hass.states.get(PHOTO).state != before
    (shown,) = phones[0].shown
    assert shown["title"] == "Unknown face"
    assert shown["message"].startswith("Main entrance, 2 times, last at ")
    assert shown["data"]["image"] == f"/api/image_proxy/{PHOTO}"
    assert done["siren on"][0].data == {"entity_id": ["siren.garden"], "duration": 30}
    assert done["light"][0].data == {"entity_id": ["light.porch"]}
    assert len(done["more"]) == 1
    assert not done["siren off"]
    await advance(40)
    await until(lambda: done["siren off"])
    assert done["siren off"][0].data == {"entity_id": ["siren.garden"]}


async def test_at_once(
    terminals: SenseLink, phones: list[Phone], watch: Watch, advance: Advance
) -> None:
    """Three attempts at once are three, also where no photo comes."""
    await watch(attempts=3)
    for _ in range(3):
        await terminals.recognise(person=None)
    await settled()
    await advance(6)
    await until(lambda: phones[0].shown)
    assert phones[0].messages[0].startswith("Main entrance, 3 times")


async def test_goes_on(
    terminals: SenseLink, phones: list[Phone], watch: Watch, advance: Advance
) -> None:
    """As long as it goes on, each attempt tells anew, in one notification."""
    await watch(picture="camera.hall")
    for _ in range(4):
        await terminals.recognise(person=None)
        await advance(10)
    assert len(phones[0].received) == 3
    assert len(phones[0].shown) == 1
    assert phones[0].messages[0].startswith("Main entrance, 4 times")
    assert phones[0].shown[0]["data"]["image"] == "/api/camera_proxy/camera.hall"


async def test_long_ago(
    terminals: SenseLink, phones: list[Phone], watch: Watch, advance: Advance
) -> None:
    """Attempts far from each other are not several."""
    await watch()
    for _ in range(3):
        await terminals.recognise(person=None)
        await advance(80)
    assert not phones[0].received


async def test_reported_late(
    hass: HomeAssistant,
    terminals: SenseLink,
    phones: list[Phone],
    watch: Watch,
    advance: Advance,
) -> None:
    """Old attempts that are reported now do not count."""
    await watch(attempts=1)
    before = hass.states.get(ACCESS).state
    await terminals.recognise(person=None, at=dt_util.utcnow().timestamp() - 600)
    await until(lambda: hass.states.get(ACCESS).state != before)
    await advance(6)
    assert not phones[0].received


@pytest.mark.parametrize(
    ("inputs", "states", "told"),
    [
        ({}, {"sun.sun": "above_horizon"}, False),
        ({"only_at_night": False}, {"sun.sun": "above_horizon"}, True),
        (
            {"alarm": "alarm_control_panel.house"},
            {"alarm_control_panel.house": "armed_away"},
            True,
        ),
        (
            {"alarm": "alarm_control_panel.house"},
            {"alarm_control_panel.house": "disarmed"},
            False,
        ),
        ({"alarm": "alarm_control_panel.house"}, {}, False),
    ],
)
async def test_when(
    hass: HomeAssistant,
    terminals: SenseLink,
    phones: list[Phone],
    watch: Watch,
    advance: Advance,
    inputs: dict[str, Any],
    states: dict[str, str],
    told: bool,
) -> None:
    """Only at night, and only while the alarm is armed, if so chosen."""
    await watch(attempts=1, **inputs)
    for entity_id, state in states.items():
        hass.states.async_set(entity_id, state)
    await terminals.recognise(person=None)
    await settled()
    await advance(6)
    assert bool(phones[0].received) is told


@pytest.mark.parametrize("reasons", [["unrecognized"], ["outside_hours"]])
async def test_reasons(
    terminals: SenseLink,
    phones: list[Phone],
    watch: Watch,
    advance: Advance,
    reasons: list[str],
) -> None:
    """Only chosen reasons count, and nobody who was let in."""
    await watch(attempts=1, reasons=reasons)
    await terminals.recognise()
    await settled()
    await terminals.recognise(person=VERA, abnormal_type=OUTSIDE_HOURS)
    await settled()
    await advance(6)
    assert bool(phones[0].received) is (reasons == ["outside_hours"])


async def test_restored_attempt(
    hass: HomeAssistant,
    terminals: SenseLink,
    phones: list[Phone],
    watch: Watch,
    advance: Advance,
) -> None:
    """An attempt that is only shown again, as after a reload, does not count."""
    await terminals.recognise(person=None)
    await until(lambda: hass.states.get(ACCESS).attributes["reason"] == "unrecognized")
    await watch(attempts=1)
    assert await hass.config_entries.async_reload("senselink")
    await until(lambda: hass.states.get(ACCESS).attributes.get("reason"))
    await advance(6)
    assert not phones[0].received
