"""What is played with SenseLink: faces before a terminal, an alert, and a lost link."""

from typing import override

from .house import TERMINALS
from .neighbourhood import DOOR_FORCED, SERVER
from .report import NotAsExpected, Report
from .scenario import PROMPTLY, SLOWLY, Scenario, until

TERMINAL, OTHER_TERMINAL = SERVER.terminals

_JPEG = b"\xff\xd8\xff"

_ALERT = (TERMINAL, "alert")
_CONNECTION = (TERMINALS, "connection")
_DOOR_FORCED = (TERMINAL, "door_forced")
_LAST_PERSON = (TERMINAL, "last_person")
_PHOTO = (OTHER_TERMINAL, "last_photo")


class SenseLinkScenario(Scenario):
    """A server with two terminals."""

    @override
    async def play(self, report: Report) -> None:
        await report.check("SenseLink: a known face is let in", self.known())
        await report.check("SenseLink: a stranger is refused", self.stranger())
        await report.check("SenseLink: the photo of who came is shown", self.photo())
        await report.check(
            "SenseLink: a forced door raises the alarm until it is released",
            self.alert(),
        )
        await report.check("SenseLink: a lost link comes back by itself", self.drop())

    async def known(self) -> None:
        """Let somebody stand before the terminal whom it knows."""
        await self._comes_in("aiko")

    async def stranger(self) -> None:
        """Let somebody stand there whom nobody knows."""
        since = self._now
        await self._neighbourhood.senselink("recognise", who="stranger")
        await self._event(
            TERMINAL,
            "access",
            "access_denied",
            since,
            method="face",
            person=None,
            reason="unrecognized",
        )

    async def photo(self) -> None:
        """Look at the picture of one person, and then at that of another."""
        pictures = [await self._photo_of(who) for who in ("aiko", "bruno")]
        if not all(picture.startswith(_JPEG) for picture in pictures):
            raise NotAsExpected("what is shown is no JPEG")
        if pictures[0] == pictures[1]:
            raise NotAsExpected("it is the same for two people")

    async def alert(self) -> None:
        """Force the door, and release the alert."""
        since = self._now
        told = await self._neighbourhood.senselink("alert", code=DOOR_FORCED)
        await self._event(*_ALERT, "door_forced", since, status="active")
        await self._becomes(_DOOR_FORCED, "on", PROMPTLY)
        since = self._now
        await self._neighbourhood.senselink("release", trace_id=told["trace_id"])
        await self._event(*_ALERT, "door_forced", since, status="released")
        await self._becomes(_DOOR_FORCED, "off", PROMPTLY)

    async def drop(self) -> None:
        """Break the link, and look whether the next one serves."""
        since = self._now
        await self._neighbourhood.senselink("drop")
        await self._changes(_CONNECTION, "off", since, PROMPTLY)
        await self._changes(_LAST_PERSON, "unavailable", since, PROMPTLY)
        await self._becomes(_CONNECTION, "on", SLOWLY)
        await self._comes_in("bruno")

    async def _comes_in(self, who: str) -> None:
        """Let somebody stand before the terminal, and look whether the door opens."""
        since = self._now
        await self._neighbourhood.senselink("recognise", who=who)
        person = SERVER.people[who]
        await self._event(
            TERMINAL, "access", "access_granted", since, method="face", person=person
        )
        await self._becomes(_LAST_PERSON, person, PROMPTLY)

    async def _photo_of(self, who: str) -> bytes:
        """Let somebody stand before the other terminal, and return its new photo."""
        before = await self._state(_PHOTO)

        async def is_new() -> bool:
            return await self._state(_PHOTO) != before

        await self._neighbourhood.senselink("recognise", terminal=1, who=who)
        if not await until(is_new, PROMPTLY):
            raise NotAsExpected(f"there is no photo after {PROMPTLY:.0f} s")
        return await self._api.image(self._entities[_PHOTO])
