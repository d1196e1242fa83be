"""Fetches pictures for the displays of doors, and has them fitted."""

from pathlib import Path

from homeassistant.auth.permissions.const import POLICY_READ
from homeassistant.components import media_source
from homeassistant.const import Platform
from homeassistant.core import Context, HomeAssistant, split_entity_id, valid_entity_id
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers.importlib import async_import_module

from .const import DOMAIN
from .permission import async_check

MAX_BYTES = 20 * 1024 * 1024
"""Of a picture file."""

type Size = tuple[int, int]
"""Width and height in pixels."""


async def async_load_picture(
    hass: HomeAssistant, source: str, context: Context
) -> bytes:
    """Return a picture file.

    Args:
        hass: Home Assistant.
        source: id of a media source, a camera or image entity, or the path of a file
            that Home Assistant may read.
        context: on whose behalf; they see no camera or image that they may not.

    Raises:
        ServiceValidationError: it is none of these, or not allowed.
        HomeAssistantError: it could not be had.
        Unauthorized: the user may not see it.

    """
    for domain in (Platform.CAMERA, Platform.IMAGE):
        entity_id = source.removeprefix(f"media-source://{domain}/")
        if valid_entity_id(entity_id) and split_entity_id(entity_id)[0] == domain:
            if hass.states.get(entity_id) is None:
                raise _not_found()
            await async_check(hass, context, [entity_id], POLICY_READ)
            # Cameras bring so much along that who shows none must not load them.
            component = await async_import_module(
                hass, f"homeassistant.components.{domain}"
            )
            content: bytes = (await component.async_get_image(hass, entity_id)).content
            return content
    if media_source.is_media_source_id(source):
        path = (await media_source.async_resolve_media(hass, source, None)).path
    else:
        path = Path(source)
        if not path.is_absolute() or not hass.config.is_allowed_path(source):
            raise _not_found()
    if path is None:
        # What only has an address would have to be fetched from anywhere.
        raise _not_found()
    return await hass.async_add_executor_job(_read, path)


def _read(path: Path) -> bytes:
    """Read a file of reasonable size."""
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as err:
        # ValueError: its name holds a null byte.
        raise _not_found() from err
    if len(content) > MAX_BYTES:
        raise unreadable()
    return content


async def async_fit_picture(hass: HomeAssistant, content: bytes, size: Size) -> bytes:
    """Return a picture as `drawing.fit_picture` does, and raise what it raises."""
    # Pillow brings so much along that who shows no picture must not load it.
    drawing = await async_import_module(hass, f"{__package__}.drawing")
    fitting: bytes = await hass.async_add_executor_job(
        drawing.fit_picture, content, size
    )
    return fitting


def _not_found() -> ServiceValidationError:
    return ServiceValidationError(
        translation_domain=DOMAIN, translation_key="picture_not_found"
    )


def unreadable() -> HomeAssistantError:
    """Return what is raised for a file that is no picture, or too large."""
    return HomeAssistantError(
        translation_domain=DOMAIN, translation_key="picture_unreadable"
    )
