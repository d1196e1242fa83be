"""Run the benchmarks and print one table.

`python -m benchmarks [--short] [NAME ...]`: the short form only shows that everything
works; names choose some of the benchmarks.
"""

import argparse
import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
import sys

from . import bell, innovaphone, senselink, start, tellicon, the_keys
from .rounds import Row


def benchmarks(
    rounds: int, *, short: bool
) -> dict[str, Callable[[], Awaitable[list[Row]]]]:
    """Return what measures each of the rows, by name."""
    return {
        "tellicon": partial(tellicon.run, rounds=rounds, count=200 if short else 3000),
        "senselink": partial(
            senselink.run,
            rounds=rounds,
            count=200 if short else 2000,
            terminals=(1,) if short else (1, 500),
        ),
        "bell": partial(bell.run, rounds=rounds, count=1 if short else 9),
        "the_keys": partial(the_keys.run, rounds=rounds, count=50 if short else 1000),
        "innovaphone": partial(
            innovaphone.run,
            rounds=rounds,
            count=200 if short else 5000,
            updates=200 if short else 4000,
        ),
        "start": partial(start.run, rounds=rounds, stretches=1 if short else 3),
    }


async def main(names: list[str], *, short: bool) -> int:
    """Measure what is named, or everything.

    Returns 0, or 1 if a mark is missed in the long form.
    """
    rounds = 1 if short else 5
    rows: list[Row] = []
    for name, run in benchmarks(rounds, short=short).items():
        if not names or name in names:
            rows += await run()
    print(f"Ours ÷ the yardstick: median (lowest to highest) of {rounds} rounds")
    for row in rows:
        print(row)
    return 0 if short or all(row.reached for row in rows) else 1


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Run the benchmarks.")
    parser.add_argument("--short", action="store_true", help="only see that they work")
    parser.add_argument(
        "names",
        nargs="*",
        metavar="NAME",
        help=f"one of {', '.join(benchmarks(1, short=True))}",
    )
    given = parser.parse_args()
    if unknown := set(given.names) - set(benchmarks(1, short=True)):
        parser.error(f"there is no {', '.join(sorted(unknown))}")
    sys.exit(asyncio.run(main(given.names, short=given.short)))
