"""The long form: see `scripts/fuzz`."""

import argparse
import ctypes
import gc
import os
from pathlib import Path
from random import Random
import resource
import subprocess
import sys
import time
import traceback
import tracemalloc
from typing import Any

from . import length
from .mutation import Mutator
from .targets import TARGETS, Target

PAGE = resource.getpagesize()

GROWTH = 4 * 1024 * 1024
"""Bytes by which the process may grow with the second half of the inputs."""

HELD = 256 * 1024
"""Bytes that may still be held after `WATCHED` inputs whose every allocation is watched."""

WATCHED = 2000

_SERVED = "tests/fuzz/test_served.py::test_bad_requests"
_VENDORS = "tests/vendors"

SOCKETS = {
    **{
        f"served_{vendor}": f"{_SERVED}[{vendor}]"
        for vendor in ("tellicon", "senselink", "ipac")
    },
    "frames_senselink": f"{_VENDORS}/senselink/test_bad_frames.py::test_bad_frames",
    "frames_innovaphone": (
        f"{_VENDORS}/innovaphone/test_bad_messages.py::test_bad_messages"
    ),
}
"""Tests that send bad input to a whole Home Assistant, over a real socket."""

ON_SOCKETS = 5_000
"""Inputs for each of these at most, unless told otherwise; each takes milliseconds."""

LOOKS = 5
"""A slow input is slow if it is at each of so many looks: others use this machine, too."""


class Finding(Exception):
    """A promise that was not kept."""


_give_back = getattr(ctypes.CDLL(None), "malloc_trim", None)
"""Gives free memory back to the system; glibc does so only now and then by itself."""


def memory() -> int:
    """Return the bytes that the process has, without what is free in it."""
    gc.collect()
    if _give_back is not None:
        _give_back(0)
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE


def make(target: Target, seed: int, number: int) -> Any:
    """Return one of the inputs that belong to a seed."""
    return target.make(Mutator(Random(f"{seed} {number}")))[: target.longest]


def feed(target: Target, made: Any) -> float:
    """Feed one input, and return the seconds that it took of this process."""
    begin = time.process_time()
    checks = target.feed(made)
    took = time.process_time() - begin
    for check in checks:
        check()
    return took


def run(target: Target, count: int, seed: int) -> tuple[float, float, int]:
    """Feed so many inputs; return seconds, those of the slowest, and bytes of growth.

    Raises:
        Finding: something is wrong; the text says with which input.

    """
    begin, slowest, before = time.monotonic(), 0.0, 0
    for number in range(count):
        if number == count // 2:
            before = memory()
        made = make(target, seed, number)
        try:
            took = feed(target, made)
            if took > slowest:
                took = min(took, *(feed(target, made) for _ in range(LOOKS)))
        except Exception as err:
            raise Finding(
                f"input {number}: {made!r:.4000}\n{traceback.format_exc()}"
            ) from err
        slowest = max(slowest, took)
        if took > target.slowest:
            raise Finding(f"input {number} takes {took:.3f} s: {made!r:.4000}")
    growth = memory() - before
    if growth > GROWTH:
        raise Finding(f"the process has grown by {growth} bytes")
    seconds = time.monotonic() - begin
    watch(target, seed, min(count, WATCHED))
    return seconds, slowest, growth


def watch(target: Target, seed: int, count: int) -> None:
    """Feed inputs and look at what is held afterwards.

    Raises:
        Finding: it is too much.

    """
    if target.slowest > 1:
        # Pictures and fonts are not in Python's own memory.
        return
    tracemalloc.start()
    try:
        held = 0
        for number in range(count):
            target.feed(make(target, seed, number))
            if number == count // 2:
                gc.collect()
                held = tracemalloc.get_traced_memory()[0]
        gc.collect()
        held = tracemalloc.get_traced_memory()[0] - held
    finally:
        tracemalloc.stop()
    if held > HELD:
        raise Finding(f"{held} bytes are held after {count} inputs")


def send(test: str, count: int, seed: int) -> float:
    """Send so many inputs to a Home Assistant; return the seconds.

    Raises:
        Finding: something is wrong; the text says with which input.

    """
    begin = time.monotonic()
    ran = subprocess.run(
        (sys.executable, "-m", "pytest", "--quiet", "--no-header", test),
        env={**os.environ, length.COUNT: str(count), length.SEED: str(seed)},
        check=False,
        capture_output=True,
        text=True,
    )
    if ran.returncode:
        raise Finding(
            "\n".join(
                f"{line:.4000}"
                for line in ran.stdout.splitlines()
                if line.startswith("E  ")
            )
        )
    return time.monotonic() - begin


def main() -> int:
    """Feed what is named; return whether something was found."""
    names = [*TARGETS, *SOCKETS]
    parser = argparse.ArgumentParser(prog="scripts/fuzz")
    parser.add_argument(
        "--count",
        type=int,
        help=f"inputs for each; 100,000, or {ON_SOCKETS:,} over a socket",
    )
    parser.add_argument("--seed", type=int, default=0, help="for other inputs")
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(names))
    asked = parser.parse_args()
    if unknown := set(asked.names) - set(names):
        parser.error(f"there is no {', '.join(sorted(unknown))}")
    print(
        f"{'target':<18} {'inputs':>8} {'seconds':>8} {'slowest ms':>11} {'growth KiB':>11}"
    )
    found = False
    for name in asked.names or names:
        try:
            if name in SOCKETS:
                count = asked.count or ON_SOCKETS
                seconds = send(SOCKETS[name], count, asked.seed)
                told = f"{'':>11} {'':>11}"
            else:
                count = asked.count or 100_000
                seconds, slowest, growth = run(TARGETS[name], count, asked.seed)
                told = f"{slowest * 1000:>11.1f} {growth // 1024:>11}"
        except Finding as finding:
            found = True
            print(f"{name:<18} FOUND with seed {asked.seed}: {finding}")
        else:
            print(f"{name:<18} {count:>8} {seconds:>8.1f} {told}".rstrip())
        sys.stdout.flush()
    return int(found)


if __name__ == "__main__":
    sys.exit(main())
