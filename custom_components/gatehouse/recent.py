"""Recognises what comes again."""

from collections import OrderedDict
from collections.abc import Hashable, Iterable
from datetime import datetime, timedelta
from hashlib import blake2b

from .wire import Secret

REMEMBERED = 4096
"""Messages of an entry that are recognised."""

SAVED = 256
"""Those that are recognised also after a restart."""

type Saved = tuple[str, str | None]
"""The name and the time of something, in JSON's terms."""


class Recent[KeyT: Hashable]:
    """What has come lately, by keys that the caller makes."""

    def __init__(
        self, remembered: Iterable[Saved] = (), *, secret: Secret | None = None
    ) -> None:
        """Go on from what `as_list` has returned.

        Args:
            remembered: what has come before a restart.
            secret: makes unreadable what is saved, for keys that hold anything that
                nobody is to read, or to find by trying; None saves the keys themselves.

        """
        self._secret = None if secret is None else secret.reveal().encode()[:64]
        self._before = {
            name: None if moment is None else datetime.fromisoformat(moment)
            for name, moment in remembered
        }
        # Making a name costs more than all else; few times of then come again.
        self._moments = frozenset(self._before.values())
        self._seen: OrderedDict[KeyT, datetime | None] = OrderedDict()

    def is_new(
        self, key: KeyT, at: datetime | None = None, *, span: timedelta | None = None
    ) -> bool:
        """Tell whether something comes for the first time, and remember it.

        Args:
            key: what is equal when it comes again.
            at: its time.
            span: between two times at which it is the same; None where any are, except
                that what came before a restart must then agree in its time: who has
                been set up anew counts from the start again.

        """
        if key in self._seen:
            if span is None or _within(self._seen[key], at, span):
                return False
            self._seen.move_to_end(key)
        elif (
            self._before
            and (span is not None or at in self._moments)
            and (name := self._name(key)) in self._before
        ):
            moment = self._before[name]
            if moment == at if span is None else _within(moment, at, span):
                return False
        self._seen[key] = at
        if len(self._seen) > REMEMBERED:
            self._seen.popitem(last=False)
        return True

    def clear(self) -> None:
        """Take whatever comes from now on for new."""
        self._before.clear()
        self._seen.clear()

    def as_list(self) -> list[Saved]:
        """Return what must outlive a restart."""
        latest = dict(self._before)
        for key in list(self._seen)[-SAVED:]:
            name = self._name(key)
            latest.pop(name, None)
            latest[name] = self._seen[key]
        return [
            (name, None if moment is None else moment.isoformat())
            for name, moment in list(latest.items())[-SAVED:]
        ]

    def _name(self, key: KeyT) -> str:
        """Return what something is called in the store."""
        if self._secret is None:
            return str(key)
        return blake2b(
            repr(key).encode(errors="surrogatepass"), digest_size=16, key=self._secret
        ).hexdigest()


def _within(before: datetime | None, at: datetime | None, span: timedelta) -> bool:
    """Tell whether two times are close; a clock may have been set back in between."""
    return before is not None and at is not None and abs(at - before) < span
