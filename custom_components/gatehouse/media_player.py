"""Media players: the loudspeakers of doors."""

import asyncio
from collections import deque
from datetime import datetime
import logging
from typing import Any, override

import voluptuous as vol

from homeassistant.components import media_source
from homeassistant.components.media_player import (
    ATTR_MEDIA_ANNOUNCE,
    ATTR_MEDIA_ENQUEUE,
    ATTR_MEDIA_EXTRA,
    BrowseMedia,
    MediaPlayerEnqueue,
    MediaPlayerEntity,
    MediaPlayerEntityFeature,
    MediaPlayerState,
    MediaType,
)
from homeassistant.core import CALLBACK_TYPE, HassJob, HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.helpers.event import async_call_later

from .const import DOMAIN
from .entity import GatehouseEntity, MediaPlayerDescription, async_add_platform
from .hub import Device, GatehouseConfigEntry, Hub
from .sound import Sound, async_load_sound

_LOGGER = logging.getLogger(__name__)

PARALLEL_UPDATES = 0

ATTR_LOOP = "loop"
MAX_LOOP = 9999


async def async_setup_entry(
    hass: HomeAssistant,
    entry: GatehouseConfigEntry,
    async_add_entities: AddConfigEntryEntitiesCallback,
) -> None:
    """Set up the media players of an entry."""
    async_add_platform(
        entry, async_add_entities, MediaPlayerDescription, GatehouseMediaPlayer
    )


class GatehouseMediaPlayer(GatehouseEntity, MediaPlayerEntity):
    """A loudspeaker that is given whole sounds, one after the other."""

    entity_description: MediaPlayerDescription

    _attr_media_content_type = MediaType.MUSIC
    _attr_supported_features = (
        MediaPlayerEntityFeature.BROWSE_MEDIA
        | MediaPlayerEntityFeature.MEDIA_ANNOUNCE
        | MediaPlayerEntityFeature.MEDIA_ENQUEUE
        | MediaPlayerEntityFeature.PLAY_MEDIA
        | MediaPlayerEntityFeature.STOP
    )

    def __init__(
        self, hub: Hub, device: Device, description: MediaPlayerDescription
    ) -> None:
        """Begin in silence."""
        super().__init__(hub, device, description)
        self._attr_state = MediaPlayerState.IDLE
        self._queue: deque[tuple[Sound, int]] = deque()
        self._wishes = 0
        self._turn = asyncio.Lock()
        """Held while a sound is handed over, which may take a minute."""
        self._end: CALLBACK_TYPE | None = None
        self._left = False

    @override
    async def _async_attach(self) -> None:
        """Note when the device falls silent by itself, and plan nothing after the end."""
        self.async_on_remove(
            self.device.listen(self.entity_description.key, self._on_silence)
        )
        self._left = False
        self.async_on_remove(self._leave)

    @override
    async def async_play_media(
        self, media_type: MediaType | str, media_id: str, **kwargs: Any
    ) -> None:
        """Play a sound now, or after those that are waiting.

        Raises:
            ServiceValidationError: it cannot be played.
            HomeAssistantError: it could not be fetched, or not be handed over.

        """
        loop = _loop_of(kwargs.get(ATTR_MEDIA_EXTRA) or {})
        enqueue = kwargs.get(ATTR_MEDIA_ENQUEUE)
        if kwargs.get(ATTR_MEDIA_ANNOUNCE):
            # It interrupts what plays, which cannot be taken up again.
            enqueue = MediaPlayerEnqueue.PLAY
        waits = enqueue in (MediaPlayerEnqueue.ADD, MediaPlayerEnqueue.NEXT)
        if not waits:
            self._wishes += 1
        wish = self._wishes
        sound = await async_load_sound(
            self.hass, media_id, self.entity_id, self.entity_description.format
        )
        async with self._turn:
            if self._left or wish != self._wishes:
                # Meanwhile somebody wanted something else, or silence.
                return
            if waits and self._end is not None:
                if enqueue is MediaPlayerEnqueue.NEXT:
                    self._queue.appendleft((sound, loop))
                else:
                    self._queue.append((sound, loop))
                return
            if enqueue is not MediaPlayerEnqueue.PLAY:
                self._queue.clear()
            await self._async_play(sound, loop)

    @override
    async def async_media_stop(self) -> None:
        """Fall silent."""
        self._wishes += 1
        # What is just being handed over would begin after it.
        async with self._turn:
            await self.entity_description.stop(self.hub, self.device)
            self._on_silence()

    @override
    async def async_browse_media(
        self,
        media_content_type: MediaType | str | None = None,
        media_content_id: str | None = None,
    ) -> BrowseMedia:
        """Return the sounds that Home Assistant has."""
        return await media_source.async_browse_media(
            self.hass,
            media_content_id,
            content_filter=lambda item: item.media_content_type.startswith("audio/"),
        )

    async def _async_play(self, sound: Sound, loop: int) -> None:
        """Hand a sound over; the device does not say when it has ended."""
        await self.entity_description.play(self.hub, self.device, sound.wav, loop)
        if self._left:
            return
        self._cancel()
        self._end = async_call_later(
            self.hass,
            sound.seconds * loop,
            HassJob(self._go_on, cancel_on_shutdown=True),
        )
        self._attr_state = MediaPlayerState.PLAYING
        self._attr_media_duration = round(sound.seconds * loop)
        self.async_write_ha_state()

    @callback
    def _go_on(self, _: datetime) -> None:
        """Play what waits, or be silent."""
        self._end = None
        if not self._queue:
            self._on_silence()
            return
        self.hub.entry.async_create_background_task(
            self.hass, self._async_next(), f"Play {self.name}"
        )

    async def _async_next(self) -> None:
        """Play what has waited; there is no caller any more to be told of an error."""
        async with self._turn:
            if self._end is not None or not self._queue:
                # Meanwhile somebody wanted something else, or silence.
                return
            try:
                await self._async_play(*self._queue.popleft())
            except HomeAssistantError as err:
                _LOGGER.warning("A waiting sound was not played: %s", err)
                self._on_silence()

    @callback
    def _on_silence(self, _: object = None) -> None:
        """Show that nothing plays, and wait for nothing."""
        self._clear()
        self._attr_state = MediaPlayerState.IDLE
        self._attr_media_duration = None
        self.async_write_ha_state()

    @callback
    def _leave(self) -> None:
        """Begin nothing any more."""
        self._left = True
        self._clear()

    @callback
    def _clear(self) -> None:
        """Forget what waits and what is planned."""
        self._queue.clear()
        self._cancel()

    @callback
    def _cancel(self) -> None:
        if self._end is not None:
            self._end()
            self._end = None


def _loop_of(extra: dict[str, Any]) -> int:
    """Return how often a sound is to be played.

    Raises:
        ServiceValidationError: not that often.

    """
    try:
        loop: int = vol.All(
            # Neither 1.5 nor true, which would become 1.
            vol.Any(int, str),
            vol.Coerce(str),
            vol.Coerce(int),
            vol.Range(1, MAX_LOOP),
        )(extra.get(ATTR_LOOP, 1))
    except vol.Invalid as err:
        raise ServiceValidationError(
            translation_domain=DOMAIN, translation_key="invalid_loop"
        ) from err
    return loop
