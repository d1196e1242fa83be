"""Bad messages over a connection that stands."""

from random import Random

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from homeassistant.core import HomeAssistant
from simulators.innovaphone import Innovaphone

from ...conftest import until
from ...fuzz.mutation import Mutator
from ...fuzz.promises import faults, oddities
from ...fuzz.targets import INNOVAPHONE
from ..conftest import shown
from .conftest import CONNECTION, RECEPTION, RECEPTION_ONLINE

COUNT = 300


async def test_bad_messages(
    hass: HomeAssistant,
    service: Innovaphone,
    home: MockConfigEntry,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Whatever comes, the connection stands, and the next good message is followed."""
    for number in range(COUNT):
        message = Mutator(Random(number)).body(INNOVAPHONE)
        await service.push_raw(message.decode(errors="replace"))
        online = bool(number % 2)
        await service.update(RECEPTION, online=online)
        await until(
            lambda: shown(hass, RECEPTION_ONLINE) == ("on" if online else "off")  # noqa: B023
        )
        note = f"message {number}: {message!r:.2000}"
        assert not faults(caplog), (note, faults(caplog))
        assert not oddities(hass), (note, oddities(hass))
        caplog.clear()
    assert shown(hass, CONNECTION) == "on"
    assert home.runtime_data.diagnostics()["returns"] == 0
