"""What the tests of several vendors share."""

from freezegun.api import FrozenDateTimeFactory
import pytest

from homeassistant.core import HomeAssistant


def shown(hass: HomeAssistant, entity_id: str) -> str | None:
    """Return the state of an entity, None if there is none."""
    state = hass.states.get(entity_id)
    return None if state is None else state.state


@pytest.fixture
def moment(freezer: FrozenDateTimeFactory) -> None:
    """Let it be one certain moment."""
    freezer.move_to("2027-01-15T08:00:00+00:00")
