"""Blueprints in a configuration folder, and telephones that receive notifications."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
import shutil
from typing import Any

from freezegun.api import TickingDateTimeFactory
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_fire_time_changed,
)

from custom_components.gatehouse.const import DOMAIN
from homeassistant.components.automation.helpers import async_get_blueprints
from homeassistant.core import HomeAssistant, ServiceCall
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.setup import async_setup_component
from homeassistant.util import slugify
from simulators.innovaphone import Innovaphone
from simulators.ipac import Ipac
from simulators.senselink import SenseLink
from simulators.tellicon import Tellicon, Unit
from simulators.the_keys import Gateway, Lock

from ..conftest import Advance, until
from ..vendors.innovaphone import conftest as innovaphone
from ..vendors.ipac import conftest as ipac
from ..vendors.senselink import conftest as senselink
from ..vendors.tellicon.conftest import TOKEN as TELLICON_TOKEN
from ..vendors.the_keys import conftest as the_keys
from .selection import misfits

BLUEPRINTS = Path(__file__).parents[2] / "blueprints" / "automation"

UNIT = Unit(505, 121, 1001)

type Automate = Callable[[Mapping[str, Mapping[str, Any]]], Awaitable[None]]
type Press = Callable[[str], Awaitable[None]]


async def settled() -> None:
    """Let everything run that can run at once; what waits for time goes on waiting."""
    for _ in range(200):
        await asyncio.sleep(0)


async def set_up(hass: HomeAssistant, entry: MockConfigEntry) -> MockConfigEntry:
    """Set an entry up, and return it."""
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    return entry


@dataclass
class Phone:
    """A telephone with Home Assistant's app.

    Attributes:
        device_id: In the device registry.
        received: Notifications, oldest first.
        reached: Cleared while notifications take their time.
    """

    device_id: str
    received: list[dict[str, Any]] = field(default_factory=list)
    reached: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        """Be within reach."""
        self.reached.set()

    @property
    def shown(self) -> list[dict[str, Any]]:
        """Return the notifications that it shows now."""
        shown: list[dict[str, Any]] = []
        for one in self.received:
            tag = one.get("data", {}).get("tag")
            shown = [
                other
                for other in shown
                if tag is None or other.get("data", {}).get("tag") != tag
            ]
            if one["message"] != "clear_notification":
                shown.append(one)
        return shown

    @property
    def messages(self) -> list[str]:
        """Return the messages that it shows now."""
        return [one["message"] for one in self.shown]

    def button(self, title: str) -> str:
        """Return what a button of the newest notification reports."""
        (action,) = (
            button["action"]
            for button in self.shown[-1]["data"]["actions"]
            if button["title"] == title
        )
        return str(action)


@pytest.fixture(autouse=True)
async def folder(hass: HomeAssistant, tmp_path: Path) -> Path:
    """Return a configuration folder with our blueprints in it."""
    folder = tmp_path / "config"
    shutil.copytree(BLUEPRINTS, folder / "blueprints" / "automation")
    hass.config.config_dir = str(folder)
    await hass.config.async_set_time_zone("UTC")
    # It is a part of every Home Assistant.
    assert await async_setup_component(hass, "persistent_notification", {})
    return folder


@pytest.fixture
def advance(hass: HomeAssistant, clock: TickingDateTimeFactory) -> Advance:
    """Return what lets seconds pass; automations may go on waiting."""

    async def advance(seconds: float) -> None:
        await settled()
        clock.move_to(clock() + timedelta(seconds=seconds))
        async_fire_time_changed(hass)
        await settled()

    return advance


@pytest.fixture
def phones(hass: HomeAssistant) -> list[Phone]:
    """Return two telephones, with what Home Assistant's app gives to each of them.

    The app's integration itself needs packages that the tests do without.
    """
    return [make_phone(hass, name) for name in ("Ana’s phone", "Ben’s phone")]


def make_phone(hass: HomeAssistant, name: str) -> Phone:
    """Return a telephone with its device, its entity and its action."""
    entry = MockConfigEntry(domain="mobile_app", title=name)
    entry.add_to_hass(hass)
    devices = dr.async_get(hass)
    device = devices.async_get_or_create(
        config_entry_id=entry.entry_id,
        identifiers={("mobile_app", name)},
        name=name,
    )
    er.async_get(hass).async_get_or_create(
        "notify", "mobile_app", name, config_entry=entry, device_id=device.id
    )
    phone = Phone(device.id)

    async def notify(call: ServiceCall) -> None:
        await phone.reached.wait()
        phone.received.append(dict(call.data))

    hass.services.async_register("notify", f"mobile_app_{slugify(name)}", notify)
    # The action goes by the name that the app has given, not by the user's.
    devices.async_update_device(device.id, name_by_user="Mine")
    return phone


@pytest.fixture
def press(hass: HomeAssistant) -> Press:
    """Return what presses a button of a notification, by what the button reports."""

    async def press(action: str) -> None:
        hass.bus.async_fire("mobile_app_notification_action", {"action": action})
        await settled()

    return press


@pytest.fixture
async def automate(hass: HomeAssistant) -> AsyncIterator[Automate]:
    """Return what makes automations of blueprints, and their inputs, for one test."""

    async def automate(automations: Mapping[str, Mapping[str, Any]]) -> None:
        assert await async_setup_component(
            hass,
            "automation",
            {
                "automation": [
                    {
                        "id": name,
                        "alias": name,
                        "use_blueprint": {
                            "path": f"gatehouse/{name}.yaml",
                            "input": dict(inputs),
                        },
                    }
                    for name, inputs in automations.items()
                ]
            },
        )
        await hass.async_block_till_done()
        for name, inputs in automations.items():
            state = hass.states.get(f"automation.{name}")
            assert state is not None
            assert state.state == "on"
            blueprint = await async_get_blueprints(hass).async_get_blueprint(
                f"gatehouse/{name}.yaml"
            )
            assert not list(misfits(hass, blueprint, inputs))

    yield automate
    if hass.services.has_service("automation", "turn_off"):
        # What still waits would wait for ever.
        await hass.services.async_call(
            "automation", "turn_off", {"entity_id": "all"}, blocking=True
        )


@pytest.fixture
async def station(hass: HomeAssistant, socket_enabled: None) -> AsyncIterator[Ipac]:
    """Return an IPAC station with a door, which is set up."""
    async with Ipac(
        password=ipac.PASSWORD, codes={1: [ipac.CODE, ipac.CLEANER]}
    ) as station:
        entry = MockConfigEntry(
            domain=DOMAIN,
            title="Entrance",
            entry_id="entrance",
            data={
                "vendor": "ipac",
                "host": station.host,
                "username": "admin",
                "password": ipac.PASSWORD,
                "auth": "digest",
                "tls": False,
                "verify_tls": False,
                "asm_secret": ipac.SECRET,
                "asm_token": ipac.TOKEN,
            },
            subentries_data=[
                ipac.relay(1, "Front gate"),
                ipac.named_code(ipac.CLEANER, "Cleaner"),
            ],
        )
        await set_up(hass, entry)
        yield station


@pytest.fixture
def entrance(station: Ipac, served_at: str) -> Ipac:
    """Return the station, which reports to Home Assistant."""
    ipac.connect(station, served_at)
    return station


@pytest.fixture
async def account(hass: HomeAssistant) -> MockConfigEntry:
    """Return an account of Tellicon, which is set up."""
    return await set_up(
        hass,
        MockConfigEntry(
            domain=DOMAIN,
            title="Tellicon",
            data={"vendor": "tellicon", "token": TELLICON_TOKEN},
        ),
    )


@pytest.fixture
async def tellicon(account: MockConfigEntry, served_at: str) -> AsyncIterator[Tellicon]:
    """Return Tellicon, which has reported something, so that the unit is known."""
    async with Tellicon(f"{served_at}/eventTellicon", account.data["token"]) as sender:
        await sender.dtmf(UNIT, "#0")
        yield sender


@pytest.fixture
async def gateway(hass: HomeAssistant, socket_enabled: None) -> AsyncIterator[Gateway]:
    """Return a gateway with a lock, which is set up."""
    async with Gateway([Lock(the_keys.FRONT, the_keys.CODE)]) as gateway:
        await set_up(
            hass,
            MockConfigEntry(
                domain=DOMAIN,
                title="The Keys",
                entry_id="the_keys",
                data={"vendor": "the_keys", "host": gateway.host},
                subentries_data=[
                    the_keys.subentry(the_keys.FRONT, "Front door", the_keys.CODE)
                ],
            ),
        )
        yield gateway


@pytest.fixture
async def terminals(
    hass: HomeAssistant, socket_enabled: None, clock: TickingDateTimeFactory
) -> AsyncIterator[SenseLink]:
    """Return a SenseLink server with a terminal that has told something before."""
    async with SenseLink(
        app_key=senselink.APP_KEY, app_secret=senselink.APP_SECRET, heartbeat=None
    ) as server:
        entry = senselink.make_entry(server, photos=True, entry_id="senselink")
        entry.add_to_hass(hass)
        assert await hass.config_entries.async_setup(entry.entry_id)
        await hass.async_block_till_done()
        await server.recognise()
        await until(lambda: hass.states.get(senselink.ACCESS))
        yield server


@pytest.fixture
async def service(
    hass: HomeAssistant, socket_enabled: None, clock: TickingDateTimeFactory
) -> AsyncIterator[Innovaphone]:
    """Return an innovaphone Devices service, which is set up."""
    async with Innovaphone(password=innovaphone.PASSWORD) as service:
        entry = MockConfigEntry(
            domain=DOMAIN,
            title="innovaphone example.com",
            entry_id="innovaphone",
            data={
                "vendor": "innovaphone",
                "url": f"{service.url}{service.base}",
                "app": "innovaphone-devices-api",
                "domain": "example.com",
                "password": innovaphone.PASSWORD,
                "verify_tls": True,
            },
        )
        entry.add_to_hass(hass)
        assert await hass.config_entries.async_setup(entry.entry_id)
        await hass.async_block_till_done()
        yield service
