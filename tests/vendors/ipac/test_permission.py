"""Who has no administrator's rights can do no more at a door than they may."""

from collections.abc import Callable
import io
from typing import Any

from PIL import Image
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    MockEntityPlatform,
    MockUser,
)
from pytest_homeassistant_custom_component.typing import WebSocketGenerator

from homeassistant.auth.const import GROUP_ID_READ_ONLY, GROUP_ID_USER
from homeassistant.components import image
from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import Unauthorized, UnknownUser
from homeassistant.helpers import device_registry as dr
from homeassistant.setup import async_setup_component
from simulators.ipac import Ipac

from ...users import make_user
from .conftest import DISPLAY, DOOR, OPEN, SPEAKER

SEEN = "image.seen"

type Act = Callable[[str, str | None], Any]

# What opens, calls, speaks or shows something at the door.
ACTIONS = [
    ("lock.unlock", {"entity_id": DOOR}),
    ("lock.open", {"entity_id": DOOR}),
    ("button.press", {"entity_id": OPEN}),
    ("button.press", {"entity_id": "button.ipac_answer"}),
    ("media_player.media_stop", {"entity_id": SPEAKER}),
    ("notify.send_message", {"entity_id": DISPLAY, "message": "Hello"}),
    ("gatehouse.place_call", {"number": "1001"}),
    ("gatehouse.show_image", {"image": SEEN}),
]


class Seen(image.ImageEntity):
    """An image that somebody may see, or not."""

    entity_id = SEEN

    async def async_image(self) -> bytes:
        """Return a picture."""
        file = io.BytesIO()
        Image.new("RGB", (8, 8), "red").save(file, "PNG")
        return file.getvalue()


@pytest.fixture
def device_id(home: MockConfigEntry, device_registry: dr.DeviceRegistry) -> str:
    """Return the id of the station's device."""
    return device_registry.async_get_device_by_identifier(
        ("gatehouse", f"ipac_{home.entry_id}"), home.entry_id
    ).id


@pytest.fixture
async def act(hass: HomeAssistant, device_id: str, hass_admin_user: MockUser) -> Any:
    """Return what carries out an action on behalf of a user."""
    assert await async_setup_component(hass, "image", {})
    platform = MockEntityPlatform(hass, domain="image", platform_name="test")
    await platform.async_add_entities([Seen(hass)])

    async def act(action: str, fields: dict[str, Any], user_id: str | None) -> None:
        domain, name = action.split(".")
        if domain == "gatehouse":
            fields = {"device_id": device_id, **fields}
        await hass.services.async_call(
            domain, name, fields, blocking=True, context=Context(user_id=user_id)
        )

    return act


@pytest.mark.parametrize(("action", "fields"), ACTIONS)
async def test_not_allowed(
    hass: HomeAssistant,
    station: Ipac,
    act: Act,
    device_id: str,
    action: str,
    fields: dict[str, Any],
) -> None:
    """Without a permission, or with that to look only, nothing is done at the door."""
    before = len(station.requests)
    read_only = await hass.auth.async_create_user(
        "Guest", group_ids=[GROUP_ID_READ_ONLY]
    )
    elsewhere = make_user(hass, {"entity_ids": {"light.hall": True, SEEN: True}})
    part = make_user(
        hass,
        {
            "all": {"read": True},
            # It is asked for the whole station, not for one of its entities.
            "entity_ids": {"sensor.ipac_last_contact": True},
        },
    )
    for user in (make_user(hass), read_only, elsewhere, part):
        with pytest.raises(Unauthorized):
            await act(action, fields, user.id)
    with pytest.raises(UnknownUser):
        await act(action, fields, "nobody")
    assert len(station.requests) == before


@pytest.mark.parametrize(("action", "fields"), ACTIONS)
async def test_allowed(
    hass: HomeAssistant,
    station: Ipac,
    act: Act,
    device_id: str,
    device_registry: dr.DeviceRegistry,
    action: str,
    fields: dict[str, Any],
) -> None:
    """Who may control the devices, or all there is, is let; an automation is, too."""
    devices = [
        device.id
        for device in dr.async_entries_for_config_entry(device_registry, "entry")
    ]
    users = (
        (await hass.auth.async_create_user("Resident", group_ids=[GROUP_ID_USER])).id,
        make_user(
            hass,
            {
                "device_ids": dict.fromkeys(devices, True),
                "entity_ids": {SEEN: {"read": True}},
            },
        ).id,
        None,
    )
    for user_id in users:
        await act("button.press", {"entity_id": "button.ipac_hang_up"}, None)
        for relay in station.relays.values():
            relay.release()
        before = len(station.requests)
        await act(action, fields, user_id)
        assert len(station.requests) > before


async def test_picture_that_may_not_be_seen(
    hass: HomeAssistant,
    station: Ipac,
    act: Act,
    device_id: str,
) -> None:
    """A display shows nobody what they may not see."""
    user = make_user(hass, {"device_ids": {device_id: True}})
    for source in (SEEN, f"media-source://image/{SEEN}"):
        with pytest.raises(Unauthorized):
            await act("gatehouse.show_image", {"image": source}, user.id)
    assert station.picture is None


async def test_events_are_for_administrators(
    hass: HomeAssistant,
    home: MockConfigEntry,
    hass_ws_client: WebSocketGenerator,
    hass_read_only_access_token: str,
) -> None:
    """Who may not see everything cannot listen to what Gatehouse tells on the bus."""
    client = await hass_ws_client(hass, hass_read_only_access_token)
    for request in (
        {"type": "subscribe_events", "event_type": "gatehouse_event"},
        {"type": "subscribe_events"},
        {
            "type": "subscribe_trigger",
            "trigger": {"platform": "event", "event_type": "gatehouse_event"},
        },
    ):
        await client.send_json_auto_id(request)
        reply = await client.receive_json()
        assert reply["error"]["code"] == "unauthorized"
