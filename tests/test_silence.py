"""How long a vendor that calls us may be silent."""

from datetime import UTC, datetime, timedelta
import json

import pytest

from custom_components.gatehouse.silence import (
    LONGEST_SILENCE,
    SHORTEST_SILENCE,
    UNLEARNT_SILENCE,
    Silence,
)

MONDAY = datetime(2027, 1, 11, 8, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def office(silence: Silence, days: int, start: datetime = MONDAY) -> datetime:
    """Let an office be used on working days from eight to six; return its last event."""
    last = start
    for day in range(days):
        if (start + day * DAY).weekday() < 5:
            for hour in range(11):
                last = start + day * DAY + hour * HOUR
                assert not silence.too_long(last)
                silence.hear(last)
    return last


def test_nothing_heard() -> None:
    """What has not begun cannot be too silent."""
    silence = Silence(MONDAY)
    assert not silence.begun
    assert not silence.too_long(MONDAY + 1000 * DAY)
    assert silence.as_dict(MONDAY) is None


def test_unlearnt() -> None:
    """At first a long weekend is borne."""
    silence = Silence(MONDAY)
    silence.hear(MONDAY)
    assert silence.begun
    assert not silence.too_long(MONDAY + UNLEARNT_SILENCE)
    assert silence.too_long(MONDAY + UNLEARNT_SILENCE + HOUR)


def test_office() -> None:
    """An office is silent at night and at the weekend, and that is no alarm."""
    silence = Silence(MONDAY)
    last = office(silence, 60)
    # From Friday at six to Monday at eight, twice.
    assert silence.patience == 2 * 62 * HOUR
    assert not silence.too_long(last + 5 * DAY)
    assert silence.too_long(last + 5.5 * DAY)


def test_busy_door() -> None:
    """A door that is used day and night is missed after a day."""
    silence = Silence(MONDAY)
    for hour in range(24 * 10):
        silence.hear(MONDAY + hour * HOUR)
    last = MONDAY + (24 * 10 - 1) * HOUR
    assert silence.patience == SHORTEST_SILENCE
    assert silence.too_long(last + 25 * HOUR)


def test_holidays() -> None:
    """Holidays are learnt, up to a bound, and forgotten after two months."""
    silence = Silence(MONDAY)
    last = office(silence, 14)
    back = last + 10 * DAY
    silence.hear(back)
    assert silence.patience == LONGEST_SILENCE
    monday = back + (7 - back.weekday()) * DAY
    office(silence, 70, monday.replace(hour=8))
    assert silence.patience == 2 * 62 * HOUR


@pytest.mark.parametrize("pause", [timedelta(), 30 * DAY])
def test_restart(pause: timedelta) -> None:
    """What is remembered goes on where it was left, however long that took."""
    silence = Silence(MONDAY)
    last = office(silence, 26)
    left = last + 10 * HOUR
    remembered = json.loads(json.dumps(silence.as_dict(left)))
    back = left + pause
    again = Silence(back, remembered)
    assert again.begun
    assert again.patience == silence.patience
    rest = again.patience - 10 * HOUR
    assert not again.too_long(back + rest)
    assert again.too_long(back + rest + HOUR)
    # Nor is the pause learnt as a silence.
    again.hear(back + HOUR)
    assert again.patience == silence.patience
