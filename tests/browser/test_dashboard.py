"""The dashboard, as a user creates, sees and uses it."""

import asyncio

from playwright.async_api import Locator, Page, TimeoutError as NotThere, expect
import pytest

from demo.neighbourhood import LOCKS, STATION

from .browser import TIMEOUT, Addresses, openings

PATH = "gate-house"

PATIENCE = 20_000
"""Milliseconds that a page is given before it is opened again."""


@pytest.fixture
def faults(page: Page) -> list[str]:
    """Return what the page will have complained about."""
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on(
        "console",
        lambda message: (
            faults.append(message.text)
            if message.type in {"error", "warning"}
            and "gatehouse" in f"{message.text} {message.location['url']}"
            else None
        ),
    )
    return faults


async def open_until(page: Page, path: str, wanted: Locator) -> None:
    """Open a page until it shows what is wanted.

    The frontend gives a strategy five seconds to load, which a loaded machine may exceed.
    """
    async with asyncio.timeout(TIMEOUT / 1000):
        while True:
            await page.goto(path)
            try:
                await wanted.wait_for(timeout=PATIENCE)
            except NotThere:
                continue
            return


@pytest.fixture
async def dashboard(page: Page) -> Page:
    """Return a page that shows the dashboard."""
    await page.evaluate(
        """async (url_path) => {
          const { hass } = document.querySelector("home-assistant");
          const dashboards = await hass.callWS({ type: "lovelace/dashboards/list" });
          if (!dashboards.some((dashboard) => dashboard.url_path === url_path)) {
            await hass.callWS({
              type: "lovelace/dashboards/create",
              title: "Doors",
              url_path,
            });
          }
          await hass.callWS({
            type: "lovelace/config/save",
            config: { strategy: { type: "custom:gatehouse" } },
            url_path,
          });
        }""",
        PATH,
    )
    await open_until(page, f"/{PATH}", page.locator("hui-tile-card").first)
    return page


async def test_new_dashboard(page: Page, faults: list[str]) -> None:
    """It is offered as a new dashboard, and one click creates it."""
    await page.goto("/config/lovelace/dashboards")
    await page.wait_for_function(
        "window.customStrategies?.some((one) => one.type === 'gatehouse')"
    )
    await page.get_by_role("button", name="Add dashboard").click()
    offered = page.locator("ha-dialog-new-dashboard dashboard-card")
    await offered.filter(has_text="Gatehouse").click()
    details = page.locator("dialog-lovelace-dashboard-detail")
    await expect(details.get_by_role("textbox", name="Title")).to_have_value(
        "Gatehouse"
    )
    await details.get_by_role("button", name="Create").click()
    await expect(details.get_by_role("textbox", name="Title")).to_be_hidden()
    await page.locator("ha-sidebar").get_by_role("link", name="Gatehouse").click()
    await expect(page.locator("hui-tile-card").first).to_be_visible()
    assert not faults


@pytest.mark.parametrize("width", [1440, 400])
async def test_shown(
    dashboard: Page, house: Addresses, faults: list[str], width: int
) -> None:
    """All doors are there with what opens them, and no card has anything to complain."""
    await dashboard.set_viewport_size({"width": width, "height": 1100})
    tiles = dashboard.locator("hui-tile-card")
    for name in (*(lock.name for lock in LOCKS), STATION.door, STATION.name, "Open"):
        await expect(tiles.get_by_text(name, exact=True).first).to_be_visible()
    await expect(dashboard.locator("hui-logbook-card")).to_be_visible()
    for complaint in ("hui-warning", "hui-error-card"):
        await expect(dashboard.locator(complaint)).to_have_count(0)
    # There is something to hang up only as long as somebody calls.
    hang_up = dashboard.get_by_text("Hang up", exact=True)
    await house.play("ipac", "ring")
    await expect(hang_up).to_be_visible()
    await house.play("ipac", "hang_up")
    await expect(hang_up).to_be_hidden()
    overflow = await dashboard.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
    assert overflow == 0
    assert not faults


async def test_open(dashboard: Page, house: Addresses) -> None:
    """The door is opened by the button, but only when the user has said so twice."""
    tiles = dashboard.locator("hui-tile-card")
    # A relay that somebody has just fired cannot be fired again yet.
    await expect(tiles.filter(has_text=STATION.door)).to_contain_text("Locked")
    before = openings(await house.state())
    await tiles.get_by_role("button", name="Open", exact=True).first.click()
    question = dashboard.locator("dialog-box")
    await expect(question).to_contain_text(f"Open {STATION.door}?")
    assert openings(await house.state()) == before
    await question.get_by_role("button", name="Open").click()
    await expect(tiles.filter(has_text=STATION.door)).to_contain_text("Unlocked")
    assert openings(await house.state()) == before + 1
