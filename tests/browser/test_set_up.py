"""Each vendor is set up as a user does it: through the dialogs, typing what they show."""

from playwright.async_api import Page, expect

from demo.neighbourhood import LOCKS, SERVER, STATION, TELEPHONY, UNIT

from .browser import Addresses, openings
from .frontend import GATEHOUSE, add_system, add_to_entry, expect_entity, open_device


async def test_ipac(bare_page: Page, bare_house: Addresses) -> None:
    """The station reports what it is told to, and a door of it opens."""
    page = bare_page
    flow = await add_system(page, "Amphitech IPAC 500")
    await flow.fill(
        Host=bare_house.station, User_name=STATION.username, Password=STATION.password
    )
    await flow.submit()
    token, uri, path = await flow.codes()
    await bare_house.play("ipac", "asm", uri=uri, path=path, token=token)
    await flow.done()
    await flow.finish()

    flow = await add_to_entry(page, "Add door")
    await flow.fill(Name=STATION.door, Code=STATION.code)
    await flow.submit()
    await flow.finish()

    door = await open_device(page, STATION.door)
    await door.get_by_role("button", name="Press").click()
    await expect_entity(door, "Access", "Access granted")
    assert openings(await bare_house.state()) == 1

    station = await open_device(page, f"IPAC {bare_house.station}")
    await bare_house.play("ipac", "ring")
    await expect_entity(station, "Doorbell", "Ring")


async def test_the_keys(bare_page: Page, bare_house: Addresses) -> None:
    """A lock is added behind its gateway, and its bolt turns."""
    page = bare_page
    flow = await add_system(page, "The Keys")
    await flow.fill(Host=bare_house.gateway)
    await flow.submit()
    await flow.finish()

    lock, _ = LOCKS
    flow = await add_to_entry(page, "Add lock")
    await flow.choose("Enter the share code")
    await flow.fill(Name=lock.name, Share_code=lock.share_code)
    await flow.submit()
    await flow.finish()

    device = await open_device(page, lock.name)
    await device.get_by_role("button", name="Unlock").click()
    # The page says so as soon as the bolt begins to move.
    await bare_house.until(
        lambda state: state["the_keys"]["locks"][0]["state"] == "unlocked"
    )
    await expect(device.get_by_role("button", name="Lock", exact=True)).to_be_enabled()


async def test_tellicon(bare_page: Page, bare_house: Addresses) -> None:
    """A ring arrives at the address that the page has shown, with its header and token."""
    page = bare_page
    flow = await add_system(page, "Tellicon")
    await flow.submit()
    url, header, token = await flow.codes()
    assert header == "authTokenTellicon"
    await bare_house.play("tellicon", "target", url=url, token=token)
    await flow.done()
    await flow.finish()

    await page.goto(GATEHOUSE)
    await expect(page.get_by_text("Tellicon").first).to_be_visible()
    ring = {"client": UNIT.client, "building": UNIT.building, "apt": UNIT.apt}
    reply = await bare_house.play("tellicon", "ring", **ring)
    assert reply["status"] == 200
    # The unit comes with its first ring, while its user looks.
    unit = await open_device(page, f"Unit {UNIT.code}")
    await expect_entity(unit, "Doorbell", "Ring")


async def test_senselink(bare_page: Page, bare_house: Addresses) -> None:
    """Events arrive at the address that the page has shown."""
    page = bare_page
    flow = await add_system(page, "SenseLink")
    await flow.tick("Event subscription")
    await flow.submit()
    [url] = await flow.codes()
    await bare_house.play("senselink", "subscribe", url=url)
    await flow.done()
    await flow.finish()

    await bare_house.play("senselink", "recognise", terminal=0, who="aiko")
    terminal = await open_device(page, SERVER.terminals[0])
    await expect_entity(terminal, "Last person", "Aiko Aoyama")


async def test_innovaphone(bare_page: Page, bare_house: Addresses) -> None:
    """All devices of the service are there after its form."""
    page = bare_page
    flow = await add_system(page, "innovaphone")
    await flow.fill(
        App_URL=bare_house.innovaphone,
        App=TELEPHONY.app,
        Domain=TELEPHONY.domain,
        Password=TELEPHONY.password,
    )
    await flow.submit()
    await flow.finish()
    telephone = await open_device(page, TELEPHONY.telephones[0])
    await expect_entity(telephone, "Online", "Connected")
