"""Tests in a browser: the real frontend of the newest Home Assistant, in Chromium.

They are collected where there is what they need, which `scripts/setup browser` brings:
Playwright, Chromium, and the demo's environment, which has the frontend.
"""

from collections.abc import AsyncIterator, Iterator
from importlib.util import find_spec
from typing import TYPE_CHECKING

import pytest

from .browser import (
    PYTHON,
    TIMEOUT,
    Addresses,
    find_chromium,
    living_in,
    log_in,
    open_browser,
)

if TYPE_CHECKING:
    from playwright.async_api import Page

if find_spec("playwright") is None or find_chromium() is None or not PYTHON.exists():
    collect_ignore_glob = ["test_*.py"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give time to whoever comes first, and starts a house."""
    for item in items:
        if item.path.is_relative_to(__file__.rpartition("/")[0]):
            item.add_marker(pytest.mark.timeout(900))


@pytest.fixture(autouse=True)
def neighbourly(socket_enabled: None) -> None:
    """Let tests play the neighbourhood, by its API."""


@pytest.fixture(autouse=True, scope="session")
def patience() -> None:
    """Expect nothing sooner than a loaded machine can show it."""
    from playwright.async_api import expect

    expect.set_options(timeout=TIMEOUT)


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Addresses]:
    """Return a house in which all vendors are set up, for all tests in the browser."""
    with living_in(tmp_path_factory.mktemp("house")) as addresses:
        yield addresses


@pytest.fixture(scope="session")
def bare_house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Addresses]:
    """Return a house in which nothing is set up, for tests that each add a vendor."""
    with living_in(tmp_path_factory.mktemp("bare_house"), bare=True) as addresses:
        yield addresses


@pytest.fixture
async def page(house: Addresses) -> AsyncIterator[Page]:
    """Return a page of a user who has logged in."""
    async with open_browser() as browser:
        yield await log_in(browser, house)


@pytest.fixture
async def bare_page(bare_house: Addresses) -> AsyncIterator[Page]:
    """Return a page of a user who has logged in where nothing is set up."""
    async with open_browser() as browser:
        yield await log_in(browser, bare_house)
