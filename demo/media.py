"""What the demo plays and shows at the door."""

from array import array
import io
import math
import wave

from .home_assistant import MEDIA, ROOT, Api

CHIME = f"{MEDIA}/chime.wav"
CHIME_SECONDS = 2.0
CHIME_TYPE = "audio/wav"

PICTURE = f"{MEDIA}/gatehouse.png"
PICTURE_TYPE = "image/png"

_PICTURE_FILE = ROOT / "custom_components" / "gatehouse" / "brand" / "dark_logo@2x.png"

_SAMPLE_RATE = 44100
_LOUDEST = 32767
_NOTES = ((0.0, 659.25), (0.55, 523.25))
"""Seconds of their beginning, and Hz: ding, dong."""


async def upload_media(api: Api) -> None:
    """Put a sound and a picture into Home Assistant's media folder."""
    await api.upload(CHIME.removeprefix(f"{MEDIA}/"), draw_chime(), CHIME_TYPE)
    await api.upload(
        PICTURE.removeprefix(f"{MEDIA}/"), _PICTURE_FILE.read_bytes(), PICTURE_TYPE
    )


def draw_chime() -> bytes:
    """Return a door chime as a WAV file that no door station could play: in stereo."""
    samples = array("h")
    for frame in range(round(CHIME_SECONDS * _SAMPLE_RATE)):
        seconds = frame / _SAMPLE_RATE
        level = sum(
            0.4
            * math.exp(-4 * (seconds - begin))
            * math.sin(math.tau * pitch * (seconds - begin))
            for begin, pitch in _NOTES
            if seconds >= begin
        )
        samples.extend([round(level * _LOUDEST)] * 2)
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(2)
        writer.setsampwidth(samples.itemsize)
        writer.setframerate(_SAMPLE_RATE)
        writer.writeframes(samples.tobytes())
    return file.getvalue()
