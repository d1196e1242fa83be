"""Setting a service up, changing it, and what it shows."""

from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    start_reauth_flow,
)

from custom_components.gatehouse.const import DOMAIN
from homeassistant.config_entries import SOURCE_USER, ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from simulators.innovaphone import Innovaphone

from ...conftest import until
from ..conftest import shown
from .conftest import CONNECTION, DOMAIN_PASSWORD, PASSWORD, asked, make_entry


async def form(hass: HomeAssistant) -> Any:
    """Return the form, reached through the menu."""
    menu = await hass.config_entries.flow.async_init(
        DOMAIN, context={"source": SOURCE_USER}
    )
    assert "innovaphone" in menu["menu_options"]
    shown_form = await hass.config_entries.flow.async_configure(
        menu["flow_id"], {"next_step_id": "innovaphone"}
    )
    assert shown_form["step_id"] == "innovaphone"
    return shown_form


async def answer(hass: HomeAssistant, shown_form: Any, answers: dict[str, Any]) -> Any:
    """Return what follows on a form's answers, defaults included."""
    result = await hass.config_entries.flow.async_configure(
        shown_form["flow_id"], answers
    )
    await hass.async_block_till_done()
    return result


@pytest.mark.parametrize(
    "spelling", ["{url}{path}", "{url}{base}/", " {url}{base} ", "ws"]
)
async def test_set_up(hass: HomeAssistant, service: Innovaphone, spelling: str) -> None:
    """A login and a question prove the answers; the address is kept in one spelling."""
    url = spelling.format(url=service.url, path=service.path, base=service.base)
    if spelling == "ws":
        url = service.app_url.replace("http://", "ws://")
    shown_form = await form(hass)
    created = await answer(
        hass,
        shown_form,
        {"url": url, "domain": " example.com ", "password": PASSWORD},
    )
    assert created["type"] is FlowResultType.CREATE_ENTRY
    assert created["title"] == "innovaphone example.com"
    assert created["data"] == {
        "vendor": "innovaphone",
        "url": f"{service.url}{service.base}",
        "app": "innovaphone-devices-api",
        "domain": "example.com",
        "password": PASSWORD,
        "verify_tls": True,
    }
    assert created["result"].state is ConfigEntryState.LOADED
    # One login to prove it, and one that stays.
    assert len(asked(service, "GetUserInfo")) == 2
    await until(lambda: len(service.connections) == 1)


async def test_domain(hass: HomeAssistant, service: Innovaphone) -> None:
    """A domain's own password is another entry of the same service."""
    make_entry(service).add_to_hass(hass)
    created = await answer(
        hass,
        await form(hass),
        {
            "url": service.app_url,
            "domain": "branch.example.com",
            "password": DOMAIN_PASSWORD,
        },
    )
    assert created["type"] is FlowResultType.CREATE_ENTRY
    assert created["title"] == "innovaphone branch.example.com"


async def test_duplicate(hass: HomeAssistant, service: Innovaphone) -> None:
    """The same domain of the same service is set up once."""
    make_entry(service).add_to_hass(hass)
    for url in (service.app_url, service.app_url.replace("http://", "ws://")):
        aborted = await answer(
            hass,
            await form(hass),
            {"url": url, "domain": "Example.com", "password": PASSWORD},
        )
        assert aborted["type"] is FlowResultType.ABORT
        assert aborted["reason"] == "already_configured"


@pytest.mark.parametrize(
    ("changes", "errors"),
    [
        ({"url": "ap.example.com"}, {"url": "invalid_app_url"}),
        ({"url": "https://ap.example.com/devices"}, {"url": "invalid_app_url"}),
        ({"password": "wrong"}, {"base": "invalid_auth"}),
        ({"app": "innovaphone-users"}, {"base": "invalid_auth"}),
        ({"domain": "other.example.com", "password": "x"}, {"base": "invalid_auth"}),
        ({"url": "http://127.0.0.1:1/example.com/devices"}, {"base": "cannot_connect"}),
    ],
)
async def test_answers_that_cannot_stand(
    hass: HomeAssistant,
    service: Innovaphone,
    changes: dict[str, str],
    errors: dict[str, str],
) -> None:
    """The form says what is wrong, and stays open for what is right."""
    answers = {"url": service.app_url, "domain": "example.com", "password": PASSWORD}
    shown_form = await form(hass)
    again = await answer(hass, shown_form, answers | changes)
    assert again["errors"] == errors
    created = await answer(hass, shown_form, answers)
    assert created["type"] is FlowResultType.CREATE_ENTRY


@pytest.mark.usefixtures("impatient")
async def test_odd_services(hass: HomeAssistant, service: Innovaphone) -> None:
    """What answers, but not as this service does, is told apart."""
    answers = {"url": service.app_url, "domain": "example.com", "password": PASSWORD}
    shown_form = await form(hass)

    service.upgrade_status = 404
    again = await answer(hass, shown_form, answers)
    assert again["errors"] == {"base": "unexpected_reply"}
    service.upgrade_status = None

    service.ignore("AppChallenge")
    again = await answer(hass, shown_form, answers)
    assert again["errors"] == {"base": "timeout"}

    service.ignore("GetUserInfo")
    again = await answer(hass, shown_form, answers)
    assert again["errors"] == {"base": "timeout"}

    service.answers_unknown = True
    service.fail("GetUserInfo", "Not allowed")
    again = await answer(hass, shown_form, answers)
    assert again["errors"] == {"base": "unexpected_reply"}

    created = await answer(hass, shown_form, answers)
    assert created["type"] is FlowResultType.CREATE_ENTRY


async def test_reconfigure(
    hass: HomeAssistant, service: Innovaphone, home: MockConfigEntry
) -> None:
    """Everything can be changed; the password is not shown, and kept if left empty."""
    shown_form = await home.start_reconfigure_flow(hass)
    assert shown_form["step_id"] == "innovaphone_reconfigure"
    assert PASSWORD not in str(shown_form)
    suggested = {
        str(key): key.description["suggested_value"]
        for key in shown_form["data_schema"].schema
        if key.description
    }
    assert suggested == {
        "url": f"{service.url}{service.base}",
        "app": "innovaphone-devices-api",
        "domain": "example.com",
        "verify_tls": True,
    }
    done = await answer(hass, shown_form, {**suggested, "app": "innovaphone-devices"})
    assert done["reason"] == "reconfigure_successful"
    assert home.data["app"] == "innovaphone-devices"
    assert home.data["password"] == PASSWORD
    assert service.logins[-1]["app"] == "innovaphone-devices"
    shown_form = await home.start_reconfigure_flow(hass)
    done = await answer(
        hass,
        shown_form,
        {
            **suggested,
            "domain": "branch.example.com",
            "password": DOMAIN_PASSWORD,
        },
    )
    assert done["reason"] == "reconfigure_successful"
    assert home.unique_id.endswith(":branch.example.com")
    assert shown(hass, "sensor.innovaphone_branch_example_com_devices") is None
    assert shown(hass, "sensor.innovaphone_example_com_devices") == "0"


async def test_reauth(
    hass: HomeAssistant, service: Innovaphone, home: MockConfigEntry
) -> None:
    """A new password is proven, kept, and used at once."""
    service.password = "another-invented"
    shown_form = await start_reauth_flow(hass, home)
    assert shown_form["step_id"] == "innovaphone_reauth"
    assert shown_form["description_placeholders"]["name"] == home.title
    again = await answer(hass, shown_form, {"password": "wrong"})
    assert again["errors"] == {"base": "invalid_auth"}
    done = await answer(hass, shown_form, {"password": "another-invented"})
    assert done["reason"] == "reauth_successful"
    assert home.data["password"] == "another-invented"
    assert shown(hass, CONNECTION) == "on"


async def test_options(
    hass: HomeAssistant, service: Innovaphone, home: MockConfigEntry
) -> None:
    """The types of devices that are shown can be chosen, and be all again."""
    for chosen, total in ((["gw", "va"], "4"), ([], "9")):
        shown_form = await hass.config_entries.options.async_init(home.entry_id)
        assert shown_form["step_id"] == "init"
        done = await hass.config_entries.options.async_configure(
            shown_form["flow_id"], {"types": chosen}
        )
        assert done["type"] is FlowResultType.CREATE_ENTRY
        await hass.async_block_till_done()
        assert home.options == {"types": chosen}
        assert shown(hass, "sensor.innovaphone_example_com_devices") == total
