"""A device that is offline in office hours."""

from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime
from typing import Any

from freezegun import freeze_time
from freezegun.api import TickingDateTimeFactory
import pytest
from pytest_homeassistant_custom_component.common import async_mock_service

from homeassistant.core import HomeAssistant
from simulators.innovaphone import Innovaphone

from ..conftest import Advance, until
from ..vendors.innovaphone.conftest import RECEPTION, RECEPTION_ONLINE
from .conftest import Automate, Phone, settled

type Watch = Callable[..., Awaitable[None]]

MONDAY = datetime(2026, 11, 23, 10, tzinfo=UTC)
EARLY = datetime(2026, 11, 23, 7, 40, tzinfo=UTC)
EARLY_ON_SATURDAY = datetime(2026, 11, 28, 7, 40, tzinfo=UTC)
JUST_BEFORE = datetime(2026, 11, 23, 7, 55, tzinfo=UTC)
EVENING = datetime(2026, 11, 23, 17, 55, tzinfo=UTC)


@pytest.fixture
def now() -> datetime:
    """Return when a test begins."""
    return MONDAY


@pytest.fixture
def clock(now: datetime) -> Iterator[TickingDateTimeFactory]:
    """Return a clock that goes on from there."""
    with freeze_time(now, tick=True) as clock:
        yield clock


@pytest.fixture
def watch(service: Innovaphone, phones: list[Phone], automate: Automate) -> Watch:
    """Return what makes the automation."""

    async def watch(**inputs: Any) -> None:
        await automate(
            {
                "device_offline": {
                    "sensors": [RECEPTION_ONLINE, "binary_sensor.door_adapter_online"],
                    "phones": [phones[0].device_id],
                    **inputs,
                }
            }
        )

    return watch


async def lose(hass: HomeAssistant, service: Innovaphone) -> None:
    """Let the reception's telephone go offline."""
    await service.update(RECEPTION, online=False)
    await until(lambda: hass.states.get(RECEPTION_ONLINE).state == "off")
    await settled()


async def test_told(
    hass: HomeAssistant,
    service: Innovaphone,
    phones: list[Phone],
    watch: Watch,
    advance: Advance,
) -> None:
    """It is told after a while, with what it is, until it is found again."""
    more = async_mock_service(hass, "test", "ticket")
    await watch(
        more=[
            {"action": "test.ticket", "data": {"text": "{{ place }}: {{ details }}"}}
        ],
    )
    await lose(hass, service)
    await advance(9 * 60)
    assert not phones[0].received
    await advance(2 * 60)
    await until(lambda: phones[0].shown)
    (shown,) = phones[0].shown
    assert shown["title"] == "Reception is offline"
    assert shown["message"].startswith("IP112, 029033000001, ")
    assert more[0].data["text"].startswith("Reception: IP112, 029033000001, ")
    await service.update(RECEPTION, online=True)
    await until(lambda: not phones[0].shown)


async def test_short_interruption(
    hass: HomeAssistant,
    service: Innovaphone,
    phones: list[Phone],
    watch: Watch,
    advance: Advance,
) -> None:
    """A restart of the device is not told."""
    await watch()
    await lose(hass, service)
    await advance(300)
    await service.update(RECEPTION, online=True)
    await until(lambda: hass.states.get(RECEPTION_ONLINE).state == "on")
    await advance(700)
    assert not phones[0].shown


@pytest.mark.parametrize("now", [EARLY])
async def test_before_office_hours(
    hass: HomeAssistant,
    service: Innovaphone,
    phones: list[Phone],
    watch: Watch,
    advance: Advance,
) -> None:
    """Before the office opens it is told then, if it is still offline."""
    await watch()
    await lose(hass, service)
    await advance(15 * 60)
    assert not phones[0].received
    await advance(6 * 60)
    await until(lambda: phones[0].shown)
    assert [one["title"] for one in phones[0].shown] == ["Reception is offline"]


@pytest.mark.parametrize("now", [JUST_BEFORE])
async def test_not_for_long(
    hass: HomeAssistant,
    service: Innovaphone,
    phones: list[Phone],
    watch: Watch,
    advance: Advance,
) -> None:
    """What has just gone offline when the office opens is given its time."""
    await watch()
    await lose(hass, service)
    await advance(6 * 60)
    assert not phones[0].received
    await advance(6 * 60)
    await until(lambda: phones[0].shown)


@pytest.mark.parametrize("now", [EVENING, EARLY_ON_SATURDAY])
async def test_outside_office_hours(
    hass: HomeAssistant,
    service: Innovaphone,
    phones: list[Phone],
    watch: Watch,
    advance: Advance,
) -> None:
    """In the evening and at weekends nobody is told."""
    await watch()
    await lose(hass, service)
    for _ in range(4):
        await advance(6 * 60)
    assert not phones[0].received


@pytest.mark.parametrize("now", [EARLY])
async def test_found_in_time(
    hass: HomeAssistant,
    service: Innovaphone,
    phones: list[Phone],
    watch: Watch,
    advance: Advance,
) -> None:
    """What is found again before the office opens is not told."""
    await watch()
    await lose(hass, service)
    await advance(15 * 60)
    await service.update(RECEPTION, online=True)
    await until(lambda: hass.states.get(RECEPTION_ONLINE).state == "on")
    await advance(6 * 60)
    assert not phones[0].shown


async def test_service_comes_back(
    hass: HomeAssistant, service: Innovaphone, phones: list[Phone], watch: Watch
) -> None:
    """A service that comes back with all of its devices does not bother telephones."""
    await watch()
    assert await hass.config_entries.async_reload("innovaphone")
    await until(lambda: hass.states.get(RECEPTION_ONLINE).state == "on")
    await settled()
    assert not phones[0].received


async def test_service_lost(
    hass: HomeAssistant,
    service: Innovaphone,
    phones: list[Phone],
    watch: Watch,
    advance: Advance,
) -> None:
    """Of devices whose service is out of reach nothing is known; the service is told."""
    connection = "binary_sensor.innovaphone_example_com_connection"
    await watch(sensors=[RECEPTION_ONLINE, connection])
    await service.stop()
    await until(lambda: hass.states.get(connection).state == "off")
    await settled()
    assert hass.states.get(RECEPTION_ONLINE).state == "unavailable"
    await advance(11 * 60)
    await until(lambda: phones[0].shown)
    assert [one["title"] for one in phones[0].shown] == [
        "innovaphone example.com is offline"
    ]
