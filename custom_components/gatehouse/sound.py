"""Turns whatever Home Assistant can play into a WAV file for a door's loudspeaker."""

import asyncio
from asyncio.subprocess import DEVNULL, PIPE, Process
from contextlib import suppress
from dataclasses import dataclass, field
import io
from pathlib import Path
from typing import NamedTuple
import wave

from yarl import URL

from homeassistant.components import media_source
from homeassistant.components.ffmpeg import get_ffmpeg_manager
from homeassistant.components.media_player import async_process_play_media_url
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError

from .const import DOMAIN

CONVERSION_TIMEOUT = 60.0
"""Seconds that fetching and converting may take together."""

_HEADER = 44
"""Bytes before the samples of a WAV file."""

# A playlist from the network must not lead to the files of this machine.
_PROTOCOLS = {True: "file,pipe", False: "http,https,tcp,tls,crypto,pipe"}


class SoundFormat(NamedTuple):
    """What a loudspeaker takes: mono, with signed samples."""

    sample_rate: int
    """Samples per second."""
    sample_width: int
    """Bytes of a sample."""
    max_bytes: int
    """Of the whole file."""

    @property
    def bytes_per_second(self) -> int:
        """Return the bytes that a second takes."""
        return self.sample_rate * self.sample_width

    @property
    def max_seconds(self) -> int:
        """Return how long a sound may be, in whole seconds."""
        return (self.max_bytes - _HEADER) // self.bytes_per_second


@dataclass(frozen=True, slots=True)
class Sound:
    """A WAV file and how long it plays, in seconds."""

    wav: bytes = field(repr=False)
    seconds: float


async def async_load_sound(
    hass: HomeAssistant, media_id: str, entity_id: str, wanted: SoundFormat
) -> Sound:
    """Fetch a sound and convert it.

    Args:
        hass: Home Assistant.
        media_id: of a media source, a path of Home Assistant's server, or a URL.
        entity_id: the media player that is to play it.
        wanted: the format to convert to.

    Raises:
        ServiceValidationError: it is too long, or nothing that can be played.
        HomeAssistantError: it could not be fetched or converted.

    """
    source = await _async_source(hass, media_id, entity_id)
    samples = await _async_samples(get_ffmpeg_manager(hass).binary, source, wanted)
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(wanted.sample_width)
        writer.setframerate(wanted.sample_rate)
        writer.writeframes(samples)
    return Sound(file.getvalue(), len(samples) / wanted.bytes_per_second)


async def _async_source(
    hass: HomeAssistant, media_id: str, entity_id: str
) -> Path | URL:
    """Return where a sound is to be read from."""
    if media_source.is_media_source_id(media_id):
        media = await media_source.async_resolve_media(hass, media_id, entity_id)
        if media.path is not None:
            return media.path
        media_id = media.url
    try:
        # A path of our own server becomes an address that is signed.
        url = URL(async_process_play_media_url(hass, media_id) if media_id else "")
    except ValueError as err:
        raise _not_playable() from err
    if url.scheme not in ("http", "https") or not url.host:
        raise _not_playable()
    return url


def _not_playable() -> ServiceValidationError:
    return ServiceValidationError(
        translation_domain=DOMAIN, translation_key="sound_not_playable"
    )


async def _async_samples(ffmpeg: str, source: Path | URL, wanted: SoundFormat) -> bytes:
    """Return the samples of a sound, without a header."""
    limit = wanted.max_bytes - _HEADER
    try:
        process = await asyncio.create_subprocess_exec(
            ffmpeg,
            *("-nostdin", "-loglevel", "quiet"),
            *("-protocol_whitelist", _PROTOCOLS[isinstance(source, Path)]),
            *("-i", str(source), "-map", "0:a:0"),
            *("-ac", "1", "-ar", str(wanted.sample_rate)),
            *("-f", f"s{wanted.sample_width * 8}le", "pipe:1"),
            stdin=DEVNULL,
            stdout=PIPE,
            # It would quote addresses, which may be signed.
            stderr=DEVNULL,
        )
    except OSError as err:
        raise HomeAssistantError(
            translation_domain=DOMAIN, translation_key="no_ffmpeg"
        ) from err
    try:
        async with asyncio.timeout(CONVERSION_TIMEOUT):
            assert process.stdout is not None
            samples = bytearray()
            while chunk := await process.stdout.read(65536):
                samples += chunk
                if len(samples) > limit:
                    raise ServiceValidationError(
                        translation_domain=DOMAIN,
                        translation_key="sound_too_long",
                        translation_placeholders={"seconds": str(wanted.max_seconds)},
                    )
            await process.wait()
    except TimeoutError as err:
        raise HomeAssistantError(
            translation_domain=DOMAIN, translation_key="sound_too_slow"
        ) from err
    finally:
        await _async_end(process)
    # A sound that breaks off is played as far as it came; none at all is an error.
    if not samples:
        raise HomeAssistantError(
            translation_domain=DOMAIN, translation_key="sound_unreadable"
        )
    return bytes(samples)


async def _async_end(process: Process) -> None:
    """Leave no process behind, whatever has happened."""
    if process.returncode is None:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
