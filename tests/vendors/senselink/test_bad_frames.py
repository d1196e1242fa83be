"""Bad frames over a link that stands."""

import logging

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.gatehouse.vendors.senselink.client import MAX_FRAME
from custom_components.gatehouse.wire import Backoff
from homeassistant.core import HomeAssistant
from simulators.senselink import SenseLink
from simulators.senselink_frames import AIKO, BRUNO

from ...conftest import until
from ...fuzz.length import chances, longest_turn, time_limit
from ...fuzz.mutation import Mutator
from ...fuzz.promises import Given, Turns, faults, oddities, shown as all_shown
from ...fuzz.targets import SENSELINK
from ..conftest import shown
from .conftest import CONNECTION, PERSON

COUNT = 300

# To refuse the key is the server's right; the link then ends, as it should.
FRAMES = [frame for frame in SENSELINK if frame["code"] != 20002]


@pytest.mark.timeout(time_limit(COUNT))
async def test_bad_frames(
    hass: HomeAssistant,
    server: SenseLink,
    home: MockConfigEntry,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Whatever comes, the link stands, and the next good record is told."""
    given, turns = Given(), Turns()
    # Or where each task was made, and each line of details, would take most of the time.
    hass.loop.set_debug(False)
    caplog.set_level(logging.INFO)
    for number, random in chances(COUNT):
        mutator = Mutator(random)
        frame = mutator.body(FRAMES, MAX_FRAME)[:MAX_FRAME]
        before = all_shown(hass)
        person = (AIKO, BRUNO)[number % 2]
        with turns.watched():
            await server.push_raw(frame, as_text=mutator.chance(2))
            good = await server.recognise(person=person, record_id=2**40 + number)
            await until(lambda: shown(hass, PERSON) == person.name)  # noqa: B023
        note = f"frame {number}: {frame!r:.2000}"
        assert turns.longest < longest_turn(), note
        assert not faults(caplog), (note, faults(caplog))
        assert not oddities(hass), (note, oddities(hass))
        assert not given.invented(
            before, all_shown(hass), frame, repr(good).encode()
        ), note
        caplog.clear()
    assert shown(hass, CONNECTION) == "on"
    assert len(server.attempts) == 1


async def test_link_heals(
    hass: HomeAssistant,
    server: SenseLink,
    home: MockConfigEntry,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A frame that is too long ends the link, which then comes back, again and again."""
    monkeypatch.setattr(Backoff, "next", lambda _: 0)
    for number in range(1, 6):
        await server.push_raw(b" " * (MAX_FRAME + 1), as_text=number % 2 == 0)
        await until(lambda: len(server.attempts) > number)  # noqa: B023
        await until(lambda: shown(hass, CONNECTION) == "on")
        await until(lambda: server.connections)
        person = (AIKO, BRUNO)[number % 2]
        await server.recognise(person=person, record_id=2**40 + number)
        await until(lambda: shown(hass, PERSON) == person.name)  # noqa: B023
    assert not faults(caplog)
