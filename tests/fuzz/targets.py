"""What is fed with bad input, and what must hold whatever comes."""

from base64 import b64encode
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, fields, is_dataclass
from datetime import UTC, datetime
from functools import lru_cache
import io
import json
from typing import Any, override

from PIL import Image
from yarl import URL

from custom_components.gatehouse import drawing
from custom_components.gatehouse.flow import FormError, base_url
from custom_components.gatehouse.inbound import MAX_BODY
from custom_components.gatehouse.vendors.innovaphone import protocol as innovaphone
from custom_components.gatehouse.vendors.innovaphone.actions import MAX_PATH
from custom_components.gatehouse.vendors.innovaphone.client import MAX_MESSAGE
from custom_components.gatehouse.vendors.ipac import protocol as ipac
from custom_components.gatehouse.vendors.senselink import protocol as senselink
from custom_components.gatehouse.vendors.senselink.client import MAX_FRAME
from custom_components.gatehouse.vendors.senselink.flow import _clean_web_url
from custom_components.gatehouse.vendors.tellicon import protocol as tellicon
from custom_components.gatehouse.vendors.the_keys import (
    account as the_keys_account,
    protocol as the_keys,
)
from custom_components.gatehouse.wire import (
    MAX_TEXT,
    Secret,
    UnexpectedReply,
    WireError,
    parse_json,
)
from homeassistant.exceptions import HomeAssistantError
from simulators.digest import parse_digest

from ..vendors.senselink import manual
from ..vendors.tellicon import test_protocol as tellicon_manual
from .length import BLOCKED
from .mutation import Mutator

SIZE = (356, 256)

IN_EXECUTOR = 5.0
"""Seconds where other threads do the work."""


type Make = Callable[[Mutator], Any]
type Checks = Sequence[Callable[[], None]]


@dataclass(frozen=True, kw_only=True)
class Target:
    """Something that is fed."""

    make: Make
    """Returns an input."""
    feed: Callable[[Any], Checks]
    """Raises nothing but what is documented, and that it swallows; returns what must
    hold of what it understood, which does not count for its time."""
    longest: int = MAX_BODY
    """Bytes of an input; more does not reach what is fed."""
    slowest: float = BLOCKED
    examples: int = 200
    """Inputs of the short form."""


# --- What must hold of a message that was understood


def sound(message: Any, given: Any, *, longest: int = MAX_TEXT) -> Callable[[], None]:
    """Return what checks that all of a message can be shown, and was in the input."""
    return lambda: _check(message, given, longest)


def _check(message: Any, given: Any, longest: int) -> None:
    # Most come many times, and to look at each takes its time.
    scalars = {(type(scalar), scalar) for scalar in _scalars(given)}
    told = {_plain(scalar) for _, scalar in scalars}
    for value in _parts(message):
        match value:
            case str():
                assert len(value) <= longest, f"{len(value)} characters"
                assert value.isprintable(), "a control character"
                assert not value or any(_plain(value) in one for one in told), value
            case bool() | None:
                pass
            case int():
                assert abs(value) <= 2**64, "a number beyond all measure"
            case float():
                assert abs(value) < 2**64, "a number beyond all measure"
            case datetime():
                known = value if value.tzinfo else value.replace(tzinfo=UTC)
                assert 1999 < known.year < 2101, "an absurd time"


def _plain(scalar: object) -> str:
    """Return a value as it is compared: spaces and control characters do not count."""
    if isinstance(scalar, float) and scalar.is_integer():
        scalar = int(scalar)
    if isinstance(scalar, int) and abs(scalar) > 2**64:
        return ""
    return "".join(
        sign
        for sign in str(scalar).upper().lower()
        if sign.isprintable() and sign != " "
    )


def _scalars(value: Any) -> Iterable[Any]:
    """Yield all texts and numbers of parsed JSON, in any of the forms they can take."""
    match value:
        case dict():
            for key, one in value.items():
                yield key
                yield from _scalars(one)
        case list():
            for one in value:
                yield from _scalars(one)
        case str():
            yield value
            if value[:2].lower() == "0x":
                with suppress(ValueError):
                    yield int(value, 16)
            elif value.isascii() and len(value) < 100:
                with suppress(ValueError):
                    yield int(value)
        case _:
            yield value


def _parts(value: Any) -> Iterable[Any]:
    """Yield all that a message is made of; what is secret is not shown anywhere."""
    match value:
        case Secret():
            pass
        case Mapping():
            # Its keys are our own names.
            for one in value.values():
                yield from _parts(one)
        case tuple() | list() | set() | frozenset():
            assert len(value) <= 10_000, f"{len(value)} items"
            for one in value:
                yield from _parts(one)
        case _ if is_dataclass(value):
            for field in fields(value):
                yield from _parts(getattr(value, field.name))
        case _:
            yield value


def _json(body: bytes) -> Any:
    try:
        return parse_json(body)
    except UnexpectedReply:
        return None


# --- Tellicon

TELLICON = [
    json.loads(getattr(tellicon_manual, name))
    for name in ("PUSH_A", "PUSH_B", "ANSWER_B", "DTMF_B", "PUSH_C", "PUSH_D")
] + [json.loads(tellicon_manual.ANSWER_D), json.loads(tellicon_manual.DTMF_D)]


def feed_tellicon(body: bytes) -> Checks:
    given = _json(body)
    try:
        event = tellicon.parse_event(given)
    except tellicon.MalformedEventError:
        return ()
    hash(event)
    # "0" stands for no building.
    return [sound(event, [given, "0"], longest=64)]


# --- IPAC

_INI = "W0Zpcm13YXJlXQpWZXJzaW9uPVYxLjcyCg=="
IPAC: Sequence[Any] = [
    {"token": "t", "time": "1700000000", "objectid": "station-1"},
    {"token": "t", "time": 1700000000, "objectid": 77, "conf_1": _INI, "conf_2": "ü"},
    *(
        {
            "token": "t",
            "objectid": "1",
            "time": "1700000000",
            "code": code,
            "value": value,
        }
        for code, value in (
            ("01", "outgoing ;sip:1000@192.0.2.1"),
            ("01", "incoming:sip:1000"),
            ("FA", "outgoing"),
            ("RL", "1111;1"),
            ("RL", {"1": 200, "2": 403}),
            ("CL", "4711#"),
            ("OE", "watchdog"),
            ("ST", "rtsp"),
            ("ZZ", [[1]]),
        )
    ),
    {"token": "t", "code": "RL", "task_id": "3", "value": "1111;1", "time": 1},
    b'{"token":"t","code":"RL","task_id":3,"value":{1 :200, 2 :403},"time":5}',
]


_SETTINGS = (
    "[Firmware]\nVersion=V1.72\nBuild : 3\n[Product]\nCode=300.1234\n",
    "[A]\n; [B]\nx\n[ ]\n=y\n[Firmware\n",
)


def make_settings(mutator: Mutator) -> bytes:
    text = mutator.text(mutator.text(mutator.choice(_SETTINGS)))
    encoded = b64encode(text.encode(errors="replace"))
    return b'{"token":"t","conf_1":"%s"}' % encoded[: MAX_BODY - 100]


def feed_ipac(body: bytes) -> Checks:
    checks: list[Callable[[], None]] = []
    try:
        given = ipac.parse_body(body)
    except ipac.MalformedMessageError:
        return checks
    for parse in (ipac.parse_notify, ipac.parse_settings, ipac.parse_event):
        try:
            message = parse(given)
        except ipac.MalformedMessageError:
            continue
        kept = {
            name: getattr(message, name)
            for name in (field.name for field in fields(message))
            # The token is compared and forgotten; the fingerprint is our own.
            if name not in ("token", "fingerprint", "firmware", "product")
        }
        if kept.get("code") in tuple(ipac.EventCode):
            del kept["code"]
        # A relay that has fired by a task is granted.
        checks.append(sound(kept, [given, *(1, 2, 3)]))
        if isinstance(message, ipac.Settings):
            for text in (message.firmware, message.product):
                assert text is None or (len(text) <= 32 and text.isascii())
    return checks


# --- SenseLink

SENSELINK: list[Any] = [
    json.loads(text)
    for name, text in vars(manual).items()
    if name.isupper() and isinstance(text, str) and _json(text.encode()) is not None
]
SENSELINK += [
    {
        "code": 30100,
        "data": {
            "id": 9,
            "deviceSn": "SPSP-1",
            "deviceName": "Entrance",
            "deviceLocation": "Hall",
            "code": 10002,
            "status": 1,
            "level": 1,
            "description": "Door forced open",
            "traceId": "abc",
            "alarmTime": "2026-01-02 03:04:05",
            "releaseTime": 1700000000000,
            "alarmPhoto": "5d901af663cdaf0001252bba",
        },
    },
    {
        "code": 30000,
        "data": {
            "id": "12",
            "userId": "7",
            "userName": "Ada",
            "userType": 1,
            "groupName": "Staff",
            "deviceSN": "SPSP-1",
            "signTime": 1700000000000,
            "signTimeZone": "GMT+09:00",
            "verifyScore": "0.93",
            "bodyTemperature": "36.6",
            "mask": 2,
            "direction": 1,
            "abnormalType": 40001,
        },
    },
]
EVENTS = [
    {"eventType": str(frame["code"]), "messageId": "m1", "data": frame.get("data")}
    for frame in SENSELINK
]


def feed_senselink(body: bytes) -> Checks:
    checks: list[Callable[[], None]] = []
    given = _json(body)
    for parse in (senselink.parse_frame, senselink.parse_event):
        try:
            message: Any = parse(given)
        except senselink.MalformedFrameError:
            continue
        if isinstance(message, senselink.Event):
            assert message.id is None or len(message.id) <= 64
            message = message.content
        if isinstance(message, tuple):
            told = message._asdict()
            # They are read, not taken over.
            for name in ("zone", "temperature", "score"):
                value = told.pop(name, None)
                assert not isinstance(value, float) or 0 <= value <= 100
            if isinstance(message, senselink.AlertRecord):
                assert message.key is None or len(message.key) <= 64
            checks.append(sound(told, [given, 0]))
    return checks


def make_photo(mutator: Mutator) -> bytes:
    return mutator.bytes(mutator.choice(pictures()))


def feed_photo(content: bytes) -> Checks:
    assert senselink.picture_type(content) in (
        None,
        "image/jpeg",
        "image/png",
        "image/bmp",
        "image/webp",
    )
    return ()


# --- innovaphone

_DEVICE = {
    "id": 1,
    "hwId": "0090334100be",
    "name": "Reception",
    "domainId": 2,
    "product": "IP811",
    "version": "13r1 dvl",
    "type": "GW",
    "pbxActive": True,
    "online": True,
    "ethIfs": [{"if": "ETH0", "ipv4": "192.0.2.1", "ipv6": "2001:db8::1"}],
}
_DOMAIN = {
    "id": 1,
    "name": "example.com",
    "hasRentalProducts": True,
    "categories": [{"id": 1, "domainId": 1, "name": "Test", "config": False}],
}
INNOVAPHONE: list[Any] = [
    {"mt": "AppChallengeResult", "challenge": "1234"},
    {"mt": "GetUserInfoResult", "key": "abc", "admin": True},
    {"mt": "GetDevicesResult", "devices": [_DEVICE, _DEVICE], "last": True},
    {"mt": "GetDomainsResult", "domains": [_DOMAIN], "last": True},
    {"mt": "GetProvisioningCategoriesResult", "categories": [{"id": 1, "name": "x"}]},
    {"mt": "GetProvisioningCodeResult", "code": "123", "validUntil": 1700000000},
    {"mt": "GetProvisionedDeviceResult", "code": "123", "device": [_DEVICE]},
    {
        "mt": "GetDeviceConfigResult",
        "config": {
            "id": 1,
            "desc": "x",
            "type": "SCRIPT",
            "categories": [{"id": 1}],
            "script": "config change X /user a,b /pwd c\nhttp://a:b@c pw: d",
            "list": [{"a": [{"b": {"passwd": 1}}]}],
        },
    },
    {"mt": "GetDeviceConfigsResult", "configs": [{"id": 1}]},
    {"mt": "GetDeviceConfigValueResult", "name": "script", "value": "x"},
    {"mt": "Error", "error": "no"},
    *({"mt": mt, "device": _DEVICE} for mt in ("DeviceAdded", "DeviceUpdate")),
    {"mt": "DeviceRemoved", "device": {"id": 1}},
    {"mt": "DeviceProvisioned", "device": [_DEVICE], "code": "123"},
    {"mt": "DomainAdded", "domain": _DOMAIN},
    {"mt": "DomainDeleted", "id": 1},
    {"mt": "DeviceConfigEdited"},
]


def feed_innovaphone(body: bytes) -> Checks:
    checks: list[Callable[[], None]] = []
    given = _json(body)
    try:
        innovaphone.message_type(given)
    except innovaphone.MalformedMessageError:
        return checks
    if (refusal := innovaphone.refusal_of(given)) is not None:
        checks.append(sound(refusal.reason, [given, "?"]))
    parsers: Sequence[Callable[[Any], Any]] = (
        innovaphone.parse_indication,
        innovaphone.parse_user_info,
        innovaphone.parse_devices,
        innovaphone.parse_categories,
        innovaphone.parse_domains,
        innovaphone.parse_provisioned,
    )
    for parse in parsers:
        try:
            checks.append(sound(parse(given), given))
        except innovaphone.MalformedMessageError:
            continue
    # What these read goes no further than into the answer of an action.
    answers: Sequence[Callable[[Any], Any]] = (
        innovaphone.parse_challenge,
        innovaphone.parse_provisioning_code,
        innovaphone.parse_config_value,
    )
    for parse in answers:
        try:
            parse(given)
        except innovaphone.MalformedMessageError:
            continue
    return checks


def feed_configs(body: bytes) -> Checks:
    given = _json(body)
    if isinstance(given, dict):
        innovaphone.parse_configs(given)
        with suppress(innovaphone.MalformedMessageError):
            innovaphone.parse_config(given.get("config"))
    return ()


# --- The Keys

THE_KEYS = [
    {
        "status": "ok",
        "code": 0,
        "devices": [
            {"identifier": 10000001, "rssi": -62, "battery": 7783, "last_log": 5},
            {"identifier": "10000002", "rssi": "-80", "battery": "7235"},
        ],
    },
    {"version": 81, "current_status": "Scanning"},
    {"status": "ok", "code": 0x31, "version": 5, "battery": 7000},
    {"status": "0x31", "code": "ok"},
    {"status": "ko", "code": 33, "cause": "hmac"},
    {"status": "0", "code": "ok"},
    {"message": "busy"},
]


def feed_the_keys(body: bytes) -> Checks:
    checks: list[Callable[[], None]] = []
    given = _json(body)
    parsers: Sequence[Callable[[Any], Any]] = (
        the_keys.parse_lockers,
        the_keys.parse_status,
        the_keys.parse_locker_status,
        the_keys.check,
    )
    for parse in parsers:
        try:
            message = parse(given)
        except the_keys.Refusal as refusal:
            checks.append(sound(refusal.code, [given, *the_keys.Code]))
        except the_keys.MalformedReplyError:
            pass
        else:
            checks.append(sound(message, given))
            for locker in message if isinstance(message, list) else ():
                the_keys.battery_percent(locker.battery)
                the_keys.battery_volts(locker.battery)
    return checks


ACCOUNT = [
    {"access_token": "abc"},
    {
        "data": {
            "serrures": [
                {
                    "id": 1,
                    "id_serrure": 10000001,
                    "nom": "Front door",
                    "accessoires": [
                        {"accessoire": {"id": 2, "id_accessoire": "AB12", "type": 1}}
                    ],
                }
            ],
            "info": {"ip": "192.0.2.1"},
            "partages_accessoire": [
                {
                    "nom": "Home Assistant",
                    "actif": True,
                    "accessoire": {"id_accessoire": "AB12"},
                    "code": "Invented",
                }
            ],
            "code": "Invented",
        }
    },
]


class _Account(the_keys_account.AccountClient):
    """An account whose server always answers the same."""

    def __init__(self, reply: Any) -> None:
        self.reply = reply

    @override
    async def _request(self, *_: Any) -> dict[str, Any]:
        if not isinstance(self.reply, dict):
            raise UnexpectedReply("not an object")
        return self.reply


def _run[ResultT](coroutine: Coroutine[Any, Any, ResultT]) -> ResultT | None:
    """Return the result of what has nothing to wait for; None if it was refused."""
    try:
        coroutine.send(None)
    except StopIteration as done:
        return done.value
    except WireError:
        return None
    raise AssertionError("it waits")


def feed_account(body: bytes) -> Checks:
    checks: list[Callable[[], None]] = []
    given = _json(body)
    client = _Account(given)
    _run(client.login("+33600000000", Secret("invented")))
    gateway = the_keys_account.AccountGateway(id=2, accessory_id="AB12")
    locks = _run(client.locks("+33600000000")) or []
    checks.append(sound(locks, given))
    for lock in locks:
        for one in (lock.identifier, *(one.accessory_id for one in lock.gateways)):
            assert "/" not in one
            assert one not in (".", "..", "")
    _run(client.address(gateway))
    lock = the_keys_account.AccountLock(
        id=1, identifier="10000001", name="x", gateways=(gateway,)
    )
    if (code := _run(client.share_code(lock, gateway))) is not None:
        the_keys.sign(code.reveal(), 1)
    return checks


# --- What answers our requests

REPLIES = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\nok",
    b"HTTP/1.1 423 Locked\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n",
    (
        b'HTTP/1.1 401 No\r\nWWW-Authenticate: Digest realm="IPAC", nonce="abc", qop="auth"\r\n'
        b"Content-Length: 0\r\n\r\n"
    ),
)


def make_reply(mutator: Mutator) -> bytes:
    """Return the bytes of an answer that is odd somewhere."""
    reply = mutator.choice(REPLIES)
    if mutator.chance(2):
        return mutator.bytes(reply)
    place = mutator.choice((b"OK", b"text/plain", b"auth", b"MD5", b"abc", b"IPAC"))
    return reply.replace(place, mutator.text().encode(errors="replace"))


# --- Hosts, addresses and paths

HOSTS = (
    *(
        "192.0.2.1",
        "192.0.2.1:8080",
        "[2001:db8::1]:80",
        "2001:db8::1",
        "thekeys.local",
    ),
    *(
        "https://pbx.example.com/example.com/devices/innovaphone-devices-api",
        "http://a",
    ),
    *("ws://a/b/c/", "!ireset", "PHONE/ADMIN/mod_cmd.xml?cmd=x", "fe80::1%eth0"),
)


def make_host(mutator: Mutator) -> str:
    text = mutator.choice(HOSTS)
    for _ in range(1 + mutator.number(2)):
        text = mutator.text(text)
    # A form of Home Assistant's holds no more.
    return text[:5000]


def feed_host(text: str) -> Checks:
    with suppress(FormError):
        url = base_url(text)
        assert url.host
        assert url.path == "/"
        assert url.query_string == ""
        assert url.user is None
    with suppress(FormError):
        assert _clean_web_url(text).startswith(("http://", "https://"))
    with suppress(ValueError):
        assert innovaphone.service_url(text).scheme in ("http", "https")
    with suppress(ValueError):
        path = innovaphone.passthrough_path(text[:MAX_PATH])
        url = URL(f"http://example.com/a/b/{path}", encoded=True)
        assert url.host == "example.com"
        assert str(url).startswith("http://example.com/a/b/")
        assert not {".", ".."} & set(url.parts)
    return ()


# --- Pictures, texts, logins


@lru_cache
def pictures() -> Sequence[bytes]:
    """Return small pictures of all kinds."""
    found = []
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010E] = "x" * 20
    for mode, size in (
        ("RGB", (23, 7)),
        ("P", (1, 300)),
        ("RGBA", (300, 1)),
        ("L", (4, 4)),
    ):
        canvas = Image.new(mode, size, 5)
        for kind in (*drawing.FORMATS, "PPM", "TGA", "PCX", "EPS", "ICO", "JPEG2000"):
            file = io.BytesIO()
            try:
                canvas.save(file, kind, exif=exif)
            except OSError, ValueError, KeyError, SystemError, TypeError:
                continue
            found.append(file.getvalue())
    frames = io.BytesIO()
    first = Image.new("P", (20, 20))
    first.save(frames, "GIF", save_all=True, append_images=[first] * 3)
    return (*found, frames.getvalue())


def feed_picture(content: bytes) -> Checks:
    with suppress(HomeAssistantError):
        assert drawing.fit_picture(content, SIZE).startswith(b"\x89PNG")
    return ()


def make_text(mutator: Mutator) -> str:
    return "".join(mutator.text() for _ in range(mutator.number(4)))


def feed_text(text: str) -> Checks:
    assert drawing.draw_text(text, text[:9] or None, SIZE).startswith(b"\x89PNG")
    return ()


_DIGEST = (
    'Digest username="admin", realm="IPAC", nonce="abc", uri="/api/voip/", qop=auth,'
    ' nc=00000001, cnonce="0a4f113b", response="6629fae49393a05397450978507c4ef1"'
)


def make_digest(mutator: Mutator) -> str:
    text = mutator.text(mutator.text(_DIGEST))
    return mutator.choice(("", "Digest ")) + text[:8190]


def feed_digest(header: str) -> Checks:
    parse_digest(header)
    return ()


def make_json(mutator: Mutator) -> bytes:
    return mutator.body([*TELLICON, *IPAC, *SENSELINK, *INNOVAPHONE])


def feed_json(body: bytes) -> Checks:
    _json(body)
    return ()


def _body(messages: Sequence[Any], longest: int = MAX_BODY) -> Make:
    return lambda mutator: mutator.body(messages, longest)


TARGETS: Mapping[str, Target] = {
    "wire": Target(make=make_json, feed=feed_json),
    "tellicon": Target(make=_body(TELLICON), feed=feed_tellicon),
    "ipac": Target(make=_body(IPAC), feed=feed_ipac),
    "settings": Target(make=make_settings, feed=feed_ipac),
    "senselink": Target(
        make=_body([*SENSELINK, *EVENTS], MAX_FRAME),
        feed=feed_senselink,
        longest=MAX_FRAME,
    ),
    "photo": Target(make=make_photo, feed=feed_photo, examples=50),
    "innovaphone": Target(
        make=_body(INNOVAPHONE, MAX_MESSAGE),
        feed=feed_innovaphone,
        longest=MAX_MESSAGE,
    ),
    "configs": Target(
        make=_body(
            [one for one in INNOVAPHONE if "config" in str(one.get("mt")).lower()],
            MAX_MESSAGE,
        ),
        feed=feed_configs,
        longest=MAX_MESSAGE,
        slowest=IN_EXECUTOR,
    ),
    "the_keys": Target(make=_body(THE_KEYS), feed=feed_the_keys),
    "account": Target(
        make=_body(ACCOUNT, the_keys_account._MAX_REPLY),
        feed=feed_account,
        longest=the_keys_account._MAX_REPLY,
    ),
    "host": Target(make=make_host, feed=feed_host),
    "digest": Target(make=make_digest, feed=feed_digest, examples=100),
    "picture": Target(
        make=make_photo, feed=feed_picture, slowest=IN_EXECUTOR, examples=100
    ),
    "text": Target(make=make_text, feed=feed_text, slowest=IN_EXECUTOR, examples=20),
}
