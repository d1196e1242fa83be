"""The rows of the table: what the suite must know of each vendor, and nothing else.

A further vendor is a further `Row`, in `ROWS`.
"""

from collections import Counter
import itertools
import json
import math
import time
from typing import Any, ClassVar, override

from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_capture_events,
)

from custom_components.gatehouse.const import DOMAIN, EVENT_GATEHOUSE
from homeassistant.const import STATE_ON, STATE_UNAVAILABLE
from homeassistant.core import Event, HomeAssistant
from simulators import senselink_frames
from simulators.cable import Cable
from simulators.certificate import make_certificate
from simulators.innovaphone import Innovaphone
from simulators.innovaphone_devices import DeviceRecord
from simulators.ipac import Ipac
from simulators.loopback import LoopbackServer
from simulators.senselink import SenseLink
from simulators.tellicon import TOKEN_HEADER, Unit, body_of, push_call
from simulators.the_keys import OPEN, Gateway, Lock

from ..vendors.innovaphone import conftest as innovaphone
from ..vendors.ipac import conftest as ipac
from ..vendors.senselink import conftest as senselink
from ..vendors.tellicon import conftest as tellicon
from ..vendors.the_keys import conftest as the_keys
from .simulated_time import SimulatedTime

# It is kept. Made in a test it could not be, where the clock is a simulated one.
make_certificate()


class Row:
    """A vendor with a stand-in, and an entry for it."""

    key: ClassVar[str]

    calls: ClassVar[bool] = False
    """Whether Gatehouse calls the vendor, so that a cable lies between them."""

    serves: ClassVar[bool] = False
    """Whether the vendor calls Gatehouse."""

    keeps_connection: ClassVar[bool] = False
    """Whether the connection stays, and is pushed into."""

    speaks_tls: ClassVar[bool] = False
    """Whether Gatehouse can be told to speak TLS."""

    tls: ClassVar[bool] = False
    """Whether both sides speak TLS."""

    connection: ClassVar[str | None] = None
    """Entity that tells whether there is a connection, and stays available."""

    dependent: ClassVar[tuple[str, ...]] = ()
    """Entities that are unavailable while there is none."""

    notice: ClassVar[float] = 0
    """Seconds within which a loss must show."""

    recover: ClassVar[float] = 0
    """Seconds within which a return must show."""

    stride: ClassVar[float] = 1
    """Seconds that may pass at once without anything being missed."""

    order: ClassVar[tuple[str, str, str] | None] = None
    """Domain, action and entity that open a door."""

    order_limit: ClassVar[float] = 0
    """Seconds within which the caller must know what has become of it."""

    def __init__(self, hass: HomeAssistant, passing: SimulatedTime) -> None:
        self.hass = hass
        self.passing = passing
        self.cable: Cable | None = None
        self.host_name = "127.0.0.1"
        self.entry: MockConfigEntry
        self.url = ""
        self._numbers = itertools.count(1001)
        self._events: list[Event] = async_capture_events(hass, EVENT_GATEHOUSE)

    # --- What each vendor must say

    def make_entry(self) -> MockConfigEntry:
        """Return the entry, which leads through the cable if there is one."""
        raise NotImplementedError

    async def change(self) -> None:
        """Have something happen at the vendor's, of which a message would tell."""
        raise NotImplementedError

    def right(self) -> bool:
        """Return whether Home Assistant shows what has happened last."""
        raise NotImplementedError

    # --- What some say

    @property
    def server(self) -> LoopbackServer | None:
        """Return the stand-in, if it is one that is called."""
        return None

    async def connect(self) -> None:
        """Tell the vendor where Gatehouse's address is."""

    async def leave(self) -> None:
        """Have the vendor send nothing any more, for it is lost altogether."""

    async def come_back(self) -> None:
        """Undo `leave`."""

    async def repeat(self) -> None:
        """Have the last message sent again."""

    def openings(self) -> int:
        """Return how often the door was opened."""
        return 0

    def request(self, number: int) -> tuple[str, dict[str, str], bytes]:
        """Return path, headers and body of a message to Gatehouse's address."""
        raise NotImplementedError

    def told(self) -> Counter[int]:
        """Return how often automations have heard of each number."""
        return Counter()

    def set_clock(self, seconds: float) -> None:
        """Set the vendor's own clock ahead of the house's."""

    def bear_any_clock(self) -> None:
        """Let the vendor refuse nothing for the time that it is signed with."""

    def with_tls(self) -> dict[str, Any]:
        """Return the entry's data that have Gatehouse speak TLS, with anybody."""
        return {**self.entry.data, "tls": True, "verify_tls": False}

    # --- What is the same for all

    async def start(self, *, set_up: bool = True) -> None:
        """Start the stand-in, and set the entry up."""
        if self.server is not None:
            await self.server.start()
            if self.calls:
                self.cable = Cable(int(self.server.host.rpartition(":")[2]))
                await self.cable.start()
        self.entry = self.make_entry()
        self.entry.add_to_hass(self.hass)
        if set_up:
            assert await self.passing.outcome(
                self.hass.config_entries.async_setup(self.entry.entry_id), 60
            )
            await self.passing.settle()

    async def stop(self) -> None:
        """Stop the stand-in."""
        if self.cable is not None:
            await self.cable.stop()
        if self.server is not None:
            await self.server.stop()

    @property
    def host(self) -> str:
        """Return where the entry leads."""
        assert self.cable is not None
        return f"{self.host_name}:{self.cable.port}"

    def state(self, entity_id: str) -> str | None:
        """Return the state of an entity, None if there is none."""
        state = self.hass.states.get(entity_id)
        return None if state is None else state.state

    def connected(self) -> bool:
        """Return whether Home Assistant shows that the vendor is there."""
        assert self.connection is not None
        shows = self.state(self.connection) == STATE_ON
        lost = [self.state(one) == STATE_UNAVAILABLE for one in self.dependent]
        return shows and not any(lost)

    def lost(self) -> bool:
        """Return whether Home Assistant shows that the vendor is not there."""
        assert self.connection is not None
        lost = [self.state(one) == STATE_UNAVAILABLE for one in self.dependent]
        return self.state(self.connection) == "off" and all(lost)

    async def good_message(self) -> None:
        """Have something happen, and see Home Assistant show it."""
        # What asks for an answer has to wait for time to pass.
        await self.passing.outcome(self.change(), 30)
        await self.passing.until(self.right, 30)

    async def call(self, domain: str, action: str, entity_id: str) -> None:
        """Call an action of an entity."""
        await self.hass.services.async_call(
            domain, action, {"entity_id": entity_id}, blocking=True
        )

    def _told_by(self, attribute: str, entity_id: str) -> Counter[int]:
        """Return how often an entity has told of each number in an attribute."""
        return Counter(
            int(str(event.data[attribute]).removeprefix("sip:"))
            for event in self._events
            if event.data["entity_id"] == entity_id and event.data.get(attribute)
        )

    def _last_told(self, attribute: str, entity_id: str) -> str | None:
        state = self.hass.states.get(entity_id)
        return None if state is None else state.attributes.get(attribute)


class TheKeys(Row):
    """A gateway that is polled, with a lock."""

    key = "the_keys"
    calls = True
    connection = "binary_sensor.the_keys_gateway_connection"
    dependent = (
        "lock.front_door_door",
        "sensor.front_door_battery",
        "sensor.the_keys_gateway_status",
    )
    # Three polls, each with its own time limit.
    notice = 70
    recover = 40
    stride = 5
    order = ("lock", "unlock", "lock.front_door_door")
    order_limit = 120

    def __init__(self, hass: HomeAssistant, passing: SimulatedTime) -> None:
        super().__init__(hass, passing)
        self._ahead = 0.0
        self._gateway = Gateway(
            [Lock(the_keys.FRONT, the_keys.CODE)],
            clock=lambda: time.time() + self._ahead,
        )

    @property
    @override
    def server(self) -> LoopbackServer:
        return self._gateway

    @override
    def make_entry(self) -> MockConfigEntry:
        return MockConfigEntry(
            domain=DOMAIN,
            title="The Keys",
            data={"vendor": "the_keys", "host": self.host},
            entry_id="entry",
            subentries_data=[
                the_keys.subentry(the_keys.FRONT, "Front door", the_keys.CODE)
            ],
        )

    @override
    async def change(self) -> None:
        lock = self._gateway.locks[the_keys.FRONT]
        self._gateway.turn_by_hand(the_keys.FRONT, 49 if lock.state == OPEN else OPEN)

    @override
    def right(self) -> bool:
        lock = self._gateway.locks[the_keys.FRONT]
        shown = "unlocked" if lock.state == OPEN else "locked"
        return self.state("lock.front_door_door") == shown

    @override
    def openings(self) -> int:
        return len(self._gateway.orders)

    @override
    def set_clock(self, seconds: float) -> None:
        self._ahead = seconds

    @override
    def bear_any_clock(self) -> None:
        self._gateway.past_tolerance = self._gateway.future_tolerance = math.inf


class IpacStation(Row):
    """A station that is called for its door, and itself calls with what happens."""

    key = "ipac"
    speaks_tls = True
    calls = True
    serves = True
    connection = ipac.CONNECTION
    dependent = (ipac.DOOR, ipac.DOORBELL, ipac.OPEN, ipac.SPEAKER)
    # Three signs of life that do not come, and a question with its time limit.
    notice = 260
    recover = 70
    stride = 10
    order = ("lock", "unlock", ipac.DOOR)
    order_limit = 60

    def __init__(self, hass: HomeAssistant, passing: SimulatedTime) -> None:
        super().__init__(hass, passing)
        self._station = Ipac(
            password=ipac.PASSWORD, codes={1: [ipac.CODE]}, tls=self.tls
        )
        self._rung = 0

    @property
    @override
    def server(self) -> LoopbackServer:
        return self._station

    @override
    def make_entry(self) -> MockConfigEntry:
        return MockConfigEntry(
            domain=DOMAIN,
            title="IPAC",
            entry_id="entry",
            data={
                "vendor": "ipac",
                "host": self.host,
                "username": "admin",
                "password": ipac.PASSWORD,
                "auth": "digest",
                "tls": self.tls,
                "verify_tls": False,
                "asm_secret": ipac.SECRET,
                "asm_token": ipac.TOKEN,
            },
            subentries_data=[ipac.relay(1, "Front gate")],
        )

    @override
    async def connect(self) -> None:
        ipac.connect(self._station, self.url, notify_every=60)
        # The first is answered by asking for the settings.
        for _ in range(2):
            await self.passing.outcome(self._station.notify(), 10)

    @override
    async def leave(self) -> None:
        self._station.silent = True

    @override
    async def come_back(self) -> None:
        self._station.silent = False

    @override
    async def change(self) -> None:
        await self._station.hang_up()
        self._rung = next(self._numbers)
        await self._station.press_button(f"sip:{self._rung}")

    @override
    def right(self) -> bool:
        return self.told()[self._rung] == 1 and self.state(ipac.CALL) == STATE_ON

    @override
    async def repeat(self) -> None:
        last = next(
            one for one in reversed(self._station.sent) if one.endpoint == "event"
        )
        await self._station.send_raw("event", last.body)

    @override
    def openings(self) -> int:
        return self._station.relays[1].openings

    @override
    def request(self, number: int) -> tuple[str, dict[str, str], bytes]:
        body = {
            "value": f"outgoing:sip:{number}",
            "token": ipac.TOKEN,
            "code": "01",
            "objectid": self._station.object_id,
            "request": "vocal",
            "time": self._station.read_clock(),
        }
        path = f"/api/gatehouse/asm/{ipac.SECRET}/event/"
        return path, {}, json.dumps(body).encode()

    @override
    def told(self) -> Counter[int]:
        return self._told_by("callee", ipac.DOORBELL)

    @override
    def set_clock(self, seconds: float) -> None:
        self._station.clock_offset = seconds


class InnovaphoneService(Row):
    """A service at whose websocket one logs in, and hears what changes."""

    key = "innovaphone"
    speaks_tls = True
    calls = True
    keeps_connection = True
    connection = innovaphone.CONNECTION
    dependent = (innovaphone.RECEPTION_ONLINE, innovaphone.ONLINE, innovaphone.TOTAL)
    # Two minutes until it is doubted, and a question under two names.
    notice = 180
    recover = 90

    def __init__(self, hass: HomeAssistant, passing: SimulatedTime) -> None:
        super().__init__(hass, passing)
        self._service = Innovaphone(password=innovaphone.PASSWORD, tls=self.tls)
        self._online = True

    @property
    @override
    def server(self) -> LoopbackServer:
        return self._service

    @override
    def make_entry(self) -> MockConfigEntry:
        scheme = "https" if self.tls else "http"
        return innovaphone.make_entry(
            self._service,
            url=f"{scheme}://{self.host}{self._service.base}",
            verify_tls=not self.tls,
        )

    @override
    async def change(self) -> None:
        record = self._service.devices[innovaphone.RECEPTION]
        await self._service.update(innovaphone.RECEPTION, online=not record.online)

    @override
    def right(self) -> bool:
        record = self._service.devices[innovaphone.RECEPTION]
        shown = "on" if record.online else "off"
        return self.state(innovaphone.RECEPTION_ONLINE) == shown

    @override
    def with_tls(self) -> dict[str, Any]:
        url = self.entry.data["url"].replace("http://", "https://")
        return {**self.entry.data, "url": url, "verify_tls": False}

    async def add(self, number: int, name: str) -> None:
        """Have a device appear."""
        await self._service.add(DeviceRecord(f"{number:012}", name))

    async def remove(self, number: int) -> None:
        """Have a device go."""
        await self._service.remove(f"{number:012}")

    @override
    def told(self) -> Counter[int]:
        return Counter(
            int(event.data["hardware_id"])
            for event in self._events
            if event.data["entity_id"] == innovaphone.INVENTORY
            and event.data["event_type"] == "device_added"
        )


class SenseLinkRow(Row):
    """What both ways to hear of SenseLink have in common."""

    def __init__(self, hass: HomeAssistant, passing: SimulatedTime) -> None:
        super().__init__(hass, passing)
        self._ahead = 0.0
        self._server = SenseLink(
            app_key=senselink.APP_KEY,
            app_secret=senselink.APP_SECRET,
            tls=self.tls,
            clock=lambda: time.time() + self._ahead,
        )
        self._record = 0

    @property
    @override
    def server(self) -> LoopbackServer:
        return self._server

    @override
    async def change(self) -> None:
        self._record = next(self._numbers)
        await self._server.recognise(record_id=self._record)

    @override
    def right(self) -> bool:
        return self._last_told("record_id", senselink.ACCESS) == str(self._record)

    @override
    async def repeat(self) -> None:
        await self._server.resend()

    @override
    def told(self) -> Counter[int]:
        return self._told_by("record_id", senselink.ACCESS)

    @override
    def set_clock(self, seconds: float) -> None:
        self._ahead = seconds

    def data_of(self, number: int) -> senselink_frames.Frame:
        """Return the data of a record."""
        return senselink_frames.record(
            record_id=number,
            terminal=self._server.terminals[0],
            person=senselink_frames.AIKO,
            at=time.time(),
            zone=self._server.zone,
        )


class SenseLinkWebsocket(SenseLinkRow):
    """A server at whose websocket one listens."""

    key = "senselink_websocket"
    speaks_tls = True
    calls = True
    keeps_connection = True
    connection = senselink.CONNECTION
    dependent = (senselink.ACCESS, senselink.PERSON, senselink.ONLINE)
    # Three minutes until the heart's rhythm is known.
    notice = 200
    recover = 90

    @override
    def make_entry(self) -> MockConfigEntry:
        host, port = self.host.split(":")
        return senselink.make_entry(
            self._server,
            host=host,
            port=int(port),
            tls=self.tls,
            verify_tls=not self.tls,
        )

    async def record(self, number: int) -> None:
        """Push a record with a number."""
        await self._server.recognise(record_id=number)


class SenseLinkSubscription(SenseLinkRow):
    """A server that posts what happens."""

    key = "senselink_subscription"
    serves = True

    @override
    def make_entry(self) -> MockConfigEntry:
        return senselink.make_entry(
            self._server, delivery="subscription", secret=senselink.SECRET
        )

    @override
    async def connect(self) -> None:
        self._server.subscribe(f"{self.url}/api/gatehouse/senselink/{senselink.SECRET}")

    @override
    def request(self, number: int) -> tuple[str, dict[str, str], bytes]:
        event = senselink_frames.event(
            senselink_frames.RECORD,
            self.data_of(number),
            message_id=f"message {number}",
            at=time.time(),
            envelope="field",
        )
        path = f"/api/gatehouse/senselink/{senselink.SECRET}"
        return path, {}, json.dumps(event).encode()


class TelliconAccount(Row):
    """A telephone system that posts who rings."""

    key = "tellicon"
    serves = True

    def __init__(self, hass: HomeAssistant, passing: SimulatedTime) -> None:
        super().__init__(hass, passing)
        self._ahead = 0.0
        self._rung = 0
        self._body = b""

    @override
    def make_entry(self) -> MockConfigEntry:
        return MockConfigEntry(
            domain=DOMAIN,
            title="Tellicon",
            entry_id="entry",
            data={"vendor": "tellicon", "token": tellicon.TOKEN},
        )

    @override
    async def change(self) -> None:
        self._rung = next(self._numbers)
        _, _, self._body = self.request(self._rung)
        await self.repeat()

    @override
    def right(self) -> bool:
        return self.told()[self._rung] == 1

    @override
    async def repeat(self) -> None:
        path, _, _ = self.request(0)
        async with tellicon.Tellicon(self.url + path, tellicon.TOKEN) as sender:
            await sender.send_raw(self._body)

    @override
    def request(self, number: int) -> tuple[str, dict[str, str], bytes]:
        event = push_call(
            Unit(505, 1, 7),
            dialect="B",
            src=str(number),
            at=int(time.time() + self._ahead),
        )
        return "/eventTellicon", {TOKEN_HEADER: tellicon.TOKEN}, body_of(event)

    @override
    def told(self) -> Counter[int]:
        return self._told_by("caller", "event.unit_505_1_7_doorbell")

    @override
    def set_clock(self, seconds: float) -> None:
        self._ahead = seconds


ROWS: tuple[type[Row], ...] = (
    TheKeys,
    IpacStation,
    InnovaphoneService,
    SenseLinkWebsocket,
    SenseLinkSubscription,
    TelliconAccount,
)


class IpacStationWithTls(IpacStation):
    """A station that is called by TLS."""

    key = "ipac_tls"
    tls = True


class InnovaphoneServiceWithTls(InnovaphoneService):
    """A service whose websocket is one of TLS."""

    key = "innovaphone_tls"
    tls = True


class SenseLinkWebsocketWithTls(SenseLinkWebsocket):
    """A server whose websocket is one of TLS."""

    key = "senselink_websocket_tls"
    tls = True


ROWS_WITH_TLS: tuple[type[Row], ...] = (
    IpacStationWithTls,
    InnovaphoneServiceWithTls,
    SenseLinkWebsocketWithTls,
)
"""The rows that speak TLS, once more: with it, what breaks breaks elsewhere."""
