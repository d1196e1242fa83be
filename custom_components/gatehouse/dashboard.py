"""The dashboard: serves its strategy, and has every page of the frontend load it.

The strategy is a module for browsers, `frontend/gatehouse-strategy.js`. With it, "Gatehouse"
is among what the frontend offers as a new dashboard.
"""

from hashlib import sha256
from pathlib import Path

from homeassistant.components import frontend
from homeassistant.components.http import StaticPathConfig
from homeassistant.core import HomeAssistant

from .const import DOMAIN

_MODULE = Path(__file__).parent / "frontend" / "gatehouse-strategy.js"


async def async_setup_dashboard(hass: HomeAssistant) -> None:
    """Offer the dashboard, where there is a frontend."""
    if frontend.DOMAIN not in hass.config.components:
        return
    url = await hass.async_add_executor_job(_url)
    await hass.http.async_register_static_paths(
        [StaticPathConfig(url, str(_MODULE), cache_headers=True)]
    )
    frontend.add_extra_js_url(hass, url)


def _url() -> str:
    """Return the module's address, which is another one for another module.

    Browsers keep it for a month.
    """
    digest = sha256(_MODULE.read_bytes()).hexdigest()[:16]
    return f"/{DOMAIN}_static/{digest}/{_MODULE.name}"
