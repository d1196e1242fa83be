"""The local HTTP API of a The Keys gateway: what is sent, and how replies read.

Sources: the vendor's page "Contrôler la serrure avec la gateway" (its replies are the
*documented* dialect) and what the vendor's and others' clients have seen on real
gateways (the *field* dialect). Both are understood; numbers may come as text.
"""

from base64 import b64encode
from enum import IntEnum
import hmac
from typing import Any, NamedTuple

from ...wire import printable

PATH_LOCKERS = "/lockers"
PATH_STATUS = "/status"
PATH_SYNCHRONIZE = "/synchronize"
PATH_UPDATE = "/update"
PATH_LOCKER_SYNCHRONIZE = "/locker/synchronize"
PATH_LOCKER_UPDATE = "/locker/update"
PATH_LOCKER_STATUS = "/locker_status"
PATH_OPEN = "/open"
PATH_CLOSE = "/close"
PATH_CALIBRATE = "/calibrate"


_MAX_DIGITS = 19
"""Characters of a number that comes as text; more could not be written as JSON again."""


class Code(IntEnum):
    """Codes with which a gateway refuses; those up to 4 mean other things on updates."""

    NOT_SEEN = 1
    NOT_COMPATIBLE_SYNC = 2
    INVALID_SYNC_DATA = 3
    SYNC_FAILED = 4
    BLUETOOTH_FAILED = 5
    NOT_SHARED = 0x20
    INVALID_HMAC = 0x21
    NOT_DETECTED = 0x22
    NOT_COMPATIBLE = 0x23
    KEY_REFUSED = 0x24
    LOCK_FAILED = 0x25
    """Anything else, a connection lost on the way included: the bolt may have moved."""
    CLOCK_INVALID = 0x26
    """The gateway's own clock is wrong; its synchronisation sets it."""
    BAD_REQUEST = 400
    """A parameter is missing; in the field also: an action has already started."""
    BUSY = 500


class Bolt(IntEnum):
    """Codes of `/locker_status`. The "door" of the vendor's texts is the bolt."""

    UNKNOWN = 0x30
    CLOSED = 0x31
    OPEN = 0x32


class Refusal(Exception):
    """The gateway answered that it has not done what was asked."""

    def __init__(self, code: int) -> None:
        """Keep the code; the cause's text may be in any language."""
        super().__init__(f"code {code}")
        self.code = code


class MalformedReplyError(ValueError):
    """A reply that is in neither dialect."""


class Locker(NamedTuple):
    """A lock as the gateway sees it over Bluetooth."""

    identifier: str
    rssi: int | None
    """dBm between gateway and lock."""
    battery: int | None
    """Millivolts."""
    last_log: int | None
    """Changes when something has happened at the lock."""


class GatewayStatus(NamedTuple):
    """What a gateway is doing."""

    version: str | None
    text: str


class LockerStatus(NamedTuple):
    """What a lock says of itself."""

    bolt: Bolt
    version: str | None
    battery: int | None
    """Millivolts."""


def sign(code: str, timestamp: int) -> str:
    """Return the hash that proves the share code: Base64 of an HMAC-SHA256 of the time.

    Args:
        code: the share code, ASCII, case-sensitive.
        timestamp: Unix seconds.

    """
    digest = hmac.digest(code.encode("ascii"), b"%d" % timestamp, "sha256")
    return b64encode(digest).decode()


def parse_lockers(reply: Any) -> list[Locker]:
    """Read a reply to `/lockers`.

    Raises:
        Refusal: the gateway refuses.
        MalformedReplyError: it is no such reply.

    """
    check(reply)
    devices = reply.get("devices")
    if not isinstance(devices, list):
        raise MalformedReplyError("no list of devices")
    lockers = []
    for device in devices:
        if not isinstance(device, dict):
            raise MalformedReplyError("a device is not an object")
        identifier = _number(device.get("identifier"))
        if identifier is None:
            raise MalformedReplyError("a device has no identifier")
        lockers.append(
            Locker(
                identifier=str(identifier),
                rssi=_number(device.get("rssi")),
                battery=_number(device.get("battery")),
                last_log=_number(device.get("last_log")),
            )
        )
    return lockers


def parse_status(reply: Any) -> GatewayStatus:
    """Read a reply to `/status`, which alone has no result of its own.

    Raises:
        Refusal: the gateway refuses.
        MalformedReplyError: it is no such reply.

    """
    if not isinstance(reply, dict):
        raise MalformedReplyError("not an object")
    text = reply.get("current_status")
    if not isinstance(text, str):
        check(reply)
        raise MalformedReplyError("no current_status")
    version = _number(reply.get("version"))
    return GatewayStatus(
        version=None if version is None else str(version), text=printable(text) or ""
    )


def parse_locker_status(reply: Any) -> LockerStatus:
    """Read a reply to `/locker_status`.

    The code counts, never the English text beside it.

    Raises:
        Refusal: the gateway refuses.
        MalformedReplyError: it is no such reply.

    """
    if not isinstance(reply, dict):
        raise MalformedReplyError("not an object")
    for field in ("code", "status"):
        value = _number(reply.get(field))
        if value in tuple(Bolt):
            version = _number(reply.get("version"))
            return LockerStatus(
                bolt=Bolt(value),
                version=None if version is None else str(version),
                battery=_number(reply.get("battery")),
            )
    check(reply)
    raise MalformedReplyError("no state of the bolt")


def check(reply: Any) -> None:
    """Accept a reply that says that all is done.

    Success is `"status":"ok","code":0` in the field and `"status":"0","code":"ok"` in
    the document; failure is `"status":"ko"` with the code, or the code as status.

    Raises:
        Refusal: the gateway refuses.
        MalformedReplyError: the reply says neither.

    """
    if not isinstance(reply, dict):
        raise MalformedReplyError("not an object")
    status, code = reply.get("status"), reply.get("code")
    number = _number(status)
    if status == "ko":
        if (failure := _number(code)) is None:
            raise MalformedReplyError("a failure without a code")
        raise Refusal(failure)
    if reply.get("message") == "busy":
        raise Refusal(Code.BUSY)
    if number:
        raise Refusal(number)
    if status != "ok" and number != 0 and code != "ok" and _number(code) != 0:
        raise MalformedReplyError("neither done nor refused")


def battery_volts(millivolts: int | None) -> float | None:
    """Return volts, or None for what no pack of batteries can have."""
    if millivolts is None or not 2500 <= millivolts <= 9000:
        return None
    return millivolts / 1000


def battery_percent(millivolts: int | None) -> int | None:
    """Return how full the batteries are.

    There are two generations: locks with packs of 7 to 8 V, whose curve fits five points
    compared with the vendor's app, and earlier ones with a single cell, whose curve is
    that of a vendor's client of 2018.
    """
    if battery_volts(millivolts) is None:
        return None
    assert millivolts is not None
    percent = (millivolts - 6400) / 18 if millivolts > 5000 else (millivolts - 3100) / 9
    return round(min(max(percent, 0), 100))


def _number(value: Any) -> int | None:
    """Return a whole number that may come as text, also as `0x31`; None for all else."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, str) and len(value) <= _MAX_DIGITS and value.isascii():
        try:
            return int(value, 16 if value.lower().startswith("0x") else 10)
        except ValueError:
            return None
    return None
