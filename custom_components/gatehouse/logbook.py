"""Sentences for the logbook: who was let in, who rang, what was wrong.

Of an event entity Home Assistant shows the bare type of the event, and it lets an
integration describe events of the bus alone. So every event entity fires one of these
beside its own, with the same attributes. It is put into words only when somebody looks,
so that nothing waits for that at the door, in the language of the instance.

Both lines are shown. The logbook leaves out states of some domains only, of which events
are none, and asks nobody how to word a state; of two rows in one context it notes that
one caused the other, but shows both. The event names the entity, so that whoever
excludes that from the recorder or the logbook excludes the sentence, too.
"""

from collections.abc import Callable
from typing import Any

from homeassistant.components.logbook import (
    LOGBOOK_ENTRY_ENTITY_ID,
    LOGBOOK_ENTRY_MESSAGE,
    LOGBOOK_ENTRY_NAME,
    LazyEventPartialState,
)
from homeassistant.const import ATTR_ENTITY_ID
from homeassistant.core import HomeAssistant, callback

from .const import DOMAIN, EVENT_GATEHOUSE
from .telling import Telling


@callback
def async_describe_events(
    hass: HomeAssistant,
    async_describe_event: Callable[
        [str, str, Callable[[LazyEventPartialState], dict[str, Any]]], None
    ],
) -> None:
    """Tell the logbook who describes the events of Gatehouse."""

    @callback
    def describe(event: LazyEventPartialState) -> dict[str, Any]:
        """Describe an event."""
        telling = Telling(hass, event.data)
        return {
            LOGBOOK_ENTRY_NAME: telling.device,
            LOGBOOK_ENTRY_MESSAGE: telling.sentence(),
            LOGBOOK_ENTRY_ENTITY_ID: event.data[ATTR_ENTITY_ID],
        }

    async_describe_event(DOMAIN, EVENT_GATEHOUSE, describe)
