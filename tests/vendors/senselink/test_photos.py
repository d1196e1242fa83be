"""Pictures: fetched in the background, kept in memory, served by Home Assistant."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
import logging

from aiohttp import web
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.gatehouse.vendors.senselink import client, photos as fetching
from homeassistant.const import ATTR_ENTITY_PICTURE, STATE_UNAVAILABLE, STATE_UNKNOWN
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, entity_registry as er
from simulators.senselink import SenseLink
from simulators.senselink_frames import BRUNO

from ...conftest import Advance, until
from ..conftest import shown
from .conftest import ACCESS, ALERT, APP_SECRET, PHOTO, SECRET, SetUp, Told, make_entry

PNG = b"\x89PNG\r\n\x1a\ninvented"


@pytest.fixture
def entry(server: SenseLink) -> MockConfigEntry:
    """Return an entry that fetches photos."""
    return make_entry(server, photos=True)


async def picture_of(client_of: ClientSessionGenerator) -> tuple[bytes, str]:
    """Return the picture as the user's browser gets it."""
    browser = await client_of()
    async with browser.get(f"/api/image_proxy/{PHOTO}") as reply:
        assert reply.status == 200
        return await reply.read(), reply.content_type


async def test_off_by_default(
    hass: HomeAssistant, server: SenseLink, set_up: SetUp, told: Told
) -> None:
    """Without the option nothing is fetched, and there is no image."""
    await set_up(make_entry(server))
    await server.recognise(photo=True)
    await until(lambda: told(ACCESS))
    await hass.async_block_till_done()
    assert shown(hass, PHOTO) is None
    assert not server.fetches


async def test_photo(
    hass: HomeAssistant,
    server: SenseLink,
    home: MockConfigEntry,
    told: Told,
    hass_client: ClientSessionGenerator,
) -> None:
    """The picture of the scene is shown, and its address is known to nobody."""
    frame = await server.recognise(photo=True)
    data = frame["data"]
    await until(lambda: shown(hass, PHOTO) not in (None, STATE_UNKNOWN))
    assert told(ACCESS)
    (fetch,) = server.fetches
    assert fetch.path == f"/v1/image/2/{data['signBgAvatar']}"
    assert not fetch.query
    picture = server.pictures[data["signBgAvatar"]]
    assert await picture_of(hass_client) == (picture, "image/jpeg")
    state = str(hass.states.get(PHOTO).as_dict())
    assert server.host not in state
    assert data["signBgAvatar"] not in state


async def test_event_comes_first(
    hass: HomeAssistant, server: SenseLink, home: MockConfigEntry, told: Told
) -> None:
    """Nobody waits for a picture: the event is out before it is asked for."""
    await server.recognise()
    await until(lambda: told(ACCESS))
    order: list[str] = []
    find = server._find_picture

    def note(*args: object) -> object:
        order.append(f"fetch {len(told(ACCESS))}")
        return find(*args)

    server._find_picture = note
    await server.recognise(photo=True)
    await until(lambda: order)
    assert order == ["fetch 2"]


async def test_turns(
    hass: HomeAssistant,
    server: SenseLink,
    home: MockConfigEntry,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Four pictures are fetched at the same time; the others wait for their turn."""
    asked: list[str] = []
    going_on = asyncio.Event()

    async def fetch(_: object, picture: str) -> tuple[bytes, str]:
        asked.append(picture)
        await going_on.wait()
        return PNG, "image/png"

    monkeypatch.setattr(client.PictureClient, "fetch", fetch)
    first = server.terminals[0]
    for number in range(7):
        server.terminals.append(replace(first, ldid=f"SPSP-{number}", name=f"{number}"))
        await server.recognise(terminal=len(server.terminals) - 1, photo=True)
    await until(lambda: len(asked) == 4)
    await hass.async_block_till_done()
    assert len(asked) == 4
    going_on.set()
    await until(lambda: len(asked) == 7)


async def test_without_picture(
    hass: HomeAssistant, server: SenseLink, home: MockConfigEntry, told: Told
) -> None:
    """A record without a picture leaves the last one."""
    await server.recognise(photo=True)
    await until(lambda: shown(hass, PHOTO) not in (None, STATE_UNKNOWN))
    before = shown(hass, PHOTO)
    await server.recognise(person=BRUNO)
    await until(lambda: len(told(ACCESS)) == 2)
    assert shown(hass, PHOTO) == before
    assert len(server.fetches) == 1


async def test_alert_photo(
    hass: HomeAssistant, server: SenseLink, home: MockConfigEntry
) -> None:
    """An alert may have a picture, too."""
    await server.alert(10002, photo=True)
    await until(lambda: shown(hass, PHOTO) not in (None, STATE_UNKNOWN))


async def test_late_photo(
    hass: HomeAssistant, server: SenseLink, home: MockConfigEntry, told: Told
) -> None:
    """The picture of a record that comes late is not fetched."""
    await server.recognise(photo=True)
    await until(lambda: shown(hass, PHOTO) not in (None, STATE_UNKNOWN))
    await server.recognise(photo=True, at=1700000000)
    await until(lambda: len(told(ACCESS)) == 2)
    await hass.async_block_till_done()
    assert len(server.fetches) == 1


async def test_guarded(
    hass: HomeAssistant,
    server: SenseLink,
    home: MockConfigEntry,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A server that asks for a signature gets one, once."""
    caplog.set_level(logging.DEBUG)
    server.guards_pictures = True
    await server.recognise(photo=True)
    await until(lambda: shown(hass, PHOTO) not in (None, STATE_UNKNOWN))
    refused, accepted = server.fetches
    assert (refused.status, accepted.status) == (401, 200)
    assert set(accepted.query) == {"app_key", "sign", "timestamp"}
    assert accepted.query["sign"] not in caplog.text


@pytest.fixture
async def keyless(server: SenseLink, set_up: SetUp) -> None:
    """Set up a subscription that has no key."""
    await set_up(
        make_entry(
            server,
            delivery="subscription",
            secret=SECRET,
            app_key=None,
            app_secret=None,
            photos=True,
        )
    )


async def test_guarded_without_key(
    hass: HomeAssistant, server: SenseLink, keyless: None, served_at: str
) -> None:
    """A subscription may have no key to sign with; then it goes without pictures."""
    server.subscribe(f"{served_at}/api/gatehouse/senselink/{SECRET}")
    server.guards_pictures = True
    await server.recognise(photo=True)
    await until(lambda: server.fetches)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert [fetch.status for fetch in server.fetches] == [401]
    server.guards_pictures = False
    await server.recognise(photo=True)
    await until(lambda: shown(hass, PHOTO) not in (None, STATE_UNKNOWN))


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (None, "UnexpectedReply"),
        (b"", "UnexpectedReply"),
        (b"<svg onload='alert(1)'/>", "UnexpectedReply"),
        (b'{"code": 200, "data": "..."}', "UnexpectedReply"),
        (PNG + b" " * client.MAX_PICTURE, "UnexpectedReply"),
    ],
    ids=["missing", "empty", "svg", "json", "huge"],
)
async def test_bad_picture(
    hass: HomeAssistant,
    server: SenseLink,
    home: MockConfigEntry,
    caplog: pytest.LogCaptureFixture,
    content: bytes | None,
    why: str,
) -> None:
    """What is missing or no picture leaves the last one, and a debug line."""
    caplog.set_level(logging.DEBUG)
    await server.recognise(photo=True)
    await until(lambda: shown(hass, PHOTO) not in (None, STATE_UNKNOWN))
    before = shown(hass, PHOTO)
    given = dict(server.pictures)
    keep = server._keep

    def spoil(picture: bytes) -> str:
        identifier = keep(picture)
        if content is None:
            del server.pictures[identifier]
        else:
            server.pictures[identifier] = content
        return identifier

    server._keep = spoil
    await server.recognise(photo=True)
    await until(lambda: f"was not to be had: {why}" in caplog.text)
    assert shown(hass, PHOTO) == before
    assert given.items() <= server.pictures.items()
    assert not any(
        record.levelno > logging.DEBUG and "picture" in record.getMessage()
        for record in caplog.records
    )
    # The next one is fetched again.
    server._keep = keep
    await server.recognise(photo=True)
    await until(lambda: shown(hass, PHOTO) != before)


async def test_png(
    hass: HomeAssistant,
    server: SenseLink,
    home: MockConfigEntry,
    hass_client: ClientSessionGenerator,
) -> None:
    """A picture is what its content says, whatever the server calls it."""
    keep = server._keep
    server._keep = lambda _: keep(PNG)
    await server.recognise(photo=True)
    await until(lambda: shown(hass, PHOTO) not in (None, STATE_UNKNOWN))
    assert await picture_of(hass_client) == (PNG, "image/png")


async def test_burst(
    hass: HomeAssistant, server: SenseLink, home: MockConfigEntry, told: Told
) -> None:
    """Of many pictures in a short time, the newest is the one that counts."""
    last = ""
    for _ in range(100):
        last = (await server.recognise(photo=True))["data"]["signBgAvatar"]
    await until(lambda: len(told(ACCESS)) == 100)
    await until(lambda: server.fetches and server.fetches[-1].path.endswith(last))
    await until(
        lambda: (
            home.runtime_data.devices[
                next(uid for uid in home.runtime_data.devices if "SPSP" in uid)
            ]
            .values["last_photo"]
            .content
            == server.pictures[last]
        )
    )
    assert len(server.fetches) < 50


@pytest.fixture
async def asked(server: SenseLink) -> AsyncIterator[asyncio.Event]:
    """Let the server keep back its pictures; return what tells that one was asked for."""
    asked, done = asyncio.Event(), asyncio.Event()
    show = server._show_picture

    async def keep_back(request: web.Request) -> web.Response:
        asked.set()
        await done.wait()
        return await show(request)

    server._show_picture = keep_back
    await server.stop()
    await server.start()
    server.show_again = done
    yield asked
    done.set()


async def test_slow_picture(
    hass: HomeAssistant,
    server: SenseLink,
    asked: asyncio.Event,
    home: MockConfigEntry,
    told: Told,
    advance: Advance,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A picture that does not come is given up, and nothing waits for it."""
    caplog.set_level(logging.DEBUG)
    await server.recognise(photo=True)
    await asked.wait()
    await server.alert(10001)
    await until(lambda: told(ALERT))
    await advance(11)
    await until(lambda: "was not to be had: TimedOut" in caplog.text)


async def test_many_photos(
    hass: HomeAssistant,
    server: SenseLink,
    home: MockConfigEntry,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Where all pictures together are too large, the oldest is shown no more."""
    monkeypatch.setattr(fetching, "MAX_KEPT", len(PNG))
    keep = server._keep
    server._keep = lambda _: keep(PNG)
    pictures = lambda: {  # noqa: E731
        state.entity_id
        for state in hass.states.async_all("image")
        if state.state != STATE_UNKNOWN
    }
    await server.recognise(photo=True)
    await until(lambda: pictures() == {PHOTO})
    await server.recognise(terminal=1, photo=True)
    await until(lambda: pictures() and PHOTO not in pictures())


async def test_restart(
    hass: HomeAssistant, server: SenseLink, home: MockConfigEntry
) -> None:
    """A picture does not outlive a restart: it is on no disk, and nowhere linked."""
    await server.recognise(photo=True)
    await until(lambda: shown(hass, PHOTO) not in (None, STATE_UNKNOWN))
    assert ATTR_ENTITY_PICTURE in hass.states.get(PHOTO).attributes
    assert await hass.config_entries.async_reload(home.entry_id)
    await hass.async_block_till_done()
    assert shown(hass, PHOTO) == STATE_UNKNOWN
    assert ATTR_ENTITY_PICTURE not in hass.states.get(PHOTO).attributes


async def test_unavailable(
    hass: HomeAssistant, server: SenseLink, home: MockConfigEntry
) -> None:
    """Without a link the picture is as much out of reach as all else."""
    await server.recognise(photo=True)
    await until(lambda: shown(hass, PHOTO) not in (None, STATE_UNKNOWN))
    await server.drop()
    await until(lambda: shown(hass, PHOTO) == STATE_UNAVAILABLE)


async def test_option(
    hass: HomeAssistant,
    server: SenseLink,
    home: MockConfigEntry,
    entity_registry: er.EntityRegistry,
    told: Told,
) -> None:
    """The option takes the image away, and brings it back."""
    await server.recognise(photo=True)
    await until(lambda: shown(hass, PHOTO) not in (None, STATE_UNKNOWN))
    for photos in (False, True):
        form = await hass.config_entries.options.async_init(home.entry_id)
        await hass.config_entries.options.async_configure(
            form["flow_id"], {"photos": photos}
        )
        await hass.async_block_till_done()
        assert (entity_registry.async_get(PHOTO) is not None) is photos
        assert (shown(hass, PHOTO) is not None) is photos


async def test_option_during_set_up(
    hass: HomeAssistant, server: SenseLink, told: Told
) -> None:
    """What is changed while the entry starts holds, too."""
    server.greeting = None
    entry = make_entry(server)
    entry.add_to_hass(hass)
    start = hass.async_create_task(hass.config_entries.async_setup(entry.entry_id))
    await until(lambda: server.connections)
    hass.config_entries.async_update_entry(entry, options={"photos": True})
    server.greeting = "Connected!"
    await server.push_raw('{"code": 20000, "message": "Connected!"}')
    await start
    await hass.async_block_till_done()
    await server.recognise(photo=True)
    await until(lambda: shown(hass, PHOTO) not in (None, STATE_UNKNOWN))
    assert len(told(ACCESS)) == 1


async def test_terminal_deleted_while_fetching(
    hass: HomeAssistant,
    server: SenseLink,
    asked: asyncio.Event,
    home: MockConfigEntry,
    told: Told,
    advance: Advance,
) -> None:
    """A terminal that comes back shows its own picture, whatever is still fetched."""
    gatehouse = home.runtime_data
    await server.recognise(photo=True)
    await asked.wait()
    _, terminal = gatehouse.devices.values()
    assert gatehouse.can_remove(terminal)
    gatehouse.forget(terminal)
    dr.async_get(hass).async_remove_device(terminal.entry.id)
    asked.clear()
    last = (await server.recognise(photo=True))["data"]["signBgAvatar"]
    await until(lambda: len(told(ACCESS)) == 2)
    await until(lambda: len(gatehouse.devices) == 2)
    server.show_again.set()
    await until(lambda: shown(hass, PHOTO) not in (None, STATE_UNKNOWN))
    assert server.fetches[-1].path.endswith(last)


async def test_unload_while_fetching(
    hass: HomeAssistant, server: SenseLink, asked: asyncio.Event, home: MockConfigEntry
) -> None:
    """What is being fetched is let go."""
    await server.recognise(photo=True)
    await asked.wait()
    assert await hass.config_entries.async_unload(home.entry_id)


async def test_no_secret(
    hass: HomeAssistant,
    server: SenseLink,
    home: MockConfigEntry,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Neither logs nor states hold the key, nor the address of a picture."""
    caplog.set_level(logging.DEBUG)
    server.guards_pictures = True
    await server.recognise(photo=True)
    await until(lambda: shown(hass, PHOTO) not in (None, STATE_UNKNOWN))
    assert APP_SECRET not in caplog.text
    assert "/v1/image/" not in caplog.text
