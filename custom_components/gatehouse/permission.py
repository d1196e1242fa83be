"""What a user may do who asks for something that is not an action of an entity.

Home Assistant itself checks the permissions only where an action is for entities.
"""

from collections.abc import Collection

from homeassistant.auth.permissions.const import CAT_ENTITIES
from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import Unauthorized, UnknownUser


async def async_check(
    hass: HomeAssistant, context: Context, entity_ids: Collection[str], policy: str
) -> None:
    """Check that whoever asks may do something with each of these entities.

    What nobody in person asks for, as an automation does, is allowed. Without any
    entities only they may ask who may do it with all there are.

    Args:
        hass: Home Assistant.
        context: on whose behalf it is asked.
        entity_ids: the entities.
        policy: a policy of Home Assistant's permissions, such as `POLICY_CONTROL`.

    Raises:
        Unauthorized: the user may not.
        UnknownUser: there is no such user.

    """
    if context.user_id is None:
        return
    if (user := await hass.auth.async_get_user(context.user_id)) is None:
        raise UnknownUser(context=context, permission=policy)
    permissions = user.permissions
    if user.is_admin or permissions.access_all_entities(policy):
        return
    if not entity_ids or not all(
        permissions.check_entity(entity_id, policy) for entity_id in entity_ids
    ):
        raise Unauthorized(
            context=context, perm_category=CAT_ENTITIES, permission=policy
        )
