"""The table: vendors are rows, faults are columns.

`vendors.py` holds the rows, `simulators/cable.py` the faults of the network. The tests of
each module are columns.
"""

from collections.abc import Iterable
from typing import Any

import pytest

from simulators.cable import Trouble

from .vendors import ROWS, ROWS_WITH_TLS, Row, TheKeys

CALLED = tuple(row for row in ROWS if row.calls)
"""Those that Gatehouse calls; of the others no network fault of ours can be told, for
who does not call may have nothing to say."""

SERVED = tuple(row for row in ROWS if row.serves)
"""Those that call Gatehouse; the others can send it nothing."""

CALLED_ANYHOW = (*CALLED, *ROWS_WITH_TLS)
"""Those that Gatehouse calls, in plain and by TLS."""

PUSHED = tuple(row for row in ROWS if row.keeps_connection)
"""Those with a connection that stays; the others make one for each request."""

WITH_TLS = tuple(row for row in ROWS if row.speaks_tls)
"""Those that can be called by TLS; the gateway of The Keys speaks plain HTTP only."""

ORDERED = tuple(row for row in ROWS if row.order)
"""Those with a door; the others document no way to open one."""

SIGNED = (TheKeys,)
"""Those whose orders bear the time that they are signed at."""


def name_of(one: Any) -> str:
    """Return how a row or a column is called in the names of tests."""
    return one.key if isinstance(one, type) else one.name.lower()


def cells(
    rows: Iterable[type[Row]], troubles: Iterable[Trouble] = Trouble
) -> pytest.MarkDecorator:
    """Return what has a test run for each cell."""
    columns = tuple(troubles)
    return pytest.mark.parametrize(
        ("kind", "trouble"),
        [
            pytest.param(row, trouble, id=f"{name_of(row)}-{name_of(trouble)}")
            for row in rows
            for trouble in columns
            # Messages that come twice are no loss: that has a test of its own.
            if not (trouble is Trouble.DOUBLED and row.keeps_connection)
        ],
    )


def each(rows: Iterable[type[Row]]) -> pytest.MarkDecorator:
    """Return what has a test run for each row."""
    return pytest.mark.parametrize("kind", rows, ids=name_of)
