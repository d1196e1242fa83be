"""Provisioning codes that have been made, until somebody has typed them."""

from collections import deque
from datetime import datetime

from homeassistant.util import dt as dt_util

from .protocol import ProvisioningCode

REMEMBERED_CODES = 256
"""Codes that are waited for, or known to have been used, at most."""


class Codes:
    """The codes whose use is waited for. They are kept in memory only."""

    def __init__(self) -> None:
        """Begin with none."""
        self._waiting: dict[str, tuple[int | None, datetime | None]] = {}
        self._spent: deque[str] = deque(maxlen=REMEMBERED_CODES)

    def __len__(self) -> int:
        """Return how many are waited for."""
        return len(self._waiting)

    def __contains__(self, code: str) -> bool:
        """Tell whether a code is waited for."""
        return code in self._waiting

    def wait_for(self, made: ProvisioningCode, domain_id: int | None) -> None:
        """Wait for a code that was made for a domain, that of the login if None."""
        self._waiting[made.code] = (domain_id, made.valid_until)
        if len(self._waiting) > REMEMBERED_CODES:
            del self._waiting[next(iter(self._waiting))]

    def valid(self) -> list[tuple[str, int | None]]:
        """Return the codes that can still be used, with their domains."""
        now = dt_util.utcnow()
        self._waiting = {
            code: (domain_id, until)
            for code, (domain_id, until) in self._waiting.items()
            if until is None or until >= now
        }
        return [(code, domain_id) for code, (domain_id, _) in self._waiting.items()]

    def forget(self, code: str) -> None:
        """Wait for a code no longer."""
        self._waiting.pop(code, None)

    def spend(self, code: str) -> bool:
        """Note that a code was used; return whether that is news."""
        if code in self._spent:
            return False
        self._spent.append(code)
        self.forget(code)
        return True
