"""Tests in a browser: the real frontend of the newest Home Assistant, in Chromium.

They are collected where there is what they need: Chromium, Playwright, and the demo's
environment, which has the frontend.
"""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
import json
import os
from pathlib import Path
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.async_api import Page

ROOT = Path(__file__).parents[2]

PYTHON = ROOT / ".demo" / "venv" / "bin" / "python"

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))),
    None,
)

OPTIONS = (
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

if CHROMIUM is None or not PYTHON.exists() or find_spec("playwright") is None:
    collect_ignore_glob = ["test_*.py"]


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where to find what a browser looks at."""

    home_assistant: str
    street: str
    """The page and the API by which the simulated neighbourhood is played."""


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Addresses]:
    """Return a house with simulated doors, for all tests in the browser."""
    with subprocess.Popen(
        [PYTHON, "-m", "tests.browser.house", tmp_path_factory.mktemp("house")],
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


@pytest.fixture
async def page(house: Addresses) -> AsyncIterator[Page]:
    """Return a page of a user who has logged in."""
    from playwright.async_api import async_playwright

    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=CHROMIUM, args=OPTIONS
        )
        page = await browser.new_page(
            base_url=house.home_assistant,
            locale="en-US",
            viewport={"width": 1440, "height": 1100},
        )
        await page.goto("/")
        await page.locator("input[name=username]").fill("demo")
        await page.locator("input[name=password]").fill("demo")
        await page.keyboard.press("Enter")
        await page.wait_for_selector("home-assistant-main")
        yield page
        await browser.close()
