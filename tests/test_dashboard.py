"""The dashboard's strategy: where it is served, and who is told to load it."""

from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.gatehouse.const import DOMAIN
from homeassistant.components import frontend, onboarding
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component

MONTH = 31 * 24 * 60 * 60

# What is left of the real page, which the frontend's package has.
INDEX = "{% for url in extra_modules %}{{ url }}\n{% endfor %}"


@pytest.fixture
async def with_frontend(
    hass: HomeAssistant, hass_storage: dict[str, Any], tmp_path: Path
) -> None:
    """Set up the frontend, without its package."""
    hass_storage[onboarding.DOMAIN] = {
        "version": onboarding.STORAGE_VERSION,
        "data": {"done": onboarding.STEPS},
    }
    (tmp_path / "hass_frontend").mkdir()
    (tmp_path / "hass_frontend" / "index.html").write_text(INDEX)
    assert await async_setup_component(
        hass, frontend.DOMAIN, {frontend.DOMAIN: {"development_repo": str(tmp_path)}}
    )


async def loaded(client: Any) -> list[str]:
    """Return the modules of Gatehouse that a page of the frontend loads."""
    response = await client.get("/")
    assert response.status == HTTPStatus.OK
    return [url for url in (await response.text()).split() if DOMAIN in url]


@pytest.mark.usefixtures("with_frontend")
async def test_served(
    hass: HomeAssistant, hass_client_no_auth: ClientSessionGenerator
) -> None:
    """Pages load one module, which browsers may keep, and need no login to do so."""
    assert await async_setup_component(hass, DOMAIN, {})
    client = await hass_client_no_auth()
    [url] = await loaded(client)
    response = await client.get(url)
    assert response.status == HTTPStatus.OK
    assert response.content_type == "text/javascript"
    assert response.headers["Cache-Control"] == f"public, max-age={MONTH}"
    module = await response.text()
    assert "ll-strategy-dashboard-" in module
    # Names from elsewhere are handed to cards as text; nothing here makes a page of them,
    # and nothing is asked for that a browser does not have.
    for dangerous in ("HTML ", "HTML=", "eval(", "Function(", "markdown", "fetch("):
        assert dangerous not in module.replace("extends HTMLElement ", "")


@pytest.mark.usefixtures("with_frontend")
async def test_once(
    hass: HomeAssistant, hass_client_no_auth: ClientSessionGenerator
) -> None:
    """However many systems there are, and however often they load, it stays one."""
    entries = [
        MockConfigEntry(
            domain=DOMAIN, data={"vendor": "tellicon", "token": character * 24}
        )
        for character in "ab"
    ]
    for entry in entries:
        entry.add_to_hass(hass)
        await hass.config_entries.async_setup(entry.entry_id)
    assert await hass.config_entries.async_reload(entries[0].entry_id)
    assert len(await loaded(await hass_client_no_auth())) == 1


async def test_without_frontend(hass: HomeAssistant) -> None:
    """Where there is no frontend, everything else is there."""
    assert await async_setup_component(hass, DOMAIN, {})
    assert frontend.DOMAIN not in hass.config.components
    assert hass.services.has_service(DOMAIN, "place_call")
