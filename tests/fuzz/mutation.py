"""Bad input, made of good: messages as the vendors document them, spoilt.

All chance comes from one `Random`. Hypothesis hands in one of its own, so that it can
make what it finds shorter; the long form hands in one with a seed, which is faster.
"""

from collections.abc import Sequence
import gzip
import json
from random import Random
from typing import Any

from custom_components.gatehouse.wire import MAX_BRACKETS

type Pairs = list[tuple[str, Any]]

_encode = json.JSONEncoder(ensure_ascii=False).encode


class Raw(str):
    """JSON that is written as it is, right or not."""

    __slots__ = ()


class Object:
    """An object whose keys may come twice."""

    def __init__(self, pairs: Pairs) -> None:
        self.pairs = pairs


NUMBERS: Sequence[Any] = (
    *(0, 1, -1, 2, 3, 5, 49, 50, 200, 255, 400, 423, 500, 10001, 20000, 30000, 65535),
    *(2**31 - 1, 2**31, 2**32, 2**53, 2**63 - 1, 2**63, 2**64 - 1, -(2**63)),
    *(0.5, -0.0, 1e18, 1e100, 1e308, -1e308, 5e-324, 36.5),
    *(946_684_799, 946_684_800, 1_700_000_000, 4_102_444_800, 253_402_300_800),
    *(1_700_000_000_000, -62_135_596_801, 1_700_000_000.5),
    Raw("NaN"),
    Raw("Infinity"),
    Raw("-Infinity"),
    Raw("1e400"),
    Raw("1" + "0" * 40),
    Raw("9" * 5000),
    Raw("-0"),
    Raw("01"),
    Raw("0x31"),
)

TEXTS: Sequence[str] = (
    *(
        "",
        " ",
        "\0",
        "\x1b[31m",
        "\r\n",
        "a\nb",
        "\u2028",
        "\u202e",
        "\ufeff",
        "\u200b",
    ),
    *(
        "٣",
        "１２",
        "²",
        "1_0",
        "+1",
        "-1",
        " 1 ",
        "1.5",
        "1e9",
        "0x31",
        "0X" + "f" * 5000,
    ),
    *("nan", "inf", "-inf", "null", "true", "9" * 18, "9" * 19, "9" * 5000),
    *(
        "é",
        "e\u0301",
        "ß",
        "İ",
        "ǆ",
        "日本語",
        "👩\u200d👩\u200d👧",
        "\U0010ffff",
        "ﷺ" * 300,
    ),
    *("\ud800", "\udfff", "a\ud83d"),
    *("/", "..", "../..", "//", "a/b/c", "%00", "%2e%2e", "{x}", "{0}", "%s", "'", '"'),
    *("<script>", "{{ 1 }}", "\\", ";", ":", "=", ",", "1;1", ";1", "1;", "#;3"),
    *("2026-01-02T03:04:05", "0001-01-01T00:00:00", "9999-12-31T23:59:59-23:59"),
    *("2026-01-02 03:04:05.999999999+24:00", "+09:00", "GMT-99:99", "UTC+23:60"),
    "a" * 256,
    "x" * 70_000,
    " " * 3000 + "a\nb",
    "outgoing" + " " * 3000 + ";\n",
    "pw" * 3000,
    "/" + "pwd-" * 3000,
    "://" * 3000,
)

FILLINGS: Sequence[str] = (
    *("a", " ", "9", "\u00a0", "a\u00a0", "\u200b", "1;1", "outgoing ", "0xf"),
    *("://", "/p ", "pass-", "password          ", "pw = "),
)
"""What long texts are made of: each was slow somewhere, or might be."""

ITEMS: Sequence[Any] = (
    *(0, 1e9, "", "ab", [], {}, {"": []}, {"id": 1}, {"hwId": 1}),
    Raw("[" * 29 + "]" * 29),
    Raw('{"a":' * 29 + "0" + "}" * 29),
)
"""What long lists are made of."""

OTHERS: Sequence[Any] = (None, True, False, [], {}, [None], [[]], {"": ""})


class Mutator:
    """Spoils messages."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._multiplied = False
        """Whether a list has been made long; once is enough for one message."""

    def chance(self, one_in: int) -> bool:
        """Tell whether something happens that happens once in so many times."""
        return self._random.randrange(one_in) == 0

    def choice[ItemT](self, items: Sequence[ItemT]) -> ItemT:
        """Return one of several."""
        return items[self._random.randrange(len(items))]

    def number(self, most: int) -> int:
        """Return a whole number from 0 up to, but not including, `most`."""
        return self._random.randrange(most)

    def octets(self, most: int) -> bytes:
        """Return bytes of any kind."""
        return bytes(
            self._random.randrange(256) for _ in range(self._random.randrange(most))
        )

    def text(self, text: str = "") -> str:
        """Return an odd text, or one that is spoilt."""
        match self.number(5):
            case 0 | 1:
                return self.choice(TEXTS)
            case 2:
                place = self.number(len(text) + 1)
                return text[:place] + self.choice(TEXTS) + text[place:]
            case 3:
                return text[: self.number(len(text) + 1)]
        return "".join(
            chr(self._random.choice((self.number(128), self.number(0x3000))))
            for _ in range(self.number(12))
        )

    def deep(self) -> Raw:
        """Return lists and objects within each other."""
        depth = self.choice((3, 31, 32, 33, 255, 900, 1100, 3000))
        begin, end = self.choice((("[", "]"), ('{"a":', "}"), ('[{"1":', "}]")))
        return Raw(begin * depth + "1" + end * depth)

    def odd(self) -> Any:
        """Return a value that nobody expects."""
        match self.number(12):
            case 0 | 1 | 2:
                return self.choice(NUMBERS)
            case 3 | 4 | 5 | 6:
                return self.text()
            case 7 | 8:
                return self.choice(OTHERS)
            case 9:
                return self.deep()
            case 10:
                return [self.number(3)] * self.choice((1, 40, 2000))
        return Object(
            [(self.text(), self.choice(NUMBERS)) for _ in range(self.number(6))]
        )

    def spoil(self, value: Any) -> Any:
        """Return a value that is spoilt in one place, or in several."""
        if self.chance(8) or not isinstance(value, dict | list):
            if isinstance(value, str) and self.chance(2):
                return self.text(value)
            if isinstance(value, int) and not isinstance(value, bool):
                match self.number(4):
                    case 0:
                        return str(value)
                    case 1:
                        return value * self.choice((-1, 1000, 2**40))
                    case 2:
                        return float(value)
            return self.odd()
        if isinstance(value, list):
            if not value:
                return [self.odd()]
            items = list(value)
            place = self.number(len(items))
            items[place] = self.spoil(items[place])
            if self._multiplied:
                return items
            self._multiplied = True
            return items * self.choice((1, 1, 1, 2, 200))
        pairs: Pairs = list(value.items())
        for _ in range(1 + self.number(3)):
            if not pairs:
                break
            place = self.number(len(pairs))
            key, old = pairs[place]
            match self.number(8):
                case 0:
                    del pairs[place]
                case 1:
                    pairs.append((key, self.odd()))
                case 2:
                    pairs[place] = (self.text(key), old)
                case 3:
                    pairs.append((self.text(), self.odd()))
                case _:
                    pairs[place] = (key, self.spoil(old))
        return Object(pairs)

    def fill(self, value: Any, room: int) -> Any:
        """Return a value that takes all the room there is, in one place."""
        if not self.chance(4):
            if value and isinstance(value, dict):
                key = self.choice(list(value))
                return {**value, key: self.fill(value[key], room)}
            if value and isinstance(value, list):
                return [self.fill(value[0], room), *value[1:]]
        match self.number(4):
            case 0:
                text = self.choice(FILLINGS)
                return text * (room // len(text.encode()))
            case 1:
                return {f"{number:x}": 0 for number in range(room // 9)}
        item = self.choice((value, *ITEMS))
        text = written(item)
        brackets = text.count("[") + text.count("{")
        most = MAX_BRACKETS // brackets - 2 if brackets and not self.chance(4) else room
        return [item] * min(most, room // (len(text.encode()) + 1))

    def body(self, messages: Sequence[Any], longest: int = 65_536) -> bytes:
        """Return the bytes of a message, most often spoilt, seldom as long as can be."""
        if self.chance(40):
            return self.octets(64)
        message = self.choice(messages)
        if isinstance(message, bytes):
            return self.bytes(message)
        if self.chance(200):
            room = longest - len(written(message).encode()) - 20
            return written(self.fill(message, room)).encode()
        if not self.chance(10):
            message = self.spoil(message)
        text = written(message)
        match self.number(40):
            case 0:
                return text.encode("utf-16", "surrogatepass")
            case 1:
                return b"\xef\xbb\xbf" + text.encode(errors="surrogatepass")
            case 2:
                return text.encode("latin-1", "replace")
            case 3:
                return text.encode("shift_jis", "replace")
            case 4:
                return gzip.compress(text.encode(errors="surrogatepass"), 1)
            case 5:
                return text.encode(errors="surrogatepass") * 2
            case 6 | 7:
                return self.bytes(text.encode(errors="surrogatepass"))
        return text.encode(errors="surrogatepass")

    def bytes(self, given: bytes) -> bytes:
        """Return bytes with some changed, missing, or put in."""
        spoilt = bytearray(given)
        for _ in range(1 + self.number(4)):
            place = self.number(len(spoilt) + 1)
            match self.number(5):
                case 0:
                    del spoilt[place:]
                case 1:
                    spoilt[place:place] = self.octets(9)
                case 2:
                    del spoilt[place : place + 1 + self.number(9)]
                case _ if place < len(spoilt):
                    spoilt[place] = self.choice((0, 255, 127, 128, self.number(256)))
        return bytes(spoilt)


def written(value: Any) -> str:
    """Return JSON, right or not."""
    match value:
        case Raw():
            return str(value)
        case Object(pairs=pairs):
            pass
        case dict():
            pairs = list(value.items())
        case list() | tuple():
            # One that was made long has the same items many times.
            texts = {
                key: written(item)
                for key, item in {id(item): item for item in value}.items()
            }
            return "[" + ",".join(texts[id(item)] for item in value) + "]"
        case _:
            return _encode(value)
    return "{" + ",".join(f"{_encode(key)}:{written(one)}" for key, one in pairs) + "}"
