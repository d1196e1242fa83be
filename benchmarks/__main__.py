"""Run the benchmarks and print one table.

`python -m benchmarks [--short]`: the short form only shows that everything works.
"""

import argparse
import asyncio
import sys

from . import bell, innovaphone, senselink, start, tellicon, the_keys


async def main(*, short: bool) -> int:
    """Measure everything; return 0, or 1 if a mark is missed in the long form."""
    rounds = 1 if short else 5
    rows = [
        *await tellicon.run(rounds=rounds, count=200 if short else 3000),
        *await senselink.run(
            rounds=rounds,
            count=200 if short else 2000,
            terminals=(1,) if short else (1, 500),
        ),
        *await bell.run(rounds=rounds, count=1 if short else 7),
        *await the_keys.run(rounds=rounds, count=50 if short else 1000),
        *await innovaphone.run(
            rounds=rounds,
            count=200 if short else 5000,
            updates=200 if short else 4000,
        ),
        *await start.run(rounds=rounds),
    ]
    print(f"Ours ÷ the yardstick: median (lowest to highest) of {rounds} rounds")
    for row in rows:
        print(row)
    return 0 if short or all(row.reached for row in rows) else 1


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Run the benchmarks.")
    parser.add_argument("--short", action="store_true", help="only see that they work")
    sys.exit(asyncio.run(main(short=parser.parse_args().short)))
