"""The hub of one Tellicon partner token: its accounts and their units."""

from collections.abc import Mapping
from datetime import datetime, timedelta
import logging
from typing import Any, NamedTuple, override

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import device_registry as dr
from homeassistant.util import dt as dt_util

from ...const import DOMAIN
from ...hub import Device, GatehouseConfigEntry, Hub, Offers
from ...model import Call, CallEvent, Dtmf, Word
from ...recent import Recent
from ...silence import Silence
from ...wire import Secret
from .protocol import Event, EventType

_LOGGER = logging.getLogger(__name__)

KEY = "tellicon"

ACCOUNT = "account"
UNIT = "unit"

CONF_TOKEN = "token"
CONF_UNITS = "units"
UNITS_ALL = "all"
UNITS_LISTED = "listed"

CONF_CLIENT = "client"
CONF_BUILDING = "building"
CONF_APT = "apt"

MAX_DEVICES = 3000
"""Devices that may appear by themselves. They have three entities each, and Home
Assistant bears 10,000 entities an entry."""

MAX_ACCOUNTS = 300
"""Accounts among them; of further ones nothing is told."""

UNTIMED_REPETITION = timedelta(seconds=10)
"""How long the same event without a time of its own counts as a repetition."""

MAX_CLOCK_LEAD = timedelta(minutes=10)
"""How far ahead of ours Tellicon's clock may be before ours is believed instead."""


SILENT = "account_silent"

SAVE_DELAY = 10.0
"""Seconds from an event to the saving of what has come, which matters only for an
unclean end."""

LOOK_INTERVAL = timedelta(hours=1)
"""Between two looks at accounts that may have fallen silent."""


def unit_of(client: str, building: str, apt: str) -> str:
    """Return the name under which events and devices know a unit."""
    return f"{client}/{building}/{apt}"


class Told(NamedTuple):
    """What an event says, and whom it concerns."""

    event: Event
    account: Device
    device: Device | None
    """The unit's, if it has one."""
    channel: str
    word: Word
    heard_at: datetime


class TelliconHub(Hub):
    """Turns Tellicon's events into words on the account's and the unit's devices."""

    def __init__(
        self, hass: HomeAssistant, entry: GatehouseConfigEntry, offers: Offers
    ) -> None:
        """Prepare the hub of an entry."""
        super().__init__(hass, entry, offers)
        self.token = Secret(entry.data[CONF_TOKEN])
        self._listed_only = entry.options.get(CONF_UNITS, UNITS_ALL) == UNITS_LISTED
        self._recent: Recent[Event] = Recent(secret=self.token)
        self._full: set[str] = set()
        self._accounts = 0
        self._silences: dict[str, Silence] = {}
        self._silent: set[str] = set()
        """Accounts that the user has been asked about."""
        self._told: dict[EventType, tuple[int, datetime]] = {}
        """How many events of each type there were, and when the last one came."""
        self.repetitions = 0
        self.refused = 0
        """Requests with a token that nobody has."""
        self._prefix = f"{KEY}_{entry.entry_id}_"
        # Somebody stands at the door: what is only noted comes afterwards.
        self._messages = self.together(self._understand, self._say, self._note)

    @override
    async def async_start(self) -> None:
        """Add the devices that are known; Tellicon calls us."""
        remembered = await self.store.async_load() or {}
        self._recent = Recent(remembered.get("recent", ()), secret=self.token)
        now = dt_util.utcnow()
        self._silences = {
            client: Silence(now, silence)
            for client, silence in remembered.get("silences", {}).items()
        }
        for subentry in self.entry.subentries.values():
            data = subentry.data
            account = self._account(data[CONF_CLIENT])
            unit = unit_of(data[CONF_CLIENT], data[CONF_BUILDING], data[CONF_APT])
            self.add_device(
                self._uid(unit),
                UNIT,
                subentry_id=subentry.subentry_id,
                via=account,
                manufacturer="Tellicon",
                name=subentry.title,
            )
        for name in self._remembered():
            client, *rest = name.split("/", 1)
            account = self._account(client)
            if rest and self._uid(name) not in self.devices:
                self._new_unit(account, name)
        self.repeat(self._look, LOOK_INTERVAL, "Look after")
        self._look(now)

    @override
    async def async_stop(self) -> None:
        """Remember what has come, and how long silences have been."""
        await super().async_stop()
        for client in self._silent:
            self.clear_issue(SILENT, self._uid(client))
        # The last account may have been deleted, which is yet to be saved.
        if self._silences or self._saving is not None:
            await self.async_save()

    @override
    def to_remember(self) -> dict[str, Any]:
        """Return what must outlive the hub."""
        now = dt_util.utcnow()
        return {
            "recent": self._recent.as_list(),
            "silences": {
                client: silence.as_dict(now)
                for client, silence in self._silences.items()
            },
        }

    @override
    def diagnostics(self) -> Mapping[str, Any]:
        """Return what has come, in numbers, and how long nothing may come."""
        return {
            "accounts": self._number_of(ACCOUNT),
            "units": self._number_of(UNIT),
            "listed_units_only": self._listed_only,
            "events": {
                kind.value: {"number": number, "last": last}
                for kind, (number, last) in self._told.items()
            },
            "repetitions": self.repetitions,
            "refused": self.refused,
            "silence_borne": [
                silence.patience.total_seconds() for silence in self._silences.values()
            ],
        }

    def _number_of(self, kind: str) -> int:
        return sum(device.kind == kind for device in self.devices.values())

    @callback
    def _look(self, _: datetime) -> None:
        """Notice accounts of which nothing comes any more."""
        now = dt_util.utcnow()
        for client, silence in self._silences.items():
            account = self.devices.get(self._uid(client))
            if account is not None and silence.too_long(now):
                self._silent.add(client)
                self.raise_issue(SILENT, account, placeholders={"client": client})

    @override
    def can_remove(self, device: Device) -> bool:
        """Allow what came by itself to go, an account after its units.

        It comes back with its next event.
        """
        if device.kind == ACCOUNT:
            return not any(uid.startswith(f"{device.uid}/") for uid in self.devices)
        return device.subentry_id is None

    @override
    @callback
    def forget(self, device: Device) -> None:
        """Drop a device; of an account that has gone nobody waits to hear."""
        super().forget(device)
        if device.kind == ACCOUNT:
            self._accounts -= 1
            client = device.uid.removeprefix(self._prefix)
            self._silences.pop(client, None)
            self._silent.discard(client)
            self.clear_issue(SILENT, device.uid)
            self.save_soon(SAVE_DELAY)

    @callback
    def receive(self, event: Event) -> bool:
        """Tell what happened; return whether it was news and not a repetition."""
        now = dt_util.utcnow()
        occurred_at = event.occurred_at
        # Again, as when its answer got lost.
        if not (
            self._recent.is_new(event, now, span=UNTIMED_REPETITION)
            if occurred_at is None
            else self._recent.is_new(event, occurred_at)
        ):
            self.repetitions += 1
            return False
        if occurred_at is None or occurred_at > now + MAX_CLOCK_LEAD:
            occurred_at = now
        self._messages.take((event, occurred_at, now))
        return True

    def _understand(self, taken: tuple[Event, datetime, datetime]) -> Told | None:
        """Return what an event says of whom; None if there is no room for its account."""
        event, occurred_at, now = taken
        account = self.devices.get(self._prefix + event.client)
        if account is None and (account := self._new_account(event.client)) is None:
            return None
        unit = device = None
        if event.apt is not None:
            unit = unit_of(event.client, event.building, event.apt)
            device = self.devices.get(self._prefix + unit)
            if device is None:
                device = self._new_unit(account, unit)
        channel, word = _word(event, unit, occurred_at)
        return Told(event, account, device, channel, word, now)

    def _say(self, told: Told) -> None:
        """Say what happened."""
        _, account, device, channel, word, _ = told
        if device is not None and self.tells(device, channel):
            account.echo(channel, word)
        else:
            account.say(channel, word)
        if device is not None:
            device.say(channel, word)

    def _note(self, told: Told) -> None:
        """Note what follows: among others, that its account is not silent."""
        event, account, device, _, _, now = told
        if device is not None and event.duration is not None:
            device.publish("last_call_duration", event.duration)
        number, _ = self._told.get(event.type, (0, now))
        self._told[event.type] = number + 1, now
        silence = self._silences.get(event.client)
        if silence is None:
            silence = self._silences[event.client] = Silence(now)
        silence.hear(now)
        # However long it was: the clock may have been set back since.
        if event.client in self._silent:
            self._silent.remove(event.client)
            self.clear_issue(SILENT, account.uid)
        self.save_soon(SAVE_DELAY)
        self.show_contact(account, now)

    def _account(self, client: str) -> Device:
        """Return the device of an account, which appears with its first event."""
        if device := self.devices.get(self._uid(client)):
            return device
        self._accounts += 1
        return self.add_device(
            self._uid(client),
            ACCOUNT,
            entry_type=dr.DeviceEntryType.SERVICE,
            manufacturer="Tellicon",
            translation_key=ACCOUNT,
            translation_placeholders={"client": client},
        )

    def _new_account(self, client: str) -> Device | None:
        """Return the device of another account, or None where there is no room for it."""
        if self._accounts >= MAX_ACCOUNTS:
            self._log_full(
                "Tellicon has named more than %s accounts; further ones are ignored",
                MAX_ACCOUNTS,
            )
            return None
        return self._account(client)

    def _log_full(self, message: str, limit: int) -> None:
        """Log once that there is no room for more."""
        if message not in self._full:
            self._full.add(message)
            _LOGGER.warning(message, limit)

    def _new_unit(self, account: Device, unit: str) -> Device | None:
        """Return the device of another unit, or None where it is not to have one."""
        if self._listed_only:
            return None
        if len(self.devices) >= MAX_DEVICES:
            self._log_full(
                "Tellicon has named more than %s units; further ones are told on their"
                " account only",
                MAX_DEVICES,
            )
            return None
        return self.add_device(
            self._uid(unit),
            UNIT,
            via=account,
            manufacturer="Tellicon",
            translation_key=UNIT,
            translation_placeholders={"unit": unit},
        )

    def _uid(self, name: str) -> str:
        """Return the id of an account or unit; another token may name the same ones."""
        return self._prefix + name

    def _remembered(self) -> list[str]:
        """Return the accounts and units that had a device before the start."""
        return [
            uid.removeprefix(self._prefix)
            for entry in dr.async_entries_for_config_entry(
                dr.async_get(self.hass), self.entry.entry_id
            )
            for domain, uid in entry.identifiers
            # What belongs to a sub-entry is added, or not, by what that says now.
            if domain == DOMAIN and entry.config_subentry_id is None
        ]


def _word(event: Event, unit: str | None, occurred_at: datetime) -> tuple[str, Word]:
    """Return what happened, and the channel on which it is said."""
    if event.type is EventType.DTMF_COMMAND:
        assert event.command is not None
        return "dtmf", Dtmf(
            command=event.command,
            caller=event.panel,
            callee=event.resident,
            unit=unit,
            occurred_at=occurred_at,
        )
    return "doorbell", Call(
        event_type=(
            CallEvent.RING if event.type is EventType.PUSH_CALL else CallEvent.ANSWERED
        ),
        caller=event.panel,
        callee=event.resident,
        unit=unit,
        duration=event.duration,
        occurred_at=occurred_at,
    )
