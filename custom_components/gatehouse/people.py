"""Who is who: people as vendors name them, and the persons of Home Assistant."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from homeassistant.components.person import ATTR_USER_ID, DOMAIN as PERSON_DOMAIN
from homeassistant.const import CONF_NAME
from homeassistant.core import Context, Event, HomeAssistant, callback, split_entity_id
from homeassistant.helpers.entity_registry import (
    EVENT_ENTITY_REGISTRY_UPDATED,
    EventEntityRegistryUpdatedData,
)

from .const import DOMAIN
from .model import Access, Keypad, Word
from .wire import printable

CONF_PEOPLE = "people"
CONF_PERSON = "person"

CHANNELS = frozenset({"access", "keypad"})
"""Those on which people are named."""

REMEMBERED_STRANGERS = 50


class Actor(NamedTuple):
    """In whose name Home Assistant is asked for something, as far as that is known."""

    name: str | None = None
    person: str | None = None
    """The entity of the person, if they are one."""
    context: Context | None = None


NOBODY = Actor()


async def async_actor(hass: HomeAssistant, context: Context | None) -> Actor:
    """Return who acts in a context; an automation is nobody."""
    if context is None or context.user_id is None:
        return Actor(context=context)
    for person in hass.states.async_all(PERSON_DOMAIN):
        if person.attributes.get(ATTR_USER_ID) == context.user_id:
            return Actor(name=person.name, person=person.entity_id, context=context)
    user = await hass.auth.async_get_user(context.user_id)
    if user is None or user.system_generated:
        return Actor(context=context)
    return Actor(name=user.name, context=context)


class People:
    """Whom the names and numbers stand for that a vendor reports."""

    def __init__(self, known: Iterable[Mapping[str, str]]) -> None:
        """Learn who is who from the option of this name."""
        self._by_number: dict[str, str] = {}
        self._by_name: dict[str, str] = {}
        for one in known:
            self._by_number[one[CONF_NAME]] = one[CONF_PERSON]
            self._by_name[plain(one[CONF_NAME])] = one[CONF_PERSON]
        self.strangers: dict[str, None] = {}
        """Who has been named lately and is nobody yet; a form offers them."""

    @callback
    def recognize(self, word: Word) -> Word:
        """Return the word with the person in Home Assistant whom it tells of."""
        if isinstance(word, Access):
            if word.context is not None:
                # A user of Home Assistant, who is no stranger.
                return word
            name, number = word.person, word.person_id
        elif isinstance(word, Keypad):
            name, number = word.code_name, None
        else:
            return word
        person = None if number is None else self._by_number.get(number)
        if person is None and name is not None and self._by_name:
            person = self._by_name.get(plain(name))
        if person is not None:
            return word._replace(person_entity=person)
        stranger = name or number
        if stranger is not None and stranger not in self.strangers:
            self.strangers[stranger] = None
            if len(self.strangers) > REMEMBERED_STRANGERS:
                del self.strangers[next(iter(self.strangers))]
        return word


def plain(name: str) -> str:
    """Return a name as it is compared with others, copied from wherever it may be."""
    return (printable(name) or "").casefold()


@callback
def async_follow_persons(hass: HomeAssistant) -> None:
    """Have all entries' options follow persons whose entities are renamed or removed.

    Those of entries that are not running, too, which could not learn of it afterwards.
    """

    @callback
    def is_person(data: EventEntityRegistryUpdatedData) -> bool:
        return split_entity_id(data["entity_id"])[0] == PERSON_DOMAIN

    @callback
    def follow(event: Event[EventEntityRegistryUpdatedData]) -> None:
        data = event.data
        before = now = data["entity_id"]
        if data["action"] == "update":
            before = data.get("old_entity_id", before)
        for entry in hass.config_entries.async_entries(DOMAIN):
            people: list[dict[str, Any]] = entry.options.get(CONF_PEOPLE, [])
            known = [
                {**one, CONF_PERSON: now} if one[CONF_PERSON] == before else one
                for one in people
                if data["action"] != "remove" or one[CONF_PERSON] != before
            ]
            if known != people:
                hass.config_entries.async_update_entry(
                    entry, options={**entry.options, CONF_PEOPLE: known}
                )

    hass.bus.async_listen(EVENT_ENTITY_REGISTRY_UPDATED, follow, event_filter=is_person)
