"""Whether the station is there: by what it answers, and by what it reports."""

from collections.abc import Awaitable, Callable
from datetime import datetime
import logging

from homeassistant.core import CALLBACK_TYPE, HassJob, HomeAssistant, callback
from homeassistant.helpers.event import async_call_later

from ...hub import GatehouseConfigEntry
from ...rhythm import Rhythm
from ...wire import WireError

_LOGGER = logging.getLogger(__name__)

ASSUMED_PERIOD = 60.0
"""Seconds between two signs of life until they have been learnt; not documented."""

LEAST_PERIOD = 5.0
"""Seconds; signs of life that come faster are not a station's rhythm."""

LONG_PERIOD = 360.0
"""Seconds that are granted between two signs of life before the user is told of silence,
until they have been learnt."""

RECENT_PERIODS = 3
"""Missing signs of life after which a station is asked whether it is still there."""

SILENT_PERIODS = 10
"""Missing signs of life after which the user is told."""

PROBE_INTERVAL = 60.0
"""Seconds between two attempts to find a station that does not answer."""


class Presence:
    """Watches over one station, and tells the hub of changes."""

    def __init__(
        self,
        hass: HomeAssistant,
        entry: GatehouseConfigEntry,
        *,
        probe: Callable[[], Awaitable[None]],
        on_reach: Callable[[bool], None],
        on_silence: Callable[[bool], None],
    ) -> None:
        """Begin without knowing anything.

        Args:
            hass: Home Assistant.
            entry: the station's.
            probe: asks the station whether it is there; raises `WireError` if not.
            on_reach: told when it comes within reach in some way, or leaves it.
            on_silence: told when it has stopped reporting, or begins again.

        """
        self._hass = hass
        self._entry = entry
        self._ask = probe
        self._on_reach = on_reach
        self._on_silence = on_silence
        self._rhythm = Rhythm(ASSUMED_PERIOD, least=LEAST_PERIOD)
        self._within_reach: bool | None = None
        self._timers: dict[str, CALLBACK_TYPE] = {}
        self.reports = False
        """Whether it has given a sign of life not long ago."""
        self.silent = False
        """Whether it has stopped giving any."""
        self._stopped = False

    @property
    def period(self) -> float | None:
        """Return the learnt seconds between two signs of life."""
        return self._rhythm.period if self._rhythm.learnt else None

    @callback
    def begin(self, period: float | None) -> None:
        """Wait for a station that has reported before, with the period it had."""
        if period is not None:
            self._rhythm = Rhythm(period, known=True, least=LEAST_PERIOD)
        self._expect()

    @callback
    def begin_anew(self) -> None:
        """Forget what another station has taught, and expect nothing yet."""
        self._rhythm = Rhythm(ASSUMED_PERIOD, least=LEAST_PERIOD)
        self.silent = False
        self._cancel("doubt")
        self._cancel("silence")

    @callback
    def stop(self) -> None:
        """Plan nothing any more."""
        self._stopped = True
        for name in tuple(self._timers):
            self._cancel(name)

    @callback
    def reported(self) -> None:
        """Note that a message has come."""
        self.reports = True
        self._expect()
        self.found()
        if self.silent:
            self.silent = False
            _LOGGER.info("The station %s reports again", self._entry.title)
            self._on_silence(False)

    @callback
    def beat(self) -> bool:
        """Note a sign of life that comes by itself; return whether that taught us."""
        knew = self._rhythm.learnt
        self._rhythm.beat(self._hass.loop.time())
        return self._rhythm.learnt and not knew

    @callback
    def found(self) -> None:
        """Note that the station is there."""
        if self._stopped:
            return
        self._cancel("probe")
        if self._within_reach is False:
            _LOGGER.info("The station %s is there again", self._entry.title)
        self._within_reach = True
        self._on_reach(True)

    @callback
    def lost(self, err: WireError) -> None:
        """Note that it does not answer, which is no loss while it reports."""
        if self._stopped or self.reports or self._within_reach is False:
            return
        _LOGGER.warning(
            "The station %s cannot be reached: %s",
            self._entry.title,
            type(err).__name__,
        )
        self._within_reach = False
        # Who is away again and again would teach that it is usual.
        self._rhythm.pause()
        self._on_reach(False)
        self._later("probe", PROBE_INTERVAL, self._probe)

    @callback
    def unanswered(self) -> None:
        """Ask a station that has left an order unanswered whether it is there at all.

        The order itself is not repeated. One that reports gives signs of life anyway.
        """
        if not (self._stopped or self.reports or self._within_reach is False):
            # Once for orders that are lost together.
            self._later("probe", 0, self._probe)

    @callback
    def _expect(self) -> None:
        """Wait for the next sign of life, and begin to doubt when it is overdue."""
        self._later("doubt", RECENT_PERIODS * self._rhythm.period, self._doubt)
        self._later(
            "silence", SILENT_PERIODS * (self.period or LONG_PERIOD), self._fall_silent
        )

    @callback
    def _doubt(self) -> None:
        """Ask a station that should have reported whether it is there at all."""
        self.reports = False
        self._probe()

    @callback
    def _fall_silent(self) -> None:
        """Tell that a station that used to report does so no more."""
        self.silent = True
        self._rhythm.pause()
        _LOGGER.warning(
            "The station %s has stopped reporting to Home Assistant", self._entry.title
        )
        self._on_silence(True)

    @callback
    def _probe(self) -> None:
        """Look for the station."""
        self._entry.async_create_background_task(
            self._hass, self._async_probe(), f"Look for {self._entry.title}"
        )

    async def _async_probe(self) -> None:
        """Find out whether the station can be reached."""
        try:
            await self._ask()
        except WireError as err:
            self.lost(err)
            if self._within_reach is False:
                self._later("probe", PROBE_INTERVAL, self._probe)
        else:
            self.found()

    @callback
    def _later(self, name: str, delay: float, action: CALLBACK_TYPE) -> None:
        """Plan something, instead of what was planned under the same name."""

        @callback
        def run(_: datetime) -> None:
            del self._timers[name]
            action()

        self._cancel(name)
        if not self._stopped:
            self._timers[name] = async_call_later(
                self._hass, delay, HassJob(run, cancel_on_shutdown=True)
            )

    @callback
    def _cancel(self, name: str) -> None:
        if (cancel := self._timers.pop(name, None)) is not None:
            cancel()
