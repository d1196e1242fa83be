"""The dashboard strategy: serves it, and has every page of the frontend load it.

The frontend then offers a dashboard "Gatehouse" wherever a new one is created.
"""

from hashlib import sha256
from pathlib import Path

from homeassistant.components import frontend
from homeassistant.components.http import StaticPathConfig
from homeassistant.core import HomeAssistant

from .const import DOMAIN

FOLDER = Path(__file__).parent / "frontend"

MODULE = "gatehouse-strategy.js"


async def async_setup_dashboard(hass: HomeAssistant) -> None:
    """Offer the dashboard, if there is a frontend to show it."""
    if frontend.DOMAIN not in hass.config.components:
        return
    # Browsers keep what they have loaded for a month: another file has another address.
    url = f"/{DOMAIN}_static/{await hass.async_add_executor_job(_digest)}/{MODULE}"
    await hass.http.async_register_static_paths(
        [StaticPathConfig(url, str(FOLDER / MODULE), cache_headers=True)]
    )
    frontend.add_extra_js_url(hass, url)


def _digest() -> str:
    """Return what tells one version of the module from another."""
    return sha256((FOLDER / MODULE).read_bytes()).hexdigest()[:16]
