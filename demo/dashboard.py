"""The dashboard of the demo, made of cards that Home Assistant brings along."""

from collections.abc import Mapping
from typing import Any

from .home_assistant import Api
from .house import (
    ACCOUNT,
    GATEWAY,
    TELEPHONES,
    TERMINALS,
    WRITE_ON_DISPLAY,
    House,
    Keys,
)
from .media import CHIME, CHIME_TYPE, PICTURE, PICTURE_TYPE
from .neighbourhood import LOCKS, SERVER, STATION, TELEPHONY, UNIT

URL_PATH = "gate-house"
TITLE = "Doors"
ICON = "mdi:door-closed-lock"

type Card = dict[str, Any]


async def store_dashboard(api: Api, house: House, street: str) -> None:
    """Create the dashboard, make it the first that is seen, and remove all others.

    Args:
        api: where to store it.
        house: what it shows.
        street: address of the page on which the neighbourhood is played.

    """
    entities = await house.entities()
    station = (await house.devices())[STATION.name]["id"]
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
        "lovelace/config/save",
        url_path=URL_PATH,
        config=layout(entities, station, street),
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


def layout(entities: Keys, station: str, street: str) -> dict[str, Any]:
    """Return the dashboard's configuration.

    Args:
        entities: the ids of Gatehouse's entities by device and key.
        station: the id of the door station's device.
        street: as for `store_dashboard`.

    """
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
                    _section(_doors(entities, street)),
                    _section(_station(entities, station)),
                    _section(_terminals(entities)),
                    _section(_intercom(entities)),
                    _section(_telephones(entities)),
                    _section(_health(entities)),
                    {**_section(_logbook(entities)), "column_span": 2},
                ],
            }
        ],
    }


def _doors(entities: Keys, street: str) -> list[Card]:
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
        {
            **_tile(entities[STATION.door, "door"], STATION.door),
            "features": [{"type": "lock-open-door"}],
            "features_position": "inline",
            "grid_options": {"columns": 12},
        },
        {
            **_tile(
                entities[STATION.door, "access"], f"Access, {STATION.door.lower()}"
            ),
            "state_content": ["event_type", "reason", "person", "last_changed"],
            "grid_options": {"columns": 12},
        },
    ]
    cards += [
        _tile(entities[lock.name, "battery"], f"Battery, {lock.name.lower()}")
        for lock in LOCKS
    ]
    cards.append(
        {
            "type": "markdown",
            "text_only": True,
            "content": f"[Be the visitor, or the janitor, in the street]({street})",
        }
    )
    return cards


def _station(entities: Keys, station: str) -> list[Card]:
    speaker = entities[STATION.name, "speaker"]
    display = entities[STATION.name, "display"]
    return [
        {
            **_heading(STATION.name, "mdi:doorbell-video"),
            "badges": [
                {
                    "type": "entity",
                    "entity": entities[STATION.name, "call"],
                    "name": "Call",
                    "color": "state",
                    "state_content": ["name", "state"],
                }
            ],
        },
        {
            **_tile(entities[STATION.name, "doorbell"], "Doorbell"),
            "color": "amber",
            "state_content": ["event_type", "caller", "callee", "last_changed"],
            "grid_options": {"columns": 12},
        },
        {
            **_tile(entities[STATION.name, "keypad"], "Typed at the keypad"),
            "state_content": ["event_type", "code_name", "last_changed"],
            "grid_options": {"columns": 12},
        },
        {
            **_button(entities[STATION.name, "answer"], "Answer"),
            "color": "green",
            "icon": "mdi:phone",
        },
        {
            **_button(entities[STATION.name, "hang_up"], "Hang up"),
            "color": "red",
            "icon": "mdi:phone-hangup",
        },
        {
            **_tile(speaker, "Speaker"),
            "features": [{"type": "media-player-playback", "controls": ["media_stop"]}],
            "features_position": "inline",
        },
        {
            **_tile(speaker, "Play a chime"),
            "icon": "mdi:music-note",
            "hide_state": True,
            **_tapped(
                _action(
                    "media_player.play_media",
                    {"entity_id": speaker},
                    media={"media_content_id": CHIME, "media_content_type": CHIME_TYPE},
                )
            ),
        },
        {
            **_tile(display, "Show a picture"),
            "icon": "mdi:image",
            "hide_state": True,
            **_tapped(
                _action(
                    "gatehouse.show_image",
                    {"device_id": station},
                    image={
                        "media_content_id": PICTURE,
                        "media_content_type": PICTURE_TYPE,
                    },
                )
            ),
        },
        {
            **_tile(display, "Show a text"),
            "icon": "mdi:message-draw",
            "hide_state": True,
            # There is a form to fill in.
            **_tapped({"action": "more-info", "entity": f"script.{WRITE_ON_DISPLAY}"}),
        },
        _button(entities[STATION.name, "clear_display"], "Clear display"),
    ]


def _intercom(entities: Keys) -> list[Card]:
    doorbell = entities[ACCOUNT, "doorbell"]
    return [
        _heading("Intercom", "mdi:deskphone"),
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
            "state_content": ["event_type"],
        },
        _tile(entities[UNIT.name, "last_call_duration"], "Its last call"),
    ]


def _terminals(entities: Keys) -> list[Card]:
    cards = [_heading("Terminals", "mdi:face-recognition")]
    cards += [
        {
            "type": "picture-entity",
            "entity": entities[terminal, "last_photo"],
            "name": terminal,
            "show_state": False,
            "grid_options": {"columns": 6, "rows": 4},
        }
        for terminal in SERVER.terminals
    ]
    # Each below its photo.
    cards += [
        {
            **_tile(entities[terminal, "last_person"], "Last person"),
            "icon": "mdi:account",
        }
        for terminal in SERVER.terminals
    ]
    for terminal in SERVER.terminals:
        cards += [
            {
                **_tile(entities[terminal, "access"], f"Access, {terminal.lower()}"),
                "state_content": ["event_type", "person", "reason", "last_changed"],
                "grid_options": {"columns": 12},
            },
            {
                **_tile(entities[terminal, "alert"], f"Alert, {terminal.lower()}"),
                # One that has never been raised would otherwise have a time.
                "state_content": ["event_type", "status"],
                "grid_options": {"columns": 12},
            },
        ]
    return cards


def _telephones(entities: Keys) -> list[Card]:
    return [
        {
            **_heading("Telephones", "mdi:phone-voip"),
            "badges": [
                {
                    "type": "entity",
                    "entity": entities[TELEPHONES, key],
                    "name": name,
                    "show_icon": False,
                    "state_content": ["name", "state"],
                }
                for key, name in (
                    ("devices_online", "Online"),
                    ("devices_total", "Total"),
                )
            ],
        },
        *(
            _tile(entities[telephone, "online"], telephone)
            for telephone in TELEPHONY.telephones
        ),
        {
            **_tile(entities[TELEPHONES, "inventory"], "Came or went"),
            "state_content": ["event_type", "product", "last_changed"],
            "grid_options": {"columns": 12},
        },
    ]


def _health(entities: Keys) -> list[Card]:
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
        _tile(entities[ACCOUNT, "last_contact"], "Last from Tellicon"),
        _tile(entities[STATION.name, "connection"], STATION.name),
        _tile(entities[TERMINALS, "connection"], "SenseLink"),
        _tile(entities[TELEPHONES, "connection"], "innovaphone"),
    ]


def _logbook(entities: Keys) -> list[Card]:
    return [
        _heading("What happened", "mdi:format-list-bulleted"),
        {
            "type": "logbook",
            "hours_to_show": 24,
            "target": {
                "entity_id": [
                    entities[ACCOUNT, "doorbell"],
                    entities[ACCOUNT, "dtmf"],
                    entities[STATION.name, "doorbell"],
                    entities[STATION.name, "keypad"],
                    entities[STATION.door, "access"],
                    entities[STATION.door, "door"],
                    entities[GATEWAY, "connection"],
                    *(entities[terminal, "access"] for terminal in SERVER.terminals),
                    *(entities[terminal, "alert"] for terminal in SERVER.terminals),
                    entities[TELEPHONES, "inventory"],
                    *(entities[lock.name, "door"] for lock in LOCKS),
                ]
            },
            "grid_options": {"columns": "full", "rows": 8},
        },
    ]


def _section(cards: list[Card]) -> Card:
    return {"type": "grid", "cards": cards}


def _heading(text: str, icon: str) -> Card:
    return {"type": "heading", "heading": text, "icon": icon}


def _button(entity_id: str, name: str) -> Card:
    return {
        **_tile(entity_id, name),
        "hide_state": True,
        **_tapped(_action("button.press", {"entity_id": entity_id})),
    }


def _action(action: str, target: Mapping[str, str], **data: Any) -> Card:
    return {
        "action": "perform-action",
        "perform_action": action,
        "target": target,
        "data": data,
    }


def _tapped(action: Card) -> Card:
    """Return what makes the same happen wherever a tile is tapped."""
    return {"tap_action": action, "icon_tap_action": action}


def _tile(entity_id: str, name: str) -> Card:
    return {"type": "tile", "entity": entity_id, "name": name}
