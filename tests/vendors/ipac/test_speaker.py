"""The loudspeaker: everything that Home Assistant can play, as the station takes it."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
import io
import math
from pathlib import Path
from random import Random
import struct
from typing import Any
import wave

from aiohttp import web
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import WebSocketGenerator

from custom_components.gatehouse import sound
from custom_components.gatehouse.vendors.ipac.protocol import MAX_WAV
from homeassistant.components import tts
from homeassistant.components.media_player import MediaPlayerEntityFeature
from homeassistant.core import HomeAssistant
from homeassistant.core_config import async_process_ha_core_config
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers.entity_component import DATA_INSTANCES
from homeassistant.setup import async_setup_component
from simulators.ipac import Fault, Ipac
from simulators.loopback import make_app_runner

from ...conftest import Advance
from ...fuzz.mutation import Mutator
from ..conftest import shown
from .conftest import SPEAKER, order


def tone(path: Path, seconds: float, *, rate: int = 44100, channels: int = 2) -> Path:
    """Write a tone to a file."""
    with wave.open(str(path), "wb") as writer:
        writer.setnchannels(channels)
        writer.setsampwidth(2)
        writer.setframerate(rate)
        one = [
            struct.pack("<h", int(9000 * math.sin(440 * math.tau * number / rate)))
            * channels
            for number in range(rate)
        ]
        for second in range(math.ceil(seconds)):
            writer.writeframes(b"".join(one[: round((seconds - second) * rate)]))
    return path


@pytest.fixture
async def media(hass: HomeAssistant, tmp_path: Path) -> Path:
    """Return the folder of Home Assistant's local media."""
    hass.config.media_dirs = {"local": str(tmp_path)}
    assert await async_setup_component(hass, "media_source", {})
    return tmp_path


type Play = Callable[..., Any]


@pytest.fixture
def play(hass: HomeAssistant, media: Path, home: MockConfigEntry) -> Play:
    """Return what has a file of the media folder played."""

    async def play(name: str, **fields: Any) -> None:
        await hass.services.async_call(
            "media_player",
            "play_media",
            {
                "entity_id": SPEAKER,
                "media_content_type": "music",
                "media_content_id": f"media-source://media_source/local/{name}",
                **fields,
            },
            blocking=True,
        )

    return play


async def test_play(
    hass: HomeAssistant, station: Ipac, media: Path, play: Play, advance: Advance
) -> None:
    """A sound is converted, played once, and shown as playing for as long."""
    tone(media / "tone.wav", 3)
    assert shown(hass, SPEAKER) == "idle"
    await play("tone.wav")
    (played,) = station.sounds
    assert played.loop == 1
    with wave.open(io.BytesIO(played.wav)) as reader:
        assert reader.getnchannels() == 1
        assert reader.getsampwidth() == 2
        assert reader.getframerate() == 8000
        assert reader.getnframes() / 8000 == pytest.approx(3, abs=0.05)
        samples = reader.readframes(reader.getnframes())
    # It is not silence.
    assert max(abs(value) for (value,) in struct.iter_unpack("<h", samples)) > 5000
    assert shown(hass, SPEAKER) == "playing"
    await advance(2)
    assert shown(hass, SPEAKER) == "playing"
    await advance(2)
    assert shown(hass, SPEAKER) == "idle"


async def test_loop(
    hass: HomeAssistant, station: Ipac, media: Path, play: Play, advance: Advance
) -> None:
    """It is repeated as often as asked."""
    tone(media / "tone.wav", 2)
    await play("tone.wav", extra={"loop": 3})
    assert station.sounds[0].loop == 3
    await advance(5)
    assert shown(hass, SPEAKER) == "playing"
    await advance(2)
    assert shown(hass, SPEAKER) == "idle"


@pytest.mark.parametrize("loop", [0, -1, 10000, "often", None, 1.5, True])
async def test_bad_loop(
    hass: HomeAssistant, station: Ipac, media: Path, play: Play, loop: Any
) -> None:
    """An endless sound cannot be asked for by mistake."""
    tone(media / "tone.wav", 1)
    with pytest.raises(ServiceValidationError) as error:
        await play("tone.wav", extra={"loop": loop})
    assert error.value.translation_key == "invalid_loop"
    assert not station.sounds


async def test_stop(
    hass: HomeAssistant, station: Ipac, media: Path, play: Play, advance: Advance
) -> None:
    """Stopping ends what plays and what waits."""
    tone(media / "tone.wav", 5)
    await play("tone.wav")
    await play("tone.wav", enqueue="add")
    await order(hass, "media_stop", SPEAKER)
    assert station.sound is None
    assert shown(hass, SPEAKER) == "idle"
    await advance(20)
    assert len(station.sounds) == 1


async def test_queue(
    hass: HomeAssistant, station: Ipac, media: Path, play: Play, advance: Advance
) -> None:
    """What is added waits for its turn; what is replaced does not."""
    for number in (1, 2, 3):
        tone(media / f"{number}.wav", number)
    await play("2.wav", enqueue="add")
    assert len(station.sounds) == 1
    await play("3.wav", enqueue="add")
    await play("1.wav", enqueue="next")
    assert len(station.sounds) == 1
    await advance(3)
    assert [round(played.seconds) for played in station.sounds] == [2, 1]
    await advance(2)
    assert [round(played.seconds) for played in station.sounds] == [2, 1, 3]
    await play("2.wav", enqueue="add")
    # An announcement interrupts, and what waits goes on waiting.
    await play("1.wav", announce=True)
    assert [round(played.seconds) for played in station.sounds] == [2, 1, 3, 1]
    await advance(2)
    assert [round(played.seconds) for played in station.sounds] == [2, 1, 3, 1, 2]
    await play("3.wav", enqueue="add")
    await play("1.wav")
    await advance(2)
    assert shown(hass, SPEAKER) == "idle"
    assert len(station.sounds) == 6


async def test_waiting_sound_fails(
    hass: HomeAssistant,
    station: Ipac,
    media: Path,
    play: Play,
    advance: Advance,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A sound that cannot be played when its turn comes is dropped."""
    tone(media / "tone.wav", 1)
    await play("tone.wav")
    await play("tone.wav", enqueue="add")
    station.inject("/api/audio/", Fault.code(400))
    await advance(2)
    assert "A waiting sound was not played" in caplog.text
    assert shown(hass, SPEAKER) == "idle"
    await play("tone.wav")
    assert shown(hass, SPEAKER) == "playing"


async def test_too_long(
    hass: HomeAssistant, station: Ipac, media: Path, play: Play
) -> None:
    """The longest sound has 62 seconds, and the error says so."""
    tone(media / "long.wav", 63, rate=8000, channels=1)
    with pytest.raises(ServiceValidationError) as error:
        await play("long.wav")
    assert error.value.translation_key == "sound_too_long"
    assert error.value.translation_placeholders == {"seconds": "62"}
    assert not station.sounds
    tone(media / "long.wav", 62, rate=8000, channels=1)
    await play("long.wav")
    assert len(station.sounds[0].wav) <= 1_000_000


@pytest.mark.parametrize("content", [b"", b"no sound", b"\x89PNG\r\n\x1a\n"])
async def test_unreadable(
    hass: HomeAssistant, station: Ipac, media: Path, play: Play, content: bytes
) -> None:
    """What is no sound is not sent."""
    (media / "noise.mp3").write_bytes(content)
    with pytest.raises(HomeAssistantError) as error:
        await play("noise.mp3")
    assert error.value.translation_key == "sound_unreadable"
    assert shown(hass, SPEAKER) == "idle"
    assert not station.sounds


async def test_spoilt_sounds(
    hass: HomeAssistant, station: Ipac, media: Path, play: Play
) -> None:
    """Of a spoilt sound is played what can be, and no more than the station takes."""
    good = tone(media / "tone.wav", 1, rate=8000).read_bytes()
    for number in range(12):
        mutator = Mutator(Random(number))
        spoilt = mutator.bytes(good[:60]) + good[60:] * mutator.choice((0, 1, 99))
        (media / "spoilt.wav").write_bytes(spoilt)
        with suppress(HomeAssistantError):
            await play("spoilt.wav")
    assert station.sounds
    for played in station.sounds:
        assert len(played.wav) <= MAX_WAV
        with wave.open(io.BytesIO(played.wav)) as reader:
            assert reader.getnframes() > 0


@pytest.mark.parametrize("scheme", ["", "file://", "concat:"])
@pytest.mark.parametrize(
    "text",
    [
        "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{}\n#EXT-X-ENDLIST\n",
        "ffconcat version 1.0\nfile {}\n",
    ],
    ids=["hls", "concat"],
)
async def test_playlists(
    hass: HomeAssistant, station: Ipac, media: Path, play: Play, text: str, scheme: str
) -> None:
    """A playlist does not lead out of the folder that it is in."""
    outside = tone(media / "tone.wav", 1, rate=8000).rename(media.parent / "tone.wav")
    (media / "list.m3u8").write_text(text.format(f"{scheme}{outside}"))
    with pytest.raises(HomeAssistantError) as error:
        await play("list.m3u8")
    assert error.value.translation_key == "sound_unreadable"
    assert not station.sounds


@pytest.mark.parametrize(
    "media_id",
    [
        "",
        "file:///etc/hostname",
        "tone",
        "concat:a|b",
        "rtsp://192.0.2.1/x",
        "http://[",
        "http://",
    ],
)
async def test_not_playable(
    hass: HomeAssistant, station: Ipac, play: Play, media_id: str
) -> None:
    """Files of the machine and odd protocols are out of reach."""
    with pytest.raises(ServiceValidationError) as error:
        await play("", media_content_id=media_id)
    assert error.value.translation_key == "sound_not_playable"
    assert not station.sounds


async def test_no_ffmpeg(
    hass: HomeAssistant,
    station: Ipac,
    media: Path,
    play: Play,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Without FFmpeg the caller is told what is missing."""
    tone(media / "tone.wav", 1)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(HomeAssistantError) as error:
        await play("tone.wav")
    assert error.value.translation_key == "no_ffmpeg"


class Site:
    """A web site with a sound, which can take its time."""

    def __init__(self, content: bytes) -> None:
        """Keep the sound."""
        self.content = content
        self.asked = asyncio.Event()
        self.go_on = asyncio.Event()
        self.url = ""

    async def send(self, request: web.Request) -> web.Response:
        """Send the sound, once allowed."""
        self.asked.set()
        await self.go_on.wait()
        return web.Response(body=self.content, content_type="audio/wav")


@pytest.fixture
async def site(socket_enabled: None, tmp_path: Path) -> Any:
    """Return a web site on loopback."""
    site = Site(tone(tmp_path / "site.wav", 1).read_bytes())
    app = web.Application()
    app.router.add_get("/sound.wav", site.send)
    runner = make_app_runner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    site.url = f"http://127.0.0.1:{runner.addresses[0][1]}/sound.wav"
    yield site
    site.go_on.set()
    await runner.cleanup()


async def test_url(hass: HomeAssistant, station: Ipac, play: Play, site: Site) -> None:
    """A URL is fetched while Home Assistant goes on, and played."""
    playing = hass.async_create_task(play("", media_content_id=site.url))
    await site.asked.wait()
    assert shown(hass, SPEAKER) == "idle"
    site.go_on.set()
    await playing
    assert shown(hass, SPEAKER) == "playing"
    assert len(station.sounds) == 1


async def test_overtaken(
    hass: HomeAssistant, station: Ipac, media: Path, play: Play, site: Site
) -> None:
    """A sound that is still being fetched when another is wanted is not played."""
    tone(media / "tone.wav", 2)
    first = hass.async_create_task(play("", media_content_id=site.url))
    await site.asked.wait()
    await play("tone.wav")
    site.go_on.set()
    await first
    assert [round(played.seconds) for played in station.sounds] == [2]


@pytest.mark.parametrize("then", ["stop", "replace", "add"])
async def test_while_it_is_handed_over(
    hass: HomeAssistant, station: Ipac, media: Path, play: Play, then: str
) -> None:
    """What is wanted while a sound is on its way to the station comes after it."""
    tone(media / "long.wav", 5)
    tone(media / "short.wav", 2)
    station.inject("/api/audio/", Fault.trickle(0.5))
    playing = hass.async_create_task(play("long.wav"))
    while not station.sounds:
        await asyncio.sleep(0.01)
    if then == "stop":
        await hass.services.async_call(
            "media_player", "media_stop", {"entity_id": SPEAKER}, blocking=True
        )
    else:
        await play("short.wav", enqueue=then)
    await playing
    assert shown(hass, SPEAKER) == ("idle" if then == "stop" else "playing")
    assert [round(played.seconds) for played in station.sounds] == (
        [5, 2] if then == "replace" else [5]
    )
    assert (
        hass.states.get(SPEAKER).attributes.get("media_duration")
        == {
            "stop": None,
            "replace": 2,
            "add": 5,
        }[then]
    )


async def test_slow_site(
    hass: HomeAssistant,
    station: Ipac,
    play: Play,
    site: Site,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What does not come is given up, and no process is left."""
    monkeypatch.setattr(sound, "CONVERSION_TIMEOUT", 0.3)
    with pytest.raises(HomeAssistantError) as error:
        await play("", media_content_id=site.url)
    assert error.value.translation_key == "sound_too_slow"


async def test_restart_silences(
    hass: HomeAssistant, media: Path, asm: Ipac, play: Play
) -> None:
    """A station that restarts plays no longer."""
    tone(media / "tone.wav", 5)
    await play("tone.wav")
    await asm.restart()
    assert shown(hass, SPEAKER) == "idle"


async def test_unload_while_playing(
    hass: HomeAssistant, media: Path, play: Play, home: MockConfigEntry
) -> None:
    """Nothing is planned any more once the entry has gone."""
    tone(media / "tone.wav", 5)
    await play("tone.wav")
    await play("tone.wav", enqueue="add")
    assert await hass.config_entries.async_unload(home.entry_id)


async def test_unload_while_fetching(
    hass: HomeAssistant,
    station: Ipac,
    play: Play,
    site: Site,
    home: MockConfigEntry,
) -> None:
    """What has been fetched when the entry has gone is not played any more."""
    playing = hass.async_create_task(play("", media_content_id=site.url))
    await site.asked.wait()
    assert await hass.config_entries.async_unload(home.entry_id)
    site.go_on.set()
    await playing
    assert not station.sounds


async def test_unload_while_handing_over(
    hass: HomeAssistant,
    station: Ipac,
    media: Path,
    play: Play,
    home: MockConfigEntry,
) -> None:
    """Nothing is planned for the end of a sound that nobody shows."""
    tone(media / "tone.wav", 5)
    station.inject("/api/audio/", Fault.trickle(0.5))
    playing = hass.async_create_task(play("tone.wav"))
    while not station.sounds:
        await asyncio.sleep(0.01)
    speaker = hass.data[DATA_INSTANCES]["media_player"].get_entity(SPEAKER)
    assert await hass.config_entries.async_unload(home.entry_id)
    await playing
    assert speaker._end is None


async def test_browse(
    hass: HomeAssistant,
    media: Path,
    play: Play,
    hass_ws_client: WebSocketGenerator,
    station: Ipac,
) -> None:
    """The media browser offers sounds, and nothing else."""
    tone(media / "tone.wav", 1)
    (media / "picture.png").write_bytes(b"")
    features = hass.states.get(SPEAKER).attributes["supported_features"]
    assert features & MediaPlayerEntityFeature.BROWSE_MEDIA
    client = await hass_ws_client(hass)
    await client.send_json_auto_id(
        {
            "type": "media_player/browse_media",
            "entity_id": SPEAKER,
            "media_content_type": "",
            "media_content_id": "media-source://media_source/local/.",
        }
    )
    reply = await client.receive_json()
    assert [child["title"] for child in reply["result"]["children"]] == ["tone.wav"]


class Voice(tts.TextToSpeechEntity):
    """A voice that hums."""

    _attr_name = "Voice"
    _attr_default_language = "en"
    _attr_supported_languages = ["de", "en", "fr", "ja", "pt-BR"]  # noqa: RUF012

    def __init__(self, hum: bytes) -> None:
        """Keep the hum."""
        self.hum = hum
        self.said: list[tuple[str, str]] = []

    async def async_get_tts_audio(
        self, message: str, language: str, options: dict[str, Any]
    ) -> tts.TtsAudioType:
        """Return the hum, whatever is to be said."""
        self.said.append((language, message))
        return "wav", self.hum


@pytest.fixture
async def voice(hass: HomeAssistant, tmp_path: Path) -> Voice:
    """Return a voice of Home Assistant."""
    hass.config.media_dirs = {"local": str(tmp_path)}
    assert await async_setup_component(hass, "tts", {})
    voice = Voice(tone(tmp_path / "hum.wav", 2).read_bytes())
    await hass.data[DATA_INSTANCES]["tts"].async_add_entities([voice])
    return voice


@pytest.mark.parametrize(
    ("language", "message"),
    [
        ("en", "Nobody is home."),
        ("fr", "Personne n’est là."),
        ("de", "Bitte später klingeln."),
        ("pt-BR", "Não há ninguém."),
        ("ja", "ただいま留守です。"),
    ],
)
async def test_speech(
    hass: HomeAssistant,
    voice: Voice,
    home: MockConfigEntry,
    served_at: str,
    station: Ipac,
    language: str,
    message: str,
) -> None:
    """A sentence is spoken at the door, in any language."""
    await async_process_ha_core_config(hass, {"internal_url": served_at})
    await hass.services.async_call(
        "tts",
        "speak",
        {
            "entity_id": "tts.voice",
            "media_player_entity_id": SPEAKER,
            "message": message,
            "language": language,
            "cache": False,
        },
        blocking=True,
    )
    assert voice.said == [(language, message)]
    (played,) = station.sounds
    assert played.seconds == pytest.approx(2, abs=0.1)
    assert shown(hass, SPEAKER) == "playing"
