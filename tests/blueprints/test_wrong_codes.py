"""Wrong codes at a keypad."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_mock_service,
)

from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
from simulators.ipac import Ipac
from simulators.tellicon import Tellicon
from simulators.the_keys import Gateway

from ..conftest import Advance, until
from ..vendors.ipac.conftest import CLEANER, CODE
from ..vendors.the_keys.conftest import FRONT
from .conftest import UNIT, Automate, Phone, settled

KEYPAD = "event.entrance_keypad"
WRONG = "9999"

type Watch = Callable[..., Awaitable[None]]


@pytest.fixture
def inputs(phones: list[Phone]) -> dict[str, Any]:
    """Return what must be chosen."""
    return {
        "keypads": [KEYPAD],
        "doors": ["event.front_gate_access"],
        "phones": [phones[0].device_id],
    }


@pytest.fixture
def watch(inputs: dict[str, Any], entrance: Ipac, automate: Automate) -> Watch:
    """Return what makes the automation."""

    async def watch(**more: Any) -> None:
        await automate({"wrong_codes": inputs | more})

    return watch


async def test_three(
    hass: HomeAssistant,
    entrance: Ipac,
    phones: list[Phone],
    watch: Watch,
    advance: Advance,
) -> None:
    """The third wrong code within two minutes is told; each one after it, too."""
    more = async_mock_service(hass, "test", "more")
    await watch(picture="camera.entrance", more=[{"action": "test.more"}])
    for _ in range(2):
        await entrance.type_code(WRONG)
        await advance(10)
    assert not phones[0].received
    await entrance.type_code(WRONG)
    await advance(4)
    await until(lambda: phones[0].shown)
    (shown,) = phones[0].shown
    assert (shown["title"], shown["message"]) == (
        "Entrance",
        "3 wrong codes were typed.",
    )
    assert shown["data"]["image"] == "/api/camera_proxy/camera.entrance"
    assert WRONG not in str(shown)
    assert len(more) == 1
    await entrance.type_code(WRONG)
    await advance(4)
    await until(lambda: phones[0].messages == ["4 wrong codes were typed."])


async def test_long_ago(
    entrance: Ipac, phones: list[Phone], watch: Watch, advance: Advance
) -> None:
    """Codes far from each other are not several."""
    await watch()
    for _ in range(5):
        await entrance.type_code(WRONG)
        await advance(3)
        await advance(80)
    assert not phones[0].received


async def test_known_codes(
    entrance: Ipac, phones: list[Phone], watch: Watch, advance: Advance
) -> None:
    """Codes that have a name or open a door do not count."""
    await watch(codes=1)
    entrance.relays[1].in_time_slot = False
    # It has a name, but is not valid now.
    await entrance.type_code(CLEANER)
    await advance(4)
    assert not phones[0].received
    entrance.relays[1].in_time_slot = True
    # It has no name, but opens.
    await entrance.type_code(CODE)
    await advance(4)
    assert entrance.relays[1].openings == 1
    assert not phones[0].received
    # That somebody has just been let in does not make the next code right.
    await entrance.type_code(WRONG)
    await advance(4)
    await until(lambda: phones[0].received)


async def test_display(
    entrance: Ipac, phones: list[Phone], watch: Watch, advance: Advance
) -> None:
    """The display says what to do instead, for a while."""
    await watch(
        codes=1,
        displays=["notify.entrance_display"],
        clear_displays=["button.entrance_clear_display"],
    )
    await entrance.type_code(WRONG)
    await advance(4)
    await until(lambda: entrance.picture is not None)
    await advance(40)
    assert entrance.picture is not None
    await advance(30)
    await until(lambda: entrance.picture is None)


async def test_reported_late(
    hass: HomeAssistant,
    entrance: Ipac,
    phones: list[Phone],
    watch: Watch,
    advance: Advance,
) -> None:
    """Codes that were typed long ago and are reported now do not count."""
    await entrance.notify()
    await watch(codes=1)
    assert await hass.config_entries.async_unload("entrance")
    await entrance.type_code(WRONG)
    await advance(300)
    assert await hass.config_entries.async_setup("entrance")
    await entrance.notify()
    await until(
        lambda: hass.states.get(KEYPAD).attributes["event_type"] == "code_entered"
    )
    await advance(4)
    assert not phones[0].received


async def test_lockout(
    hass: HomeAssistant,
    account: MockConfigEntry,
    gateway: Gateway,
    inputs: dict[str, Any],
    phones: list[Phone],
    entrance: Ipac,
    tellicon: Tellicon,
    automate: Automate,
    advance: Advance,
) -> None:
    """The timer that wrong codes start keeps doors from being opened by telephone."""
    async_mock_service(hass, "logbook", "log")
    assert await async_setup_component(
        hass, "timer", {"timer": {"lockout": {"duration": "00:10:00"}}}
    )
    await automate(
        {
            "wrong_codes": inputs | {"codes": 1, "lockout": "timer.lockout"},
            "open_by_dtmf": {
                "commands": "event.unit_505_121_1001_dtmf",
                "doorbell": "event.unit_505_121_1001_doorbell",
                "door": "lock.front_door_door",
                "blocked_by": ["timer.lockout"],
            },
        }
    )
    await entrance.type_code(WRONG)
    await advance(4)
    await until(lambda: hass.states.get("timer.lockout").state == "active")
    await tellicon.ring(UNIT)
    await tellicon.dtmf(UNIT)
    await settled()
    assert not gateway.orders
    await advance(601)
    await until(lambda: hass.states.get("timer.lockout").state == "idle")
    await tellicon.ring(UNIT)
    await tellicon.dtmf(UNIT)
    await until(lambda: gateway.orders == [("/open", FRONT)])
