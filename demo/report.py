"""What is said of the checks."""

from collections.abc import Coroutine
import time
from typing import Any

import aiohttp

from .process import DemoError


class NotAsExpected(Exception):
    """A check has failed; the text says why."""


class Report:
    """Says what holds, one line each."""

    def __init__(self) -> None:
        """Begin without failures."""
        self.checks = 0
        self.failures = 0

    async def check(self, what: str, checking: Coroutine[Any, Any, None]) -> None:
        """Make a check and print its line."""
        self.checks += 1
        begin = time.monotonic()
        try:
            await checking
        except (NotAsExpected, DemoError, aiohttp.ClientError) as err:
            self.failures += 1
            print(f"FAIL   {what}: {err or type(err).__name__}", flush=True)
        else:
            print(f"ok     {what} ({time.monotonic() - begin:.1f} s)", flush=True)
