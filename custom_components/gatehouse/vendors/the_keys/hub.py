"""The hub of a The Keys gateway: polls it sparingly, and carries out orders."""

import asyncio
from collections.abc import Awaitable, Mapping
from datetime import datetime, timedelta
import logging
from typing import Any, override

from yarl import URL

from homeassistant.config_entries import ConfigSubentry
from homeassistant.const import CONF_HOST
from homeassistant.core import CALLBACK_TYPE, HassJob, HomeAssistant, callback
from homeassistant.exceptions import ConfigEntryNotReady, HomeAssistantError
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from homeassistant.helpers.event import async_call_later
from homeassistant.util.hass_dict import HassKey

from ...const import DOMAIN
from ...flow import base_url
from ...hub import Device, GatehouseConfigEntry, Hub, Offers
from ...model import CHANGED_BY, BoltState
from ...people import NOBODY, Actor
from ...wire import Backoff, LostReply, Secret, TimedOut, UnexpectedReply, WireError
from .client import (
    GatewayClient,
    NotConfirmed,
    NotSupported,
    OrderExpired,
    Share,
    Timestamps,
    Turns,
)
from .protocol import (
    Bolt,
    Code,
    GatewayStatus,
    Locker,
    Refusal,
    battery_percent,
    battery_volts,
)

_LOGGER = logging.getLogger(__name__)

KEY = "the_keys"

GATEWAY = "gateway"
LOCK = "lock"

CONF_IDENTIFIER = "identifier"
CONF_SHARE_CODE = "share_code"
CONF_SUBENTRY_ID = "subentry_id"

MANUFACTURER = "The Keys"

POLL_INTERVAL = timedelta(seconds=10)
STATUS_INTERVAL = 60.0
"""Seconds between two looks at what the gateway is doing, when no lock waits to be read."""

NO_STATUS_INTERVAL = 86_400.0
"""Seconds until a gateway without a status is asked for it again; its firmware may be
newer then."""

READ_INTERVAL = 45 * 60.0
"""Seconds between two readings of a lock at which nothing happens. More often, and
gateways have been seen to hang."""

RETRY_INTERVAL = 60.0
"""Seconds between two readings of a lock that could not be read; more and more of them,
up to `READ_INTERVAL`, while only the user can mend the reason."""

CONFIRM_AFTER = timedelta(seconds=6)
"""From an accepted order to the reading that shows where the bolt has arrived."""

MISSES = 3
"""Polls in a row that must fail before something is out of reach."""

LOW = 20
"""Percent at or below which batteries are to be changed."""

SAVE_DELAY = 60.0
"""Seconds from a signed request to the saving of its timestamp, which matters only if
the clock is behind after an unclean end."""

MAX_SYNCHRONIZING = 600.0
"""Seconds."""

WRONG_CODE_TRIES = 3
"""Refused signatures in a row, each already repeated, until the code counts as wrong."""

_BOLTS = {
    Bolt.UNKNOWN: None,
    Bolt.CLOSED: BoltState.LOCKED,
    Bolt.OPEN: BoltState.UNLOCKED,
}

_ARRIVALS = {
    BoltState.LOCKING: BoltState.LOCKED,
    BoltState.UNLOCKING: BoltState.UNLOCKED,
}
_WAYS = {arrival: moving for moving, arrival in _ARRIVALS.items()}

# What the user reads when the gateway refuses.
_REFUSALS: dict[int, str] = {
    Code.NOT_SEEN: "lock_not_detected",
    Code.NOT_COMPATIBLE_SYNC: "lock_not_compatible",
    Code.INVALID_SYNC_DATA: "invalid_sync_data",
    Code.SYNC_FAILED: "bluetooth_failed",
    Code.BLUETOOTH_FAILED: "bluetooth_failed",
    Code.NOT_SHARED: "share_missing",
    Code.INVALID_HMAC: "share_code_refused",
    Code.NOT_DETECTED: "lock_not_detected",
    Code.NOT_COMPATIBLE: "lock_not_compatible",
    Code.KEY_REFUSED: "key_refused",
    Code.LOCK_FAILED: "lock_failed",
    Code.CLOCK_INVALID: "clock_invalid",
    Code.BUSY: "gateway_busy",
}

_UPDATE_REFUSALS: dict[int, str] = _REFUSALS | {
    1: "firmware_invalid",
    2: "firmware_missing",
}

# What the user reads when there is no answer, or none that can be understood.
_FAILURES: dict[type[WireError], str] = {
    LostReply: "no_answer",
    OrderExpired: "order_expired",
    TimedOut: "no_answer",
    NotSupported: "not_supported",
    UnexpectedReply: "unexpected_reply",
}

_TURNS: HassKey[dict[URL, Turns]] = HassKey(f"{DOMAIN}_{KEY}_turns")

# What leaves open whether the gateway has done what it was asked.
_MAYBE_DONE = (LostReply, TimedOut)

# What only the user can mend.
_ISSUES: dict[int, str] = {
    Code.NOT_SHARED: "share_missing",
    Code.KEY_REFUSED: "key_refused",
    Code.CLOCK_INVALID: "clock_invalid",
}

STATUS_SCANNING = "scanning"
STATUS_SYNCHRONIZING_GATEWAY = "synchronizing_gateway"
STATUS_SYNCHRONIZING_LOCK = "synchronizing_lock"


class Lock:
    """What the hub knows of one lock."""

    def __init__(self, device: Device, share: Share) -> None:
        """Begin with a lock that must be read."""
        self.device = device
        self.share = share
        self.bolt: BoltState | None = None
        self.moved_by: str | None = None
        """Who has moved it there, as far as that is known."""
        self.moved_to: BoltState | None = None
        """Where our last order has it go, until it has been seen there."""
        self.ordered_by: str | None = None
        """Who has given that order."""
        self.last_log: int | None = None
        self.read_at = 0.0
        """When it is to be read; of the loop's clock, which nobody sets."""
        self.retries = Backoff(RETRY_INTERVAL, READ_INTERVAL)
        """When to read again what only the user can mend: each attempt has gateway or
        lock synchronise."""
        self.seen = False
        self.missed = 0
        self.wrong_codes = 0
        self.orders = 0
        """Orders that are under way; until they are done the bolt is shown moving."""
        self.confirm: CALLBACK_TYPE | None = None


def make_client(hass: HomeAssistant, host: str) -> GatewayClient:
    """Return a client of a gateway, in the queue of all that talk to it."""
    url = base_url(host)
    turns = hass.data.setdefault(_TURNS, {}).setdefault(url, Turns())
    return GatewayClient(async_get_clientsession(hass), url, turns=turns)


class TheKeysHub(Hub):
    """One gateway and the locks that it reaches."""

    def __init__(
        self, hass: HomeAssistant, entry: GatehouseConfigEntry, offers: Offers
    ) -> None:
        """Prepare the hub of an entry."""
        super().__init__(hass, entry, offers)
        self.client = make_client(hass, entry.data[CONF_HOST])
        self._gateway_uid = f"{KEY}_{entry.entry_id}"
        self.lockers: dict[str, Locker] = {}
        """The locks that the gateway saw last, configured or not."""
        self._locks: dict[str, Lock] = {}
        self._missed = 0
        self._polling = False
        self._stopped = False
        self._status_at = 0.0
        self._status: GatewayStatus | None = None
        self._no_status_until = 0.0
        self._synchronizing_since: float | None = None

    @override
    async def async_start(self) -> None:
        """Ask the gateway for its locks, and go on asking."""
        if remembered := await self.store.async_load():
            self.client.timestamps = Timestamps(remembered["timestamp"])
        try:
            lockers = await self.client.lockers()
        except (Refusal, WireError) as err:
            raise ConfigEntryNotReady(
                translation_domain=DOMAIN,
                translation_key="gateway_unreachable",
                translation_placeholders={"host": self.entry.data[CONF_HOST]},
            ) from err
        self._gateway = self.add_device(
            self._gateway_uid,
            GATEWAY,
            manufacturer=MANUFACTURER,
            translation_key=GATEWAY,
        )
        self._show_connection(True)
        for subentry in self.entry.subentries.values():
            self._add_lock(subentry)
        self._take_lockers(lockers)
        self.repeat(self._poll_soon, POLL_INTERVAL, "Poll")
        self._poll_soon()

    @override
    async def async_stop(self) -> None:
        """Send nothing any more."""
        await super().async_stop()
        self._stopped = True
        self.client.close()
        for lock in self._locks.values():
            self._cancel_confirm(lock)
            self._clear_issues(lock)
        self.clear_issue("gateway_stuck", self._gateway_uid)
        if self.client.timestamps.last:
            await self.async_save()

    @override
    def to_remember(self) -> dict[str, Any]:
        """Return what must outlive the hub."""
        return {"timestamp": self.client.timestamps.last}

    @override
    def diagnostics(self) -> Mapping[str, Any]:
        """Return what the gateway says of itself and the locks it sees."""
        return {
            "status": None if self._status is None else self._status.text,
            "version": None if self._status is None else self._status.version,
            "missed_polls": self._missed,
            "lockers": [
                {
                    "configured": locker.identifier in self._locks,
                    "rssi": locker.rssi,
                    "battery_millivolts": locker.battery,
                    "last_log": locker.last_log,
                }
                for locker in self.lockers.values()
            ],
        }

    def _add_lock(self, subentry: ConfigSubentry) -> None:
        """Add the lock of a sub-entry."""
        identifier = subentry.data[CONF_IDENTIFIER]
        device = self.add_device(
            f"{KEY}_{identifier}",
            LOCK,
            subentry_id=subentry.subentry_id,
            via=self._gateway,
            manufacturer=MANUFACTURER,
            name=subentry.title,
            serial_number=identifier,
        )
        self._locks[identifier] = Lock(
            device, Share(identifier, Secret(subentry.data[CONF_SHARE_CODE]))
        )

    # --- What the gateway tells

    @callback
    def _poll_soon(self, _: datetime | None = None) -> None:
        """Poll, unless the last poll is still waiting for an answer."""
        if not self._polling:
            self.entry.async_create_background_task(
                self.hass, self._async_poll(), f"Poll {self.entry.title}"
            )

    async def _async_poll(self) -> None:
        """Ask for the locks, and read those at which something has happened."""
        self._polling = True
        try:
            try:
                self._take_lockers(await self.client.lockers())
            except Refusal:
                # Busy, but there.
                self._found()
            except WireError as err:
                self._miss(err)
                return
            now = self.hass.loop.time()
            due = [lock for lock in self._locks.values() if lock.read_at <= now]
            if due or self._status_at <= now:
                await self._async_look_at_status()
            if self._synchronizing_since is None:
                for lock in due:
                    if lock.device.available and not lock.orders and not lock.confirm:
                        await self._async_read(lock)
        finally:
            self._polling = False

    @callback
    def _take_lockers(self, lockers: list[Locker]) -> None:
        """Take over what the gateway knows of its locks."""
        self._found()
        self.lockers = {locker.identifier: locker for locker in lockers}
        for identifier, lock in self._locks.items():
            if (locker := self.lockers.get(identifier)) is None:
                self._miss_lock(lock)
                continue
            device = lock.device
            percent = battery_percent(locker.battery)
            device.publish("battery", percent)
            device.publish("battery_low", None if percent is None else percent <= LOW)
            device.publish("battery_voltage", battery_volts(locker.battery))
            device.publish("signal_strength", locker.rssi)
            if not device.available:
                if lock.missed:
                    # Otherwise it was lost with its gateway, whose return is told.
                    _LOGGER.info("Lock %s is within reach again", identifier)
                device.set_available(True)
                lock.read_at = self.hass.loop.time()
            if locker.last_log != lock.last_log:
                # Any change counts, for it is not known to grow for ever.
                lock.last_log = locker.last_log
                lock.read_at = self.hass.loop.time()
            lock.seen = True
            lock.missed = 0

    @callback
    def _miss_lock(self, lock: Lock) -> None:
        """Count a lock that the gateway has not seen."""
        lock.missed += 1
        # At the start there is no earlier poll in which it was seen.
        if lock.device.available and (lock.missed >= MISSES or not lock.seen):
            _LOGGER.warning(
                "Lock %s is out of its gateway's reach", lock.share.identifier
            )
            self._lose(lock)

    @callback
    def _lose(self, lock: Lock) -> None:
        """Show a lock as out of reach; whatever happens to it meanwhile is not seen."""
        lock.device.set_available(False)
        self._show(lock, None)

    @callback
    def _found(self) -> None:
        """Note that the gateway answers."""
        self._missed = 0
        if not self._gateway.available:
            _LOGGER.info("The gateway at %s answers again", self.entry.data[CONF_HOST])
            self._gateway.set_available(True)
            self._show_connection(True)

    @callback
    def _miss(self, err: Exception) -> None:
        """Count a poll that got no answer."""
        self._missed += 1
        if self._missed < MISSES or not self._gateway.available:
            return
        _LOGGER.warning(
            "The gateway at %s does not answer: %s",
            self.entry.data[CONF_HOST],
            type(err).__name__,
        )
        self._show_connection(False)
        self._gateway.set_available(False)
        for lock in self._locks.values():
            if lock.device.available:
                lock.missed = 0
                self._lose(lock)

    @callback
    def _show_connection(self, connected: bool) -> None:
        """Show whether the gateway answers."""
        self.show_connection(
            self._gateway,
            connected,
            issue="gateway_unreachable",
            placeholders={"host": self.entry.data[CONF_HOST]},
        )

    async def _async_look_at_status(self) -> None:
        """Ask what the gateway is doing."""
        now = self.hass.loop.time()
        self._status_at = now + STATUS_INTERVAL
        if now < self._no_status_until:
            return
        try:
            self._status = await self.client.status()
        except NotSupported:
            self._no_status_until, self._status = now + NO_STATUS_INTERVAL, None
            self._end_synchronizing()
            self._gateway.publish("status", None)
            return
        except (Refusal, WireError) as err:
            _LOGGER.debug("The gateway's status could not be read: %r", err)
            since = self._synchronizing_since
            if since is not None and now - since >= MAX_SYNCHRONIZING:
                # Whoever no longer tells of the end would have no lock read again.
                self._end_synchronizing()
            return
        if self._gateway.entry.sw_version != self._status.version:
            self.update_device(self._gateway, sw_version=self._status.version)
        status = _status_of(self._status.text)
        self._gateway.publish("status", status)
        if status not in (STATUS_SYNCHRONIZING_GATEWAY, STATUS_SYNCHRONIZING_LOCK):
            self._end_synchronizing()
            return
        self._synchronizing_since = self._synchronizing_since or now
        if now - self._synchronizing_since >= MAX_SYNCHRONIZING:
            self._raise("gateway_stuck", self._gateway)

    @callback
    def _end_synchronizing(self) -> None:
        """Read locks again, for the gateway does nothing else."""
        self._synchronizing_since = None
        self.clear_issue("gateway_stuck", self._gateway_uid)

    async def _async_read(self, lock: Lock) -> None:
        """Read where a lock's bolt is; where that fails it is shown as it was."""
        lock.read_at = self.hass.loop.time() + RETRY_INTERVAL
        try:
            status = await self.client.locker_status(lock.share)
        except Refusal as err:
            self._note_refusal(lock, err)
            if err.code in _ISSUES:
                lock.read_at = self.hass.loop.time() + lock.retries.next()
            return
        except WireError as err:
            _LOGGER.debug("Lock %s could not be read: %r", lock.share.identifier, err)
            return
        # The queue lets no list of locks come between the lock's answer and this: what
        # happens after the answer is seen in the next list.
        lock.read_at = self.hass.loop.time() + READ_INTERVAL
        self._note_success(lock)
        if status.version is not None and (
            lock.device.entry.sw_version != status.version
        ):
            self.update_device(lock.device, sw_version=status.version)
        self._show(lock, _BOLTS[status.bolt])

    @callback
    def _show(self, lock: Lock, bolt: BoltState | None) -> None:
        """Show where the bolt is, unless an order is moving it."""
        self._note_bolt(lock, bolt)
        # What was read before it can have arrived is not where it will be.
        if not lock.orders and lock.confirm is None:
            lock.moved_to = None
            self._publish(lock)

    @callback
    def _note_bolt(self, lock: Lock, bolt: BoltState | None) -> None:
        """Note where the bolt is, and who has moved it there."""
        if bolt is not None and bolt is lock.moved_to:
            lock.moved_by = lock.ordered_by
        elif bolt is None or bolt is not lock.bolt:
            # Somebody else has moved it, and the gateway does not say who.
            lock.moved_by = None
        lock.bolt = bolt

    @callback
    def _publish(self, lock: Lock) -> None:
        """Show where the bolt is, or is going, when no order is under way any more."""
        door, by = lock.bolt, lock.moved_by
        if lock.moved_to is not None:
            door, by = _WAYS[lock.moved_to], lock.ordered_by
        lock.device.publish_together({"door": door, CHANGED_BY: by})

    # --- What the gateway is asked to do

    async def async_lock(self, device: Device, actor: Actor = NOBODY) -> None:
        """Lock a door."""
        lock = self._lock_of(device)
        await self._async_move(
            lock, BoltState.LOCKING, self.client.close_bolt(lock.share), actor
        )

    async def async_unlock(self, device: Device, actor: Actor = NOBODY) -> None:
        """Unlock a door."""
        lock = self._lock_of(device)
        await self._async_move(
            lock, BoltState.UNLOCKING, self.client.open(lock.share), actor
        )

    async def async_calibrate(self, device: Device, actor: Actor) -> None:
        """Have a lock find the ends of its way."""
        lock = self._lock_of(device)
        try:
            await self._async_ask(self.client.calibrate(lock.share), lock)
            self._note_bolt(lock, None)
        finally:
            self._confirm_later(lock)

    async def async_synchronize(self, device: Device, actor: Actor) -> None:
        """Have the gateway, or a lock, synchronise with the vendor."""
        if device.kind == GATEWAY:
            await self._async_ask(self.client.synchronize())
            locks = list(self._locks.values())
        else:
            lock = self._lock_of(device)
            await self._async_ask(self.client.locker_synchronize(lock.share.identifier))
            locks = [lock]
        # It is what repairs ask for.
        for lock in locks:
            lock.read_at = self.hass.loop.time()

    async def async_update_firmware(self, device: Device, actor: Actor) -> None:
        """Have the gateway, or a lock, update its firmware."""
        if device.kind == GATEWAY:
            await self._async_ask(self.client.update(), refusals=_UPDATE_REFUSALS)
        else:
            lock = self._lock_of(device)
            await self._async_ask(self.client.locker_update(lock.share.identifier))

    async def _async_move(
        self, lock: Lock, moving: BoltState, order: Awaitable[None], actor: Actor
    ) -> None:
        """Carry out an order, and show the bolt moving until it is seen to be there."""
        self._cancel_confirm(lock)
        lock.orders += 1
        lock.device.publish_together({"door": moving, CHANGED_BY: actor.name})
        try:
            await self._async_ask(order, lock)
            lock.moved_to, lock.ordered_by = _ARRIVALS[moving], actor.name
            self._note_bolt(lock, None)
        except asyncio.CancelledError:
            # The caller has gone; what became of the order is not known.
            lock.moved_to = None
            self._note_bolt(lock, None)
            raise
        finally:
            lock.orders -= 1
            self._confirm_later(lock)
            if not lock.orders:
                self._publish(lock)

    async def _async_ask(
        self,
        request: Awaitable[None],
        lock: Lock | None = None,
        refusals: Mapping[int, str] = _REFUSALS,
    ) -> None:
        """Await a request, and tell the user what went wrong in their own language."""
        code = 0
        try:
            await request
        except Refusal as err:
            if lock is not None:
                self._note_refusal(lock, err)
            code = err.code
            key = refusals.get(code, "refused")
            cause: Exception = err
        except NotConfirmed as err:
            assert lock is not None
            # Where the bolt is not known, it is shown as unknown, not as it was.
            bolt = None if err.bolt is None else _BOLTS[err.bolt]
            self._note_bolt(lock, bolt)
            lock.moved_to = None
            if bolt is None:
                key = "outcome_unknown"
            elif isinstance(err.__cause__, Refusal):
                code = err.__cause__.code
                key = refusals.get(code, "refused")
            else:
                key = "not_confirmed"
            cause = err
        except WireError as err:
            if lock is not None and isinstance(err, _MAYBE_DONE):
                self._note_bolt(lock, None)
            key, cause = _FAILURES.get(type(err), "gateway_unreachable"), err
        else:
            if lock is not None:
                self._note_success(lock)
            return
        device = self._gateway if lock is None else lock.device
        raise HomeAssistantError(
            translation_domain=DOMAIN,
            translation_key=key,
            translation_placeholders={
                "name": device.name,
                "host": self.entry.data[CONF_HOST],
                "code": str(code),
            },
        ) from cause

    @callback
    def _confirm_later(self, lock: Lock) -> None:
        """Read the lock when its bolt must have arrived."""

        @callback
        def confirm(_: datetime) -> None:
            lock.confirm = None
            self.entry.async_create_background_task(
                self.hass, self._async_confirm(lock), f"Read {lock.share.identifier}"
            )

        self._cancel_confirm(lock)
        if self._stopped:
            # An order that was under way has ended after all else.
            return
        lock.confirm = async_call_later(
            self.hass,
            CONFIRM_AFTER,
            HassJob(confirm, cancel_on_shutdown=True),
        )

    async def _async_confirm(self, lock: Lock) -> None:
        """Show where the bolt has arrived; unknown, if that cannot be read."""
        await self._async_read(lock)
        self._show(lock, lock.bolt)

    def _cancel_confirm(self, lock: Lock) -> None:
        if lock.confirm is not None:
            lock.confirm()
            lock.confirm = None

    def _lock_of(self, device: Device) -> Lock:
        return next(lock for lock in self._locks.values() if lock.device is device)

    # --- What only the user can mend

    @callback
    def _note_refusal(self, lock: Lock, err: Refusal) -> None:
        """Ask for the user's help where nothing else will do."""
        if self._stopped:
            return
        _LOGGER.debug("Lock %s: refused with %s", lock.share.identifier, err)
        if err.code == Code.INVALID_HMAC:
            lock.wrong_codes += 1
            if lock.wrong_codes >= WRONG_CODE_TRIES:
                self.entry.async_start_reauth(
                    self.hass, data={CONF_SUBENTRY_ID: lock.device.subentry_id}
                )
            return
        lock.wrong_codes = 0
        if err.code in _ISSUES:
            self._raise(_ISSUES[err.code], lock.device)

    @callback
    def _note_success(self, lock: Lock) -> None:
        """Take back what the user was asked for."""
        lock.wrong_codes = 0
        lock.retries.reset()
        self._clear_issues(lock)
        if not self._stopped:
            self.save_soon(SAVE_DELAY)

    @callback
    def _raise(self, key: str, device: Device) -> None:
        self.raise_issue(
            key,
            device,
            severity=ir.IssueSeverity.ERROR,
            placeholders={"host": self.entry.data[CONF_HOST]},
        )

    @callback
    def _clear_issues(self, lock: Lock) -> None:
        for key in _ISSUES.values():
            self.clear_issue(key, lock.device.uid)


def _status_of(text: str) -> str | None:
    """Return what the gateway is doing; its texts differ in their ends."""
    match text.lower().split():
        case [first, *_] if first.startswith("scanning"):
            return STATUS_SCANNING
        case ["synchronizing", what, *_] if what.rstrip(".").isdecimal():
            return STATUS_SYNCHRONIZING_LOCK
        case [first, *_] if first.startswith("synchronizing"):
            return STATUS_SYNCHRONIZING_GATEWAY
    return None
