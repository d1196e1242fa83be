"""A command typed on the telephone opens a door of one's own, or does not."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_mock_service,
)

from homeassistant.core import HomeAssistant, ServiceCall
from homeassistant.util import dt as dt_util
from simulators.tellicon import Tellicon, Unit, dtmf_command, push_call
from simulators.the_keys import Fault, Gateway

from ..conftest import Advance, until
from ..vendors.the_keys.conftest import FRONT
from .conftest import UNIT, Automate, Phone, settled

DOORBELL = "event.unit_505_121_1001_doorbell"
COMMANDS = "event.unit_505_121_1001_dtmf"
DOOR = "lock.front_door_door"
TELEPHONE = "018900000001"
OPENED = [("/open", FRONT)]

type Watch = Callable[..., Awaitable[None]]


@pytest.fixture
def logged(hass: HomeAssistant) -> list[ServiceCall]:
    """Return what is written into the logbook."""
    return async_mock_service(hass, "logbook", "log")


@pytest.fixture
def watch(
    gateway: Gateway, tellicon: Tellicon, logged: list[ServiceCall], automate: Automate
) -> Watch:
    """Return what makes the automation."""

    async def watch(**inputs: Any) -> None:
        await automate(
            {
                "open_by_dtmf": {
                    "commands": COMMANDS,
                    "doorbell": DOORBELL,
                    "door": DOOR,
                    **inputs,
                }
            }
        )

    return watch


async def test_open(
    hass: HomeAssistant,
    gateway: Gateway,
    tellicon: Tellicon,
    phones: list[Phone],
    logged: list[ServiceCall],
    watch: Watch,
) -> None:
    """During a call the command opens the door, which is told and written down."""
    await watch(phones=[phones[0].device_id], telephones=[TELEPHONE])
    await tellicon.ring(UNIT)
    await tellicon.dtmf(UNIT)
    await until(lambda: logged)
    assert gateway.orders == OPENED
    text = "was opened for 505/121/1001 by *2 from …0001"
    assert phones[0].messages == [text]
    assert logged[0].data["message"] == text
    assert logged[0].data["entity_id"] == DOOR


async def test_answered(gateway: Gateway, tellicon: Tellicon, watch: Watch) -> None:
    """A call that was answered counts as well."""
    await watch()
    await tellicon.ring(UNIT)
    await tellicon.answer(UNIT, duration=5)
    await tellicon.dtmf(UNIT)
    await until(lambda: gateway.orders)


@pytest.mark.parametrize(
    ("command", "typed", "opens"),
    [
        ("*2", "*3", False),
        ("*2", "2", False),
        ("12", "12", True),
        ("12", "012", False),
    ],
)
async def test_command(
    gateway: Gateway,
    tellicon: Tellicon,
    watch: Watch,
    command: str,
    typed: str,
    opens: bool,
) -> None:
    """Only the chosen command opens."""
    await watch(command=command)
    await tellicon.ring(UNIT)
    await tellicon.dtmf(UNIT, typed)
    await settled()
    assert gateway.orders == (OPENED if opens else [])


async def test_no_call(gateway: Gateway, tellicon: Tellicon, watch: Watch) -> None:
    """Without a call nothing is opened."""
    await watch()
    await tellicon.dtmf(UNIT)
    await settled()
    assert not gateway.orders


async def test_call_of_another_unit(
    gateway: Gateway, tellicon: Tellicon, watch: Watch
) -> None:
    """On the events of an account, call and command must be of the same unit."""
    other = Unit(505, 121, 1002)
    await watch(
        commands="event.tellicon_505_dtmf", doorbell="event.tellicon_505_doorbell"
    )
    await tellicon.ring(other)
    await tellicon.dtmf(UNIT)
    await settled()
    assert not gateway.orders
    await tellicon.dtmf(other)
    await until(lambda: gateway.orders)


async def test_long_call(
    gateway: Gateway, tellicon: Tellicon, watch: Watch, advance: Advance
) -> None:
    """Some time after the ring nothing is opened any more."""
    await watch(call_age=60)
    await tellicon.ring(UNIT)
    await advance(61)
    await tellicon.dtmf(UNIT)
    await settled()
    assert not gateway.orders


@pytest.mark.parametrize("late", ["ring", "command"])
async def test_late(
    gateway: Gateway, tellicon: Tellicon, watch: Watch, late: str
) -> None:
    """What happened long ago and is reported now opens nothing."""
    await watch()
    now = int(dt_util.utcnow().timestamp())
    ages = {"ring": 0, "command": 0} | {late: 300}
    await tellicon.send(push_call(UNIT, dialect="B", src="9001", at=now - ages["ring"]))
    await tellicon.send(
        dtmf_command(
            UNIT,
            dialect="B",
            src=TELEPHONE,
            dst="9001",
            command="*2",
            at=now - ages["command"],
        )
    )
    await settled()
    assert not gateway.orders


async def test_other_telephone(
    gateway: Gateway, tellicon: Tellicon, watch: Watch
) -> None:
    """A telephone that is not listed opens nothing; numbers are compared as written."""
    await watch(telephones=["+5518900000001", "18900000001"])
    await tellicon.ring(UNIT)
    await tellicon.dtmf(UNIT)
    await settled()
    assert not gateway.orders
    await tellicon.dtmf(UNIT, src="+5518900000001")
    await until(lambda: gateway.orders)


async def test_rate(
    gateway: Gateway, tellicon: Tellicon, watch: Watch, advance: Advance
) -> None:
    """There is a pause between two openings; attempts do not make it longer."""
    await watch(pause=60)
    await tellicon.ring(UNIT)
    await tellicon.dtmf(UNIT)
    await until(lambda: len(gateway.orders) == 1)
    for _ in range(3):
        await advance(10)
        await tellicon.dtmf(UNIT)
    await settled()
    assert len(gateway.orders) == 1
    await advance(40)
    await tellicon.dtmf(UNIT)
    await until(lambda: len(gateway.orders) == 2)


async def test_repetition(gateway: Gateway, tellicon: Tellicon, watch: Watch) -> None:
    """The same command that is reported again opens nothing."""
    await watch(pause=0)
    await tellicon.ring(UNIT)
    await tellicon.dtmf(UNIT)
    await until(lambda: len(gateway.orders) == 1)
    await tellicon.resend_last()
    await settled()
    assert len(gateway.orders) == 1


@pytest.mark.parametrize(
    ("blocker", "state", "opens"),
    [
        ("input_boolean.lockdown", "off", True),
        ("input_boolean.lockdown", "on", False),
        ("input_boolean.lockdown", "unavailable", False),
        ("timer.lockout", "idle", True),
        ("timer.lockout", "active", False),
        ("timer.lockout", "paused", False),
    ],
)
async def test_blocked(
    hass: HomeAssistant,
    gateway: Gateway,
    tellicon: Tellicon,
    watch: Watch,
    blocker: str,
    state: str,
    opens: bool,
) -> None:
    """Nothing is opened while something blocks it, or may do so."""
    hass.states.async_set(blocker, state)
    await watch(blocked_by=[blocker])
    await tellicon.ring(UNIT)
    await tellicon.dtmf(UNIT)
    await settled()
    assert gateway.orders == (OPENED if opens else [])


@pytest.mark.parametrize("home", [True, False])
async def test_further_conditions(
    hass: HomeAssistant, gateway: Gateway, tellicon: Tellicon, watch: Watch, home: bool
) -> None:
    """Conditions of one's own hold, too."""
    hass.states.async_set("zone.home", str(int(home)))
    await watch(
        only_if=[{"condition": "numeric_state", "entity_id": "zone.home", "above": 0}]
    )
    await tellicon.ring(UNIT)
    await tellicon.dtmf(UNIT)
    await settled()
    assert gateway.orders == (OPENED if home else [])


async def test_restored_command(
    hass: HomeAssistant,
    gateway: Gateway,
    tellicon: Tellicon,
    account: MockConfigEntry,
    watch: Watch,
) -> None:
    """A command that is only shown again, as after a reload, opens nothing."""
    await tellicon.ring(UNIT)
    await tellicon.dtmf(UNIT)
    await watch()
    assert await hass.config_entries.async_reload(account.entry_id)
    await until(lambda: hass.states.get(COMMANDS).attributes.get("command") == "*2")
    await settled()
    assert not gateway.orders


async def test_run_by_hand(
    hass: HomeAssistant, gateway: Gateway, tellicon: Tellicon, watch: Watch
) -> None:
    """To run the actions by hand opens nothing: there is no command."""
    await watch()
    await tellicon.ring(UNIT)
    await hass.services.async_call(
        "automation",
        "trigger",
        {"entity_id": "automation.open_by_dtmf"},
        blocking=True,
    )
    await settled()
    assert not gateway.orders


async def test_failure(
    gateway: Gateway,
    tellicon: Tellicon,
    phones: list[Phone],
    logged: list[ServiceCall],
    watch: Watch,
) -> None:
    """A door that did not open is not said to have been opened, nor tried again."""
    gateway.inject("/open", Fault.code(37))
    await watch(phones=[phones[0].device_id])
    await tellicon.ring(UNIT)
    await tellicon.dtmf(UNIT)
    await settled()
    assert not gateway.orders
    assert not phones[0].received
    assert not logged
