"""Opening a door by word: of one door, for one person, confirmed in a second breath.

What asks is a voice or a language model, and both mishear. So the first request only
asks back. The door opens when the same user, at the same device and in the same
conversation, has spoken again and confirmed; once, and within a minute. A language
model cannot confirm for the user: it sees no second utterance until there is one.
"""

from dataclasses import dataclass
from time import monotonic

from homeassistant.auth.permissions.const import POLICY_CONTROL
from homeassistant.components.button import DOMAIN as BUTTON_DOMAIN, SERVICE_PRESS
from homeassistant.components.conversation import UserContent, async_get_chat_log
from homeassistant.components.lock import (
    DOMAIN as LOCK_DOMAIN,
    SERVICE_OPEN,
    LockEntityFeature,
)
from homeassistant.const import (
    ATTR_ENTITY_ID,
    ATTR_SUPPORTED_FEATURES,
    SERVICE_UNLOCK,
    STATE_UNAVAILABLE,
)
from homeassistant.core import HomeAssistant, State
from homeassistant.helpers import entity_registry as er, intent
from homeassistant.helpers.chat_session import current_session
from homeassistant.util.hass_dict import HassKey

from .const import DOMAIN
from .places import async_may, at

# Seconds in which to confirm.
CONFIRM_WITHIN = 60

_OPEN_BUTTON = "open"


@dataclass(frozen=True)
class _Asked:
    """A door that somebody has asked to open, and who."""

    entity_id: str
    speaker: tuple[str | None, ...]
    utterance: UserContent
    until: float


_ASKED: HassKey[dict[str, _Asked]] = HassKey(f"{DOMAIN}_asked_to_open")


class CannotOpenError(Exception):
    """A door is not opened; the key is that of the sentence that says why."""

    def __init__(self, key: str, **facts: str) -> None:
        """Keep what is to be said."""
        super().__init__(key)
        self.key = key
        self.facts = facts


async def async_doors(hass: HomeAssistant, request: intent.Intent) -> list[State]:
    """Return what opens doors and may be opened by who asks, one for each door.

    Where a door has a lock and a button that opens it, the lock stands for both.
    """
    found: dict[str | None, State] = {}
    entities = [
        entity
        for entity in er.async_get(hass).entities.values()
        if entity.platform == DOMAIN
        and (
            entity.domain == LOCK_DOMAIN
            or (
                entity.domain == BUTTON_DOMAIN
                and entity.translation_key == _OPEN_BUTTON
            )
        )
    ]
    for entity in sorted(entities, key=lambda entity: entity.domain != LOCK_DOMAIN):
        state = hass.states.get(entity.entity_id)
        if state is not None and await async_may(
            hass, request, entity.entity_id, POLICY_CONTROL
        ):
            found.setdefault(entity.device_id, state)
    return list(found.values())


def ask(hass: HomeAssistant, request: intent.Intent, door: State) -> None:
    """Keep in mind which door somebody has asked to open.

    Raises:
        CannotOpenError: it is not asked in a conversation, or cannot be opened now.

    """
    _refuse_unavailable(door)
    conversation_id, utterance = _conversation(hass)
    now = monotonic()
    asked = hass.data.setdefault(_ASKED, {})
    for key in [key for key, one in asked.items() if one.until <= now]:
        del asked[key]
    asked[conversation_id] = _Asked(
        door.entity_id, _speaker(request), utterance, now + CONFIRM_WITHIN
    )


async def async_confirm(
    hass: HomeAssistant, request: intent.Intent, name: str | None
) -> State:
    """Open the door that this speaker was asked about, and return its state.

    Args:
        hass: Home Assistant.
        request: the confirmation.
        name: what the door is called, if that is said again.

    Raises:
        CannotOpenError: there is nothing to confirm, or the door cannot be opened now.

    """
    conversation_id, utterance = _conversation(hass)
    # Whatever becomes of it: a question is answered once.
    asked = hass.data.get(_ASKED, {}).pop(conversation_id, None)
    if (
        asked is None
        or asked.speaker != _speaker(request)
        or asked.utterance is utterance
        or asked.until <= monotonic()
    ):
        raise CannotOpenError("nothing_to_confirm")
    # Exposure and permission may have been withdrawn since.
    doors = {door.entity_id: door for door in await async_doors(hass, request)}
    door = doors.get(asked.entity_id)
    if door is None or (name is not None and not at(hass, {"name": name}, [door])):
        raise CannotOpenError("nothing_to_confirm")
    # An action skips what is unavailable without a word.
    _refuse_unavailable(door)
    action = SERVICE_PRESS
    if door.domain == LOCK_DOMAIN:
        features = LockEntityFeature(door.attributes.get(ATTR_SUPPORTED_FEATURES, 0))
        action = SERVICE_OPEN if LockEntityFeature.OPEN in features else SERVICE_UNLOCK
    # The lock itself asks for its code, if it has one.
    await hass.services.async_call(
        door.domain,
        action,
        {ATTR_ENTITY_ID: door.entity_id},
        blocking=True,
        context=request.context,
    )
    return door


def _refuse_unavailable(door: State) -> None:
    """Refuse a door that is out of reach."""
    if door.state == STATE_UNAVAILABLE:
        raise CannotOpenError("out_of_reach", door=door.name)


def _speaker(request: intent.Intent) -> tuple[str | None, ...]:
    """Return by whom and where something is said."""
    return (
        request.context.user_id,
        request.device_id,
        request.satellite_id,
        request.assistant,
    )


def _conversation(hass: HomeAssistant) -> tuple[str, UserContent]:
    """Return the conversation that is going on, and what the user has said last.

    Raises:
        CannotOpenError: nobody is speaking, so nobody could confirm.

    """
    if (session := current_session.get()) is not None:
        with async_get_chat_log(hass, session) as log:
            for content in reversed(log.content):
                if isinstance(content, UserContent):
                    return session.conversation_id, content
    raise CannotOpenError("no_conversation")
