"""Recognises what comes again."""

from collections.abc import Hashable, Iterable
from datetime import datetime, timedelta
from hashlib import blake2b

from .wire import Secret

REMEMBERED = 4096
"""Messages of an entry that are recognised at least; at most twice as many."""

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
        # Those before are forgotten all at once, which costs less than one by one.
        self._seen: dict[KeyT, datetime | None] = {}
        self._seen_before: dict[KeyT, datetime | None] = {}

    def is_new(
        self, key: KeyT, at: datetime | None = None, *, span: timedelta | None = None
    ) -> bool:
        """Tell whether something comes for the first time, and remember it.

        Args:
            key: what is equal when it comes again.
            at: its time.
            span: between two times at which it is the same; None where they must agree:
                who has been set up anew counts from the start again.

        """
        for seen in (self._seen, self._seen_before):
            if key in seen:
                if _same(seen[key], at, span):
                    return False
                # It becomes the latest.
                del seen[key]
                break
        else:
            if self._before and self._came_before_restart(key, at, span):
                return False
        self._seen[key] = at
        if len(self._seen) >= REMEMBERED:
            self._seen, self._seen_before = {}, self._seen
        return True

    def _came_before_restart(
        self, key: KeyT, at: datetime | None, span: timedelta | None
    ) -> bool:
        """Tell whether something has come before, by what was saved of that."""
        if span is None and at not in self._moments:
            return False
        if (name := self._name(key)) not in self._before:
            return False
        return _same(self._before[name], at, span)

    def clear(self) -> None:
        """Take whatever comes from now on for new."""
        self._before.clear()
        self._seen.clear()
        self._seen_before.clear()

    def as_list(self) -> list[Saved]:
        """Return what must outlive a restart."""
        latest = dict(self._before)
        for key, at in [*self._seen_before.items(), *self._seen.items()][-SAVED:]:
            name = self._name(key)
            latest.pop(name, None)
            latest[name] = at
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


def _same(before: datetime | None, at: datetime | None, span: timedelta | None) -> bool:
    """Tell whether times are close enough; a clock may have been set back in between."""
    if span is None:
        return before == at
    return before is not None and at is not None and abs(at - before) < span
