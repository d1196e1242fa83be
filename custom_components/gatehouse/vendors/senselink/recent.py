"""Recognises what comes again."""

from collections import OrderedDict
from collections.abc import Iterable
from datetime import datetime

REMEMBERED = 4096
"""Records, alerts and posted events that are recognised."""

SAVED = 256
"""Those that are recognised also after a restart."""


class Recent:
    """What has come lately, by keys that the caller makes."""

    def __init__(self, remembered: Iterable[tuple[str, str | None]] = ()) -> None:
        """Go on from what `as_list` has returned."""
        # A server that has been set up anew counts from the start again, so what came
        # before a restart must agree in its time, too.
        self._before = dict(remembered)
        self._seen: OrderedDict[str, datetime | None] = OrderedDict()

    def is_new(self, key: str, at: datetime | None = None) -> bool:
        """Tell whether something comes for the first time, and remember it."""
        if key in self._seen or (
            key in self._before and self._before[key] == _written(at)
        ):
            return False
        self._seen[key] = at
        if len(self._seen) > REMEMBERED:
            self._seen.popitem(last=False)
        return True

    def as_list(self) -> list[tuple[str, str | None]]:
        """Return what must outlive a restart, in JSON's terms."""
        seen = list(self._seen.items())[-SAVED:]
        return [
            *self._before.items(),
            *((key, _written(moment)) for key, moment in seen),
        ][-SAVED:]


def _written(moment: datetime | None) -> str | None:
    """Return a time in JSON's terms."""
    return None if moment is None else moment.isoformat()
