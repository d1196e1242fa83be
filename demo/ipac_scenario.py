"""What is played with a door station: calls, its door, keypad, display and speaker."""

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus
import struct
import time
from typing import Any, override

from .home_assistant import Api, CommandError
from .house import Keys
from .media import CHIME, CHIME_SECONDS, CHIME_TYPE, PICTURE, PICTURE_TYPE
from .neighbourhood import STATION, Neighbourhood
from .report import NotAsExpected, Report
from .scenario import PROMPTLY, SLOWLY, Scenario, holds_secret, written_out

RESIDENT = "sip:192.0.2.23"
CALLER = "sip:192.0.2.40"

STRANGERS_CODE = "2580"
CODES = (STATION.code, STATION.persons_code, STRANGERS_CODE)

DISPLAY_SIZE = (356, 256)
"""Width and height in pixels."""

_PNG = b"\x89PNG\r\n\x1a\n"

_DOOR = (STATION.door, "door")
_ACCESS = (STATION.door, "access")
_CALL = (STATION.name, "call")
_CONNECTION = (STATION.name, "connection")
_SPEAKER = (STATION.name, "speaker")


class IpacScenario(Scenario):
    """A station with one door."""

    def __init__(
        self,
        api: Api,
        neighbourhood: Neighbourhood,
        entities: Keys,
        *,
        entry_id: str,
        device_id: str,
    ) -> None:
        """Prepare the checks; the ids are those of the station."""
        super().__init__(api, neighbourhood, entities)
        self._entry_id = entry_id
        self._device_id = device_id

    @override
    async def play(self, report: Report) -> None:
        await report.check("IPAC: a visitor presses the button", self.ring())
        await report.check("IPAC: the call is ended from afar", self.hang_up())
        await report.check("IPAC: somebody calls the station", self.answer())
        await report.check("IPAC: the door opens once, for its time", self.open())
        await report.check(
            "IPAC: a door that is switched off stays shut, and says why", self.refused()
        )
        await report.check(
            "IPAC: if the answer is lost, the station's report counts",
            self.lost_answer(),
        )
        await report.check(
            "IPAC: an order waits for a station that is away", self.order_by_task()
        )
        await report.check("IPAC: a typed code has a name", self.known_code())
        await report.check("IPAC: or none", self.unknown_code())
        await report.check("IPAC: the display shows a text", self.text())
        await report.check("IPAC: the display shows a picture", self.picture())
        await report.check("IPAC: the speaker plays a chime", self.sound())
        await report.check("IPAC: a restart is told", self.restart())
        await report.check("IPAC: the station's rhythm is learnt", self.rhythm())
        await report.check(
            "IPAC: a lost station makes its door unavailable", self.lost()
        )
        await report.check("IPAC: it comes back by itself", self.back())
        await report.check("IPAC: no code is in any state", self.no_digits())

    async def ring(self) -> None:
        """Press the button, and look at the doorbell and the call."""
        since = self._now
        await self._do("ring", number=RESIDENT)
        await self._event(STATION.name, "doorbell", "ring", since, callee=RESIDENT)
        await self._becomes(_CALL, "on", PROMPTLY)

    async def hang_up(self) -> None:
        """End the visitor's call from the dashboard."""
        since = self._now
        await self._press(STATION.name, "hang_up")
        if (call := (await self._station())["call"]) is not None:
            raise NotAsExpected(f"the simulated station has the call {call}")
        await self._event(STATION.name, "doorbell", "ended", since, callee=RESIDENT)
        await self._becomes(_CALL, "off", PROMPTLY)

    async def answer(self) -> None:
        """Call the station, let it answer from the dashboard, and hang up."""
        since = self._now
        await self._do("incoming", number=CALLER)
        await self._event(STATION.name, "doorbell", "incoming", since, caller=CALLER)
        await self._press(STATION.name, "answer")
        call = (await self._station())["call"]
        if call is None or not call["answered"]:
            raise NotAsExpected(f"the simulated station has the call {call}")
        await self._do("hang_up")
        await self._event(STATION.name, "doorbell", "ended", since, caller=CALLER)
        await self._becomes(_CALL, "off", PROMPTLY)

    async def open(self) -> None:
        """Unlock the door, and look how often and how long it is open."""
        async with self._opens(method="remote"):
            await self._api.action("lock.unlock", self._entities[_DOOR])

    async def refused(self) -> None:
        """Switch the relay off, and try to open."""
        since, before = self._now, await self._openings()
        await self._do("relay", relay=STATION.relay, mode="netcut")
        try:
            await self._api.action("lock.open", self._entities[_DOOR])
        except CommandError as err:
            if err.text.rstrip(".") != (
                f"{STATION.door} was not opened: its relay is switched to PDL or NETCUT"
            ):
                raise NotAsExpected(f"the error says {err.text!r}") from err
        else:
            raise NotAsExpected("there is no error")
        finally:
            await self._do("relay", relay=STATION.relay, mode="normal")
        await self._event(
            *_ACCESS, "access_denied", since, method="remote", reason="locked_out"
        )
        await self._becomes(_DOOR, "locked", PROMPTLY)
        if await self._openings() != before:
            raise NotAsExpected("the simulated relay was fired")

    async def lost_answer(self) -> None:
        """Open by the button, with a connection that breaks before the answer."""
        await self._do("fault", path="/api/remote/", fault="reset", acted=True)
        async with self._opens(method="remote"):
            await self._press(STATION.door, "open")

    async def order_by_task(self) -> None:
        """Open while the station cannot be reached, and let it come back."""
        asked = (await self._station())["requests"]
        async with self._opens(method="remote"), asyncio.TaskGroup() as tasks:
            since = self._now
            await self._do("link", up=False)
            try:
                tasks.create_task(
                    self._api.action("lock.unlock", self._entities[_DOOR])
                )
                await self._changes(_DOOR, "unlocking", since, PROMPTLY)
                # Long enough for the attempt to reach it.
                await asyncio.sleep(1)
            finally:
                await self._do("link", up=True)
        if (await self._station())["requests"] != asked:
            raise NotAsExpected("the simulated station was asked all the same")

    async def known_code(self) -> None:
        """Type a code that has been given a name, and that opens the door."""
        since = self._now
        async with self._opens(method="code", person=STATION.person):
            await self._do("type_code", code=STATION.persons_code)
            await self._event(
                *(STATION.name, "keypad", "code_entered", since),
                code_name=STATION.person,
                known=True,
            )

    async def unknown_code(self) -> None:
        """Type a code that nobody knows."""
        since = self._now
        await self._do("type_code", code=STRANGERS_CODE)
        await self._event(
            *(STATION.name, "keypad", "code_entered", since),
            code_name=None,
            known=False,
        )

    async def text(self) -> None:
        """Show a text, look at it, and clear it away."""
        await self._api.action(
            "notify.send_message",
            self._entities[STATION.name, "display"],
            title="Parcels",
            message="To number 12, please.",
        )
        await self._shows_picture()
        await self._press(STATION.name, "clear_display")
        if (await self._station())["picture"] is not None:
            raise NotAsExpected("the simulated display still shows it")

    async def picture(self) -> None:
        """Show a picture of the media folder."""
        await self._api.action(
            "gatehouse.show_image",
            device_id=self._device_id,
            image={"media_content_id": PICTURE, "media_content_type": PICTURE_TYPE},
            duration=60,
        )
        await self._shows_picture(tempo=60)

    async def sound(self) -> None:
        """Play a sound of the media folder to its end."""
        since, before = self._now, (await self._station())["sounds"]
        await self._api.action(
            "media_player.play_media",
            self._entities[_SPEAKER],
            media={"media_content_id": CHIME, "media_content_type": CHIME_TYPE},
        )
        station = await self._station()
        if station["sounds"] != before + 1:
            raise NotAsExpected("the simulated station has not taken one sound")
        if abs(station["last_sound"]["seconds"] - CHIME_SECONDS) > 0.1:
            raise NotAsExpected(f"the simulated sound is {station['last_sound']}")
        form = [station["last_sound"][key] for key in ("channels", "rate", "bits")]
        if form != [1, 8000, 16]:
            raise NotAsExpected(f"the simulated sound has the form {form}")
        await self._changes(_SPEAKER, "playing", since, PROMPTLY)
        await self._becomes(_SPEAKER, "idle", CHIME_SECONDS + PROMPTLY)

    async def restart(self) -> None:
        """Start the station again."""
        since = self._now
        await self._do("restart")
        await self._event(STATION.name, "station", "restarted", since)

    async def rhythm(self) -> None:
        """Wait until it is known how often the station gives a sign of life."""
        end = time.monotonic() + SLOWLY
        expected = self._neighbourhood.notify_every
        while True:
            diagnostics = await self._api.diagnostics(self._entry_id)
            period = diagnostics["hub"]["notify_period"]
            if period is not None and abs(period - expected) < 1:
                return
            if time.monotonic() > end:
                raise NotAsExpected(f"the period is {period} s, not {expected} s")
            await asyncio.sleep(1)

    async def lost(self) -> None:
        """Pull the plug of the station."""
        await self._do("link", up=False)
        await self._becomes(_CONNECTION, "off", SLOWLY)
        for entity in (_DOOR, _CALL, _SPEAKER):
            await self._becomes(entity, "unavailable", PROMPTLY)

    async def back(self) -> None:
        """Plug it in again."""
        await self._do("link", up=True)
        await self._becomes(_CONNECTION, "on", SLOWLY)
        await self._becomes(_DOOR, "locked", PROMPTLY)

    async def no_digits(self) -> None:
        """Search all that states have held for all codes that were used."""
        if holds_secret(written_out(self._api.changes), CODES):
            raise NotAsExpected("a code is in one")

    @asynccontextmanager
    async def _opens(self, **access: Any) -> AsyncIterator[None]:
        """Expect that what follows opens the door once, and for as long as it should."""
        since, before = self._now, await self._openings()
        yield
        await self._changes(_DOOR, "unlocked", since, SLOWLY)
        begin = time.monotonic()
        await self._event(*_ACCESS, "access_granted", since, **access)
        await self._becomes(_DOOR, "locked", STATION.open_time + PROMPTLY)
        if time.monotonic() - begin < STATION.open_time - 1:
            raise NotAsExpected("the door is shown locked too early")
        if (openings := await self._openings()) != before + 1:
            raise NotAsExpected(f"the relay was fired {openings - before} times")
        told = [
            change
            for change in self._api.changes[since:]
            if change.entity_id == self._entities[_ACCESS]
        ]
        if len(told) != 1:
            raise NotAsExpected(f"it was told {len(told)} times")

    async def _shows_picture(self, tempo: int = 0) -> None:
        """Look at the simulated display."""
        shown = (await self._station())["picture"]
        if shown is None:
            raise NotAsExpected("the simulated display shows nothing")
        picture = base64.b64decode(shown["data"].partition(",")[2])
        if not picture.startswith(_PNG):
            raise NotAsExpected("what the simulated display shows is no PNG")
        # The header follows the signature, the chunk's length and its name.
        if (size := struct.unpack_from(">II", picture, 16)) != DISPLAY_SIZE:
            raise NotAsExpected(f"the simulated display shows {size} pixels")
        if shown["tempo"] != tempo:
            raise NotAsExpected(f"it is shown for {shown['tempo']} s")

    async def _press(self, device: str, key: str) -> None:
        await self._api.action("button.press", self._entities[device, key])

    async def _do(self, what: str, **fields: Any) -> None:
        """Do something to the station, which Home Assistant takes if it is told."""
        status = await self._neighbourhood.ipac(what, **fields)
        if status not in (None, HTTPStatus.OK):
            raise NotAsExpected(f"Home Assistant answers {status}")

    async def _station(self) -> Any:
        """Return what the simulated station knows of itself."""
        return (await self._neighbourhood.state())["ipac"]

    async def _openings(self) -> int:
        """Return how often the simulated relay was fired."""
        relays = (await self._station())["relays"]
        relay = next(one for one in relays if one["number"] == STATION.relay)
        return int(relay["openings"])
