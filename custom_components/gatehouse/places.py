"""Which of the exposed entities somebody means, and may hear of or act upon."""

from collections.abc import Mapping

from homeassistant.components.homeassistant import async_should_expose
from homeassistant.core import HomeAssistant, State
from homeassistant.helpers import device_registry as dr, entity_registry as er, intent


async def async_may(
    hass: HomeAssistant, request: intent.Intent, entity_id: str, policy: str
) -> bool:
    """Tell whether an entity is exposed to who asks, and the user may do this to it."""
    if not async_should_expose(hass, request.assistant or "conversation", entity_id):
        return False
    # A voice satellite speaks for nobody in particular; exposure is its permission.
    if (user_id := request.context.user_id) is None:
        return True
    user = await hass.auth.async_get_user(user_id)
    return user is not None and user.permissions.check_entity(entity_id, policy)


def is_placed(slots: Mapping[str, str]) -> bool:
    """Tell whether it is said where."""
    return not slots.keys().isdisjoint(("name", "area", "floor"))


def _constraints(slots: Mapping[str, str]) -> intent.MatchTargetsConstraints:
    """Return what is said of where; what has the same name is told apart by asking."""
    return intent.MatchTargetsConstraints(
        name=slots.get("name"),
        area_name=slots.get("area"),
        floor_name=slots.get("floor"),
        allow_duplicate_names=True,
    )


def at(
    hass: HomeAssistant, slots: Mapping[str, str], states: list[State]
) -> list[State]:
    """Return what is at a place, of these states; a door is also called as its device.

    Args:
        hass: Home Assistant.
        slots: what was said of the name, the area and the floor.
        states: those to choose from.

    """
    if name := slots.get("name", "").strip().casefold():
        called = [state for state in states if _device_name(hass, state) == name]
        if called:
            slots = {key: slots[key] for key in ("area", "floor") if key in slots}
            states = called
    # Home Assistant takes no states for all that there are.
    if not states or not is_placed(slots):
        return states
    return intent.async_match_targets(hass, _constraints(slots), states=states).states


def _device_name(hass: HomeAssistant, state: State) -> str | None:
    """Return what the device of an entity is called, in lower case."""
    entity = er.async_get(hass).async_get(state.entity_id)
    if entity is None or entity.device_id is None:
        return None
    device = dr.async_get(hass).async_get(entity.device_id)
    name = device and (device.name_by_user or device.name)
    return name.casefold() if name else None
