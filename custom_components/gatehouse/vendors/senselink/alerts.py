"""Which alerts of which terminals are under way."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from .protocol import AlertKind, AlertState

SELF_RELEASE = timedelta(hours=24)
"""After which an alert that is never released counts as over."""

NEVER_RELEASED = frozenset(
    {AlertKind.PASSWORD_CRACKING, AlertKind.SPOOFING, AlertKind.DEVICE_OFFLINE}
)
"""What the manual gives the release option 0, "no release needed"."""

MAX_ACTIVE = 64
"""Alerts of one terminal that can be under way; of more the oldest is forgotten."""


@dataclass(slots=True)
class _Alert:
    """An alert that is under way."""

    kind: int
    raised_at: datetime
    certain: bool = True
    """Whether nothing can have been missed since."""


class ActiveAlerts:
    """The alerts that are under way, by terminal and by their own key."""

    def __init__(self, remembered: Iterable[Mapping[str, Any]] = ()) -> None:
        """Go on from what `as_list` has returned; what followed may have been missed."""
        self._alerts: dict[str, dict[str, _Alert]] = {}
        for alert in remembered:
            self._alerts.setdefault(alert["ldid"], {})[alert["key"]] = _Alert(
                alert["kind"],
                datetime.fromisoformat(alert["raised_at"]),
                certain=False,
            )

    def take(
        self, ldid: str, key: str | None, kind: int, state: int | None, at: datetime
    ) -> None:
        """Note what became of an alert; a state that is not known changes nothing."""
        mine = self._alerts.setdefault(ldid, {})
        # Without a number of its own, it is the only one of its kind.
        key = key or f"kind {kind}"
        if state == AlertState.RELEASED:
            mine.pop(key, None)
        elif key in mine:
            mine[key].certain = True
        elif state in (AlertState.ACTIVE, AlertState.RELEASING, None):
            # That there is a new one of the same kind shows that the old one had ended.
            for other in [
                other
                for other, alert in mine.items()
                if alert.kind == kind and not alert.certain
            ]:
                del mine[other]
            if len(mine) >= MAX_ACTIVE:
                del mine[next(iter(mine))]
            mine[key] = _Alert(kind, at)

    def raised_at(self, ldid: str, kind: int) -> datetime | None:
        """Return when the last alert of a kind began, if one is under way."""
        if not (mine := self._alerts.get(ldid)):
            return None
        return max(
            (alert.raised_at for alert in mine.values() if alert.kind == kind),
            default=None,
        )

    def doubt(self) -> None:
        """Note that the end of any of them may have been missed."""
        for mine in self._alerts.values():
            for alert in mine.values():
                alert.certain = False

    def expire(self, now: datetime) -> set[str]:
        """End what is never released; return the terminals that this concerns."""
        concerned = set()
        for ldid, mine in self._alerts.items():
            for key, alert in list(mine.items()):
                if (
                    alert.kind in NEVER_RELEASED
                    and now - alert.raised_at >= SELF_RELEASE
                ):
                    del mine[key]
                    concerned.add(ldid)
        return concerned

    def end(self, ldid: str, kind: int) -> None:
        """End the alerts of a kind at a terminal."""
        mine = self._alerts.get(ldid, {})
        for key, alert in list(mine.items()):
            if alert.kind == kind:
                del mine[key]

    def forget(self, ldid: str) -> None:
        """Forget the alerts of a terminal."""
        self._alerts.pop(ldid, None)

    def as_list(self) -> list[dict[str, Any]]:
        """Return what must outlive a restart, in JSON's terms."""
        return [
            {
                "ldid": ldid,
                "key": key,
                "kind": alert.kind,
                "raised_at": alert.raised_at.isoformat(),
            }
            for ldid, mine in self._alerts.items()
            for key, alert in mine.items()
        ]
