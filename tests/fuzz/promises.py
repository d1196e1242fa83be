"""What must hold of Home Assistant, whatever has come."""

import ast
from asyncio import Handle
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cache
import gc
import json
import logging
from pathlib import Path
import re
import time
from typing import Any
import zlib

from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.web import RequestPayloadError
import pytest

from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util

PACKAGE = Path(__file__).parents[2] / "custom_components" / "gatehouse"

type Shown = Mapping[str, tuple[str, Mapping[str, Any]]]
"""State and attributes of all entities."""


def faults(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return what should not be in the log.

    The web server itself logs that something is no HTTP, before anybody is asked, and at
    any address that a body is broken which nobody wanted to read.
    """
    return [
        f"{record.name}: {record.getMessage()} {record.exc_text or ''}"
        for record in caplog.records
        # asyncio tells of senders who have left, when it is debugged.
        if record.levelno >= (logging.INFO if record.exc_info else logging.ERROR)
        and not (
            record.name == "aiohttp.server"
            and record.exc_info
            and isinstance(
                record.exc_info[1], HttpProcessingError | RequestPayloadError
            )
        )
    ]


def oddities(hass: HomeAssistant) -> list[str]:
    """Return what nobody could read of what the state machine shows."""
    return [
        f"{state.entity_id} {name}: {value[:100]!r}"
        for state in hass.states.async_all()
        for name, value in (("state", state.state), *state.attributes.items())
        if isinstance(value, str)
        and (len(value) > (255 if name == "state" else 600) or not value.isprintable())
    ]


def shown(hass: HomeAssistant) -> Shown:
    """Return all that the state machine shows."""
    return {
        state.entity_id: (state.state, dict(state.attributes))
        for state in hass.states.async_all()
    }


class Turns:
    """How long others have to wait for their turn in the event loop.

    Counted is the time that the loop itself works, without Python's garbage collector,
    which looks at everything there is.
    """

    def __init__(self) -> None:
        """Begin with nothing seen."""
        self.longest = 0.0
        self._looks = 0
        self._collecting_since = 0.0
        self._collected = 0.0

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Look at all that the loop does meanwhile."""
        run = Handle._run
        self._looks += 1

        def run_watched(handle: Handle) -> None:
            look = self._looks
            begin = time.thread_time() - self._collected
            run(handle)
            took = time.thread_time() - self._collected - begin
            # In one turn a test may end one look and begin the next.
            if look == self._looks:
                self.longest = max(self.longest, took)

        gc.callbacks.append(self._on_collection)
        Handle._run = run_watched
        try:
            yield
        finally:
            Handle._run = run
            gc.callbacks.remove(self._on_collection)

    def _on_collection(self, phase: str, _: Mapping[str, int]) -> None:
        if phase == "start":
            self._collecting_since = time.thread_time()
        else:
            self._collected += time.thread_time() - self._collecting_since


class Given:
    """What has come from outside so far."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._words: set[str] = set()

    def invented(self, before: Shown, after: Shown, *given: bytes) -> list[str]:
        """Return what is shown now, and was neither given nor is our own word.

        Args:
            before: what was shown before.
            after: what is shown now.
            given: what has come in between.

        """
        texts = [_folded(text) for one in given for text in _told(one)]
        self._words.update(word for text in texts for word in _words(text))
        known = "\0".join(texts)
        shown_before = _values(before)
        return [
            f"{word!r} in {value!r:.300}"
            for value in _values(after) - shown_before
            if not _is_time(value) and not _rounded(value, known)
            for word in _words(value)
            # Texts that are too long are cut off, also in the middle of a word.
            if word not in self._words
            and word not in _own_words()
            and word not in known
            and not any(word in one.casefold() for one in shown_before)
        ]


def _values(shown: Shown) -> set[str]:
    """Return all texts that are shown; numbers may be measured, such as durations."""
    return {
        value
        for state, attributes in shown.values()
        for one in (state, *attributes.values())
        if not isinstance(one, int | float)
        for value in _texts(one)
    }


def _is_time(value: str) -> bool:
    """Tell whether a text is a time, which is written in our way."""
    try:
        return dt_util.parse_datetime(value) is not None
    except ValueError:
        return False


def _rounded(value: str, known: str) -> bool:
    """Tell whether a value is a number that was given with more digits."""
    if not re.fullmatch(r"-?\d+(\.\d+)?", value, re.ASCII):
        return False
    numbers = re.findall(r"-?\d+(?:\.\d+)?", known, re.ASCII)
    return any(abs(float(value) - float(number)) < 1 for number in numbers)


@cache
def _own_words() -> frozenset[str]:
    """Return the words of our code and texts, and those that Home Assistant shows."""
    texts = ["unavailable", "unknown", "%", "V", "°C", "°F", "measurement"]
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            match node:
                case ast.Constant(value=str(text)):
                    texts.append(text)
                case ast.Attribute(attr=name):
                    # Such as those of device classes.
                    texts.append(name)
    texts += _texts(json.loads((PACKAGE / "translations" / "en.json").read_text()))
    return frozenset(word for text in texts for word in _words(text))


def _words(text: str) -> Iterable[str]:
    """Return the words of a text."""
    return re.findall(r"[^\W_]+", _folded(text))


def _folded(text: str) -> str:
    """Return a text as it is compared: control characters and spaces of JSON are none."""
    return "".join(sign for sign in text.upper().lower() if sign.isprintable())


def _texts(value: Any) -> list[str]:
    """Return all texts in parsed JSON, keys included, and its whole numbers as such."""
    match value:
        case str():
            return [value]
        case bool():
            return []
        case int():
            return [str(value)]
        case float():
            return [str(value), f"{value:.0f}"] if abs(value) < 1e300 else []
        case Mapping():
            return [text for one in value.items() for text in _texts(one)]
        case list() | tuple() | set() | frozenset():
            return [text for one in value for text in _texts(one)]
    return []


def _told(given: bytes) -> Iterable[str]:
    """Yield what bytes tell, which may be JSON, a request with JSON, or packed."""
    body = given.partition(b"\r\n\r\n")[2] or given
    for wbits in (47, -15):
        try:
            body = zlib.decompressobj(wbits).decompress(body, 1_000_000)
        except zlib.error:
            continue
        break
    for one in (given, body):
        yield one.decode(errors="replace")
        # Lengths of chunks stand in front, and whatever behind.
        begin = one.find(b"{")
        if begin >= 0:
            with suppress(ValueError, RecursionError):
                text = one[begin:].decode(errors="replace")
                yield from _texts(json.JSONDecoder().raw_decode(text)[0])
