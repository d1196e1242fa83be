"""How the hub knows that the station is there, and says so."""

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.gatehouse.const import DOMAIN
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er, issue_registry as ir
from simulators.ipac import Fault, Ipac

from ...conftest import Advance
from ..conftest import shown
from .conftest import CONNECTION, DOOR, DOORBELL, Told

LAST_CONTACT = "sensor.ipac_last_contact"


@pytest.mark.parametrize(
    ("spoil", "state"),
    [
        ("gone", ConfigEntryState.SETUP_RETRY),
        ("odd", ConfigEntryState.SETUP_RETRY),
        ("refuses", ConfigEntryState.SETUP_ERROR),
    ],
)
async def test_start(
    hass: HomeAssistant,
    station: Ipac,
    entry: MockConfigEntry,
    advance: Advance,
    spoil: str,
    state: ConfigEntryState,
) -> None:
    """A station that does not answer is tried again; a wrong login needs the user."""
    match spoil:
        case "gone":
            await station.stop()
        case "odd":
            station.inject("/api/audio/", Fault.reply(b"", status=404))
        case "refuses":
            station.password = "another"
    entry.add_to_hass(hass)
    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    assert entry.state is state
    flows = hass.config_entries.flow.async_progress()
    assert bool(flows) is (spoil == "refuses")
    await station.start()
    if spoil != "refuses":
        await advance(20)
        assert entry.state is ConfigEntryState.LOADED


async def test_last_contact(
    hass: HomeAssistant, asm: Ipac, home: MockConfigEntry, advance: Advance
) -> None:
    """What happens is shown at once, mere signs of life after five minutes or a loss."""
    first = shown(hass, LAST_CONTACT)
    await beat(asm, advance, 30)
    assert shown(hass, LAST_CONTACT) == first
    await asm.press_button()
    second = shown(hass, LAST_CONTACT)
    assert second > first
    await advance(300)
    await asm.notify()
    third = shown(hass, LAST_CONTACT)
    assert third > second
    await beat(asm, advance, 30)
    assert shown(hass, LAST_CONTACT) == third
    await asm.stop()
    await advance(150)
    assert shown(hass, CONNECTION) == "off"
    assert shown(hass, LAST_CONTACT) > third


async def beat(asm: Ipac, advance: Advance, period: float, times: int = 6) -> None:
    """Have the station give signs of life."""
    for _ in range(times):
        await advance(period)
        await asm.notify()


async def test_silence(
    hass: HomeAssistant,
    asm: Ipac,
    home: MockConfigEntry,
    advance: Advance,
    issue_registry: ir.IssueRegistry,
    told: Told,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """After ten learnt periods of silence the user is told, until it reports again."""
    await beat(asm, advance, 20)
    await advance(190)
    assert not issue_registry.issues
    await advance(15)
    (issue,) = issue_registry.issues.values()
    assert issue.translation_key == "station_silent"
    # It can still be called, so its doors can still be opened.
    assert shown(hass, CONNECTION) == "on"
    assert shown(hass, DOOR) == "locked"
    await advance(400)
    await asm.press_button()
    assert not issue_registry.issues
    assert [event for event, _ in told(DOORBELL)] == ["ring"]
    assert caplog.text.count("has stopped reporting") == 1
    assert caplog.text.count("reports again") == 1


async def test_no_longer_wanted(
    hass: HomeAssistant,
    asm: Ipac,
    home: MockConfigEntry,
    advance: Advance,
    issue_registry: ir.IssueRegistry,
) -> None:
    """The user can say that the station is not to report any more."""
    await beat(asm, advance, 20)
    await advance(205)
    (issue,) = issue_registry.issues.values()
    await home.runtime_data.async_fix(issue.data["key"], issue.data)
    assert not issue_registry.issues
    await hass.config_entries.async_reload(home.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    await advance(10_000)
    assert not issue_registry.issues
    # Should it report again, it is paired anew.
    assert (await asm.notify()).status == 404
    assert (await asm.notify()).status == 200


async def test_hasty_station(
    hass: HomeAssistant,
    asm: Ipac,
    advance: Advance,
    issue_registry: ir.IssueRegistry,
) -> None:
    """Signs of life that are repeated at once teach no period."""
    for _ in range(20):
        await asm.notify()
    await advance(600)
    assert not issue_registry.issues


async def test_slow_station(
    hass: HomeAssistant,
    asm: Ipac,
    advance: Advance,
    issue_registry: ir.IssueRegistry,
) -> None:
    """A station that reports every ten minutes is not silent after ten times one."""
    await asm.notify()
    await beat(asm, advance, 600)
    await advance(5000)
    assert not issue_registry.issues
    await advance(1100)
    assert issue_registry.issues


async def test_gone_altogether(
    hass: HomeAssistant,
    asm: Ipac,
    home: MockConfigEntry,
    advance: Advance,
    issue_registry: ir.IssueRegistry,
) -> None:
    """A station that is silent and cannot be called is gone, until either changes."""

    def lost() -> bool:
        return (DOMAIN, "station_unreachable_ipac_entry") in issue_registry.issues

    await beat(asm, advance, 20)
    await asm.stop()
    await advance(50)
    assert shown(hass, CONNECTION) == "on"
    await advance(20)
    assert shown(hass, CONNECTION) == "off"
    assert shown(hass, DOOR) == "unavailable"
    await advance(800)
    assert not lost()
    await advance(200)
    assert lost()
    await asm.start()
    await asm.notify()
    assert not lost()
    assert shown(hass, CONNECTION) == "on"
    assert shown(hass, DOOR) == "locked"


async def test_known_station_is_awaited(
    hass: HomeAssistant,
    asm: Ipac,
    home: MockConfigEntry,
    advance: Advance,
    issue_registry: ir.IssueRegistry,
) -> None:
    """After a restart a paired station may be out of reach, and is waited for."""
    await beat(asm, advance, 20)
    await asm.stop()
    await hass.config_entries.async_reload(home.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    assert home.state is ConfigEntryState.LOADED
    assert shown(hass, CONNECTION) == "off"
    assert shown(hass, DOOR) == "unavailable"
    await advance(205)
    (issue,) = issue_registry.issues.values()
    assert issue.translation_key == "station_silent"
    await asm.start()
    await asm.notify()
    assert not issue_registry.issues
    assert shown(hass, DOOR) == "locked"


async def test_login_changes_while_away(
    hass: HomeAssistant, station: Ipac, home: MockConfigEntry, advance: Advance
) -> None:
    """A station that comes back with another login is there, but needs the user."""
    await station.stop()
    with pytest.raises(Exception, match="cannot be reached"):
        await hass.services.async_call(
            "button", "press", {"entity_id": "button.ipac_hang_up"}, blocking=True
        )
    station.password = "another"
    await station.start()
    await advance(61)
    assert shown(hass, CONNECTION) == "on"
    (flow,) = hass.config_entries.flow.async_progress()
    assert flow["context"]["source"] == "reauth"


async def test_clock_offset(
    hass: HomeAssistant,
    asm: Ipac,
    home: MockConfigEntry,
    entity_registry: er.EntityRegistry,
) -> None:
    """The difference of the clocks is a sensor for who wants it."""
    (entity_id,) = (
        found.entity_id
        for found in er.async_entries_for_config_entry(entity_registry, home.entry_id)
        if found.unique_id.endswith("clock_offset")
    )
    assert hass.states.get(entity_id) is None
    entity_registry.async_update_entity(entity_id, disabled_by=None)
    await hass.config_entries.async_reload(home.entry_id)
    await hass.async_block_till_done(wait_background_tasks=True)
    await asm.notify()
    assert float(shown(hass, entity_id)) == pytest.approx(3541, abs=2)
