"""What is played with Tellicon: visitors whose calls end at telephones."""

from http import HTTPStatus
from typing import Any, override

import aiohttp

from .home_assistant import Api
from .house import ACCOUNT, Keys
from .neighbourhood import UNIT, Neighbourhood
from .report import NotAsExpected, Report
from .scenario import PROMPTLY, Scenario

COMMAND = "*2"


class TelliconScenario(Scenario):
    """An account and one of its units."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        api: Api,
        neighbourhood: Neighbourhood,
        entities: Keys,
    ) -> None:
        """Prepare the checks; `session` is that of a stranger."""
        super().__init__(api, neighbourhood, entities)
        self._session = session

    @override
    async def play(self, report: Report) -> None:
        await report.check("Tellicon: a visitor rings: account and unit", self.ring())
        await report.check(
            "Tellicon: the call is answered, its duration is kept", self.answer()
        )
        await report.check(
            f"Tellicon: {COMMAND} is typed at the telephone", self.dtmf()
        )
        await report.check("Tellicon: a wrong token is refused", self.wrong_token())

    async def ring(self) -> None:
        """Ring, and look at both doorbells."""
        since = self._now
        await self._tell("ring")
        for device in (ACCOUNT, UNIT.name):
            await self._event(device, "doorbell", "ring", since, unit=UNIT.code)

    async def answer(self) -> None:
        """Answer, and look at the doorbell and the duration."""
        since = self._now
        await self._tell("answer")
        call = await self._event(
            UNIT.name, "doorbell", "answered", since, unit=UNIT.code
        )
        duration = call.attributes["duration"]
        if not isinstance(duration, int) or duration <= 0:
            raise NotAsExpected(f"the duration is {duration!r}")
        await self._becomes((UNIT.name, "last_call_duration"), str(duration), PROMPTLY)

    async def dtmf(self) -> None:
        """Type, and look at the event."""
        since = self._now
        await self._tell("dtmf", command=COMMAND)
        await self._event(
            UNIT.name, "dtmf", "dtmf_received", since, unit=UNIT.code, command=COMMAND
        )

    async def wrong_token(self) -> None:
        """Ring with a token that nobody has; nothing may change."""
        since = self._now
        async with self._session.post(
            f"{self._api.url}/eventTellicon",
            headers={"authTokenTellicon": "x" * 24},
            json={"eventTellicon": {"type": "pushCall", "client": UNIT.client}},
        ) as response:
            if response.status != HTTPStatus.UNAUTHORIZED:
                raise NotAsExpected(f"the answer is {response.status}")
        doorbell = self._entities[ACCOUNT, "doorbell"]
        if any(change.entity_id == doorbell for change in self._api.changes[since:]):
            raise NotAsExpected("the doorbell rang")

    async def _tell(self, event: str, **fields: Any) -> None:
        status = await self._neighbourhood.tellicon(event, **fields)
        if status != HTTPStatus.OK:
            raise NotAsExpected(f"Home Assistant answers {status}")
