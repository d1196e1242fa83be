"""How many bad messages are sent over sockets: some in the tests, many by `scripts/fuzz`."""

from collections.abc import Iterator
import os
from random import Random

COUNT, SEED = "GATEHOUSE_FUZZ_COUNT", "GATEHOUSE_FUZZ_SEED"
"""Variables of the environment with which `scripts/fuzz` asks for more, and for others."""

BLOCKED = 0.05
"""Seconds that one input may take of the event loop's time."""

IN_TESTS = 5.0

_SECONDS = 0.5
"""For one message, on a slow and busy machine."""


def count(usual: int) -> int:
    """Return how many messages are to be sent."""
    return int(os.environ.get(COUNT, usual))


def longest_turn() -> float:
    """Return the seconds for which one message may hold up all others.

    In the tests, which follow every line, it is only to be no matter of seconds.
    """
    return BLOCKED if COUNT in os.environ else IN_TESTS


def time_limit(usual: int) -> float:
    """Return the seconds that a test may take."""
    return 120 + _SECONDS * count(usual)


def chances(usual: int) -> Iterator[tuple[int, Random]]:
    """Yield the number of each message, and the chance that makes it."""
    seed = int(os.environ.get(SEED, "0"))
    for number in range(count(usual)):
        yield number, Random(f"{seed} {number}")
