"""The websocket: set-up, loss and return, refusals, silence, and the end."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
import logging
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.gatehouse.vendors.senselink import client, watchdog
from custom_components.gatehouse.vendors.senselink.hub import SenseLinkHub
from homeassistant.config_entries import SOURCE_REAUTH, ConfigEntryState
from homeassistant.const import EVENT_HOMEASSISTANT_STOP, STATE_UNAVAILABLE
from homeassistant.core import CoreState, HomeAssistant
from homeassistant.helpers import issue_registry as ir
from simulators.senselink import SenseLink

from ...conftest import Advance, until
from ...faults.simulated_time import SimulatedTime
from ..conftest import shown
from .conftest import ACCESS, CONNECTION, CONTACT, PERSON, Told

type Links = Callable[[], int]


@pytest.fixture
def links(server: SenseLink) -> Links:
    """Return what counts the websockets that were asked for."""
    return lambda: len(server.attempts)


async def lose(hass: HomeAssistant, server: SenseLink) -> None:
    """Let the link break."""
    await server.drop()
    await until(lambda: shown(hass, CONNECTION) == "off")


async def come_back(hass: HomeAssistant, advance: Advance, seconds: float = 1) -> None:
    """Wait until there is a link again."""
    await advance(seconds)
    await until(lambda: shown(hass, CONNECTION) == "on")


async def start(hass: HomeAssistant, entry: MockConfigEntry) -> ConfigEntryState:
    """Try to set an entry up; return what became of it."""
    entry.add_to_hass(hass)
    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    return entry.state


async def test_nobody_there(
    hass: HomeAssistant, server: SenseLink, entry: MockConfigEntry
) -> None:
    """An entry whose server is not there is tried again later."""
    await server.stop()
    assert await start(hass, entry) is ConfigEntryState.SETUP_RETRY
    assert entry.reason == "There is no link to SenseLink at 127.0.0.1"
    await server.start()
    await hass.config_entries.async_reload(entry.entry_id)
    assert entry.state is ConfigEntryState.LOADED


@pytest.mark.parametrize("refusal", ["app_key", "sign", "timestamp", "forbidden"])
async def test_refused_at_the_start(
    hass: HomeAssistant, server: SenseLink, entry: MockConfigEntry, refusal: str
) -> None:
    """A key that is refused is asked for."""
    server.refuse = refusal
    assert await start(hass, entry) is ConfigEntryState.SETUP_ERROR
    (flow,) = hass.config_entries.flow.async_progress()
    assert flow["context"]["source"] == SOURCE_REAUTH
    assert not server.connections


async def test_loss_and_return(
    hass: HomeAssistant,
    server: SenseLink,
    home: MockConfigEntry,
    told: Told,
    advance: Advance,
    links: Links,
    caplog: pytest.LogCaptureFixture,
    issue_registry: ir.IssueRegistry,
) -> None:
    """What is lost comes back by itself: one line at the loss, and one at the return."""
    caplog.set_level(logging.INFO)
    await server.recognise()
    await until(lambda: told(ACCESS))
    await server.stop()
    await until(lambda: shown(hass, CONNECTION) == "off")
    assert shown(hass, PERSON) == STATE_UNAVAILABLE
    assert shown(hass, ACCESS) == STATE_UNAVAILABLE
    assert shown(hass, CONTACT) != STATE_UNAVAILABLE
    for _ in range(5):
        await advance(60)
        await asyncio.sleep(0.01)
    assert links() == 1
    assert home.runtime_data.diagnostics()["last_failure"] == "CannotConnect"
    assert not issue_registry.issues
    await advance(700)
    (issue,) = issue_registry.issues.values()
    assert issue.translation_key == "server_unreachable"
    await server.start()
    await come_back(hass, advance, 60)
    assert not issue_registry.issues
    assert shown(hass, PERSON) == "Aiko Aoyama"
    await server.recognise()
    await until(lambda: len(told(ACCESS)) == 2)
    lines = [
        (record.levelname, record.getMessage())
        for record in caplog.records
        if record.name.startswith("custom_components")
        and record.levelno > logging.DEBUG
    ]
    assert lines == [
        ("WARNING", "The link to SenseLink at 127.0.0.1 is lost: LinkLost"),
        ("INFO", "There is a link to SenseLink at 127.0.0.1"),
    ]


@asynccontextmanager
async def before_the_greeting(
    hass: HomeAssistant, server: SenseLink, entry: MockConfigEntry
) -> AsyncIterator[None]:
    """Have the server say hello only after what is done here, and the entry start."""
    server.greeting = None
    entry.add_to_hass(hass)
    start = hass.async_create_task(hass.config_entries.async_setup(entry.entry_id))
    await until(lambda: server.connections)
    yield
    await server.push_raw('{"code": 20000, "message": "Connected!"}')
    assert await start


async def test_record_before_the_greeting(
    hass: HomeAssistant, server: SenseLink, entry: MockConfigEntry, told: Told
) -> None:
    """Somebody who comes while the server is still saying hello is not lost."""
    async with before_the_greeting(hass, server, entry):
        await server.recognise()
    await server.recognise()
    await until(lambda: len(told(ACCESS)) == 2)
    await hass.async_block_till_done()
    assert [event["record_id"] for _, event in told(ACCESS)] == ["1000001", "1000002"]


async def test_many_records_before_the_greeting(
    hass: HomeAssistant, server: SenseLink, entry: MockConfigEntry, told: Told
) -> None:
    """Of a server that never comes to the point, the last 64 messages are kept."""
    async with before_the_greeting(hass, server, entry):
        for number in range(1, 101):
            await server.recognise(record_id=number)
    await until(lambda: len(told(ACCESS)) >= 64)
    await hass.async_block_till_done()
    assert [event["record_id"] for _, event in told(ACCESS)] == [
        str(number) for number in range(37, 101)
    ]


async def test_orderly_end(
    hass: HomeAssistant, server: SenseLink, home: MockConfigEntry, advance: Advance
) -> None:
    """A server that says goodbye is asked again like one that does not."""
    await server.drop(abort=False)
    await until(lambda: shown(hass, CONNECTION) == "off")
    await come_back(hass, advance)


async def test_fresh_signature(
    hass: HomeAssistant,
    server: SenseLink,
    home: MockConfigEntry,
    advance: Advance,
) -> None:
    """Each attempt is signed for its own moment, also hours later."""
    await advance(7200)
    await lose(hass, server)
    await come_back(hass, advance)
    paths = [attempt.path for attempt in server.attempts]
    assert len(paths) == len(set(paths)) == 2
    assert all(attempt.accepted for attempt in server.attempts)


@pytest.mark.standing_clock
async def test_growing_waits(
    hass: HomeAssistant,
    server: SenseLink,
    home: MockConfigEntry,
    advance: Advance,
    passing: SimulatedTime,
    links: Links,
) -> None:
    """The waits between attempts double up to a minute, and begin anew after a while."""
    server.refuse = "close"
    await lose(hass, server)
    for wait in (1, 2, 4, 8, 16, 32, 60, 60):
        before = links()
        # A fifth is left to chance, and Home Assistant's clock to half a second.
        await advance(wait * 0.8 - 0.6)
        await passing.settle()
        assert links() == before
        await advance(wait * 0.2 + 0.6)
        await until(lambda before=before: links() == before + 1)
        await passing.settle()
    server.refuse = None
    await come_back(hass, advance, 60)
    # A link that breaks at once is no reason to hurry.
    before = links()
    await lose(hass, server)
    await advance(40)
    await passing.settle()
    assert links() == before
    await come_back(hass, advance, 60)
    await advance(61)
    await lose(hass, server)
    await come_back(hass, advance, 1)


async def test_refused_later(
    hass: HomeAssistant,
    server: SenseLink,
    home: MockConfigEntry,
    advance: Advance,
    links: Links,
) -> None:
    """A key that is refused later is asked for once, and seldom tried again."""
    server.refuse = "app_key"
    await lose(hass, server)
    await advance(1)
    await until(lambda: links() == 2)
    await until(hass.config_entries.flow.async_progress)
    (flow,) = hass.config_entries.flow.async_progress()
    assert flow["context"]["source"] == SOURCE_REAUTH
    hass.config_entries.flow.async_abort(flow["flow_id"])
    await advance(90)
    await asyncio.sleep(0.01)
    assert links() == 2
    await advance(31)
    await until(lambda: links() == 3)
    await asyncio.sleep(0.01)
    assert not hass.config_entries.flow.async_progress()
    # Whoever has mended it on the server need not do anything here.
    server.refuse = None
    while shown(hass, CONNECTION) == "off":
        # The refusal may still be on its way, and its wait not have begun.
        await advance(240)
        await asyncio.sleep(0.1)


async def test_denied_over_an_open_link(
    hass: HomeAssistant, server: SenseLink, home: MockConfigEntry
) -> None:
    """The refusal may also come over a link that stands."""
    await server.push_raw('{"code": 20002, "desc": "app key not exist"}')
    await until(hass.config_entries.flow.async_progress)
    assert shown(hass, CONNECTION) == "off"
    await until(lambda: not server.connections)


@pytest.mark.parametrize("as_text", [True, False])
async def test_large_frame(
    hass: HomeAssistant,
    server: SenseLink,
    home: MockConfigEntry,
    advance: Advance,
    as_text: bool,
) -> None:
    """A frame beyond all measure costs the link, not Home Assistant's memory."""
    await server.push_raw(b" " * (client.MAX_FRAME + 1), as_text=as_text)
    await until(lambda: shown(hass, CONNECTION) == "off")
    await come_back(hass, advance)


async def test_fault_of_ours(
    hass: HomeAssistant,
    server: SenseLink,
    home: MockConfigEntry,
    advance: Advance,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Not even what should not happen ends the listener for ever."""
    with monkeypatch.context() as patch:
        patch.setattr(client, "parse_frame", None)
        await server.beat()
        await until(lambda: shown(hass, CONNECTION) == "off")
        assert caplog.text.count("The link to SenseLink has failed") == 1
        patch.setattr(client.SenseLinkClient, "connect", None)
        await advance(1)
        await until(lambda: caplog.text.count("The link to SenseLink has failed") == 2)
    await come_back(hass, advance, 2)


async def test_pings(
    hass: HomeAssistant, server: SenseLink, home: MockConfigEntry, advance: Advance
) -> None:
    """Pings keep the link open as long as they are answered."""
    for number in range(1, 20):
        await advance(30)
        await until(lambda number=number: server.pings == number)
        await asyncio.sleep(0.01)
    assert shown(hass, CONNECTION) == "on"
    assert not server.received
    assert len(server.attempts) == 1


async def beat(
    server: SenseLink, home: MockConfigEntry, advance: Advance, every: float, times: int
) -> None:
    """Let the server's heart beat."""
    gatehouse: SenseLinkHub = home.runtime_data
    for _ in range(times):
        await advance(every)
        before = gatehouse._listener._watchdog._beats
        await server.beat()
        await until(lambda before=before: gatehouse._listener._watchdog._beats > before)


async def test_watchdog_learns(
    hass: HomeAssistant, server: SenseLink, home: MockConfigEntry, advance: Advance
) -> None:
    """Once heartbeats are known, three may be missing, and answers to pings are none."""
    gatehouse: SenseLinkHub = home.runtime_data
    await beat(server, home, advance, 20, 5)
    assert gatehouse.diagnostics()["heartbeat_period"] == pytest.approx(20, abs=2)
    await advance(50)
    await asyncio.sleep(0.01)
    assert shown(hass, CONNECTION) == "on"
    await advance(15)
    await until(lambda: shown(hass, CONNECTION) == "off")
    await come_back(hass, advance)
    # Records are a sign of life, too.
    for _ in range(5):
        await advance(50)
        await server.recognise()
        await asyncio.sleep(0.01)
    assert len(server.attempts) == 2


async def test_watchdog_forgets(
    hass: HomeAssistant, server: SenseLink, home: MockConfigEntry, advance: Advance
) -> None:
    """A server that comes back with a slower heart is not dropped for ever."""
    await beat(server, home, advance, 20, 5)
    await advance(70)
    await until(lambda: shown(hass, CONNECTION) == "off")
    await come_back(hass, advance)
    await advance(70)
    await until(lambda: shown(hass, CONNECTION) == "off")
    await come_back(hass, advance, 2)
    await beat(server, home, advance, 120, 5)
    assert len(server.attempts) == 3
    assert home.runtime_data.diagnostics()["heartbeat_period"] == pytest.approx(
        120, abs=2
    )


async def test_frequent_heartbeats(
    hass: HomeAssistant, server: SenseLink, home: MockConfigEntry, advance: Advance
) -> None:
    """However fast the heart beats, a few seconds of silence are nothing."""
    await beat(server, home, advance, 1, 5)
    await advance(watchdog.SHORTEST_SILENCE - 5)
    await asyncio.sleep(0.01)
    assert shown(hass, CONNECTION) == "on"


async def test_half_open(
    hass: HomeAssistant, server: SenseLink, home: MockConfigEntry, advance: Advance
) -> None:
    """A link over which nothing comes any more is dropped, later if that was wrong."""
    await server.quiet(True)
    await advance(30)
    await until(lambda: server.pings == 1)
    await advance(140)
    await asyncio.sleep(0.01)
    assert shown(hass, CONNECTION) == "on"
    # An unanswered ping is not followed by another.
    assert server.pings == 1
    await advance(20)
    await until(lambda: shown(hass, CONNECTION) == "off")
    assert home.runtime_data.diagnostics()["last_failure"] == "GoneQuiet"
    server.answers_pings = False
    await server.quiet(False)
    await come_back(hass, advance)
    # It may be that this server never answers, and no one uses its doors.
    await advance(200)
    await asyncio.sleep(0.01)
    assert shown(hass, CONNECTION) == "on"
    await advance(200)
    await until(lambda: shown(hass, CONNECTION) == "off")


async def test_contact(
    hass: HomeAssistant, server: SenseLink, home: MockConfigEntry, advance: Advance
) -> None:
    """Heartbeats show that there is contact, every five minutes, or when it is lost."""
    first = shown(hass, CONTACT)
    await beat(server, home, advance, 20, 9)
    assert shown(hass, CONTACT) == first
    await lose(hass, server)
    assert shown(hass, CONTACT) > first


async def test_unload_and_reload(
    hass: HomeAssistant, server: SenseLink, home: MockConfigEntry
) -> None:
    """Unloading closes the websocket; reloading opens another."""
    assert await hass.config_entries.async_reload(home.entry_id)
    await until(lambda: len(server.connections) == 1)
    assert len(server.attempts) == 2
    assert await hass.config_entries.async_unload(home.entry_id)
    await until(lambda: not server.connections)


async def test_record_while_reloading(
    hass: HomeAssistant,
    server: SenseLink,
    home: MockConfigEntry,
    told: Told,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A terminal that appears while its platforms go has entities of the next start."""
    unload_platforms = hass.config_entries.async_unload_platforms

    async def unload_slowly(*args: Any) -> bool:
        unloaded = await unload_platforms(*args)
        await server.recognise()
        for _ in range(50):
            await asyncio.sleep(0.001)
        return unloaded

    monkeypatch.setattr(hass.config_entries, "async_unload_platforms", unload_slowly)
    assert await hass.config_entries.async_reload(home.entry_id)
    await until(lambda: len(server.connections) == 1)
    await server.recognise()
    await until(lambda: told(ACCESS))


async def test_unload_while_lost(
    hass: HomeAssistant, server: SenseLink, home: MockConfigEntry, advance: Advance
) -> None:
    """Unloading ends the attempts to come back."""
    await lose(hass, server)
    assert await hass.config_entries.async_unload(home.entry_id)
    await advance(60)
    await asyncio.sleep(0.01)
    assert len(server.attempts) == 1


@pytest.mark.standing_clock
async def test_quick_end(
    hass: HomeAssistant,
    server: SenseLink,
    home: MockConfigEntry,
    passing: SimulatedTime,
) -> None:
    """A server that does not take part in the end is not waited for."""
    transport = home.runtime_data._listener._watchdog._link._connection.transport
    # As if the cable had been pulled.
    transport.pause_reading()
    assert await passing.outcome(hass.config_entries.async_unload(home.entry_id), 1)


async def test_stop(
    hass: HomeAssistant, server: SenseLink, home: MockConfigEntry
) -> None:
    """When Home Assistant stops, so does the listener, though nothing is unloaded."""
    hass.bus.async_fire(EVENT_HOMEASSISTANT_STOP)
    await hass.async_block_till_done()
    await until(lambda: not server.connections)
    assert hass.state is CoreState.running


async def test_redirect(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """A signed address goes nowhere else."""
    paths: list[str] = []

    async def redirect(request: web.Request) -> web.Response:
        paths.append(request.path)
        raise web.HTTPFound(f"/elsewhere{request.path}")

    app = web.Application()
    app.router.add_get("/{path:.*}", redirect)
    async with TestServer(app) as other:
        entry.add_to_hass(hass)
        hass.config_entries.async_update_entry(
            entry, data={**entry.data, "port": other.port}
        )
        await hass.config_entries.async_setup(entry.entry_id)
    assert entry.state is ConfigEntryState.SETUP_RETRY
    (path,) = paths
    assert path.startswith("/websocket/record/")
