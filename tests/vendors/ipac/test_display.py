"""The display: pictures from everywhere, and text in the scripts of all languages."""

import asyncio
import io
from pathlib import Path
from typing import Any

from PIL import Image
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
import voluptuous as vol

from custom_components.gatehouse.vendors.ipac import client
from homeassistant.components import camera, image
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import device_registry as dr
from homeassistant.helpers.entity_component import DATA_INSTANCES
from homeassistant.setup import async_setup_component
from simulators.ipac import Fault, Ipac

from ...conftest import Advance, until
from .conftest import DISPLAY, order

SIZE = (356, 256)
RED, BLUE, BLACK = (255, 0, 0), (0, 0, 255), (0, 0, 0)


def picture(
    size: tuple[int, int],
    kind: str = "PNG",
    mode: str = "RGB",
    colour: Any = RED,
    **options: Any,
) -> bytes:
    """Return a picture file of one colour."""
    file = io.BytesIO()
    Image.new(mode, size, colour).save(file, kind, **options)
    return file.getvalue()


def on_display(station: Ipac) -> Image.Image:
    """Return what the display shows, which must have its size and be a PNG."""
    shown = Image.open(io.BytesIO(station.picture.data))
    assert shown.format == "PNG"
    assert shown.size == SIZE
    return shown.convert("RGB")


@pytest.fixture
def device_id(home: MockConfigEntry, device_registry: dr.DeviceRegistry) -> str:
    """Return the id of the station's device."""
    return device_registry.async_get_device_by_identifier(
        ("gatehouse", f"ipac_{home.entry_id}"), home.entry_id
    ).id


@pytest.fixture
def allowed(hass: HomeAssistant, tmp_path: Path) -> Path:
    """Return a folder that Home Assistant may read."""
    hass.config.allowlist_external_dirs = {str(tmp_path)}
    return tmp_path


async def show(hass: HomeAssistant, device_id: str, source: Any, **fields: Any) -> None:
    """Have a picture shown."""
    await hass.services.async_call(
        "gatehouse",
        "show_image",
        {"device_id": device_id, "image": source, **fields},
        blocking=True,
    )


class Camera(camera.Camera):
    """A camera that sees blue."""

    _attr_name = "Blue"

    async def async_camera_image(
        self, width: int | None = None, height: int | None = None
    ) -> bytes:
        """Return what it sees."""
        return picture((640, 480), "JPEG", colour=BLUE)


class Photo(image.ImageEntity):
    """A picture that is blue."""

    _attr_name = "Blue"
    _attr_content_type = "image/png"

    async def async_image(self) -> bytes:
        """Return it."""
        return picture((640, 480), colour=BLUE)


@pytest.mark.parametrize(
    "source",
    [
        "camera.blue",
        {"media_content_id": "media-source://camera/camera.blue"},
        {
            "media_content_id": "media-source://image/image.blue",
            "media_content_type": "image/png",
            "metadata": {"title": "Blue"},
        },
        "image.blue",
    ],
)
async def test_entities(
    hass: HomeAssistant, station: Ipac, device_id: str, source: Any
) -> None:
    """Cameras and images are shown as they are now."""
    for component, entity in (("camera", Camera()), ("image", Photo(hass))):
        assert await async_setup_component(hass, component, {})
        await hass.data[DATA_INSTANCES][component].async_add_entities([entity])
    await show(hass, device_id, source)
    assert on_display(station).getpixel((178, 128))[2] > 200
    assert station.picture.tempo == 30


async def test_media(
    hass: HomeAssistant,
    station: Ipac,
    tmp_path: Path,
    entry: MockConfigEntry,
    device_registry: dr.DeviceRegistry,
) -> None:
    """So are pictures of the media folder."""
    hass.config.media_dirs = {"local": str(tmp_path)}
    (tmp_path / "red.png").write_bytes(picture((10, 10)))
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    device = device_registry.async_get_device_by_identifier(
        ("gatehouse", "ipac_entry"), "entry"
    )
    await show(
        hass,
        device.id,
        {"media_content_id": "media-source://media_source/local/red.png"},
        duration=0,
    )
    assert on_display(station).getpixel((178, 128)) == RED
    assert station.picture.tempo == 0


@pytest.mark.parametrize(
    ("size", "outside"),
    [
        ((1000, 100), (178, 5)),
        ((100, 1000), (5, 128)),
        ((3, 3), (5, 128)),
        ((712, 512), None),
    ],
)
async def test_no_distortion(
    hass: HomeAssistant,
    station: Ipac,
    allowed: Path,
    device_id: str,
    size: tuple[int, int],
    outside: tuple[int, int] | None,
) -> None:
    """A picture is as large as fits, in the middle, in its own proportions."""
    path = allowed / "picture"
    path.write_bytes(picture(size))
    await show(hass, device_id, str(path))
    shown = on_display(station)
    assert shown.getpixel((178, 128)) == RED
    if outside is not None:
        assert shown.getpixel(outside) == BLACK
    box = shown.getbbox()
    assert (box[2] - box[0]) / (box[3] - box[1]) == pytest.approx(
        size[0] / size[1], rel=0.05
    )


@pytest.mark.parametrize(
    "content",
    [
        picture((400, 300), "JPEG"),
        picture((400, 300), "GIF", "P", 1),
        picture((400, 300), "WEBP"),
        picture((400, 300), "AVIF"),
        picture((400, 300), "BMP"),
        picture((400, 300), "PNG", "RGBA", (255, 0, 0, 128)),
        picture((400, 300), "PNG", "1", 1),
        picture((400, 300), "JPEG", "CMYK", (0, 0, 0, 0)),
        picture((400, 300), "PNG", "I;16", 65535),
    ],
    ids=[
        "jpeg",
        "gif",
        "webp",
        "avif",
        "bmp",
        "transparent",
        "bitmap",
        "cmyk",
        "16 bit",
    ],
)
async def test_kinds(
    hass: HomeAssistant, station: Ipac, allowed: Path, device_id: str, content: bytes
) -> None:
    """Every common kind of picture is taken."""
    path = allowed / "picture"
    path.write_bytes(content)
    await show(hass, device_id, str(path))
    on_display(station)


async def test_turned(
    hass: HomeAssistant, station: Ipac, allowed: Path, device_id: str
) -> None:
    """A photo that was taken with a turned telephone is shown upright."""
    exif = Image.Exif()
    exif[0x0112] = 6
    path = allowed / "picture"
    path.write_bytes(picture((400, 100), "JPEG", exif=exif.tobytes()))
    await show(hass, device_id, str(path))
    box = on_display(station).getbbox()
    assert box[3] - box[1] == 256
    assert box[2] - box[0] == pytest.approx(64, abs=4)


@pytest.mark.parametrize(
    ("name", "content", "key"),
    [
        ("missing", None, "picture_not_found"),
        ("empty", b"", "picture_unreadable"),
        ("text", b"no picture", "picture_unreadable"),
        ("truncated", picture((400, 300), "JPEG")[:300], "picture_unreadable"),
        ("avif", picture((400, 300), "AVIF")[:-40], "picture_unreadable"),
        ("a\0b", None, "picture_not_found"),
        (
            "huge",
            picture((400, 300), "PNG").ljust(20 * 2**20 + 1),
            "picture_unreadable",
        ),
        ("bomb", picture((8000, 8000), "PNG", "1", 0), "picture_unreadable"),
    ],
    ids=["missing", "empty", "text", "truncated", "avif", "null", "huge", "bomb"],
)
async def test_bad_pictures(
    hass: HomeAssistant,
    station: Ipac,
    allowed: Path,
    device_id: str,
    name: str,
    content: bytes | None,
    key: str,
) -> None:
    """What cannot be shown is refused, and the display stays as it is."""
    path = allowed / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(HomeAssistantError) as error:
        await show(hass, device_id, str(path))
    assert error.value.translation_key == key
    assert station.picture is None


@pytest.mark.parametrize(
    "source",
    [
        "/etc/hostname",
        "picture.png",
        "../picture.png",
        "camera.missing",
        "media-source://camera/camera.missing",
        "media-source://image/image.missing",
        "light.hall",
        "https://192.0.2.1/picture.png",
    ],
)
async def test_not_allowed(
    hass: HomeAssistant, station: Ipac, device_id: str, source: str
) -> None:
    """Nothing is shown that Home Assistant may not read, or that is not there."""
    with pytest.raises(ServiceValidationError) as error:
        await show(hass, device_id, source)
    assert error.value.translation_key == "picture_not_found"


@pytest.mark.parametrize(
    "fields",
    [
        {"image": ""},
        {"image": {}},
        {"duration": -1},
        {"duration": 10000},
        {"device_id": []},
        {"device_id": ["a", "b"]},
        {"other": 1},
    ],
)
async def test_bad_fields(
    hass: HomeAssistant, station: Ipac, device_id: str, fields: dict[str, Any]
) -> None:
    """Fields are checked before anything happens."""
    with pytest.raises(vol.Invalid):
        await hass.services.async_call(
            "gatehouse",
            "show_image",
            {"device_id": device_id, "image": "camera.blue", **fields},
            blocking=True,
        )


async def test_wrong_device(
    hass: HomeAssistant,
    home: MockConfigEntry,
    device_id: str,
    device_registry: dr.DeviceRegistry,
) -> None:
    """A door has no display, and a station that is not connected shows nothing."""
    door = device_registry.async_get_device_by_identifier(
        ("gatehouse", "ipac_entry_relay_1"), "entry"
    )
    await hass.config_entries.async_unload(home.entry_id)
    for wrong in (door.id, "nothing", device_id):
        with pytest.raises(ServiceValidationError) as error:
            await show(hass, wrong, "camera.blue")
        assert error.value.translation_key == "wrong_target"


async def send(hass: HomeAssistant, message: str, title: str | None = None) -> None:
    """Have a text shown."""
    fields = {"entity_id": DISPLAY, "message": message}
    if title is not None:
        fields["title"] = title
    await hass.services.async_call("notify", "send_message", fields, blocking=True)


@pytest.mark.parametrize(
    "message",
    [
        "Please leave the parcel with the caretaker.",
        "Merci de laisser le colis à gauche de l’entrée, œuvre de goût.",
        "Bitte bei Größmann klingeln: Schlüsselübergabe um 17 Uhr.",
        "Não há ninguém; a encomenda fica com o porteiro até às 15h.",
        "荷物は管理人室にお預けください。カタカナ、漢字、ひらがな。",
    ],
    ids=["en", "fr", "de", "pt", "ja"],
)
async def test_text(
    hass: HomeAssistant, station: Ipac, home: MockConfigEntry, message: str
) -> None:
    """A text is drawn in the scripts of all five languages, and stays."""
    await send(hass, message, "Gatehouse")
    shown = on_display(station)
    assert station.picture.tempo == 0
    # There is text from top to bottom, and room at the edges.
    ink = shown.convert("L").point(lambda value: 255 if value > 128 else 0)
    left, top, right, bottom = ink.getbbox()
    assert bottom - top > 60
    assert min(left, top, SIZE[0] - right, SIZE[1] - bottom) >= 8


async def test_text_shrinks(
    hass: HomeAssistant, station: Ipac, home: MockConfigEntry
) -> None:
    """More text is drawn smaller; what is too much ends in an ellipsis."""
    pictures = []
    for count in (1, 4, 12, 200, 5000):
        await send(hass, "Please wait. " * count)
        pictures.append(station.picture.data)
        on_display(station)
    assert len(set(pictures)) >= 4
    # What does not fit makes no difference any more.
    assert pictures[-1] == pictures[-2]


async def test_text_without_glyphs(
    hass: HomeAssistant, station: Ipac, home: MockConfigEntry
) -> None:
    """What the font lacks is left out; nothing but it leaves the display empty."""
    await send(hass, "Hello")
    plain = station.picture.data
    await send(hass, "Hello 👋\u200b")
    assert station.picture.data == plain
    await send(hass, "👋", "")
    assert len(on_display(station).getcolors()) == 1


async def test_long_words(
    hass: HomeAssistant, station: Ipac, home: MockConfigEntry
) -> None:
    """A word that is wider than the display is broken; a title alone is shown."""
    await send(hass, "W" * 300)
    on_display(station)
    await send(hass, "W" * 3000, "M" * 300)
    on_display(station)
    await send(hass, " ", "Title\n" * 40)
    on_display(station)


async def test_clear(
    hass: HomeAssistant, station: Ipac, home: MockConfigEntry, advance: Advance
) -> None:
    """The display is cleared by its button, and not before."""
    await send(hass, "Hello")
    await advance(3600)
    assert station.picture is not None
    await order(hass, "press", "button.ipac_clear_display")
    assert station.picture is None


@pytest.fixture
def on_its_way(station: Ipac) -> asyncio.Event:
    """Return what has the station take in the next picture, which comes slowly."""
    arrived = asyncio.Event()
    station.inject("/api/video/", Fault.late(arrived))
    return arrived


async def under_way(station: Ipac) -> None:
    """Wait until a picture is on its way, and all that goes by it has gone."""
    await until(
        lambda: any(request.path == "/api/video/" for request in station.requests)
    )
    await asyncio.sleep(0.05)


@pytest.mark.parametrize("caller", ["waits", "has gone"])
async def test_clear_during_an_upload(
    hass: HomeAssistant,
    station: Ipac,
    home: MockConfigEntry,
    on_its_way: asyncio.Event,
    caller: str,
) -> None:
    """The display is cleared after a picture that was on its way when that was asked."""
    sending = hass.async_create_task(send(hass, "Hello"))
    await under_way(station)
    if caller == "has gone":
        sending.cancel()
        await asyncio.wait([sending])
    clearing = hass.async_create_task(order(hass, "press", "button.ipac_clear_display"))
    await under_way(station)
    on_its_way.set()
    await asyncio.wait([sending, clearing])
    await clearing
    assert len(station.pictures) == 1
    assert station.picture is None


async def test_clear_after_an_upload_that_fails(
    hass: HomeAssistant,
    station: Ipac,
    home: MockConfigEntry,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A picture that does not arrive, with nobody to tell, keeps nothing from the display."""
    monkeypatch.setattr(client, "UPLOAD_TIMEOUT", 0.2)
    await send(hass, "Hello")
    station.requests.clear()
    station.inject("/api/video/", Fault.hang(acted=False))
    sending = hass.async_create_task(send(hass, "Good-bye"))
    await under_way(station)
    sending.cancel()
    clearing = hass.async_create_task(order(hass, "press", "button.ipac_clear_display"))
    await clearing
    assert station.picture is None
    assert not [one for one in caplog.records if one.levelname == "ERROR"]


async def test_picture_after_clear(
    hass: HomeAssistant,
    station: Ipac,
    home: MockConfigEntry,
    on_its_way: asyncio.Event,
) -> None:
    """Of all that is asked for during an upload, the last is what is shown."""
    asked = [hass.async_create_task(send(hass, "First"))]
    await under_way(station)
    asked += [
        hass.async_create_task(send(hass, "Second")),
        hass.async_create_task(order(hass, "press", "button.ipac_clear_display")),
        hass.async_create_task(send(hass, "Last")),
    ]
    await under_way(station)
    on_its_way.set()
    await asyncio.gather(*asked)
    last = station.picture.data
    assert len(station.pictures) == 2
    await send(hass, "Last")
    assert station.picture.data == last


@pytest.fixture
async def slow_camera(
    hass: HomeAssistant, home: MockConfigEntry, monkeypatch: pytest.MonkeyPatch
) -> asyncio.Event:
    """Return what has a camera give its picture."""
    ready = asyncio.Event()

    async def see(camera: Camera, width: int | None, height: int | None) -> bytes:
        await ready.wait()
        return picture((640, 480), "JPEG", colour=BLUE)

    monkeypatch.setattr(Camera, "async_camera_image", see)
    assert await async_setup_component(hass, "camera", {})
    await hass.data[DATA_INSTANCES]["camera"].async_add_entities([Camera()])
    return ready


async def test_clear_before_the_picture_is_there(
    hass: HomeAssistant, station: Ipac, device_id: str, slow_camera: asyncio.Event
) -> None:
    """A picture that has to be fetched does not come after what was asked for later."""
    showing = hass.async_create_task(show(hass, device_id, "camera.blue"))
    await asyncio.sleep(0.05)
    await order(hass, "press", "button.ipac_clear_display")
    slow_camera.set()
    await showing
    assert not station.pictures


async def test_later_picture_is_missing(
    hass: HomeAssistant, station: Ipac, device_id: str, slow_camera: asyncio.Event
) -> None:
    """What was asked for later takes no place if there is nothing to show."""
    showing = hass.async_create_task(show(hass, device_id, "camera.blue"))
    await asyncio.sleep(0.05)
    with pytest.raises(HomeAssistantError):
        await show(hass, device_id, "camera.missing")
    slow_camera.set()
    await showing
    assert on_display(station).getpixel((178, 128))[2] > 200


async def test_station_refuses(
    hass: HomeAssistant, station: Ipac, home: MockConfigEntry
) -> None:
    """What goes wrong is told to the caller."""
    for fault, key in (
        (Fault.code(403), "station_refused"),
        (Fault.code(401), "station_login_refused"),
        (Fault.reply(b"", status=500), "station_unexpected_reply"),
        (Fault.reset(acted=False), "station_no_answer"),
    ):
        station.inject("/api/video/", fault)
        with pytest.raises(HomeAssistantError) as error:
            await send(hass, "Hello")
        assert error.value.translation_key == key
    # After a lost answer the station is looked for.
    await hass.async_block_till_done(wait_background_tasks=True)
    await station.stop()
    with pytest.raises(HomeAssistantError) as error:
        await send(hass, "Hello")
    assert error.value.translation_key == "station_unreachable"


@pytest.mark.parametrize(
    ("fields", "sent"),
    [
        ({"number": " sip:192.0.2.22 "}, {"table": "libre", "id": "sip:192.0.2.22"}),
        ({"table": "liste", "number": "4"}, {"table": "liste", "id": "4"}),
        ({"table": "ldap", "number": 7}, {"table": "ldap", "id": "7"}),
    ],
)
async def test_place_call(
    hass: HomeAssistant,
    station: Ipac,
    device_id: str,
    fields: dict[str, Any],
    sent: dict[str, str],
) -> None:
    """The station is told whom to call."""
    await hass.services.async_call(
        "gatehouse", "place_call", {"device_id": device_id, **fields}, blocking=True
    )
    assert station.requests[-1].fields == {"type": "call", **sent}
    assert station.call.direction == "outgoing"


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"number": ""},
        {"number": "a b"},
        {"number": "1\n2"},
        {"number": "1" * 129},
        {"number": "1", "table": "list"},
    ],
)
async def test_bad_calls(
    hass: HomeAssistant, station: Ipac, device_id: str, fields: dict[str, Any]
) -> None:
    """What is no number is refused."""
    with pytest.raises(vol.Invalid):
        await hass.services.async_call(
            "gatehouse", "place_call", {"device_id": device_id, **fields}, blocking=True
        )
    assert station.call is None
