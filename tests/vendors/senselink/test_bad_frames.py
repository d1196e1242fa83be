"""Bad frames over a link that stands."""

from random import Random

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from homeassistant.core import HomeAssistant
from simulators.senselink import SenseLink
from simulators.senselink_frames import AIKO, BRUNO

from ...conftest import until
from ...fuzz.mutation import Mutator
from ...fuzz.promises import faults, oddities
from ...fuzz.targets import SENSELINK
from ..conftest import shown
from .conftest import CONNECTION, PERSON

COUNT = 300

# To refuse the key is the server's right; the link then ends, as it should.
FRAMES = [frame for frame in SENSELINK if frame["code"] != 20002]


async def test_bad_frames(
    hass: HomeAssistant,
    server: SenseLink,
    home: MockConfigEntry,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Whatever comes, the link stands, and the next good record is told."""
    for number in range(COUNT):
        mutator = Mutator(Random(number))
        frame = mutator.body(FRAMES)
        await server.push_raw(frame, as_text=mutator.chance(2))
        person = (AIKO, BRUNO)[number % 2]
        await server.recognise(person=person, record_id=2**40 + number)
        await until(lambda: shown(hass, PERSON) == person.name)  # noqa: B023
        note = f"frame {number}: {frame!r:.2000}"
        assert not faults(caplog), (note, faults(caplog))
        assert not oddities(hass), (note, oddities(hass))
        caplog.clear()
    assert shown(hass, CONNECTION) == "on"
    assert len(server.attempts) == 1
