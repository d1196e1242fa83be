"""What is recognised when it comes again."""

from datetime import UTC, datetime, timedelta

from custom_components.gatehouse.recent import Recent

BEGIN = datetime(2026, 1, 2, tzinfo=UTC)


def test_in_bounds_after_a_restart() -> None:
    """The last 256 are recognised after a restart, and no others."""
    before: Recent[int] = Recent()
    for number in range(300):
        assert before.is_new(number, BEGIN + timedelta(seconds=number))
    after: Recent[str] = Recent(before.as_list())
    new = [
        number
        for number in range(300)
        if after.is_new(str(number), BEGIN + timedelta(seconds=number))
    ]
    assert new == [*range(300 - 256)]
