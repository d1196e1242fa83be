"""A door that was left unlocked."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from homeassistant.const import EVENT_HOMEASSISTANT_STARTED
from homeassistant.core import CoreState, HomeAssistant
from simulators.the_keys import Fault, Gateway

from ..conftest import Advance, until
from ..vendors.the_keys.conftest import FRONT
from .conftest import Automate, Phone, settled

DOOR = "lock.front_door_door"
CONTACT = "binary_sensor.front_door"
LOCKED, UNLOCKED = 49, 50

type Watch = Callable[..., Awaitable[None]]
type Unlock = Callable[[], Awaitable[None]]


@pytest.fixture
def watch(
    hass: HomeAssistant, gateway: Gateway, phones: list[Phone], automate: Automate
) -> Watch:
    """Return what makes the automation, by day."""
    hass.states.async_set("sun.sun", "above_horizon")

    async def watch(**inputs: Any) -> None:
        await automate(
            {"auto_lock": {"lock": DOOR, "phones": [phones[0].device_id], **inputs}}
        )

    return watch


@pytest.fixture
def turn(hass: HomeAssistant, gateway: Gateway, advance: Advance) -> Callable[..., Any]:
    """Return what turns the bolt by hand, and waits until that is seen."""

    async def turn(state: int) -> None:
        gateway.turn_by_hand(FRONT, state)
        await advance(10)
        shown = {LOCKED: "locked", UNLOCKED: "unlocked"}[state]
        await until(lambda: hass.states.get(DOOR).state == shown)
        await settled()

    return turn


@pytest.mark.parametrize(
    ("sun", "minutes"), [("above_horizon", 5), ("below_horizon", 1)]
)
async def test_lock(
    hass: HomeAssistant,
    gateway: Gateway,
    phones: list[Phone],
    watch: Watch,
    turn: Callable[..., Any],
    advance: Advance,
    sun: str,
    minutes: int,
) -> None:
    """It is locked after a while, sooner at night."""
    await watch()
    hass.states.async_set("sun.sun", sun)
    await turn(UNLOCKED)
    await advance(minutes * 60 - 30)
    assert not gateway.orders
    await advance(40)
    await until(lambda: gateway.orders)
    for _ in range(6):
        await advance(6)
    assert gateway.orders == [("/close", FRONT)]
    assert hass.states.get(DOOR).state == "locked"
    assert not phones[0].messages


async def test_locked_by_hand(
    gateway: Gateway, watch: Watch, turn: Callable[..., Any], advance: Advance
) -> None:
    """A door that somebody has locked is left alone."""
    await watch()
    await turn(UNLOCKED)
    await advance(60)
    await turn(LOCKED)
    await advance(600)
    assert not gateway.orders


async def test_unlocked_again(
    gateway: Gateway, watch: Watch, turn: Callable[..., Any], advance: Advance
) -> None:
    """Whoever unlocks it anew has all the time again."""
    await watch()
    await turn(UNLOCKED)
    await advance(240)
    await turn(LOCKED)
    await turn(UNLOCKED)
    await advance(240)
    assert not gateway.orders
    await advance(70)
    await until(lambda: gateway.orders)


async def test_open_door(
    hass: HomeAssistant,
    gateway: Gateway,
    phones: list[Phone],
    watch: Watch,
    turn: Callable[..., Any],
    advance: Advance,
) -> None:
    """The bolt does not strike before the door has been closed for a moment."""
    hass.states.async_set(CONTACT, "on")
    await watch(contact=CONTACT, open_limit=10, settling=60)
    await turn(UNLOCKED)
    await advance(301)
    await advance(500)
    assert not phones[0].shown
    await advance(120)
    await until(lambda: phones[0].shown)
    assert phones[0].messages == ["The door is not closed, and so it is not locked."]
    hass.states.async_set(CONTACT, "off")
    await advance(30)
    hass.states.async_set(CONTACT, "on")
    await advance(60)
    assert not gateway.orders
    hass.states.async_set(CONTACT, "off")
    await advance(30)
    assert not gateway.orders
    await advance(40)
    await until(lambda: gateway.orders)
    for _ in range(3):
        await advance(6)
    await until(lambda: not phones[0].shown)
    assert hass.states.get(DOOR).state == "locked"


async def test_contact_that_is_lost(
    hass: HomeAssistant,
    gateway: Gateway,
    watch: Watch,
    turn: Callable[..., Any],
    advance: Advance,
) -> None:
    """A door whose contact is not heard may be open."""
    hass.states.async_set(CONTACT, "unavailable")
    await watch(contact=CONTACT)
    await turn(UNLOCKED)
    await advance(301)
    assert not gateway.orders


async def test_second_attempt(
    hass: HomeAssistant,
    gateway: Gateway,
    phones: list[Phone],
    watch: Watch,
    turn: Callable[..., Any],
    advance: Advance,
) -> None:
    """A bolt that has not moved is told to once more."""
    await watch()
    gateway.inject("/close", Fault.code(37))
    await turn(UNLOCKED)
    await advance(301)
    await settled()
    assert not gateway.orders
    await advance(31)
    await until(lambda: gateway.orders)
    for _ in range(3):
        await advance(6)
    assert hass.states.get(DOOR).state == "locked"
    assert not phones[0].messages


async def test_opened_meanwhile(
    hass: HomeAssistant,
    gateway: Gateway,
    watch: Watch,
    turn: Callable[..., Any],
    advance: Advance,
) -> None:
    """A door that has been opened since is not tried a second time."""
    hass.states.async_set(CONTACT, "off")
    await watch(contact=CONTACT, settling=0)
    gateway.inject("/close", Fault.code(37))
    await turn(UNLOCKED)
    await advance(301)
    hass.states.async_set(CONTACT, "on")
    await advance(31)
    await advance(31)
    assert not gateway.orders


async def test_failure(
    hass: HomeAssistant,
    gateway: Gateway,
    phones: list[Phone],
    watch: Watch,
    turn: Callable[..., Any],
    advance: Advance,
) -> None:
    """After two attempts telephones are told, until the door is locked."""
    await watch()
    gateway.inject("/close", Fault.code(37), times=5)
    await turn(UNLOCKED)
    await advance(301)
    await advance(31)
    await advance(31)
    await until(lambda: phones[0].shown)
    assert phones[0].messages == ["The door is not locked. Look at it."]
    await advance(600)
    assert sum(request.path == "/close" for request in gateway.requests) == 2
    await turn(LOCKED)
    await until(lambda: not phones[0].shown)


async def test_unknown_bolt(
    hass: HomeAssistant,
    gateway: Gateway,
    phones: list[Phone],
    watch: Watch,
    turn: Callable[..., Any],
    advance: Advance,
) -> None:
    """A bolt that may be anywhere is not moved; telephones are told."""
    await watch()
    await turn(UNLOCKED)
    gateway.reboot_lock(FRONT)
    gateway.turn_by_hand(FRONT, 48)
    await advance(10)
    await until(lambda: hass.states.get(DOOR).state == "unknown")
    await advance(301)
    await advance(31)
    await advance(31)
    await until(lambda: phones[0].shown)
    assert not gateway.orders


async def test_not_while(
    hass: HomeAssistant,
    gateway: Gateway,
    watch: Watch,
    turn: Callable[..., Any],
    advance: Advance,
) -> None:
    """During a party it is left as it is."""
    hass.states.async_set("input_boolean.party", "on")
    await watch(blocked_by=["input_boolean.party"])
    await turn(UNLOCKED)
    await advance(301)
    assert not gateway.orders


async def test_start(
    hass: HomeAssistant,
    gateway: Gateway,
    watch: Watch,
    turn: Callable[..., Any],
    advance: Advance,
) -> None:
    """A door that is found unlocked when Home Assistant starts is looked after."""
    await turn(UNLOCKED)
    hass.set_state(CoreState.starting)
    await watch()
    hass.set_state(CoreState.running)
    hass.bus.async_fire(EVENT_HOMEASSISTANT_STARTED)
    await settled()
    await advance(301)
    await until(lambda: gateway.orders == [("/close", FRONT)])


async def test_comes_back(
    hass: HomeAssistant,
    gateway: Gateway,
    watch: Watch,
    turn: Callable[..., Any],
    advance: Advance,
) -> None:
    """Going out of reach and coming back does not put it off, nor is it forgotten."""
    await watch()
    await turn(UNLOCKED)
    await advance(240)
    hass.states.async_set(DOOR, "unavailable")
    await settled()
    hass.states.async_set(DOOR, "unlocked")
    await advance(70)
    await until(lambda: gateway.orders == [("/close", FRONT)])
