"""What a user does in Home Assistant's frontend, in English."""

import re

from playwright.async_api import Locator, Page, expect

INTEGRATIONS = "/config/integrations/dashboard"
GATEHOUSE = "/config/integrations/integration/gatehouse"


class Flow:
    """The dialog of a config flow."""

    def __init__(self, page: Page) -> None:
        """Find it on the page."""
        self._page = page
        # A role would not do: what is slotted into a dialog is no child of its element.
        self.dialog = page.locator("dialog-data-entry-flow")

    async def choose(self, option: str) -> None:
        """Choose from a menu."""
        await self.dialog.get_by_text(option, exact=True).click()

    async def fill(self, **fields: str) -> None:
        """Fill text fields; an underscore in a name stands for a space."""
        for name, value in fields.items():
            label = name.replace("_", " ")
            field = self.dialog.get_by_role(
                "textbox", name=re.compile(rf"^{re.escape(label)}\*?$")
            )
            await field.fill(value)

    async def tick(self, option: str) -> None:
        """Choose from options that are all shown."""
        await self.dialog.get_by_role("radio", name=option).click()

    async def submit(self) -> None:
        """Go on to the next page."""
        await self.dialog.get_by_role("button", name="Submit").click()

    async def done(self) -> None:
        """Leave a page that says what is to be typed elsewhere."""
        await self.dialog.get_by_role("button", name="Done").click()

    async def codes(self) -> list[str]:
        """Return what a page says is to be typed elsewhere."""
        codes = self.dialog.get_by_role("code")
        await expect(codes.first).to_be_visible()
        return await codes.all_inner_texts()

    async def finish(self) -> None:
        """Close the page that tells of success."""
        await self.dialog.get_by_role(
            "button", name=re.compile("^(Skip and finish|Finish)$")
        ).click()
        await expect(self.dialog.get_by_role("button")).to_have_count(0)


async def add_system(page: Page, name: str) -> Flow:
    """Open the form of a vendor."""
    await page.goto(INTEGRATIONS)
    await page.get_by_role("button", name="Add integration").click()
    brands = page.locator("dialog-add-integration")
    await brands.get_by_role("textbox").fill("gatehouse")
    await brands.get_by_text("Gatehouse", exact=True).click()
    flow = Flow(page)
    await flow.choose(name)
    return flow


async def add_to_entry(page: Page, button: str) -> Flow:
    """Open the form of something that is added to an entry."""
    await page.goto(GATEHOUSE)
    await page.get_by_role("button", name=button, exact=True).click()
    return Flow(page)


async def open_device(page: Page, name: str) -> Locator:
    """Open the page of a device, and return it."""
    await page.goto(GATEHOUSE)
    # Entries and sub-entries may have the same name, but no entities.
    label = re.escape(name).replace("/", r"\/")
    await page.get_by_role("button", name=re.compile(f"^{label}.* entit")).click()
    device = page.locator("ha-config-device-page")
    await expect(device.get_by_text(name, exact=True).first).to_be_visible()
    return device


async def expect_entity(device: Locator, name: str, state: str) -> None:
    """Expect the page of a device to show an entity with a state."""
    entities = device.locator("ha-device-entities-card").filter(has_text=name)
    await expect(entities.first).to_contain_text(state)
