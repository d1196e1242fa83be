"""Takes the pictures of the documentation, from the demo's Home Assistant.

    scripts/screenshots [LANGUAGE…]

Without a language, it takes those of all. Writes into `docs/images/` and overwrites what is there.
"""

import asyncio
from contextlib import ExitStack
from io import BytesIO
import json
from pathlib import Path
import re
import sys
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from PIL import Image

from demo.neighbourhood import LOCKS, SERVER, STATION, TELEPHONY, UNIT

from .browser import ROOT, Addresses, living_in, log_in, open_browser

if TYPE_CHECKING:
    from playwright.async_api import Browser, Locator, Page

IMAGES = ROOT / "docs" / "images"

GATEHOUSE = "/config/integrations/integration/gatehouse"


async def take(what: Page | Locator, name: str) -> None:
    """Take a picture, in no more colours than a screen of forms needs."""
    picture = Image.open(BytesIO(await what.screenshot()))
    picture.convert("RGB").quantize(dither=Image.Dither.NONE).save(
        IMAGES / f"{name}.png", optimize=True
    )


class Photographer:
    """Takes pictures in one language."""

    def __init__(self, browser: Browser, house: Addresses, language: str) -> None:
        """Take pictures of a house."""
        self._browser = browser
        self._house = house
        self._language = language
        self._suffix = "" if language == "en" else f".{language}"
        folder = ROOT / "custom_components" / "gatehouse" / "translations"
        self._texts = json.loads((folder / f"{language}.json").read_text())
        self.page: Page

    async def enter(self, **settings: Any) -> None:
        """Log in anew."""
        settings = {"viewport": {"width": 1000, "height": 900}, **settings}
        self.page = await log_in(
            self._browser, self._house, locale=self._language, **settings
        )

    async def command(self, **command: Any) -> Any:
        """Send a command by the page's own connection."""
        return await self.page.evaluate(
            'command => document.querySelector("home-assistant").hass.callWS(command)',
            command,
        )

    async def rename(self) -> None:
        """Have Home Assistant name entities in the language, as it does at its start."""
        await self.command(type="config/core/update", language=self._language)
        for entry in await self.command(type="config_entries/get", domain="gatehouse"):
            await self.page.evaluate(
                """entry => document.querySelector("home-assistant").hass.callApi(
                  "POST", `config/config_entries/entry/${entry}/reload`)""",
                entry["entry_id"],
            )

    async def dialog(self, name: str) -> None:
        """Take the dialog that is open."""
        dialog = self.page.locator("dialog-data-entry-flow dialog")
        await self.page.mouse.move(0, 0)
        await self.page.evaluate("document.activeElement?.blur()")
        # What opens, fades or loads has come to rest then.
        await self.page.wait_for_timeout(1500)
        await take(dialog, f"{name}{self._suffix}")

    async def open_form(self, vendor: str) -> None:
        """Open the form of a vendor."""
        await self.page.goto("/config/integrations/dashboard")
        await self.page.locator("[slot=fab]").first.click()
        brands = self.page.locator("dialog-add-integration")
        await brands.get_by_role("textbox").fill("gatehouse")
        await brands.get_by_text("Gatehouse", exact=True).click()
        option = self._texts["config"]["step"]["user"]["menu_options"][vendor]
        flow = self.page.locator("dialog-data-entry-flow")
        await flow.get_by_text(option, exact=True).click()

    async def fill(self, step: dict[str, Any], fields: dict[str, str]) -> None:
        """Fill the form that is open; `step` has its texts."""
        flow = self.page.locator("dialog-data-entry-flow")
        for key, value in fields.items():
            label = re.escape(step["data"][key]).replace("/", r"\/")
            box = flow.get_by_role("textbox", name=re.compile(rf"^{label}\*?$"))
            await box.fill(value)

    async def form(
        self, vendor: str, fields: dict[str, str], *, option: str | None = None
    ) -> None:
        """Take the form of a vendor, filled, and the page that comes after it."""
        await self.open_form(vendor)
        step = self._texts["config"]["step"][vendor]
        if option is not None:
            flow = self.page.locator("dialog-data-entry-flow")
            text = self._texts["selector"]["delivery"]["options"][option]
            await flow.get_by_role("radio", name=text).click()
        await self.fill(step, fields)
        await self.dialog(f"{vendor}-form")
        if f"{vendor}_page" in self._texts["config"]["step"]:
            flow = self.page.locator("dialog-data-entry-flow")
            await flow.locator("[slot=primaryAction]").first.click()
            await flow.get_by_role("code").first.wait_for()
            await self.dialog(f"{vendor}-page")

    async def subentry(
        self, vendor: str, kind: str, fields: dict[str, str], *, step: str = "user"
    ) -> None:
        """Take the form of something that is added to an entry."""
        texts = self._texts["config_subentries"][kind]
        await self.page.goto(GATEHOUSE)
        await self.page.get_by_role(
            "button", name=texts["initiate_flow"]["user"], exact=True
        ).click()
        if step != "user":
            flow = self.page.locator("dialog-data-entry-flow")
            option = texts["step"]["user"]["menu_options"][step]
            await flow.get_by_text(option, exact=True).click()
        await self.fill(texts["step"][step], fields)
        await self.dialog(f"{vendor}-{kind}")

    async def device(self, vendor: str, name: str) -> None:
        """Take the page of a device."""
        devices = await self.command(type="config/device_registry/list")
        [device_id] = [
            device["id"]
            for device in devices
            if name in (device["name_by_user"], device["name"])
        ]
        await self.page.goto(f"/config/devices/device/{device_id}")
        shown = self.page.locator("ha-config-device-page")
        await shown.locator("ha-device-entities-card").first.wait_for()
        await self.page.wait_for_timeout(2500)
        await take(shown, f"{vendor}-device{self._suffix}")


async def photograph_forms(browser: Browser, house: Addresses, language: str) -> None:
    """Take forms and pages in a house in which nothing is set up."""
    photographer = Photographer(browser, house, language)
    await photographer.enter(viewport={"width": 700, "height": 1300})
    # Addresses as they are in most homes.
    await photographer.command(
        type="config/core/update",
        internal_url="http://homeassistant.local:8123",
        external_url="https://doors.example.com",
    )
    if language in ("en", "fr"):
        await photographer.form(
            "ipac",
            {"host": house.station, "password": STATION.password},
        )
        await photographer.form("the_keys", {"host": house.gateway})
    if language in ("en", "pt-BR"):
        await photographer.form("tellicon", {})
    if language in ("en", "ja"):
        await photographer.form("senselink", {}, option="subscription")
    if language in ("en", "de"):
        await photographer.form(
            "innovaphone",
            {
                "url": "https://ap.example.com/example.com/devices",
                "domain": TELEPHONY.domain,
                "password": TELEPHONY.password,
            },
        )


async def photograph_devices(browser: Browser, house: Addresses, language: str) -> None:
    """Take devices, and what is added to entries, where all vendors are set up."""
    photographer = Photographer(browser, house, language)
    await photographer.enter()
    await photographer.rename()
    if language in ("en", "fr"):
        await photographer.subentry("ipac", "relay", {"name": "Garage", "code": "2222"})
        await photographer.device("ipac", STATION.name)
        await photographer.device("the_keys", LOCKS[0].name)
    if language in ("en", "pt-BR"):
        await photographer.device("tellicon", UNIT.name)
    if language in ("en", "ja"):
        await photographer.device("senselink", SERVER.terminals[0])
    if language in ("en", "de"):
        await photographer.device("innovaphone", TELEPHONY.telephones[0])


async def photograph_dashboard(browser: Browser, house: Addresses) -> None:
    """Take the dashboard, as a computer and as a telephone shows it."""
    for suffix, width, height, scheme in (
        ("", 1440, 1225, "light"),
        ("-phone", 400, 1160, "dark"),
    ):
        photographer = Photographer(browser, house, "en")
        await photographer.enter(
            viewport={"width": width, "height": height}, color_scheme=scheme
        )
        dashboards = await photographer.command(type="lovelace/dashboards/list")
        if not any(one["url_path"] == "gate-house" for one in dashboards):
            await photographer.command(
                type="lovelace/dashboards/create",
                title="Gatehouse",
                icon="mdi:gate",
                url_path="gate-house",
            )
            await photographer.command(
                type="lovelace/config/save",
                config={"strategy": {"type": "custom:gatehouse"}},
                url_path="gate-house",
            )
        await photographer.page.goto("/gate-house")
        await photographer.page.locator("hui-tile-card").first.wait_for()
        await photographer.page.wait_for_timeout(4000)
        await take(photographer.page, f"dashboard-strategy{suffix}")


async def main() -> None:
    """Take the pictures of the languages that the command line names."""
    with TemporaryDirectory() as folder, ExitStack() as stack:
        bare = stack.enter_context(living_in(Path(folder, "bare"), bare=True))
        house = stack.enter_context(living_in(Path(folder, "house")))
        async with open_browser() as browser:
            unit = {"client": UNIT.client, "building": UNIT.building, "apt": UNIT.apt}
            for vendor, what, fields in (
                ("tellicon", "ring", unit),
                ("tellicon", "answer", unit),
                ("tellicon", "dtmf", unit),
                ("ipac", "type_code", {"code": STATION.persons_code}),
                ("ipac", "ring", {}),
                ("ipac", "hang_up", {}),
                ("senselink", "recognise", {"terminal": 1, "who": "bruno"}),
                ("senselink", "recognise", {"terminal": 0, "who": "aiko"}),
            ):
                await house.play(vendor, what, **fields)
            languages = sys.argv[1:] or ["en", "fr", "de", "pt-BR", "ja"]
            if "en" in languages:
                # Devices are shown in the language that was photographed last.
                await photograph_dashboard(browser, house)
            for language in languages:
                await photograph_forms(browser, bare, language)
                await photograph_devices(browser, house, language)


if __name__ == "__main__":
    asyncio.run(main())
