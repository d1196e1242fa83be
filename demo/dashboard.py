"""The dashboard of the demo, made of cards that Home Assistant brings along."""

from collections.abc import Mapping
from typing import Any

from .home_assistant import Api
from .house import ACCOUNT, GATEWAY
from .neighbourhood import LOCKS, UNIT

URL_PATH = "gate-house"
TITLE = "Doors"
ICON = "mdi:door-closed-lock"

type Card = dict[str, Any]
type Entities = Mapping[tuple[str, str], str]


async def store_dashboard(api: Api, entities: Entities, street: str) -> None:
    """Create the dashboard, make it the first that is seen, and remove all others.

    Args:
        api: where to store it.
        entities: the ids of Gatehouse's entities by device and key.
        street: address of the page on which the neighbourhood is played.

    """
    dashboards = await api.command("lovelace/dashboards/list")
    if not any(dashboard["url_path"] == URL_PATH for dashboard in dashboards):
        await api.command(
            "lovelace/dashboards/create",
            url_path=URL_PATH,
            title=TITLE,
            icon=ICON,
            show_in_sidebar=True,
            require_admin=False,
        )
    await api.command(
        "lovelace/config/save", url_path=URL_PATH, config=layout(entities, street)
    )
    for dashboard in dashboards:
        # Home Assistant makes one with a map, whose tiles come from the internet.
        if dashboard["url_path"] == "map":
            await api.command(
                "lovelace/dashboards/delete", dashboard_id=dashboard["id"]
            )
    settings = await api.command("frontend/get_system_data", key="core")
    await api.command(
        "frontend/set_system_data",
        key="core",
        value={**(settings["value"] or {}), "default_panel": URL_PATH},
    )


def layout(entities: Entities, street: str) -> dict[str, Any]:
    """Return the dashboard's configuration."""
    return {
        "title": TITLE,
        "views": [
            {
                "title": TITLE,
                "path": "doors",
                "type": "sections",
                "max_columns": 3,
                "dense_section_placement": True,
                "sections": [
                    _section(_doors(entities)),
                    _section(_visitors(entities, street)),
                    _section(_health(entities)),
                    _section(_logbook(entities)),
                ],
            }
        ],
    }


def _doors(entities: Entities) -> list[Card]:
    cards = [_heading("Doors", "mdi:door")]
    cards += [
        {
            **_tile(entities[lock.name, "door"], lock.name),
            "features": [{"type": "lock-commands"}],
            "features_position": "inline",
            "grid_options": {"columns": 12},
        }
        for lock in LOCKS
    ]
    cards += [
        _tile(entities[lock.name, "battery"], f"Battery, {lock.name.lower()}")
        for lock in LOCKS
    ]
    return cards


def _visitors(entities: Entities, street: str) -> list[Card]:
    doorbell = entities[ACCOUNT, "doorbell"]
    return [
        _heading("Visitors", "mdi:doorbell-video"),
        {
            **_tile(doorbell, "Street panel"),
            "color": "amber",
            "state_content": ["event_type", "unit", "last_changed"],
            "grid_options": {"columns": 12},
        },
        {
            **_tile(entities[ACCOUNT, "dtmf"], "Typed at the telephone"),
            "state_content": ["command", "unit", "last_changed"],
            "grid_options": {"columns": 12},
        },
        {
            **_tile(entities[UNIT.name, "doorbell"], UNIT.name),
            "state_content": ["event_type", "last_changed"],
        },
        _tile(entities[UNIT.name, "last_call_duration"], "Its last call"),
        {
            "type": "markdown",
            "text_only": True,
            "content": f"[Be the visitor, or the janitor, in the street]({street})",
        },
    ]


def _health(entities: Entities) -> list[Card]:
    return [
        _heading("Health", "mdi:heart-pulse"),
        _tile(entities[GATEWAY, "connection"], "Gateway"),
        _tile(entities[GATEWAY, "status"], "Gateway status"),
        *(
            _tile(
                entities[lock.name, "battery_voltage"], f"Voltage, {lock.name.lower()}"
            )
            for lock in LOCKS
        ),
        {
            **_tile(entities[ACCOUNT, "last_contact"], "Last word from Tellicon"),
            "grid_options": {"columns": 12},
        },
    ]


def _logbook(entities: Entities) -> list[Card]:
    return [
        _heading("What happened", "mdi:format-list-bulleted"),
        {
            "type": "logbook",
            "hours_to_show": 24,
            "target": {
                "entity_id": [
                    entities[ACCOUNT, "doorbell"],
                    entities[ACCOUNT, "dtmf"],
                    entities[GATEWAY, "connection"],
                    *(entities[lock.name, "door"] for lock in LOCKS),
                ]
            },
            "grid_options": {"columns": 12, "rows": 8},
        },
    ]


def _section(cards: list[Card]) -> Card:
    return {"type": "grid", "cards": cards}


def _heading(text: str, icon: str) -> Card:
    return {"type": "heading", "heading": text, "icon": icon}


def _tile(entity_id: str, name: str) -> Card:
    return {"type": "tile", "entity": entity_id, "name": name}
