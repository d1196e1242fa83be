"""How many bad messages are sent over sockets: some in the tests, many by `scripts/fuzz`."""

from collections.abc import Iterator
import os
from random import Random

COUNT, SEED = "GATEHOUSE_FUZZ_COUNT", "GATEHOUSE_FUZZ_SEED"
"""Variables of the environment with which `scripts/fuzz` asks for more, and for others."""

_SECONDS = 0.5
"""For one message, on a slow and busy machine."""


def count(usual: int) -> int:
    """Return how many messages are to be sent."""
    return int(os.environ.get(COUNT, usual))


def time_limit(usual: int) -> float:
    """Return the seconds that a test may take."""
    return 120 + _SECONDS * count(usual)


def chances(usual: int) -> Iterator[tuple[int, Random]]:
    """Yield the number of each message, and the chance that makes it."""
    seed = int(os.environ.get(SEED, "0"))
    for number in range(count(usual)):
        yield number, Random(f"{seed} {number}")
