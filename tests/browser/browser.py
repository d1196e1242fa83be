"""A house and a browser to look at it with, for tests and for screenshots."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
import json
import os
from pathlib import Path
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import aiohttp

from demo.neighbourhood import STATION

if TYPE_CHECKING:
    from playwright.async_api import Browser, Page

ROOT = Path(__file__).parents[2]

PYTHON = ROOT / ".demo" / "venv" / "bin" / "python"

_NAMES = ("chromium", "chromium-browser", "google-chrome")

_OPTIONS = (
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

TIMEOUT = 90_000
"""Milliseconds until something on a page has to be there; a loaded machine is slow."""


def find_chromium() -> str | None:
    """Return the Chromium of the system, or the one that `scripts/setup` has fetched."""
    path = f"{os.environ['PATH']}:{ROOT / '.tools' / 'browser'}"
    return next(filter(None, (shutil.which(name, path=path) for name in _NAMES)), None)


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where to find what a browser looks at, and what its user types."""

    home_assistant: str
    street: str
    """The page and the API by which the simulated neighbourhood is played."""
    gateway: str
    station: str
    senselink_port: int
    innovaphone: str

    async def play(self, vendor: str, what: str, **fields: Any) -> Any:
        """Do something in the simulated neighbourhood; return what it tells of it."""
        async with (
            aiohttp.ClientSession(raise_for_status=True) as session,
            session.post(f"{self.street}/api/{vendor}/{what}", json=fields) as response,
        ):
            return await response.json()

    async def state(self) -> Any:
        """Return what the simulators know of themselves."""
        async with (
            aiohttp.ClientSession(raise_for_status=True) as session,
            session.get(f"{self.street}/api/state") as response,
        ):
            return await response.json()

    async def until(self, wanted: Callable[[Any], bool]) -> None:
        """Wait until the simulators know what is wanted of themselves.

        Raises:
            TimeoutError: they do not come to know it.

        """
        async with asyncio.timeout(TIMEOUT / 1000):
            while not wanted(await self.state()):
                await asyncio.sleep(0.2)


def openings(state: Any) -> int:
    """Return how often the station's door has been opened, as the simulator counts."""
    [relay] = [
        relay for relay in state["ipac"]["relays"] if relay["number"] == STATION.relay
    ]
    return int(relay["openings"])


@contextmanager
def living_in(folder: Path, *, bare: bool = False) -> Iterator[Addresses]:
    """Keep a house with simulated doors; in a bare one, nothing is set up yet."""
    arguments = ["--bare"] if bare else []
    with subprocess.Popen(
        [PYTHON, "-m", "tests.browser.house", *arguments, folder],
        cwd=ROOT,
        env={**os.environ, "PATH": f"{PYTHON.parent}:{os.environ['PATH']}"},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        try:
            # If something does not start, it ends without a line, and says why.
            yield Addresses(**json.loads(process.stdout.readline()))
        finally:
            process.terminate()


@asynccontextmanager
async def open_browser() -> AsyncIterator[Browser]:
    """Start Chromium."""
    from playwright.async_api import async_playwright

    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=find_chromium(), args=_OPTIONS
        )
        yield browser
        await browser.close()


async def log_in(browser: Browser, house: Addresses, **settings: Any) -> Page:
    """Return a page of a user who has logged in; `settings` are those of its context."""
    context = await browser.new_context(
        base_url=house.home_assistant,
        **{
            "locale": "en-US",
            "viewport": {"width": 1440, "height": 1100},
            **settings,
        },
    )
    context.set_default_timeout(TIMEOUT)
    page = await context.new_page()
    await page.goto("/")
    await page.locator("input[name=username]").fill("demo")
    await page.locator("input[name=password]").fill("demo")
    await page.keyboard.press("Enter")
    await page.wait_for_selector("home-assistant-main")
    return page
