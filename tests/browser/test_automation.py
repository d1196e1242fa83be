"""An automation, built by clicks from what Gatehouse offers, that runs."""

import re

from playwright.async_api import Page, expect

from demo.neighbourhood import STATION

from .browser import Addresses, openings


async def test_visitor_called(page: Page, house: Addresses) -> None:
    """A visitor's ring opens the door."""
    await page.goto("/config/automation/edit/new")
    editor = page.locator("ha-automation-editor")
    offered = page.locator("add-automation-element-dialog")
    for kind, name, target, of in (
        ("trigger", "Visitor called", "Doorbell", STATION.name),
        ("action", "Press button", "Open", STATION.door),
    ):
        await editor.get_by_role("button", name=f"Add {kind}").click()
        await offered.get_by_role("textbox").fill(name)
        await offered.get_by_role("button", name=name).first.click()
        await editor.get_by_role("button", name="Add target").click()
        targets = page.get_by_role("option", name=f"{target} {STATION.area} ▸ {of}")
        await targets.first.click()
    await editor.get_by_role("button", name="Save").click()
    dialog = page.locator("ha-dialog-automation-save")
    await dialog.get_by_role("textbox", name="Name").fill("Let visitors in")
    await dialog.get_by_role("button", name="Save").click()
    await expect(page).not_to_have_url(re.compile("/new$"))

    before = openings(await house.state())
    await page.goto("/config/automation/dashboard")
    row = page.get_by_role("row").filter(has_text="Let visitors in")
    await expect(row).to_contain_text("Never")
    await house.play("ipac", "ring")
    await expect(row).not_to_contain_text("Never")
    await house.until(lambda state: openings(state) == before + 1)
